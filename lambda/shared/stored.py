"""Read items, whoever wrote them: each attribute has one reading, and an item that does not fit harms no other.

DynamoDB stores what any program gives it. A shape names the attributes that a route needs, with what they have to be;
no other attribute is looked at.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Annotated, Any, Generic, TypeVar

from aws_lambda_powertools import Logger
from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints, ValidationError
from pydantic_core import PydanticCustomError

from shared import ids, times
from shared.dynamodb import Item
from shared.items import plain

# How many items are remembered that were logged; a table full of odd ones must not fill the memory, nor the log.
REMEMBERED = 1000

Parsed = TypeVar("Parsed", bound=BaseModel)


class Stored(BaseModel):
    """The attributes of an item that a route needs. One that is NULL counts as one that is not there."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")


def _json_object(text: str) -> str:
    try:
        # Numbers stay the texts that they are: one of many digits is as good as any.
        value = json.loads(text, parse_int=str, parse_float=str, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise PydanticCustomError("json", "is no JSON object")
    return text


def _no_constant(name: str) -> None:
    raise ValueError(name)


StoredId = Annotated[str, StringConstraints(pattern=f"^(?:{ids.PATTERN})$")]
StoredTime = Annotated[str, StringConstraints(pattern=f"^(?:{times.PATTERN})$")]
# The text of an object, as it was written.
StoredJson = Annotated[str, AfterValidator(_json_object)]


class Reader(Generic[Parsed]):
    """Read the items of a table by a shape.

    `key` names the attributes that say in the log which item it was, where `shown` writes those that are personal.
    """

    def __init__(
        self,
        shape: type[Parsed],
        *,
        table: str,
        key: Sequence[str],
        logger: Logger,
        shown: Callable[[str], str] = str,
    ) -> None:
        self._shape = shape
        self._table = table
        self._key = tuple(key)
        self._logger = logger
        self._shown = shown
        self._logged: set[tuple[str, ...]] = set()

    def find(self, item: Item | None) -> Parsed | None:
        """Read an item; None where there is none, or none that fits, which is logged once."""
        if item is None:
            return None
        try:
            return self._shape.model_validate(values_of(self._shape, item))
        except ValidationError as error:
            faults = error.errors(include_url=False, include_context=False, include_input=False)
            self._log(item, sorted({str(fault["loc"][0]) for fault in faults if fault["loc"]}))
            return None

    def each(self, items: Iterable[Item]) -> Iterator[Parsed]:
        """Read the items that fit, and leave out the others, each of which is logged once."""
        return (found for item in items if (found := self.find(item)) is not None)

    def _log(self, item: Item, attributes: Sequence[str]) -> None:
        key = {name: self._shown(str(next(iter(item[name].values()), ""))) for name in self._key if name in item}
        seen = (*key.values(), *attributes)
        if seen in self._logged:
            return
        if len(self._logged) < REMEMBERED:
            self._logged.add(seen)
        self._logger.warning(
            "An item does not fit and is left out.", extra={"table": self._table, "key": key, "attributes": attributes}
        )


def values_of(shape: type[BaseModel], item: Item) -> dict[str, Any]:
    """Read the attributes of an item that a shape has, by the names of its fields."""
    return {name: value for name in shape.model_fields if name in item and (value := plain(item[name])) is not None}
