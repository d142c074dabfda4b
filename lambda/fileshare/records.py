"""What the databases keep: users and links, with the same field names everywhere."""

from dataclasses import asdict, dataclass, field
from typing import Any

FREE = "free"
TRIAL = "trial"


@dataclass(frozen=True, kw_only=True)
class User:
    """Somebody who shares links; times are texts as `shared.times` writes them."""

    user_id: str
    email: str
    created_at: str
    updated_at: str
    user_tier: str = FREE
    trial_used: bool = False
    trial_started_at: str | None = None
    trial_expires_at: str | None = None
    # Without one the user has no token yet, as users who came from elsewhere.
    token_hash: str | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class Link:
    """A short link; `expires_at_ttl` is the second at which DynamoDB may sweep it, never before `expires_at`."""

    short_code: str
    created_by_user: str
    full_url: str
    created_at: str
    expires_at: str | None = None
    expires_at_ttl: int | None = None
    file_key: str | None = None
    filename: str | None = None
    click_count: int = 0


def is_over(expires_at: str | None, now: str) -> bool:
    """Tell whether nobody may follow a link any more that ends then."""
    return expires_at is not None and expires_at <= now


def values_of(record: User | Link) -> dict[str, Any]:
    """Give a record's fields by name."""
    return asdict(record)
