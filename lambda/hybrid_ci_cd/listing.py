"""Read a list from an index page by page, through one range of its keys after another."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from itertools import islice, takewhile
from typing import Any, Generic, TypeVar

from shared import cursor
from shared.cursor import MalformedCursorError
from shared.dynamodb import READ_AT_ONCE, DynamoDB, Item, items_in_steps
from shared.paging import read_cursor

Predicate = Callable[[Item], bool]
Entry = TypeVar("Entry")


@dataclass(frozen=True, kw_only=True)
class Index:
    """An index of a table: the names of its keys, and what a cursor of ours may hold for them."""

    table: str
    name: str
    hash: str
    range: str
    range_type: str
    key: str
    is_range: Callable[[str], bool]
    is_key: Callable[[str], bool]


@dataclass(frozen=True, kw_only=True)
class KeyRange:
    """One partition of an index, from its newest or its oldest entry on, for as long as `holds` says yes.

    `up_to` leaves out, unread, what lies behind it in the index. That is for walks only: a bound that follows the clock
    can pass the entry at which the page before ended, and DynamoDB refuses to start outside of the bounds.
    """

    partition: str
    newest_first: bool
    up_to: str | None = None
    holds: Predicate = lambda _item: True


@dataclass(frozen=True, kw_only=True)
class Page(Generic[Entry]):
    """Entries of an index as they were read, and where the next page starts."""

    entries: list[Entry]
    next_cursor: str | None


@dataclass(frozen=True, kw_only=True)
class _Position:
    number: int
    range: str
    key: str


class Listing:
    """Read one index."""

    def __init__(self, *, dynamodb: DynamoDB, index: Index) -> None:
        self._dynamodb = dynamodb
        self._index = index

    def page(
        self, ranges: Sequence[KeyRange], *, after: str | None, limit: int, read: Callable[[Item], Entry | None]
    ) -> Page[Entry]:
        """Read the page behind a cursor, range after range: up to `limit` of the entries of which `read` made some.

        Only where such an entry lies can a page end, and `_position` takes every place where one can lie.
        """
        walked = self._walk(ranges, _position(self._index, ranges, after), limit + 1, later=READ_AT_ONCE)
        entries = ((place, item, entry) for place, item in walked if (entry := read(item)) is not None)
        found = list(islice(entries, limit + 1))
        shown = found[:limit]
        next_cursor = _cursor(self._index, *shown[-1][:2]) if len(found) > limit else None
        return Page(entries=[entry for _, _, entry in shown], next_cursor=next_cursor)

    def walk(self, key_range: KeyRange, *, size: int, later: int = 0) -> Iterator[Item]:
        """Walk a range to its end, reading `size` entries at a time and only as far as somebody looks.

        After the first `size` it is at least `later` at a time.
        """
        return (item for _, item in self._walk([key_range], None, size, later=later))

    def _walk(
        self, ranges: Sequence[KeyRange], after: _Position | None, size: int, *, later: int = 0
    ) -> Iterator[tuple[int, Item]]:
        first = after.number if after else 0
        for number, key_range in enumerate(ranges[first:], start=first):
            start = _start_key(self._index, key_range, after) if after and number == first else None
            for item in takewhile(key_range.holds, self._entries(key_range, start, size, later)):
                yield number, item

    def _entries(self, key_range: KeyRange, start: Item | None, size: int, later: int) -> Iterator[Item]:
        condition, names, values = (
            "#hash = :partition",
            {"#hash": self._index.hash},
            {":partition": {"S": key_range.partition}},
        )
        if key_range.up_to is not None:
            condition += " AND #range <= :up_to"
            names["#range"] = self._index.range
            values[":up_to"] = {self._index.range_type: key_range.up_to}
        query = partial(
            self._dynamodb.query,
            self._index.table,
            IndexName=self._index.name,
            KeyConditionExpression=condition,
            ExpressionAttributeNames=names,
            ExpressionAttributeValues=values,
            ScanIndexForward=not key_range.newest_first,
        )
        return items_in_steps(query, size=size, later=later, start=start)


def _start_key(index: Index, key_range: KeyRange, after: _Position) -> Item:
    return {
        index.hash: {"S": key_range.partition},
        index.range: {index.range_type: after.range},
        index.key: {"S": after.key},
    }


def _cursor(index: Index, number: int, item: Item) -> str:
    place = item[index.range][index.range_type]
    digits = place if index.range_type == "S" else f"{Decimal(place):f}"
    return cursor.encode([number, digits, item[index.key]["S"]])


def _position(index: Index, ranges: Sequence[KeyRange], text: str | None) -> _Position | None:
    def place_of(value: Any) -> _Position:
        match value:
            case [int(number), str(place), str(key)] if (
                0 <= number < len(ranges) and index.is_range(place) and index.is_key(key)
            ):
                return _Position(number=int(number), range=place, key=key)
            case _:
                raise MalformedCursorError

    return read_cursor(text, place_of)
