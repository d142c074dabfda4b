"""Say which log lines a JSON filter pattern of CloudWatch Logs counts, and with which value; the local AWS matches all.

As https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html has it: `{ SELECTOR OPERATOR
VALUE }`, joined by && and ||, which binds less, and by brackets. A text stands in quotes and may have *; other words
than these raise ValueError, so that no pattern is read wrongly.
"""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase
from typing import Any

from tests.projects import REPOSITORY

TOKEN = re.compile(r'\s*(\$(?:\.\w+)+|&&|\|\||<=|>=|!=|[=<>(){}]|"[^"]*"|-?\d+(?:\.\d+)?)')
NUMBERS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}
Matches = Callable[[Any], bool]


def filters_of_functions() -> dict[str, tuple[str, str]]:
    """Return the pattern and the value of each metric filter of modules/lambda_function, by its name."""
    text = (REPOSITORY / "modules/lambda_function/alarms.tf").read_text()
    found = re.findall(
        r'^      ([a-z-]+) = {\n +metric .*\n +pattern += (".*")\n +value += (".*")\n', text, re.MULTILINE
    )
    # Texts of Terraform without templates are those of JSON.
    return {name: (json.loads(pattern), json.loads(value)) for name, pattern, value in found}


def counted(pattern: str, value: str, lines: Iterable[str]) -> list[float]:
    """Return what a metric filter publishes for each line that its pattern matches: a number, or what $.name holds."""
    matches = read(pattern)
    found = [event for line in lines if (event := parsed(line)) is not None and matches(event)]
    if not value.startswith("$."):
        return [float(value) for _ in found]
    held = [at(event, value) for event in found]
    return [float(number) for number in held if is_number(number)]


def parsed(line: str) -> Any:
    """Return a line's JSON; None for a line of text, which no such pattern matches."""
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) else None


def read(pattern: str) -> Matches:
    """Read a pattern. Raises ValueError for what is not known here."""
    tokens: list[str] = []
    place = 0
    while pattern[place:].strip():
        found = TOKEN.match(pattern, place)
        if found is None:
            raise ValueError(f"This reads no pattern with {pattern[place:]!r}.")
        tokens.append(found[1])
        place = found.end()
    if len(tokens) < 2 or (tokens[0], tokens[-1]) != ("{", "}"):
        raise ValueError(f"{pattern!r} is no JSON filter pattern.")
    rest = tokens[1:-1]
    matches = either(rest)
    if rest:
        raise ValueError(f"{pattern!r} goes on with {rest[0]}.")
    return matches


def either(rest: list[str]) -> Matches:
    parts = [both(rest)]
    while rest[:1] == ["||"]:
        rest.pop(0)
        parts.append(both(rest))
    return lambda event: any(part(event) for part in parts)


def both(rest: list[str]) -> Matches:
    parts = [one(rest)]
    while rest[:1] == ["&&"]:
        rest.pop(0)
        parts.append(one(rest))
    return lambda event: all(part(event) for part in parts)


def one(rest: list[str]) -> Matches:
    if rest[:1] == ["("]:
        rest.pop(0)
        inner = either(rest)
        if rest[:1] != [")"]:
            raise ValueError("A bracket is not closed.")
        rest.pop(0)
        return inner
    if len(rest) < 3 or not rest[0].startswith("$.") or rest[1] not in NUMBERS:
        raise ValueError(f"A condition cannot begin with {rest[:3]}.")
    selector, compared, value = rest.pop(0), rest.pop(0), rest.pop(0)
    if value.startswith('"'):
        if compared not in {"=", "!="}:
            raise ValueError(f"A text is not compared with {compared}.")
        return lambda event: text_matches(at(event, selector), compared, value[1:-1])
    return lambda event: is_number(at(event, selector)) and NUMBERS[compared](at(event, selector), float(value))


def text_matches(held: Any, compared: str, text: str) -> bool:
    """Compare a text, in which * stands for any; what is no text is equal to none."""
    escaped = re.sub(r"[\[?]", lambda sign: f"[{sign[0]}]", text)
    return isinstance(held, str) and fnmatchcase(held, escaped) == (compared == "=")


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def at(event: Any, selector: str) -> Any:
    """Return what stands at `$.a.b`; None where nothing does."""
    for name in selector.split(".")[1:]:
        event = event.get(name) if isinstance(event, dict) else None
    return event
