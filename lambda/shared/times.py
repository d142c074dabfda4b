"""Write times so that their texts sort as the times do."""

import re
from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]

PATTERN = r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}Z"


def is_timestamp(value: object) -> bool:
    """Tell whether a value is a time as `timestamp` writes it."""
    return isinstance(value, str) and re.fullmatch(PATTERN, value, flags=re.ASCII) is not None


def system_clock() -> datetime:
    """Tell the time in UTC."""
    return datetime.now(UTC)


def timestamp(moment: datetime) -> str:
    """Write a time as ISO 8601 in UTC, always with microseconds, so always 27 characters long."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
