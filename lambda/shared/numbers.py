"""Say which digits of a number are kept, and refuse a number with more: none is rounded in silence."""

import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

# The most digits of a whole number: those that DynamoDB keeps of any number
# (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html#limits-data-types-number).
MAX_DIGITS = 38
_PAST_DIGITS = 10**MAX_DIGITS


def kept(*, before: int, after: int) -> Callable[[object], Decimal]:
    """Make the check of a number of which so many digits before and after its point are kept."""

    def check(value: object) -> Decimal:
        number = _shortest(exact(value))
        if number is None or not _fits(number, before, after):
            raise PydanticCustomError(
                "digits",
                "may have {before} digits before its point and {after} after it, which are those that are kept",
                {"before": before, "after": after},
            )
        return number

    return check


def exact(value: object) -> Decimal:
    """Return a number, and no text, as it was written; code may also hand in a float, which counts as its digits."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise PydanticCustomError("number", "Input should be a valid number")
    return Decimal(repr(value)) if isinstance(value, float) else Decimal(value)


def as_doubles(value: Any) -> Any:
    """Return JSON with its fractions as floats, and refuse it where one of them would be another number then."""
    if isinstance(value, dict):
        return {name: as_doubles(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [as_doubles(inner) for inner in value]
    if isinstance(value, Decimal):
        double = float(value)
        if not math.isfinite(double) or Decimal(repr(double)) != value:
            raise _too_many_digits()
        return double
    if isinstance(value, int) and not -_PAST_DIGITS < value < _PAST_DIGITS:
        raise _too_many_digits()
    return value


def _too_many_digits() -> PydanticCustomError:
    return PydanticCustomError(
        "digits",
        "has a number with more digits than are kept: those of a double, up to 17 and none above 1.8E+308, or {whole} "
        "of a whole number; send a longer one as a text",
        {"whole": MAX_DIGITS},
    )


def _shortest(number: Decimal) -> Decimal | None:
    """Return the same number without the zeros at its end, which take digits where it is stored; None for NaN and such.

    Decimal's own arithmetic rounds to 28 digits, and so would lose what is asked about.
    """
    sign, digits, exponent = number.as_tuple()
    if not isinstance(exponent, int):
        return None
    if digits[-1] != 0 or (exponent == 0 and len(digits) <= MAX_DIGITS):
        return number
    significant = bytes(digits).rstrip(b"\0")
    if not significant:
        return Decimal(0)
    return Decimal((sign, tuple(significant), exponent + len(digits) - len(significant)))


def _fits(number: Decimal, before: int, after: int) -> bool:
    _, digits, exponent = number.as_tuple()
    return isinstance(exponent, int) and -exponent <= after and len(digits) + exponent <= before


def _whole(value: object) -> object:
    if isinstance(value, Decimal):
        raise PydanticCustomError("whole", "Input should be a valid integer, written without a point or an exponent")
    return value


# Says of 1.0 and 1e2 how an int is written.
WholeNumber = BeforeValidator(_whole)
