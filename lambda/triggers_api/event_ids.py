"""Make event ids, and tell what can be one."""

import re
import uuid


def new_event_id() -> str:
    """Make an id that nobody has had before."""
    return str(uuid.uuid4())


def is_event_id(text: str) -> bool:
    """Tell whether an event can have this id; the ids of idempotency records, which have a `#`, are none."""
    return re.fullmatch(r"[A-Za-z0-9_-]{1,128}", text, flags=re.ASCII) is not None
