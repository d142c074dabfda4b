"""A number is kept as it was sent, or refused with the digits that are kept."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from shared.items import from_item, to_item
from shared.numbers import as_doubles, kept

SIX = kept(before=9, after=6)
PLAIN = st.from_regex(r"-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,40})?", fullmatch=True)


@given(PLAIN)
def test_so_many_digits_are_kept_and_no_more(text: str) -> None:
    whole, _, fraction = text.lstrip("-").partition(".")
    fits = len(whole.lstrip("0")) <= 9 and len(fraction.rstrip("0")) <= 6

    if fits:
        assert SIX(Decimal(text)) == Decimal(text)
    else:
        with pytest.raises(PydanticCustomError, match="may have 9 digits before its point and 6 after it"):
            SIX(Decimal(text))


@pytest.mark.parametrize("zeros", [5, 20, 27, 28, 29, 60, 20_000])
def test_no_arithmetic_hides_a_digit_far_behind_the_point(zeros: int) -> None:
    assert SIX(Decimal(f"12.5{'0' * zeros}")) == Decimal("12.5")
    with pytest.raises(PydanticCustomError):
        SIX(Decimal(f"12.5{'0' * zeros}1"))


@pytest.mark.parametrize(
    "text", ["1E+400", "1E-400", "-1E+999999", "1E-999999", "1E+9", "9" * 5_000, "NaN", "Infinity"]
)
def test_what_no_digits_hold_is_refused(text: str) -> None:
    with pytest.raises(PydanticCustomError):
        SIX(Decimal(text))


@pytest.mark.parametrize(
    "text", ["0", "-0", "0E+400", "0E-400", "1E+8", "1E-6", "0.000001000", "123456789.123456", "12.5" + "0" * 60]
)
def test_what_digits_hold_is_kept_however_it_is_written(text: str) -> None:
    number = SIX(Decimal(text))

    assert number == Decimal(text)
    # DynamoDB counts zeros at the end as digits.
    assert from_item(to_item({"number": number})) == {"number": number}


@pytest.mark.parametrize("value", ["1", True, None, [], {}, b"1"])
def test_what_is_no_number_is_none(value: object) -> None:
    with pytest.raises(PydanticCustomError, match="should be a valid number"):
        SIX(value)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_double_that_a_program_writes_is_the_same_double_again(double: float) -> None:
    read = as_doubles({"a": [Decimal(repr(double))]})

    assert repr(read["a"][0]) == repr(double)


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_a_number_is_a_double_only_where_that_is_the_same_number(number: Decimal) -> None:
    try:
        read = as_doubles([number])
    except PydanticCustomError:
        assert Decimal(repr(float(number))) != number
    else:
        assert Decimal(repr(read[0])) == number


@pytest.mark.parametrize(
    "value", [10**38, -(10**38), 10**4_000, Decimal("1e400"), Decimal("1e-400"), Decimal("0." + "1" * 22)]
)
def test_a_number_that_would_be_another_one_is_refused_at_any_depth(value: Any) -> None:
    for body in (value, [value], {"a": {"b": [1, value]}}):
        with pytest.raises(PydanticCustomError, match="more digits than are kept: those of a double, up to 17"):
            as_doubles(body)


@pytest.mark.parametrize("value", [10**38 - 1, 1 - 10**38, 2**53 + 1, True, None, "1e400", {"a": []}])
def test_all_else_stays_as_it_is(value: Any) -> None:
    assert as_doubles(value) == value
    assert type(as_doubles(value)) is type(value)
