"""Make ids that nobody can guess, and tell whether an id can be one of ours before DynamoDB is asked."""

import re
import uuid

# A UUID of version 4 in its canonical form, the only one that `new_id` makes.
PATTERN = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"


def new_id() -> str:
    """Make an id from 122 random bits."""
    return str(uuid.uuid4())


def is_id(text: str) -> bool:
    """Tell whether a text has the form of an id."""
    return re.fullmatch(PATTERN, text, flags=re.ASCII) is not None
