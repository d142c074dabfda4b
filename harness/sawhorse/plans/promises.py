"""What each module promises: all that it plans when it is given the least, and what every argument changes of that.

A file has the module's name. Its `base` is given to every case, `planned` and `outputs` say everything that comes of
it, and each of the `promises` says what is given besides and what is planned otherwise: whatever it does not name is as
in the base. So nothing that a module makes goes unnamed, and each thing is said once.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sawhorse.errors import BadConfiguration
from sawhorse.files import write_shared
from sawhorse.plans.cases import NAME, Case, arguments, complete
from sawhorse.plans.documents import Written, read_document, shown_path, write_document
from sawhorse.plans.inventory import opened, shown
from sawhorse.plans.plan import ABSENT, UNKNOWN, Plan, Unknown
from sawhorse.plans.references import Configuration, place_of, references

# What a plan has of every resource and no module says.
UNSAID = ("tags_all",)
PARTS = ("planned", "outputs")
NOTHING: tuple[Any, ...] = (None, "", [], {})


@dataclass(frozen=True)
class Promise(Case):
    """A call of a module and all that is planned of it, by address, and what it hands out, by output."""

    expected: Mapping[str, Any] = field(default_factory=dict)
    # What is written of this case, and of the one that it starts from.
    written: tuple[Written, ...] = ()

    def differences(self, found: Mapping[str, Any]) -> list[str]:
        """Say where something else is planned than is promised, with the line that says so."""
        return [
            f"{self.line(path)}: {self.name} > {' > '.join(path)}\n    - {shown(one)}\n    + {shown(other)}"
            for path, one, other in differing(self.expected, found)
        ]

    def line(self, path: Iterable[str]) -> str:
        """Return where most of a path is written: in the case itself, or where it starts from when that says more."""
        path = list(path)
        places: list[tuple[int, str]] = []
        for document in reversed(self.written):
            here, depth = document, 0
            for name in path:
                if not isinstance(here.value, dict) or name not in here.value:
                    break
                here, depth = here.value[name], depth + 1
            places.append((depth, here.place))
        return max(places, key=lambda place: place[0])[1] if places else self.place


def read_promises(path: Path) -> list[Promise]:
    """Read a module's promises, that of its base first."""
    document = read_document(path)
    module = path.stem
    whole = complete(document, ("base",), f"the promises of {module}", also=(*PARTS, "promises"))
    base = arguments(whole["base"], "base")
    promised = {part: whole[part].plain() for part in PARTS if part in whole}
    head = Promise(f"{module}_promised", module, base, place=document.place, expected=promised, written=(document,))
    found = [head]
    cases = whole["promises"].mapping("promises must be a mapping from names to cases") if "promises" in whole else {}
    for name, written in cases.items():
        if not NAME.fullmatch(name):
            raise BadConfiguration(
                f"{written.place}: {name} is not a name; write small letters, digits and underscores."
            )
        entry = complete(written, ("given",), name, also=PARTS)
        given = {**base, **arguments(entry["given"], "given")}
        changes = {part: entry[part].plain() for part in PARTS if part in entry}
        found.append(
            Promise(
                f"{head.name}_{name}",
                module,
                given,
                place=written.place,
                expected=changed(promised, changes),
                written=(document, written),
            )
        )
    return found


def changed(value: Any, change: Any) -> Any:
    """Return a value with what a change says otherwise; `(not planned)` takes away."""
    if not isinstance(value, dict) or not isinstance(change, dict):
        return change
    merged = {**value, **{key: changed(value.get(key), inner) for key, inner in change.items()}}
    return {key: inner for key, inner in merged.items() if inner is not ABSENT}


def change_between(before: Any, after: Any) -> Any:
    """Return the change that makes one value of another."""
    if not isinstance(before, dict) or not isinstance(after, dict):
        return after
    return {
        key: change_between(before.get(key), after[key]) if key in after else ABSENT
        for key in sorted({**before, **after})
        if key not in before or key not in after or list(differing(before[key], after[key]))
    }


def differing(expected: Any, found: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
    """Walk where two values differ, with both."""
    if isinstance(expected, dict) and isinstance(found, dict):
        for key in {**expected, **found}:
            yield from differing(expected.get(key, ABSENT), found.get(key, ABSENT), (*path, str(key)))
    elif isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        for number, (one, other) in enumerate(zip(expected, found, strict=True)):
            yield from differing(one, other, (*path, str(number)))
    elif expected != found or isinstance(expected, bool) is not isinstance(found, bool):
        yield path, expected, found


def ordered(value: Any) -> Any:
    """Return a value with every mapping in the order of its keys, so that a file changes where the plan does."""
    if isinstance(value, dict):
        return {key: ordered(value[key]) for key in sorted(value)}
    return [ordered(inner) for inner in value] if isinstance(value, list) else value


def planned_of(plan: Plan, names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return by case what is planned of it, as a file of promises says it.

    What only AWS decides is told by where it will come from, and left out where the module says nothing of it. So is
    what is empty. A block or a list that holds one thing is told as that thing.
    """
    configuration = Configuration(plan.raw["configuration"]["root_module"])
    found: dict[str, dict[str, Any]] = {name: {"planned": {}} for name in names}
    for address, values in plan.resources.items():
        _, name, rest = address.split(".", 2)
        if name not in found:
            continue
        resource = configuration.resource(*place_of(address))
        told = told_of(values, resource.get("expressions", {}))
        order = {"depends_on": sorted(resource["depends_on"])} if resource.get("depends_on") else {}
        found[name]["planned"][rest] = {**(told if isinstance(told, dict) else {}), **order}
    for name, outputs in plan.outputs.items():
        if name in found and isinstance(outputs, dict):
            said = configuration.module((name,)).get("outputs", {})
            expressions = {output: one.get("expression", {}) for output, one in said.items()}
            told = told_of(outputs, expressions)
            if told:
                found[name]["outputs"] = told
    return found


def told_of(value: Any, expression: Any) -> Any:
    """Return a value as promises tell it, with what its expression refers to where AWS decides."""
    if isinstance(value, Unknown):
        sources = references(expression)
        return f"from {' and '.join(sources)}" if sources else UNKNOWN if expression is not None else None
    if isinstance(value, dict):
        inner = {key: told_of(item, expression_of(expression, key)) for key, item in value.items() if key not in UNSAID}
        return {key: item for key, item in inner.items() if item not in NOTHING or isinstance(item, bool)}
    if isinstance(value, list):
        items = [told_of(item, expression_of(expression, number)) for number, item in enumerate(value)]
        return items[0] if len(items) == 1 and isinstance(items[0], dict) else items
    document = opened(value)
    return told_of(document, None) if isinstance(document, dict) else document


def expression_of(expression: Any, key: Any) -> Any:
    """Return the expression of what a value holds; the whole one where it is not written apart."""
    if isinstance(expression, list):
        return expression[key] if isinstance(key, int) and key < len(expression) else None
    if isinstance(expression, Mapping):
        if "references" in expression or "constant_value" in expression:
            return expression
        return expression.get(key)
    return None


def refresh_promises(path: Path, found: Mapping[str, Mapping[str, Any]]) -> None:
    """Write what is planned into a file of promises: all of its base, and of every other case what is otherwise."""
    head, *others = read_promises(path)
    found = {name: {part: ordered(said) for part, said in parts.items()} for name, parts in found.items()}
    base = found[head.name]
    document: dict[str, Any] = {"base": copy.deepcopy(dict(head.given)), **base}
    promises = {}
    for promise in others:
        given = {key: value for key, value in promise.given.items() if head.given.get(key, ABSENT) != value}
        promises[promise.name.removeprefix(f"{head.name}_")] = {
            "given": copy.deepcopy(given),
            **change_between(base, found[promise.name]),
        }
    if promises:
        document["promises"] = promises
    comments = "".join(f"{line}\n" for line in path.read_text().split("\n") if line.startswith("#"))
    write_shared(path, comments + write_document(document, compact=True))


def files_of_promises(directory: Path) -> list[Path]:
    """Return the files of promises of a directory; there must be some."""
    found = sorted(directory.glob("*.yaml"))
    if not found:
        raise BadConfiguration(f"There is no file in {shown_path(directory)}; write MODULE.yaml there, with a base.")
    return found
