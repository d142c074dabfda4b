"""Read the rule of a composite alarm, and say what it makes of the states of the alarms that it names.

Imported by the emulator as well, so it needs the standard library alone. The language of rules stands in
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

STATES = ("ALARM", "OK", "INSUFFICIENT_DATA")
# A name in quotes, or without them up to the bracket that ends it; a word; a bracket.
TOKEN = re.compile(
    rf'\s*(?:({"|".join(STATES)})\(\s*(?:"([^"]*)"|([^"()]*?))\s*\)|(AND|OR|NOT|TRUE|FALSE)\b|([()]))', re.IGNORECASE
)

States = Mapping[str, str]
Holds = Callable[[States], bool]


class BadRule(Exception):
    """What is wrong with a rule, in a sentence."""


@dataclass(frozen=True)
class Rule:
    """A rule that was read: the names or ARNs that stand in it, and whether it holds for the states of those."""

    names: frozenset[str]
    holds: Holds


def read_rule(text: str) -> Rule:
    """Read a rule such as `ALARM("a") OR NOT (OK("b") AND TRUE)`. Raises BadRule."""
    reader = _Reader(list(_tokens(text)))
    holds = reader.either()
    if reader.rest:
        raise BadRule(f"nothing may stand before {reader.rest[0][0]}")
    return Rule(frozenset(reader.names), holds)


def name_of(reference: str) -> str:
    """Return the name of an alarm that a rule names by its name or its ARN."""
    return reference.partition(":alarm:")[2] if reference.startswith("arn:") else reference


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    """Walk the words of a rule in upper case, each with the name that stands in its brackets, if any."""
    place = 0
    while text[place:].strip():
        found = TOKEN.match(text, place)
        if found is None:
            raise BadRule(f"nothing that a rule may have begins at {text[place:].strip()[:40]}")
        state, quoted, bare, word, bracket = found.groups()
        yield (state or word or bracket).upper(), (quoted if quoted is not None else bare) or ""
        place = found.end()


@dataclass
class _Reader:
    """Reads from the weakest operator, OR, to what binds most."""

    rest: list[tuple[str, str]]
    names: set[str] = field(default_factory=set)

    def either(self) -> Holds:
        parts = [self.both()]
        while self.taken("OR"):
            parts.append(self.both())
        return lambda states: any(part(states) for part in parts)

    def both(self) -> Holds:
        parts = [self.one()]
        while self.taken("AND"):
            parts.append(self.one())
        return lambda states: all(part(states) for part in parts)

    def one(self) -> Holds:
        if not self.rest:
            raise BadRule("the rule ends where an alarm should stand")
        word, reference = self.rest.pop(0)
        if word in STATES:
            name = name_of(reference)
            if not name:
                raise BadRule(f"{word} names no alarm")
            self.names.add(name)
            return lambda states: states.get(name) == word
        if word == "NOT":
            inner = self.one()
            return lambda states: not inner(states)
        if word in {"TRUE", "FALSE"}:
            return lambda _: word == "TRUE"
        if word == "(":
            inner = self.either()
            if not self.taken(")"):
                raise BadRule("a bracket is not closed")
            return inner
        raise BadRule(f"{word} stands where an alarm should")

    def taken(self, word: str) -> bool:
        """Go past a word where it is the next one, and say whether it was."""
        if self.rest and self.rest[0][0] == word:
            self.rest.pop(0)
            return True
        return False
