"""Read a JSON object that every JSON library reads alike, so that nothing of it is taken in another meaning.

Bodies and messages of all apps come in here. What is refused: bytes that are no UTF-8, a byte order mark, two members
of one name, NaN and Infinity, halves of surrogate pairs, deep nesting.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NoReturn

MAX_DEPTH = 100
# More digits than anything here keeps, and fewer than Python refuses to read.
_LONGEST_INT = 1000
_LONGEST_EXPONENT = 6
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_SPACE = re.compile(r"[ \t\n\r]*")
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")


class NotStrictJsonError(ValueError):
    """A body is not a JSON object that every JSON library can read; the message is a sentence without values."""


@dataclass(frozen=True, kw_only=True)
class JsonObject:
    """The members of an object: `values` to validate, `texts` as they were written."""

    values: dict[str, Any]
    texts: dict[str, str]


def read_object(body: bytes) -> JsonObject:
    """Read a body, or say in a sentence why it is refused: a number is an int or a Decimal, exactly as it was sent."""
    return _read(body, _EXACT)


def read_texts(body: bytes) -> JsonObject:
    """Read a body whose numbers are kept as they were written: in `values` all of them are 0, whatever their size."""
    return _read(body, _WRITTEN)


def _read(body: bytes, decoder: json.JSONDecoder) -> JsonObject:
    if body.startswith(_BYTE_ORDER_MARK):
        raise NotStrictJsonError(
            "The body begins with a byte order mark (EF BB BF), which JSON has not (RFC 8259, 8.1). Leave it out."
        )
    try:
        text = body.decode("utf-8")
        members = _members(text, decoder)
    except UnicodeDecodeError as error:
        raise NotStrictJsonError(f"The body is not UTF-8: byte {error.start} does not fit. Send it in UTF-8.") from None
    except json.JSONDecodeError as error:
        raise NotStrictJsonError(
            f"The body is not a JSON object: {error.msg} (line {error.lineno}, column {error.colno})."
        ) from None
    except RecursionError:
        raise NotStrictJsonError(_too_deep()) from None
    if _depth_exceeds(members.values, MAX_DEPTH):
        raise NotStrictJsonError(_too_deep())
    if _SURROGATE_ESCAPE.search(text) and not _is_unicode(members.values):
        raise NotStrictJsonError(
            "The body has an escape for one half of a surrogate pair, which no UTF-8 text can hold."
        )
    return members


def _members(text: str, decoder: json.JSONDecoder) -> JsonObject:
    values: dict[str, Any] = {}
    texts: dict[str, str] = {}
    position = _after_space(text, _after(text, _after_space(text, 0), "{"))
    if text.startswith("}", position):
        position += 1
    else:
        while True:
            if not text.startswith('"', position):
                raise json.JSONDecodeError("Expecting a name in double quotes", text, position)
            name, position = decoder.raw_decode(text, position)
            if name in values:
                raise NotStrictJsonError(_TWICE)
            start = _after_space(text, _after(text, _after_space(text, position), ":"))
            values[name], end = decoder.raw_decode(text, start)
            texts[name] = text[start:end]
            position = _after_space(text, end)
            if text.startswith("}", position):
                position += 1
                break
            position = _after_space(text, _after(text, position, ","))
    end = _after_space(text, position)
    if end != len(text):
        raise json.JSONDecodeError("Extra data after the object", text, end)
    return JsonObject(values=values, texts=texts)


def _after(text: str, position: int, mark: str) -> int:
    if not text.startswith(mark, position):
        raise json.JSONDecodeError(f"Expecting {mark!r}", text, position)
    return position + 1


def _after_space(text: str, position: int) -> int:
    match = _SPACE.match(text, position)
    return match.end() if match else position


def _refuse_constant(name: str) -> NoReturn:
    raise NotStrictJsonError(f"The body is not a JSON object: {name} is not a JSON number.")


def _zero(_text: str) -> int:
    return 0


def _integer(text: str) -> int | Decimal:
    return int(text) if len(text) <= _LONGEST_INT else Decimal(text)


def _fraction(text: str) -> Decimal:
    exponent = text.lower().partition("e")[2].lstrip("+-")
    if len(exponent) > _LONGEST_EXPONENT:
        raise NotStrictJsonError(
            f"The body has a number whose exponent has more than {_LONGEST_EXPONENT} digits, which nothing here keeps."
        )
    return Decimal(text)


def _object(members: list[tuple[str, Any]]) -> dict[str, Any]:
    # Libraries disagree about which of two counts, and what we validate has to be what others read.
    read = dict(members)
    if len(read) != len(members):
        raise NotStrictJsonError(_TWICE)
    return read


_TWICE = "An object in the body has two members with the same name, of which readers take one or the other. Send one."
_EXACT = json.JSONDecoder(
    object_pairs_hook=_object, parse_constant=_refuse_constant, parse_float=_fraction, parse_int=_integer
)
_WRITTEN = json.JSONDecoder(
    object_pairs_hook=_object, parse_constant=_refuse_constant, parse_float=_zero, parse_int=_zero
)


def _too_deep() -> str:
    return f"The body is nested more than {MAX_DEPTH} levels deep, which many JSON readers refuse."


def _depth_exceeds(value: object, limit: int) -> bool:
    level = [value]
    for _ in range(limit):
        level = [
            child
            for parent in level
            for child in (parent.values() if isinstance(parent, dict) else parent if isinstance(parent, list) else ())
            if isinstance(child, dict | list)
        ]
        if not level:
            return False
    return True


def _is_unicode(value: object) -> bool:
    try:
        for text in _strings(value):
            text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _strings(value: object) -> Iterator[str]:
    """Return every text in a value that is not nested too deeply, names of members included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from _strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)
