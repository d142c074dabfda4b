"""A time from a caller is what RFC 3339 says, and nothing else is one."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.times import NotATimeError, read_time, timestamp

OFFSETS = st.integers(-(23 * 60 + 59), 23 * 60 + 59).map(lambda minutes: timezone(timedelta(minutes=minutes)))
MOMENTS = st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29), timezones=OFFSETS)  # noqa: DTZ001 - offsets are drawn


@given(MOMENTS, st.booleans())
def test_a_time_is_read_as_it_was_written(moment: datetime, small: bool) -> None:  # noqa: FBT001 - drawn
    text = moment.isoformat()

    assert read_time(text.lower() if small else text) == moment
    assert read_time(timestamp(moment)) == moment


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("1985-04-12T23:20:50.52Z", datetime(1985, 4, 12, 23, 20, 50, 520_000, UTC)),
        ("1996-12-19T16:39:57-08:00", datetime(1996, 12, 20, 0, 39, 57, 0, UTC)),
        ("1937-01-01T12:00:27.87+00:20", datetime(1937, 1, 1, 11, 40, 27, 870_000, UTC)),
        ("2026-01-31t09:15:02z", datetime(2026, 1, 31, 9, 15, 2, 0, UTC)),
        # The offset of a place that is not known: the time in UTC is.
        ("2026-01-31T09:15:02-00:00", datetime(2026, 1, 31, 9, 15, 2, 0, UTC)),
        ("2026-01-31T09:15:02.1234560000000000Z", datetime(2026, 1, 31, 9, 15, 2, 123_456, UTC)),
        ("2024-02-29T23:59:59+23:59", datetime(2024, 2, 29, 0, 0, 59, 0, UTC)),
    ],
)
def test_what_the_rfc_writes_is_read(text: str, moment: datetime) -> None:
    assert read_time(text) == moment


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        *(
            (text, "as RFC 3339 writes times, with the offset from UTC, such as 2026-01-31T09:15:02Z")
            for text in (
                *(
                    "",
                    "now",
                    "2035010100",
                    "1900000000000",
                    "1900000000",
                    "1.9e9",
                    "2035",
                    "2035-01-01",
                    "20350101T000000Z",
                ),
                *("2035-01-01T00:00:00", "2035-01-01 00:00:00Z", "2035-01-01_00:00:00Z", "2035-01-01T00:00Z"),
                *(
                    "2035-01-01T00:00:00+0100",
                    "2035-01-01T00:00:00+01",
                    "2035-01-01T00:00:00 Z",
                    "2035-01-01T00:00:00UTC",
                ),
                *("2035-01-01T24:00:00Z", "2035-01-01T00:60:00Z", "2035-01-01T00:00:61Z", "2035-01-01T00:00:00+24:00"),
                *("2035-W01-1T00:00:00Z", "2035-001T00:00:00Z", "+2035-01-01T00:00:00Z", "12035-01-01T00:00:00Z"),
                *("2035-01-01T00:00:00,5Z", "2035-01-01T00:00:00.Z", " 2035-01-01T00:00:00Z", "2035-01-01T00:00:00Z\n"),
                *("2035-01-01T00:00:00\u221201:00", "\uff12035-01-01T00:00:00Z", "2035-1-1T00:00:00Z", "P1D"),
            )
        ),
        ("2016-12-31T23:59:60Z", "must be no leap second"),
        ("2015-06-30T16:59:60-07:00", "must be no leap second"),
        ("2035-01-01T00:00:00.1234567Z", "may have 6 digits after its seconds"),
        ("2035-01-01T00:00:00.0000000000000000000001Z", "may have 6 digits after its seconds"),
        ("2035-02-30T00:00:00Z", "that the calendar has"),
        ("2035-13-01T00:00:00Z", "that the calendar has"),
        ("2035-00-01T00:00:00Z", "that the calendar has"),
        ("0000-01-01T00:00:00Z", "that the calendar has"),
    ],
)
def test_whatever_else_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(NotATimeError, match=reason):
        read_time(text)


@given(st.text(alphabet="0123456789-:.TtZz+ ", max_size=30))
def test_no_text_makes_an_error_of_another_kind(text: str) -> None:
    try:
        moment = read_time(text)
    except NotATimeError:
        return
    assert moment.tzinfo is not None
