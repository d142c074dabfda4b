"""Page through lists: the parameters that callers send, and their cursors."""

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from fastapi import Query
from pydantic.json_schema import SkipJsonSchema

from shared import cursor
from shared.api_errors import invalid

Place = TypeVar("Place")

# The parameter `cursor`.
After = Annotated[
    str | SkipJsonSchema[None],
    Query(alias="cursor", max_length=cursor.MAX_LENGTH, description="The `next_cursor` of the page before."),
]


def limit_to(most: int, things: str = "items") -> Any:
    """Describe a parameter that bounds a page."""
    return Query(alias="limit", ge=1, le=most, description=f"The most {things} to send.")


def read_cursor(text: str | None, place_of: Callable[[Any], Place]) -> Place | None:
    """Read where a page begins; `place_of` checks what the cursor holds and raises MalformedCursorError."""
    try:
        return None if text is None else place_of(cursor.decode(text))
    except cursor.MalformedCursorError:
        raise invalid(
            "The cursor is not one that this service made. Send `next_cursor` as you got it, or start without one."
        ) from None
