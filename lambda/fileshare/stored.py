"""Say what each route needs of a user or a link, whoever stored it: every attribute has one reading, in both databases.

What is not there, or NULL, has its default; what is something else than it has to be makes the item one that does not
fit (`shared.stored`). A time may have any of the forms that `_WRITTEN` knows, and an address any spelling.
"""

import re
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from fileshare.checks import is_short_code, is_target
from fileshare.records import FREE, TRIAL, is_over
from shared.stored import Found, Stored
from shared.times import NotATimeError, read_time, timestamp

# What SQLite can count to. A link that was followed as often still leads where it leads.
MOST_CLICKS = 2**63 - 1
# A day, or a day with a time of day, as the libraries of most languages write them: a T or a space between the two, and
# seconds, their fraction and the offset where they are known.
_WRITTEN = re.compile(
    r" *(?P<day>\d{4}-\d{2}-\d{2})"
    r"(?:[T ](?P<minute>\d{2}:\d{2})(?P<second>:\d{2}(?:\.\d+)?)?(?P<offset>Z|[+-]\d{2}:\d{2})?)? *",
    flags=re.ASCII | re.IGNORECASE,
)


def _time(text: str) -> str:
    """Write a time as `shared.times` does, so that texts sort as times do; without an offset it is UTC.

    `datetime.fromisoformat` would read much that nobody meant as a time, such as 20350101912 or any letter for the T.
    """
    found = _WRITTEN.fullmatch(text)
    try:
        if found is not None:
            clock = f"{found['minute'] or '00:00'}{found['second'] or ':00'}"
            return timestamp(read_time(f"{found['day']}T{clock}{found['offset'] or 'Z'}"))
    except (NotATimeError, OverflowError):
        pass
    raise PydanticCustomError("time", "is not a time")


def _code(text: str) -> str:
    if not is_short_code(text):
        raise PydanticCustomError("code", "is not a code that anybody can follow")
    return text


def _flag(value: Any) -> Any:
    # SQLite has no booleans, and what came from there can have kept its 0 or 1.
    return bool(value) if type(value) is int and value in (0, 1) else value


AnyTime = Annotated[str, AfterValidator(_time)]
Clicks = Annotated[int, Field(ge=0, le=MOST_CLICKS)]
Flag = Annotated[bool, BeforeValidator(_flag)]
ShortCode = Annotated[str, AfterValidator(_code)]


class Holder(Stored):
    """Who has a token; users who came from elsewhere have none yet."""

    user_id: str
    token_hash: str | None = Field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Whoever sent a request: a user with a token, as stored at that moment."""

    user_id: str
    found: Found = field(repr=False)


class Trial(Stored):
    """What decides about a user's trial."""

    user_id: str
    email: str = ""
    user_tier: str = FREE
    trial_used: Flag = False
    trial_started_at: AnyTime | None = None
    trial_expires_at: AnyTime | None = None

    @property
    def was_used(self) -> bool:
        """Tell whether the user has had the one trial; other code may have written the tier alone."""
        return self.trial_used or self.user_tier == TRIAL

    @property
    def can_start(self) -> bool:
        """Tell whether the trial can be started: what is offered, and what the database's condition asks for."""
        return self.user_tier == FREE and not self.trial_used


class Owned(Stored):
    """Whose a link is."""

    created_by_user: str


class Ending(Stored):
    """A link as far as its end goes."""

    expires_at: AnyTime | None = None

    def has_expired(self, now: str) -> bool:
        """Tell whether nobody may follow the link any more."""
        return is_over(self.expires_at, now)


class Target(Ending):
    """What is needed to follow a link."""

    full_url: str
    click_count: Clicks = 0

    def may_be_followed(self, now: str) -> bool:
        """Tell whether the link is alive and leads where a browser may be sent: other code may have written it."""
        return not self.has_expired(now) and is_target(self.full_url)

    def followed(self) -> "Target":
        """Count a click; one that was counted up to the end stays there."""
        return self.model_copy(update={"click_count": min(self.click_count + 1, MOST_CLICKS)})


class ShownLink(Target, Owned):
    """A link as its owner sees it, alone and in the list."""

    short_code: ShortCode
    created_at: AnyTime
    file_key: str | None = None
    filename: str | None = None
