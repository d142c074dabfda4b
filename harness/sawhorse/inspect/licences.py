"""Check the licences of what is shipped, as the bills of materials name them, against the project's list."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sawhorse.errors import BadConfiguration, BuildFailed

# Nothing else joins two licences of an SPDX expression (https://spdx.github.io/spdx-spec/v2.3/SPDX-license-expressions/).
TOKEN = re.compile(r"[()]|[^\s()]+")


@dataclass(frozen=True)
class Allowed:
    """What harness/audit.toml allows, each with its reason: licences, and distributions that name theirs oddly.

    `advisories` are those that are known and stand, by their id.
    """

    licences: Mapping[str, str] = field(default_factory=dict)
    distributions: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    advisories: Mapping[str, str] = field(default_factory=dict)


def read_allowed(path: Path, shown: str) -> Allowed:
    """Read the list. Raises BadConfiguration for one without reasons, or with a part that nothing reads."""
    try:
        content = tomllib.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise BadConfiguration(f"{shown} cannot be read ({error}); correct it.") from error
    tables = {name: content.pop(name, {}) for name in ("licences", "distributions", "advisories")}
    unknown = [*content, *(name for name, table in tables.items() if not isinstance(table, dict))]
    if unknown:
        raise BadConfiguration(f"{shown}: nothing reads {unknown[0]}; it has licences, distributions and advisories.")
    for table in ("licences", "advisories"):
        for name, reason in tables[table].items():
            if not isinstance(reason, str) or not reason.strip():
                raise BadConfiguration(f"{shown}: {table}.{name} has no reason; write why it is allowed.")
    for name, entry in tables["distributions"].items():
        if not isinstance(entry, dict) or set(entry) != {"licence", "reason"} or not all(map(is_text, entry.values())):
            raise BadConfiguration(
                f"{shown}: distributions.{name} must have the licence as its bill names it, and the reason."
            )
    return Allowed(**tables)


def is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def licence_faults(dist: Path, apps: Iterable[str], allowed: Allowed) -> tuple[list[str], int]:
    """Return what is shipped under a licence that the list has not, and how many distributions were looked at.

    Raises BuildFailed where an app has no bill of materials.
    """
    found: dict[tuple[str, str, str], list[str]] = {}
    looked_at: set[tuple[str, str]] = set()
    for app in apps:
        for component in components_of(dist / f"{app}.cdx.json"):
            name, version = str(component.get("name", "")), str(component.get("version", ""))
            looked_at.add((name, version))
            fault = fault_of(component, allowed)
            if fault:
                found.setdefault((name, version, fault), []).append(app)
    faults = [
        f"{name} {version} ({', '.join(apps)}): {fault}" for (name, version, fault), apps in sorted(found.items())
    ]
    return faults, len(looked_at)


def components_of(bill: Path) -> list[Mapping[str, Any]]:
    try:
        components = json.loads(bill.read_text())["components"]
    except FileNotFoundError as error:
        raise BuildFailed(f'{bill.parent.name}/{bill.name} does not exist; run "make build".') from error
    except (ValueError, KeyError, TypeError) as error:
        raise BuildFailed(f'{bill.parent.name}/{bill.name} is not a bill of materials; run "make build".') from error
    if not isinstance(components, list) or not all(isinstance(one, dict) for one in components):
        raise BuildFailed(f'{bill.parent.name}/{bill.name} is not a bill of materials; run "make build".')
    return components


def fault_of(component: Mapping[str, Any], allowed: Allowed) -> str | None:
    """Say why a component may not be shipped, None when it may."""
    names = list(licences_of(component))
    stated = ", ".join(names) or "unknown"
    entry = allowed.distributions.get(str(component.get("name")))
    if entry is not None:
        if entry["licence"] == stated:
            return None
        return f"its licence is {stated}, and the list says {entry['licence']}; read it again and correct the list"
    if not names:
        return "it names no licence; read it, and enter it in the list under distributions, or do without it"
    # Where several are named nobody knows whether all of them hold, so all have to be allowed.
    if all(permits(name, allowed.licences) for name in names):
        return None
    return f"the list does not allow {stated}; read it and enter it with the reason, or do without it"


def licences_of(component: Mapping[str, Any]) -> Iterator[str]:
    """Walk the licences of a component: ids and names as they are, expressions whole."""
    for licence in component.get("licenses") or []:
        one = licence.get("license") or {}
        yield str(licence.get("expression") or one.get("id") or one.get("name") or "unknown")


def permits(expression: str, licences: Iterable[str]) -> bool:
    """Whether a licence, or an SPDX expression of several, can be met with these alone; what cannot be read is not."""
    if expression in licences:
        return True
    tokens = TOKEN.findall(expression)
    if len(tokens) == 1:
        return False
    try:
        met, rest = read_or(tokens, set(licences))
    except (IndexError, ValueError, RecursionError):
        return False
    return met and not rest


def read_or(tokens: list[str], licences: set[str]) -> tuple[bool, list[str]]:
    met, rest = read_and(tokens, licences)
    while rest and rest[0] == "OR":
        other, rest = read_and(rest[1:], licences)
        met = met or other
    return met, rest


def read_and(tokens: list[str], licences: set[str]) -> tuple[bool, list[str]]:
    met, rest = read_operand(tokens, licences)
    while rest and rest[0] == "AND":
        other, rest = read_operand(rest[1:], licences)
        met = met and other
    return met, rest


def read_operand(tokens: list[str], licences: set[str]) -> tuple[bool, list[str]]:
    if tokens[0] == "(":
        met, rest = read_or(tokens[1:], licences)
        if rest[0] != ")":
            raise ValueError(rest[0])
        return met, rest[1:]
    if tokens[0] in (")", "AND", "OR", "WITH"):
        raise ValueError(tokens[0])
    if tokens[1:2] == ["WITH"]:
        # An exception changes a licence, so that only both together can be on the list.
        return " ".join(tokens[:3]) in licences, tokens[3:]
    return tokens[0] in licences, tokens[1:]
