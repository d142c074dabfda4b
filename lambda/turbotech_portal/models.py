"""Describe what callers send and get."""

from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    PlainSerializer,
    StringConstraints,
    field_serializer,
    model_validator,
)
from pydantic_core import PydanticCustomError

from shared import ids, times
from shared.numbers import WholeNumber, kept
from shared.personal import holds_address, public_id, public_name
from shared.strict_model import StrictModel
from shared.visible_text import ShownLine, ShownLines, VisibleLine, VisibleLines

MAX_MONTH = 120
# A binary fraction holds every number of nine digits before and six behind the point exactly as it was written.
MAX_VALUE = 1_000_000_000
MAX_DECIMALS = 6
MAX_DIGITS_BEFORE = 10

EXAMPLE_CREATED_AT = "2026-01-31T09:15:02.104233Z"
EXAMPLE_UPDATE_ID = "7f3d9f0e-5c1b-4c7e-9d53-0a4a1f4c2b11"
EXAMPLE_USER_ID = "auth0|5f7c8ec7c33c6c004bbafe82"

Status = Literal["NOT_STARTED", "IN_PROGRESS", "BLOCKED", "COMPLETED"]
STATUSES: tuple[Status, ...] = ("NOT_STARTED", "IN_PROGRESS", "BLOCKED", "COMPLETED")

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), VisibleLine]
Message = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=5_000), VisibleLines]
Percentage = Annotated[int, WholeNumber, Field(ge=0, le=100, description="How much of it is done, in percent.")]
Month = Annotated[int, WholeNumber, Field(ge=1, le=MAX_MONTH, description="The month of the project, counted from 1.")]


_kept = kept(before=MAX_DIGITS_BEFORE, after=MAX_DECIMALS)


def _few_digits(value: object) -> float:
    return float(_kept(value))


def _number(value: object) -> object:
    return float(value) if isinstance(value, Decimal) else value


# What callers send, and what they get: DynamoDB's numbers are decimal, JSON's are not.
SentValue = Annotated[float, BeforeValidator(_few_digits), Field(ge=-MAX_VALUE, le=MAX_VALUE)]
Value = Annotated[int | float, BeforeValidator(_number)]


def _no_address(name: str) -> str:
    if holds_address(name):
        raise PydanticCustomError("address", "must be no e-mail address, since other users see it")
    return name


# People are shown without their addresses, as texts are shown without what nobody sees.
UserId = Annotated[str, PlainSerializer(public_id, when_used="json")]
OwnName = Annotated[Name, AfterValidator(_no_address)]


def _left_out() -> Any:
    """Stand for a member that was not sent; unlike a default of null, it lets nobody send null."""
    return None


class Changes(StrictModel):
    """A part of something, to be set; what is left out stays as it is."""

    @model_validator(mode="after")
    def _refuse_nothing(self) -> Self:
        if not self.model_fields_set:
            raise PydanticCustomError("nothing_to_change", "name at least one member to change")
        return self

    def values(self) -> dict[str, Any]:
        """Return what is to be set, with numbers as DynamoDB keeps them."""
        return {
            name: Decimal(repr(value)) if isinstance(value, float) else value
            for name, value in self.model_dump(exclude_unset=True).items()
        }


class DeliverableChanges(Changes):
    """What may change of a deliverable."""

    name: Name = Field(default_factory=_left_out)
    status: Status = Field(default_factory=_left_out)
    completion_percentage: Percentage = Field(default_factory=_left_out)
    month: Month = Field(default_factory=_left_out)


class MetricChanges(Changes):
    """What may change of a metric."""

    name: Name = Field(default_factory=_left_out)
    target: SentValue = Field(default_factory=_left_out)
    current_value: SentValue = Field(default_factory=_left_out)


class UpdateChanges(Changes):
    """What may change of an update once it is there."""

    title: Name = Field(default_factory=_left_out)
    message: Message = Field(default_factory=_left_out)


class UserChanges(Changes):
    """What users may change of themselves."""

    name: OwnName = Field(default_factory=_left_out)


class NewUpdate(StrictModel):
    """An update as its author writes it."""

    title: Name
    message: Message


class Deliverable(BaseModel):
    """Something that the project owes its customer."""

    id: int
    name: ShownLine
    # Other people's scripts write the table, too: their words are shown as they are.
    status: ShownLine = Field(examples=list(STATUSES))
    completion_percentage: Value
    month: int


class Deliverables(BaseModel):
    """Deliverables by their id."""

    deliverables: list[Deliverable]


class Metric(BaseModel):
    """A number that the project is measured by."""

    id: int
    name: ShownLine
    target: Value
    current_value: Value


class Metrics(BaseModel):
    """Metrics by their id."""

    metrics: list[Metric]


class UserName(BaseModel):
    """What everybody may know of a user."""

    id: UserId = Field(examples=[EXAMPLE_USER_ID])
    name: str

    @field_serializer("name", when_used="json")
    def _public_name(self, name: str) -> str:
        return public_name(name, user_id=self.id)


class Author(UserName):
    """Who wrote an update, as they were called then."""


class Update(BaseModel):
    """News of the project, with the ids of the users who have read it."""

    id: str = Field(pattern=f"^{ids.PATTERN}$", examples=[EXAMPLE_UPDATE_ID])
    title: ShownLine
    message: ShownLines
    author: Author
    created_at: str = Field(pattern=f"^{times.PATTERN}$", examples=[EXAMPLE_CREATED_AT])
    read_by: list[UserId] = Field(default=[], examples=[[EXAMPLE_USER_ID]])


class UpdatesPage(BaseModel):
    """A part of the updates, newest first."""

    updates: list[Update]
    next_cursor: str | None = Field(description="Send this as `cursor` to go on; null when there was no more.")


class User(UserName):
    """Somebody who has called the portal, as only they themselves see it."""

    email: str | None = None
    first_seen_at: str | None = Field(default=None, examples=[EXAMPLE_CREATED_AT])


class UserNames(BaseModel):
    """Users by their name."""

    users: list[UserName]


class DeliverableNumbers(BaseModel):
    """The deliverables in numbers."""

    total: int
    by_status: dict[str, int] = Field(description="How many have each status, none of them included.")
    overall_completion: float = Field(description="The mean of all completion percentages, with one decimal.")


class MetricNumbers(Metric):
    """A metric against its target."""

    percent_of_target: float | None = Field(description="With one decimal; null when the target is 0.")
    reached: bool = Field(description="Whether the value is at least the target.")


class UpdateNumbers(BaseModel):
    """The latest updates, and how many of all the caller has not read."""

    latest: list[Update]
    unread: int


class Dashboard(BaseModel):
    """The numbers that a frontend shows first."""

    deliverables: DeliverableNumbers
    metrics: list[MetricNumbers]
    updates: UpdateNumbers


class Health(BaseModel):
    """The service responds."""

    status: Literal["ok"] = "ok"
    version: str
