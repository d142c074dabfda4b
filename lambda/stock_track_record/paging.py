"""Read one page of a list, and write the place where it ended as a cursor."""

import re
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from pydantic import BaseModel

from shared import cursor, ids, times
from shared.cursor import MalformedCursorError
from shared.dynamodb import DynamoDB, items_in_steps
from shared.page_size import PageSize
from shared.stored import Parsed, Reader
from stock_track_record.keys import DAY_PATTERN, TICKER_PATTERN

DEFAULT_LIMIT = 50
MAX_LIMIT = 100

# The last entry of a page: when it was made and its id, or a pick's day and ticker.
Place = tuple[str, str]
Shown = TypeVar("Shown", bound=BaseModel)


def place_by_age(decoded: Any) -> Place:
    """Check the place in a list of channels or jobs; what passes is safe to give to DynamoDB as a part of a key."""
    return _place(decoded, times.PATTERN, ids.PATTERN)


def place_by_day(decoded: Any) -> Place:
    """Check the place in a list of picks; what passes is safe to give to DynamoDB as a part of a key."""
    return _place(decoded, DAY_PATTERN, TICKER_PATTERN)


def read_page(
    dynamodb: DynamoDB,
    table: str,
    reader: Reader[Parsed],
    show: Callable[[Parsed], Shown],
    *,
    limit: int,
    **request: Any,
) -> tuple[list[Shown], bool]:
    """Show up to `limit` items that fit, as many as one response can carry, and say whether there are more.

    One item more is asked for, so that the last page says that it is the last.
    """
    page: list[Shown] = []
    page_size = PageSize(limit)
    start = request.pop("ExclusiveStartKey", None)
    items = items_in_steps(partial(dynamodb.query, table, **request), size=limit + 1, start=start)
    for entry in map(show, reader.each(items)):
        if not page_size.takes(entry.model_dump_json()):
            return page, True
        page.append(entry)
    return page, False


def write_cursor(*place: str) -> str:
    """Write the place of the last item that a page shows."""
    return cursor.encode(place)


def _place(decoded: Any, first: str, second: str) -> Place:
    match decoded:
        case [str(one), str(other)] if _fits(first, one) and _fits(second, other):
            return one, other
        case _:
            raise MalformedCursorError


def _fits(pattern: str, text: str) -> bool:
    return re.fullmatch(pattern, text, flags=re.ASCII) is not None
