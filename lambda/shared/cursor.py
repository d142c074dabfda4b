"""Write the place where a page ended as an opaque text, and read it back."""

import base64
import binascii
import json
from typing import Any

MAX_LENGTH = 8192


class MalformedCursorError(ValueError):
    """A text is not a cursor that we made."""


def encode(value: Any) -> str:
    """Write a JSON value as text that can stand in a query as it is."""
    text = json.dumps(value, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode(cursor: str) -> Any:
    """Read a cursor's value, which anybody can have made: check it before it is given to DynamoDB as a key."""
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        return json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError) as error:
        raise MalformedCursorError from error
