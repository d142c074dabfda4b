"""Read one page of a list, and write the place where it ended as a cursor."""

import re
from typing import Any

from shared import cursor
from shared.api_errors import invalid
from shared.cursor import MalformedCursorError
from shared.dynamodb import DynamoDB, Item

DEFAULT_LIMIT = 50
MAX_LIMIT = 100


def read_page(dynamodb: DynamoDB, table: str, *, limit: int, **request: Any) -> tuple[list[Item], bool]:
    """Read up to `limit` items, and say whether there are more.

    One item more is asked for, so that the last page says that it is the last; entries are small, so a page of them
    never outgrows the megabyte of a query.
    """
    answer = dynamodb.query(table, Limit=limit + 1, **request)
    items: list[Item] = answer["Items"]
    return items[:limit], len(items) > limit or "LastEvaluatedKey" in answer


def read_cursor(text: str | None, *patterns: str) -> list[str] | None:
    """Read a cursor's parts, each of a form that is safe to give to DynamoDB as a part of a key."""
    if text is None:
        return None
    try:
        parts = cursor.decode(text)
    except MalformedCursorError:
        parts = None
    if (
        isinstance(parts, list)
        and len(parts) == len(patterns)
        and all(
            isinstance(part, str) and re.fullmatch(pattern, part, flags=re.ASCII)
            for part, pattern in zip(parts, patterns, strict=True)
        )
    ):
        return parts
    raise invalid("The cursor is not one that this list made. Send `next_cursor` as you got it, or start without one.")


def write_cursor(*parts: str) -> str:
    """Write the place of the last item that a page shows."""
    return cursor.encode(list(parts))
