"""Turn Python values into DynamoDB's typed form and back.

boto3 can do it too, but its import takes about 20 milliseconds, and nothing else of it is needed here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Clamped, Context, Decimal, Inexact, Overflow, Rounded, Underflow
from typing import Any

from shared.dynamodb import Item

# The context of boto3: 38 digits, whole; DynamoDB itself refuses exponents beyond its own limits
# (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html#limits-data-types-number).
_NUMBERS = Context(prec=38, Emin=-128, Emax=126, traps=[Clamped, Overflow, Inexact, Rounded, Underflow])


@dataclass(frozen=True)
class Binary:
    """Bytes that other code stored: a model that asks for a text must not take them for one."""

    value: bytes


def to_item(values: Mapping[str, Any]) -> Item:
    """Write texts, numbers (int and Decimal, never float), booleans, lists and maps; a None is left out."""
    return {name: _typed(value) for name, value in values.items() if value is not None}


def from_item(item: Item) -> dict[str, Any]:
    """Read an item; a number without a fraction comes back as int, any other as Decimal, and a set as a set."""
    return {name: plain(value) for name, value in item.items()}


def _typed(value: Any) -> dict[str, Any]:
    match value:
        case None:
            return {"NULL": True}
        case bool():
            return {"BOOL": value}
        case int() | Decimal():
            return {"N": _digits(value)}
        case str():
            return {"S": value}
        case Mapping():
            return {"M": {name: _typed(inner) for name, inner in value.items()}}
        case list() | tuple():
            return {"L": [_typed(inner) for inner in value]}
    raise TypeError(
        f"A value of type {type(value).__name__} cannot be stored. "
        "Make it a text, an int, a Decimal, a boolean, a list or a map."
    )


def _digits(number: int | Decimal) -> str:
    exact = _NUMBERS.create_decimal(number)
    if not exact.is_finite():
        raise TypeError(f"{exact} cannot be stored. Leave it out.")
    return str(exact)


def plain(typed: Mapping[str, Any]) -> Any:
    """Read one attribute, whatever DynamoDB can store there."""
    [kind] = typed
    read = _READERS.get(kind)
    if read is None:
        raise TypeError(f"DynamoDB's type {kind!r} cannot be read. The types that can be are {', '.join(_READERS)}.")
    return read(typed[kind])


def _number(digits: str) -> int | Decimal:
    # Most numbers are whole and written so, and a Decimal takes several times as long.
    if digits.isdigit() and digits.isascii():
        return int(digits)
    # Whatever is stored is read: the limits are those of what is written.
    number = Decimal(digits)
    return int(number) if number == number.to_integral_value() else number


def _unchanged(value: Any) -> Any:
    return value


_READERS: dict[str, Callable[[Any], Any]] = {
    "B": Binary,
    "BOOL": _unchanged,
    "BS": lambda value: {Binary(inner) for inner in value},
    "L": lambda value: [plain(inner) for inner in value],
    "M": from_item,
    "N": _number,
    "NS": lambda value: {Decimal(digits) for digits in value},
    "NULL": lambda _: None,
    "S": _unchanged,
    "SS": set,
}
