"""Tell names and values that look like secrets from plain ones, by the patterns that Terraform refuses them by."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

PATTERNS = Path(__file__).parents[2] / "modules/plain_value/patterns.json"


@cache
def pattern(kind: str) -> re.Pattern[str]:
    """Return one pattern for all of a kind; modules/plain_value says what each kind is for."""
    patterns = json.loads(PATTERNS.read_text())[kind]
    return re.compile(patterns if isinstance(patterns, str) else "|".join(patterns))


def sounds_secret(name: str, value: str) -> bool:
    """Whether a name says that its value is a secret, and not where one lies, how long it lasts or if there is one."""
    parted = re.sub(r"[^A-Za-z0-9]+", "_", re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name))
    words = parted.strip("_").upper()
    if pattern("certain_names").search(words):
        return True
    if not pattern("secret_names").search(words) or pattern("reference_names").search(words):
        return False
    return not (pattern("switch_names").search(words) and pattern("switch_values").search(value))


def looks_secret(value: str) -> bool:
    """Whether a value is one that only secrets look like, such as an access key or an address with a password."""
    return bool(pattern("secret_values").search(value))


def secrets_in(values: Mapping[str, object], place: str = "") -> Iterator[tuple[str, str]]:
    """Walk the values below a mapping that are not plain ones: where each stands, and why; never the value."""
    for name, value in values.items():
        yield from secrets_at(f"{place}.{name}" if place else name, name, value)


def secrets_at(here: str, name: str, value: object) -> Iterator[tuple[str, str]]:
    """Walk one value and what it holds; what a list holds goes by the name of the list."""
    if isinstance(value, Mapping):
        yield from secrets_in({str(key): inner for key, inner in value.items()}, here)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from secrets_at(f"{here}.{number}", name, inner)
    elif value is not None and not isinstance(value, bool):
        if looks_secret(str(value)):
            yield here, "looks like a secret"
        elif sounds_secret(name, str(value)):
            yield here, "sounds like a secret"
