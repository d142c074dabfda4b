"""Describe what callers send and get."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.strict_model import StrictModel
from shared.visible_text import VisibleId

MAX_NAME_LENGTH = 256

EXAMPLE_EVENT_ID = "7f3d9f0e-5c1b-4c7e-9d53-0a4a1f4c2b11"
EXAMPLE_CREATED_AT = "2026-01-31T09:15:02.104233Z"
EXAMPLE_ACKNOWLEDGED_AT = "2026-01-31T09:16:40.000871Z"
EXAMPLE_NEW_EVENT: dict[str, Any] = {"source": "test", "event_type": "test.created", "payload": {}}

Name = Annotated[str, Field(min_length=1, max_length=MAX_NAME_LENGTH)]
# Tables also hold names from before there was a rule.
SentName = Annotated[Name, VisibleId]
EventId = Annotated[str, Field(description="The id that the service gave the event.", examples=[EXAMPLE_EVENT_ID])]
CreatedAt = Annotated[
    str, Field(description="When the event was stored: ISO 8601, UTC, microseconds.", examples=[EXAMPLE_CREATED_AT])
]


class NewEvent(StrictModel):
    """An event as an external system sends it."""

    model_config = ConfigDict(json_schema_extra={"example": EXAMPLE_NEW_EVENT})

    source: SentName = Field(description="The system that the event comes from.")
    event_type: SentName = Field(description="What happened.")
    payload: dict[str, Any] = Field(description="Any JSON object. It comes back exactly as it was written.")


class CreatedEvent(BaseModel):
    """The response to a stored event."""

    event_id: EventId
    created_at: CreatedAt
    status: Literal["pending"] = "pending"


class InboxEvent(BaseModel):
    """An event that nobody has acknowledged yet."""

    event_id: EventId
    created_at: CreatedAt
    status: Literal["pending"]
    source: Name
    event_type: Name
    payload: dict[str, Any]


class InboxPage(BaseModel):
    """A part of the inbox, oldest first."""

    events: list[InboxEvent]
    next_cursor: str | None = Field(description="Send this as `cursor` to go on; null when there was no more.")


class AcknowledgedEvent(BaseModel):
    """The response to an acknowledgement; the second one is the same as the first."""

    event_id: EventId
    status: Literal["acknowledged"] = "acknowledged"
    acknowledged_at: str = Field(
        description="When the event was first acknowledged.", examples=[EXAMPLE_ACKNOWLEDGED_AT]
    )


class Health(BaseModel):
    """The service responds."""

    status: Literal["ok"] = "ok"
    version: str
