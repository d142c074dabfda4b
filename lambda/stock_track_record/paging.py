"""Read one page of a list, and write the place where it ended as a cursor."""

import re
from typing import Any

from shared import cursor, ids, times
from shared.cursor import MalformedCursorError
from shared.dynamodb import DynamoDB
from shared.stored import Parsed, Reader
from stock_track_record.keys import DAY_PATTERN, TICKER_PATTERN

DEFAULT_LIMIT = 50
MAX_LIMIT = 100

# The last entry of a page: when it was made and its id, or a pick's day and ticker.
Place = tuple[str, str]


def place_by_age(decoded: Any) -> Place:
    """Check the place in a list of channels or jobs; what passes is safe to give to DynamoDB as a part of a key."""
    return _place(decoded, times.PATTERN, ids.PATTERN)


def place_by_day(decoded: Any) -> Place:
    """Check the place in a list of picks; what passes is safe to give to DynamoDB as a part of a key."""
    return _place(decoded, DAY_PATTERN, TICKER_PATTERN)


def read_page(
    dynamodb: DynamoDB, table: str, reader: Reader[Parsed], *, limit: int, **request: Any
) -> tuple[list[Parsed], bool]:
    """Read up to `limit` items that fit, and say whether there are more.

    One item more is asked for, so that the last page says that it is the last.
    """
    found: list[Parsed] = []
    while True:
        answer = dynamodb.query(table, Limit=limit + 1 - len(found), **request)
        found += reader.each(answer["Items"])
        if len(found) > limit or "LastEvaluatedKey" not in answer:
            return found[:limit], len(found) > limit
        request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


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
