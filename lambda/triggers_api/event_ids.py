"""Tell what can be the id of an event, also of one that an older version made."""

import re
from typing import Annotated

from pydantic import StringConstraints

PATTERN = r"[A-Za-z0-9_-]{1,128}"
StoredEventId = Annotated[str, StringConstraints(pattern=f"^(?:{PATTERN})$")]


def is_event_id(text: str) -> bool:
    """Tell whether an event can have this id; the ids of idempotency records, which have a `#`, are none."""
    return re.fullmatch(PATTERN, text, flags=re.ASCII) is not None
