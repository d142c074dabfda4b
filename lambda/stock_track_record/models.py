"""Describe what callers send and get."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from shared.numbers import kept
from shared.strict_model import StrictModel
from shared.visible_text import ShownLine, ShownLines, VisibleLine, VisibleLines
from stock_track_record.keys import DAY_PATTERN, TICKER_PATTERN

MAX_PICKS_AT_ONCE = 50
MAX_DAYS_AT_ONCE = 250

EXAMPLE_ID = "7f3d9f0e-5c1b-4c7e-9d53-0a4a1f4c2b11"
EXAMPLE_TIME = "2026-01-31T09:15:02.104233Z"
EXAMPLE_PICK: dict[str, Any] = {"ticker": "ACME", "direction": "long", "date": "2026-01-05", "price": 12.5}
EXAMPLE_PRICES: dict[str, Any] = {
    "name": "Acme Corporation",
    "prices": [{"date": "2026-01-05", "price": 12.5}, {"date": "2026-01-30", "price": 15}],
}


def _real_day(text: str) -> str:
    try:
        date.fromisoformat(text)
    except ValueError:
        raise PydanticCustomError("day", "Input should be a day of the calendar") from None
    return text


def _once(names: list[str], subject: str) -> None:
    for name in names:
        if names.count(name) > 1:
            raise PydanticCustomError("twice", "{subject} {name} stands twice", {"subject": subject, "name": name})


# JSON has numbers only, and a double holds 15 digits exactly.
Price = Annotated[
    Decimal,
    BeforeValidator(kept(before=9, after=6)),
    Field(gt=0),
    PlainSerializer(float, return_type=float, when_used="json"),
    WithJsonSchema(
        {
            "type": "number",
            "exclusiveMinimum": 0,
            "maximum": 999_999_999,
            "multipleOf": 0.000001,
            "description": "More than 0, with up to 15 digits, 6 of them after the point.",
        }
    ),
]
Day = Annotated[
    str,
    Field(pattern=DAY_PATTERN, description="A day as YYYY-MM-DD, tomorrow (UTC) at the latest."),
    AfterValidator(_real_day),
    WithJsonSchema({"type": "string", "format": "date", "pattern": DAY_PATTERN}),
]
Ticker = Annotated[str, Field(pattern=TICKER_PATTERN, description="The stock's ticker.", examples=["ACME"])]
Direction = Annotated[
    Literal["long", "short"], Field(description="`long` wins when the price rises, `short` when it falls.")
]
Id = Annotated[str, Field(examples=[EXAMPLE_ID])]
Time = Annotated[str, Field(description="ISO 8601, UTC, microseconds.", examples=[EXAMPLE_TIME])]
NextCursor = Annotated[str | None, Field(description="Send this as `cursor` to go on; null when there was no more.")]


class NewChannel(StrictModel):
    """A channel as a caller sends it."""

    model_config = ConfigDict(json_schema_extra={"example": {"name": "Morning picks", "description": "Sample."}})

    name: Annotated[str, Field(min_length=1, max_length=100), VisibleLine] = Field(
        description="What people call the channel."
    )
    description: Annotated[str, Field(max_length=1000), VisibleLines] = Field(
        default="", description="What the channel is about."
    )


class Channel(BaseModel):
    """A channel."""

    channel_id: Id
    name: ShownLine
    description: ShownLines
    created_at: Time


class ChannelPage(BaseModel):
    """A part of all channels, oldest first."""

    channels: list[Channel]
    next_cursor: NextCursor


class Pick(StrictModel):
    """What a channel recommended: one stock on one day."""

    ticker: Ticker
    direction: Direction
    date: Day
    price: Price


class NewPicks(StrictModel):
    """Picks to add to a channel: all of them or none."""

    model_config = ConfigDict(json_schema_extra={"example": {"picks": [EXAMPLE_PICK]}})

    picks: list[Pick] = Field(min_length=1, max_length=MAX_PICKS_AT_ONCE)

    @model_validator(mode="after")
    def _no_pick_twice(self) -> "NewPicks":
        _once([f"{pick.ticker} on {pick.date}" for pick in self.picks], "the pick of")
        return self


class AddedPicks(BaseModel):
    """The picks that were added."""

    picks: list[Pick]


class PickPage(BaseModel):
    """A part of a channel's picks, oldest first."""

    picks: list[Pick]
    next_cursor: NextCursor


class DayPrice(StrictModel):
    """What a stock cost on a day."""

    date: Day
    price: Price


class NewPrices(StrictModel):
    """A stock's name and prices: the days that are named are set, all others stay."""

    model_config = ConfigDict(json_schema_extra={"example": EXAMPLE_PRICES})

    name: Annotated[str, Field(min_length=1, max_length=100), VisibleLine] = Field(
        description="What the company is called."
    )
    prices: list[DayPrice] = Field(min_length=1, max_length=MAX_DAYS_AT_ONCE)

    @model_validator(mode="after")
    def _no_day_twice(self) -> "NewPrices":
        _once([price.date for price in self.prices], "the day")
        return self


class Stock(BaseModel):
    """A stock and its prices, oldest first."""

    ticker: Ticker
    name: ShownLine
    prices: list[DayPrice]


class Job(BaseModel):
    """A request to make a channel's track record anew."""

    job_id: Id
    channel_id: Id
    state: Literal["queued", "done", "failed"]
    detail: str | None = Field(default=None, description="What there is to say about the state, in a sentence.")
    created_at: Time
    finished_at: str | None = Field(default=None, description="When it was done or failed.")


class JobPage(BaseModel):
    """A part of a channel's jobs, newest first."""

    jobs: list[Job]
    next_cursor: NextCursor


class PickReturn(BaseModel):
    """How a pick did. What has no price that is as new as the pick has null in the last three."""

    ticker: Ticker
    direction: Direction
    date: Day
    price: float
    latest_date: str | None = Field(description="The day of the stock's latest price.")
    latest_price: float | None
    return_to_date: float | None = Field(description="What the pick has gained: 0.1 is ten percent.")


class TrackRecord(BaseModel):
    """How a channel's picks did, when the job was done."""

    channel_id: Id
    job_id: Id
    computed_at: Time
    count: int = Field(description="How many picks the channel has.")
    priced: int = Field(description="How many of them have a price as new as the pick; the figures are of these.")
    hit_rate: float | None = Field(
        default=None, description="Which part of them gained anything: 0.5 is every second one; null without any."
    )
    mean_return: float | None = None
    median_return: float | None = None
    best_pick: PickReturn | None = None
    worst_pick: PickReturn | None = None
    picks: list[PickReturn] = Field(description="All picks, oldest first.")


class Health(BaseModel):
    """The service responds."""

    status: Literal["ok"] = "ok"
    version: str
