"""Read a JSON object so that every part of it can be passed on exactly as it was written."""

import json
import re
from dataclasses import dataclass
from typing import Any, NoReturn

MAX_DEPTH = 100
_SPACE = re.compile(r"[ \t\n\r]*")
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")


class NotStrictJsonError(ValueError):
    """A body is no JSON object that every JSON library can read; the message is a sentence."""


@dataclass(frozen=True, kw_only=True)
class JsonObject:
    """The members of an object: `values` to validate, `texts` as they were written.

    Numbers are all 0 in `values`: only their text is exact, whatever their size and precision.
    """

    values: dict[str, Any]
    texts: dict[str, str]


def read_object(body: bytes) -> JsonObject:
    """Read a body, or say in a sentence why it is refused."""
    try:
        text = body.decode("utf-8")
        members = _members(text)
    except UnicodeDecodeError as error:
        raise NotStrictJsonError(f"The body is not UTF-8: byte {error.start} does not fit.") from None
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


def _members(text: str) -> JsonObject:
    values: dict[str, Any] = {}
    texts: dict[str, str] = {}
    position = _after_space(text, _after(text, _after_space(text, 0), "{"))
    if text.startswith("}", position):
        position += 1
    else:
        while True:
            if not text.startswith('"', position):
                raise json.JSONDecodeError("Expecting a name in double quotes", text, position)
            name, position = _DECODER.raw_decode(text, position)
            if name in values:
                raise NotStrictJsonError(_TWICE)
            start = _after_space(text, _after(text, _after_space(text, position), ":"))
            values[name], end = _DECODER.raw_decode(text, start)
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
    raise NotStrictJsonError(f"The body is not a JSON object: {name} is no JSON number.")


def _number(_text: str) -> int:
    return 0


def _object(members: list[tuple[str, Any]]) -> dict[str, Any]:
    # Libraries disagree about which of two counts, and what we validate has to be what others read.
    read = dict(members)
    if len(read) != len(members):
        raise NotStrictJsonError(_TWICE)
    return read


_TWICE = "An object in the body has two members with the same name."
_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_constant=_refuse_constant, parse_float=_number, parse_int=_number
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
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
