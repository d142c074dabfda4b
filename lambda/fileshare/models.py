"""Describe what callers send and get."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from fileshare.checks import MAX_FILE_KEY_LENGTH, MAX_FILENAME_LENGTH, MAX_URL_LENGTH
from shared.moments import Moment
from shared.strict_model import StrictModel

EXAMPLE_TIME = "2026-01-31T09:15:02.104233Z"
EXAMPLE_CODE = "h3Xk90aQzB"

ShortCode = Annotated[
    str, Field(description="What stands behind the slash of the short link.", examples=[EXAMPLE_CODE])
]
Time = Annotated[str, Field(description="ISO 8601, UTC, microseconds.", examples=[EXAMPLE_TIME])]


class NewUser(StrictModel):
    """Somebody who signs up."""

    model_config = ConfigDict(json_schema_extra={"example": {"email": "ada@example.com"}})

    email: str = Field(description="An address that no other user has; case does not count.", max_length=1024)


class CreatedUser(BaseModel):
    """A new user, and the token, which is shown this once."""

    user_id: str
    email: str
    user_tier: str
    created_at: Time
    token: str = Field(description="Send it as `Authorization: Bearer ...`. Only its hash is kept.")


class NewLink(StrictModel):
    """A link to be shortened."""

    model_config = ConfigDict(json_schema_extra={"example": {"full_url": "https://example.com/report.pdf"}})

    full_url: str = Field(description=f"Where the link goes: http or https, up to {MAX_URL_LENGTH} characters.")
    expires_at: Moment | None = Field(
        default=None,
        description="The moment at which the link ends, as RFC 3339 writes it; left out, it never ends.",
    )
    file_key: str | None = Field(
        default=None, description=f"Key of the stored file, up to {MAX_FILE_KEY_LENGTH} characters."
    )
    filename: str | None = Field(
        default=None, description=f"Name of the file as people see it, up to {MAX_FILENAME_LENGTH} characters."
    )


class LinkDetails(BaseModel):
    """A link as its owner sees it."""

    short_code: ShortCode
    full_url: str
    created_at: Time
    expires_at: str | None
    file_key: str | None
    filename: str | None
    click_count: int = Field(description="How often the link was followed.")


class LinkPage(BaseModel):
    """Some of a user's links, in no particular order."""

    links: list[LinkDetails]
    next_cursor: str | None = Field(description="Send this as `cursor` to go on; null when there was no more.")


class TrialStatus(BaseModel):
    """Where a user stands with the premium trial."""

    email: str
    user_tier: str = Field(description="`free`, `trial` while the trial runs, or what the user pays for.")
    message: str = Field(description="What the frontend shows.", examples=["Try Premium - Free for 30 days"])
    can_start_trial: bool
    trial_active: bool
    trial_used: bool = Field(description="Whether the one trial was started, ever.")
    trial_started_at: str | None
    trial_expires_at: str | None
    days_left: int = Field(description="Days of the trial that are left, begun ones included.")


class Health(BaseModel):
    """The service responds."""

    status: Literal["ok"] = "ok"
    version: str
    database: Literal["dynamodb", "sqlite"] = Field(description="Where users and links are kept.")
