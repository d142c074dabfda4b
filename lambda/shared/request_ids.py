"""Choose the id that names a request in its response and in its log lines."""

import re
import uuid

HEADER = "X-Request-ID"
PATTERN = r"[A-Za-z0-9._-]{1,128}"


def is_well_formed(request_id: str) -> bool:
    """Tell whether a caller's id can be repeated in headers and logs as it is."""
    return re.fullmatch(PATTERN, request_id, flags=re.ASCII) is not None


def choose(given: str | None) -> str:
    """Take the caller's id when it is well formed, else make a new one."""
    return given if given is not None and is_well_formed(given) else str(uuid.uuid4())
