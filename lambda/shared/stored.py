"""Read items, whoever wrote them: each attribute has one reading, and an item that does not fit harms no other.

DynamoDB stores what any program gives it. A shape names the attributes that a route needs, with what they have to be;
no other attribute is looked at.
"""

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Generic, TypeVar

from aws_lambda_powertools import Logger
from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints, ValidationError
from pydantic_core import PydanticCustomError

from shared import ids, times
from shared.api_errors import ApiError, unreadable
from shared.items import plain

# How many items are remembered that were logged; a table full of odd ones must not fill the memory, nor the log.
REMEMBERED = 1000

Parsed = TypeVar("Parsed", bound=BaseModel)
# Reads one attribute as a database gives it.
Value = Callable[[Any], Any]


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
        raise PydanticCustomError("json", "is not a JSON object")
    return text


def _time(text: str) -> str:
    # Not pydantic's own pattern: its digits are those of any script, and no cursor is.
    if not times.is_timestamp(text):
        raise PydanticCustomError("time", "is not a time as this service writes it")
    return text


def _no_constant(name: str) -> None:
    raise ValueError(name)


StoredId = Annotated[str, StringConstraints(pattern=f"^(?:{ids.PATTERN})$")]
StoredTime = Annotated[str, AfterValidator(_time)]
# The text of an object, as it was written.
StoredJson = Annotated[str, AfterValidator(_json_object)]


class Reader(Generic[Parsed]):
    """Read the items of a table by a shape.

    `key` names the attributes that say in the log which item it was, where `shown` writes those that are personal.
    `value` reads an attribute of another database than DynamoDB, and `logged` is what readers of one table share.
    """

    def __init__(  # noqa: PLR0913 - what there is to say of a table
        self,
        shape: type[Parsed],
        *,
        table: str,
        key: Sequence[str],
        logger: Logger,
        shown: Callable[[str], str] = str,
        value: Value = plain,
        logged: set[tuple[str, ...]] | None = None,
    ) -> None:
        self._shape = shape
        self._names = tuple(shape.model_fields)
        self._table = table
        self._key = tuple(key)
        self._logger = logger
        self._shown = shown
        self._value = value
        self._logged = set() if logged is None else logged

    def find(self, item: Mapping[str, Any] | None) -> Parsed | None:
        """Read an item; None where there is none, or none that fits, which is logged once."""
        if item is None:
            return None
        try:
            return self._shape.model_validate(values_of(self._names, item, self._value))
        except ValidationError as error:
            faults = error.errors(include_url=False, include_context=False, include_input=False)
            self._log(item, sorted({str(fault["loc"][0]) for fault in faults if fault["loc"]}))
            return None

    def each(self, items: Iterable[Mapping[str, Any]]) -> Iterator[Parsed]:
        """Read the items that fit, and leave out the others, each of which is logged once."""
        return (found for item in items if (found := self.find(item)) is not None)

    def need(self, item: Mapping[str, Any], subject: str) -> Parsed:
        """Read an item that is to be changed, or refuse: one that does not fit is logged and stays as it is."""
        found = self.find(item)
        if found is None:
            raise unreadable(subject)
        return found

    def unreadable(self, item: Mapping[str, Any], attributes: Collection[str], subject: str) -> ApiError:
        """Log that an item does not fit, and make the response to the request that was to change it."""
        self.leave_out(item, attributes)
        return unreadable(subject)

    def leave_out(self, item: Mapping[str, Any], attributes: Collection[str]) -> None:
        """Log once that an item does not fit, for what was found when it was to be written."""
        self._log(item, sorted(attributes))

    def _log(self, item: Mapping[str, Any], attributes: Sequence[str]) -> None:
        key = {name: self._shown(str(self._value(item[name]))) for name in self._key if name in item}
        seen = (*key.values(), *attributes)
        if seen in self._logged or len(self._logged) > REMEMBERED:
            return
        self._logged.add(seen)
        if len(self._logged) > REMEMBERED:
            self._logger.warning("More items do not fit than the log names.", extra={"table": self._table})
            return
        self._logger.warning(
            "An item does not fit and is left out.", extra={"table": self._table, "key": key, "attributes": attributes}
        )


class Readers:
    """The readers of one table, made when a shape is first asked for; the options are those of `Reader`.

    A shape may have options of its own, which it is first asked for with.
    """

    def __init__(self, **options: Any) -> None:
        self._options = {"logged": set(), **options}
        self._made: dict[type[BaseModel], Reader[Any]] = {}

    def of(self, shape: type[Parsed], **options: Any) -> Reader[Parsed]:
        """Give the reader of a shape."""
        made = self._made.get(shape)
        if made is None:
            made = self._made[shape] = Reader(shape, **{**self._options, **options})
        return made


@dataclass(frozen=True, kw_only=True)
class Found:
    """An item as its table has it, which each route reads as far as it needs it."""

    item: Mapping[str, Any] = field(repr=False)
    readers: Readers = field(repr=False)

    def read(self, shape: type[Parsed]) -> Parsed | None:
        """Read the item by a shape; None where it does not fit."""
        return self.readers.of(shape).find(self.item)


def values_of(names: Iterable[str], item: Mapping[str, Any], value_of: Value) -> dict[str, Any]:
    """Read the attributes of an item that a shape has, by the names of its fields."""
    return {name: value for name in names if name in item and (value := value_of(item[name])) is not None}
