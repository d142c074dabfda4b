"""Evaluate the expressions of workflows as GitHub does, in the part that ours use; all else is an error.

The rules are those of https://docs.github.com/en/actions/reference/workflows-and-actions/expressions.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<number>-?\d+(?:\.\d+)?)|(?P<word>[A-Za-z_][\w-]*)"
    r"|(?P<sign>&&|\|\||==|!=|!|\(|\)|\[|\]|\.|,))"
)
WHOLE = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
LITERALS = {"true": True, "false": False, "null": None}


class UnknownExpressionError(Exception):
    """An expression that this reader does not know, or that GitHub would refuse."""


class Expressions:
    """Evaluates with the contexts of a place in a workflow, and `status` for its status functions."""

    def __init__(self, contexts: Mapping[str, Any], status: Mapping[str, bool], workspace: Path | None = None) -> None:
        self.contexts = contexts
        self.functions: dict[str, Callable[..., Any]] = {
            "contains": lambda whole, part: part in whole,
            "format": lambda text, *values: str(text).format(*[as_text(value) for value in values]),
            "fromJSON": json.loads,
            "toJSON": lambda value: json.dumps(value, indent=2),
            "hashFiles": lambda *patterns: hash_files(workspace, patterns),
            "always": lambda: True,
            **{name: (lambda found=value: found) for name, value in status.items()},
        }

    def value(self, expression: str) -> Any:
        """Evaluate the inside of `${{ }}`."""
        reader = Reader(expression, self)
        found = reader.either()
        reader.expect_end()
        return found

    def filled(self, text: str) -> Any:
        """Fill a text in; one that is a single expression keeps the type of its value."""
        whole = WHOLE.fullmatch(text.strip())
        if whole and "${{" not in whole[1]:
            return self.value(whole[1])
        return WHOLE.sub(lambda found: as_text(self.value(found[1])), text)

    def condition(self, text: str) -> bool:
        """Evaluate an `if`, to which GitHub adds success() where it names no status function."""
        inside = WHOLE.fullmatch(text.strip())
        expression = inside[1] if inside else text
        named = re.search(r"\b(always|cancelled|failure|success)\s*\(", expression)
        found = truth(self.value(expression))
        return found if named else found and self.functions["success"]()


class Reader:
    """Reads an expression from left to right, and evaluates what it reads."""

    def __init__(self, text: str, within: Expressions) -> None:
        self.text, self.within = text, within
        self.tokens = list(self.read())
        self.place = 0

    def read(self) -> Any:
        place, text = 0, self.text.rstrip()
        while place < len(text):
            found = TOKEN.match(text, place)
            if not found:
                raise UnknownExpressionError(f"{self.text!r}: {text[place:]!r} is not known here.")
            yield found.lastgroup, found[found.lastgroup or 0]
            place = found.end()

    def peek(self) -> tuple[str, str]:
        return self.tokens[self.place] if self.place < len(self.tokens) else ("end", "")

    def take(self, *signs: str) -> str | None:
        kind, text = self.peek()
        if kind == "sign" and text in signs:
            self.place += 1
            return text
        return None

    def expect(self, sign: str) -> None:
        if not self.take(sign):
            raise UnknownExpressionError(f"{self.text!r}: {sign} is expected before {self.peek()[1]!r}.")

    def expect_end(self) -> None:
        if self.peek()[0] != "end":
            raise UnknownExpressionError(f"{self.text!r}: {self.peek()[1]!r} is not expected.")

    def either(self) -> Any:
        found = self.both()
        while self.take("||"):
            other = self.both()
            found = found if truth(found) else other
        return found

    def both(self) -> Any:
        found = self.compared()
        while self.take("&&"):
            other = self.compared()
            found = other if truth(found) else found
        return found

    def compared(self) -> Any:
        found = self.inverted()
        while sign := self.take("==", "!="):
            same = alike(found, self.inverted())
            found = same if sign == "==" else not same
        return found

    def inverted(self) -> Any:
        return not truth(self.inverted()) if self.take("!") else self.one()

    def one(self) -> Any:
        if self.take("("):
            found = self.either()
            self.expect(")")
            return found
        kind, text = self.peek()
        self.place += 1
        if kind == "text":
            return text[1:-1].replace("''", "'")
        if kind == "number":
            return float(text)
        if kind != "word":
            raise UnknownExpressionError(f"{self.text!r}: {text!r} is not expected.")
        if text in LITERALS:
            return LITERALS[text]
        return self.called(text) if self.take("(") else self.members(text)

    def called(self, name: str) -> Any:
        arguments = []
        while not self.take(")"):
            arguments.append(self.either())
            if not self.take(","):
                self.expect(")")
                break
        if name not in self.within.functions:
            raise UnknownExpressionError(f"{self.text!r}: the function {name} is not known here.")
        return self.within.functions[name](*arguments)

    def members(self, name: str) -> Any:
        if name not in self.within.contexts:
            raise UnknownExpressionError(f"{self.text!r}: there is no context {name} at this place.")
        found = self.within.contexts[name]
        while True:
            if self.take("."):
                _, key = self.peek()
                self.place += 1
            elif self.take("["):
                key = self.either()
                self.expect("]")
            else:
                return found
            # What is not there is null, and so is everything of it.
            found = found.get(key) if isinstance(found, Mapping) else None


def truth(value: Any) -> bool:
    return value not in (None, False, 0, "") or (value != 0 and isinstance(value, dict | list))


def alike(one: Any, other: Any) -> bool:
    """Compare as GitHub does: texts without regard to case, other types as numbers."""
    if isinstance(one, str) and isinstance(other, str):
        return one.lower() == other.lower()
    if type(one) is type(other):
        return bool(one == other)
    return as_number(one) == as_number(other)


def as_number(value: Any) -> float:
    if isinstance(value, dict | list):
        return float("nan")
    try:
        return float(value or 0)
    except ValueError:
        return float("nan")


def as_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return json.dumps(value, indent=2) if isinstance(value, dict | list) else str(value)


def hash_files(workspace: Path | None, patterns: tuple[str, ...]) -> str:
    """Hash the files of a workspace that patterns name; a pattern that names none is a mistake of ours."""
    if workspace is None:
        raise UnknownExpressionError("hashFiles has no workspace at this place.")
    digest = hashlib.sha256()
    for pattern in patterns:
        files = [path for path in sorted(workspace.glob(pattern)) if ".venv" not in path.parts]
        if not files:
            raise UnknownExpressionError(f"hashFiles: {pattern} names no file.")
        for path in files:
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
