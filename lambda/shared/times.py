"""Write times so that their texts sort as the times do, and read those that callers send."""

import re
from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]

PATTERN = r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}Z"
MAX_DECIMALS = 6
# The grammar of RFC 3339, 5.6, in which T and Z may be small letters. Its note allows a space in place of the T to
# applications that choose so; these do not.
_RFC_3339 = re.compile(
    r"(?P<day>\d{4}-\d{2}-\d{2})T(?P<minute>(?:[01]\d|2[0-3]):[0-5]\d):(?P<second>[0-5]\d|60)(?:\.(?P<fraction>\d+))?"
    r"(?P<offset>Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)",
    flags=re.ASCII | re.IGNORECASE,
)
_LEAP_SECOND = "60"


class NotATimeError(ValueError):
    """A text is not a time that can be kept; the message goes on after its name."""


def is_timestamp(value: object) -> bool:
    """Tell whether a value is a time as `timestamp` writes it, and one that the calendar has."""
    if not isinstance(value, str) or re.fullmatch(PATTERN, value, flags=re.ASCII) is None:
        return False
    try:
        # Some versions of Python read midnight as 24:00, and none writes it so.
        return datetime.fromisoformat(value).hour == int(value[11:13])
    except ValueError:
        return False


def system_clock() -> datetime:
    """Tell the time in UTC."""
    return datetime.now(UTC)


def timestamp(moment: datetime) -> str:
    """Write a time as ISO 8601 in UTC, always with microseconds, so always 27 characters long."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def read_time(text: str) -> datetime:
    """Read a time as RFC 3339 writes it, or raise NotATimeError: a number or a time without an offset is none."""
    found = _RFC_3339.fullmatch(text)
    if found is None:
        raise NotATimeError(
            "must be a text as RFC 3339 writes times, with the offset from UTC, such as 2026-01-31T09:15:02Z or "
            "2026-01-31T10:15:02+01:00"
        )
    if found["second"] == _LEAP_SECOND:
        raise NotATimeError("must be no leap second, which the clocks here do not have; send the second after it")
    fraction = (found["fraction"] or "").rstrip("0")
    if len(fraction) > MAX_DECIMALS:
        raise NotATimeError(f"may have {MAX_DECIMALS} digits after its seconds, which are those that are kept")
    offset = found["offset"].upper().replace("Z", "+00:00")
    try:
        return datetime.fromisoformat(
            f"{found['day']}T{found['minute']}:{found['second']}.{fraction:0<{MAX_DECIMALS}}{offset}"
        )
    except ValueError:
        raise NotATimeError("must be a time that the calendar has") from None
