"""Page through lists: the parameters that callers send, and their cursors."""

import re
from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from fastapi import Query
from pydantic import BeforeValidator
from pydantic.json_schema import SkipJsonSchema
from pydantic_core import PydanticCustomError

from shared import cursor
from shared.api_errors import invalid

Place = TypeVar("Place")

_DIGITS = re.compile(r"-?[0-9]{1,18}", flags=re.ASCII)

# The parameter `cursor`.
After = Annotated[
    str | SkipJsonSchema[None],
    Query(alias="cursor", max_length=cursor.MAX_LENGTH, description="The `next_cursor` of the page before."),
]


def _in_digits(value: object) -> object:
    """Refuse what Python takes for a number as well: 1_0, 1.0, and 1 between spaces."""
    if isinstance(value, str) and not _DIGITS.fullmatch(value):
        raise PydanticCustomError("digits", "Input should be a valid integer, written in digits")
    return value


# A number in a query.
Count = Annotated[int, BeforeValidator(_in_digits)]


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
