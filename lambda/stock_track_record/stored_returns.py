"""Say what a track record is in the table; its picks are read as DynamoDB gives them, since there are a thousand."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Self

from pydantic import AliasPath, Field, GetPydanticSchema, PlainValidator, model_validator
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from shared.items import plain
from shared.numbers import kept
from shared.stored import Stored, StoredId, StoredTime
from stock_track_record import keys, models


def values(typed: Mapping[str, Any]) -> Any:
    """Read an attribute of a record; lists and maps stay as DynamoDB gives them, for the shapes below."""
    return typed if "L" in typed or "M" in typed else plain(typed)


def _number(*, before: int, after: int, more_than: float | None = None) -> GetPydanticSchema:
    """Read the digits of a number as a double, where there are at most so many before and after the point.

    As the worker and DynamoDB write them, they are compared with a pattern, which calls no Python. Any other spelling
    of the same number, such as 1E+2, is as good and takes longer.
    """
    fits = kept(before=before, after=after)

    def spelled_otherwise(digits: str) -> float:
        try:
            return float(fits(Decimal(digits)))
        except InvalidOperation:
            raise PydanticCustomError("number", "Input should be a valid number") from None

    def schema(*_: Any) -> CoreSchema:
        text = core_schema.str_schema(strict=True)
        usual = core_schema.str_schema(strict=True, pattern=rf"^-?[0-9]{{1,{before}}}(?:\.[0-9]{{1,{after}}})?$")
        either: list[CoreSchema | tuple[CoreSchema, str]] = [
            usual,
            core_schema.no_info_after_validator_function(spelled_otherwise, text),
        ]
        return core_schema.chain_schema(
            [
                core_schema.union_schema(either, mode="left_to_right"),
                core_schema.float_schema(strict=False, gt=more_than),
            ]
        )

    return GetPydanticSchema(schema)


def _no_value(typed: Any) -> None:
    if typed is not None and "NULL" not in typed:
        raise PydanticCustomError("null", "Input should be null")


def _of_pick(name: str, kind: str) -> Any:
    return Field(validation_alias=AliasPath("M", name, kind))


def _none_of_pick(name: str) -> Any:
    return Field(default=None, validation_alias=AliasPath("M", name))


# Numbers as `models.Price` has them, and figures, of which the largest is that of the largest price over the smallest.
Price = Annotated[float, _number(before=9, after=6, more_than=0)]
Figure = Annotated[float, _number(before=16, after=6)]
Null = Annotated[None, PlainValidator(_no_value)]
# The same of what `values` has read: of the whole record there are three.
PlainFigure = (
    Annotated[int, Field(gt=-(10**16), lt=10**16)] | Annotated[Decimal, Field(max_digits=22, decimal_places=6)]
)


class StoredReturn(models.PickReturn):
    """How a pick did, within a track record."""

    model_config = Stored.model_config

    ticker: models.Ticker = _of_pick("ticker", "S")
    direction: models.Direction = _of_pick("direction", "S")
    date: models.Day = _of_pick("date", "S")
    price: Price = _of_pick("price", "N")


class PricedReturn(StoredReturn):
    """That of a pick whose stock has a price that is as new."""

    latest_date: models.Day = _of_pick("latest_date", "S")
    latest_price: Price = _of_pick("latest_price", "N")
    return_to_date: Figure = _of_pick("return_to_date", "N")


class UnpricedReturn(StoredReturn):
    """That of a pick without such a price."""

    latest_date: Null = _none_of_pick("latest_date")
    latest_price: Null = _none_of_pick("latest_price")
    return_to_date: Null = _none_of_pick("return_to_date")


AnyReturn = Annotated[PricedReturn | UnpricedReturn, Field(union_mode="left_to_right")]


class StoredRecord(Stored):
    """A track record as the table has it, read by `values`."""

    pk: str
    channel_id: StoredId
    job_id: StoredId
    computed_at: StoredTime
    count: int
    priced: int = Field(ge=0)
    hit_rate: PlainFigure | None = None
    mean_return: PlainFigure | None = None
    median_return: PlainFigure | None = None
    best_pick: PricedReturn | None = None
    worst_pick: PricedReturn | None = None
    picks: list[AnyReturn] = Field(validation_alias=AliasPath("picks", "L"))

    @model_validator(mode="after")
    def _lies_under_its_key(self) -> Self:
        return keys.lies_under(self, self.pk, keys.record_key(self.channel_id)["pk"]["S"])

    @model_validator(mode="after")
    def _counts_its_picks(self) -> Self:
        if self.count != len(self.picks) or self.priced > self.count:
            raise PydanticCustomError("count", "counts other picks than it has")
        return self
