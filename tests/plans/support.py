"""What tests of plans share: the packages of roots, and made-up plans and inventories whose every line is known."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from hypothesis import strategies as st

from sawhorse.build.config import read_config
from sawhorse.build.manifest import Entry
from sawhorse.plans.documents import Written
from sawhorse.plans.plan import Plan
from sawhorse.plans.scratch import sample_packages
from sawhorse.project import Project

ADDRESS = "module.app.aws_thing.this"
# Values that are easily taken for one another.
LOOKALIKES: list[Any] = [
    *[
        None,
        False,
        True,
        0,
        1,
        -1,
        0.0,
        1.0,
        0.5,
        {},
        [],
        "",
        "0",
        "1",
        "1.0",
        "false",
        "true",
        "null",
        "~",
        "no",
        "on",
    ],
    *[
        "{}",
        "[]",
        '{"a": 1}',
        "[1]",
        "{a",
        "[",
        "2012-10-17",
        "2012-10-17 10:00:00",
        "010",
        "1:30",
        "0x1f",
        "1e3",
        "=",
        "<<",
    ],
    *[
        "(known after apply)",
        "a: b",
        "# a",
        "- a",
        "&a",
        "*a",
        "!a",
        "a\nb",
        " a",
        "a ",
        "\x85",
        "\u2028",
        "\ufeff",
        "é",
        "😀",
    ],
    *[10**30, -(2**63), 1e300, 1e-7, [[]], [{}], {"": ""}, {"a": {}}, {"1": 1}, {"true": True}],
]
texts = st.text(max_size=8)
leaves = st.one_of(
    st.sampled_from([value for value in LOOKALIKES if not isinstance(value, (dict, list))]),
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    texts,
)
values = st.one_of(
    st.sampled_from(LOOKALIKES),
    st.recursive(
        leaves,
        lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=4)),
        max_leaves=12,
    ),
)


def packages_of(repository: Path, root: str) -> dict[str, Entry]:
    """Return the sample package for every function of a root's app."""
    config = read_config(Project(repository), root.rpartition("/")[2])
    return sample_packages(config.handlers, config.runtime, config.architecture)


def plan_of(
    attributes: Mapping[str, Any],
    *,
    unknown: Mapping[str, Any] | None = None,
    outputs: Mapping[str, Any] | None = None,
) -> Plan:
    """Make a plan of one new resource, and of outputs."""
    change = {"actions": ["create"], "after": dict(attributes), "after_unknown": dict(unknown or {})}
    return Plan(
        {
            "resource_changes": [{"address": ADDRESS, "mode": "managed", "type": "aws_thing", "change": change}],
            "output_changes": {
                name: {"actions": ["create"], "after": value, "after_unknown": False}
                for name, value in (outputs or {}).items()
            },
        }
    )


def plan_doing(actions: Sequence[tuple[str, Sequence[str]]]) -> Plan:
    """Make a plan that does something to resources of some types, one after the other."""
    return Plan(
        {
            "resource_changes": [
                {
                    "address": f"{kind}.this[{number}]",
                    "mode": "managed",
                    "type": kind,
                    "change": {
                        "actions": list(done),
                        "after": None if done[-1] in ("delete", "forget") and "create" not in done else {"name": "n"},
                        "after_unknown": {},
                    },
                }
                for number, (kind, done) in enumerate(actions)
            ]
        }
    )


def holds(expected: Any, found: Any) -> bool:
    """Whether a plan's value is what an inventory says of it: a model that shares nothing with the comparison."""
    if isinstance(expected, (dict, list)) and isinstance(found, str):
        try:
            found = json.loads(found)
        except ValueError:
            return False
    if isinstance(expected, dict) and isinstance(found, dict):
        inside = all(key in found and holds(value, found[key]) for key, value in expected.items())
        return inside if expected else not found
    if isinstance(expected, list) and isinstance(found, list):
        return len(expected) == len(found) and all(map(holds, expected, found))
    kinds = [
        float if isinstance(value, (int, float)) and not isinstance(value, bool) else type(value)
        for value in (expected, found)
    ]
    return kinds[0] is kinds[1] and bool(expected == found)


def written(value: Any) -> str:
    """Write a document of mappings and lists, one value a line."""
    return "".join(f"{line}\n" for line, _ in lines_of(value))


def written_as(value: Any) -> Written:
    """Return a value as if it stood in a file."""
    if isinstance(value, dict):
        value = {key: written_as(inner) for key, inner in value.items()}
    elif isinstance(value, list):
        value = [written_as(inner) for inner in value]
    return Written(value, "base.yaml", 1)


def line_of(value: Any, path: Sequence[str | int]) -> int:
    """Return the line of the value at a path, where `written` puts it."""
    return next(number for number, (_, found) in enumerate(lines_of(value), start=1) if found == tuple(path))


def lines_of(value: Any, path: tuple[str | int, ...] = (), indent: str = "") -> Iterator[tuple[str, tuple[Any, ...]]]:
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in items:
        head = f"{indent}{quoted(str(key))}:" if isinstance(value, dict) else f"{indent}-"
        if isinstance(inner, (dict, list)) and inner:
            yield head, (*path, key)
            yield from lines_of(inner, (*path, key), f"{indent}  ")
        else:
            yield f"{head} {scalar(inner)}", (*path, key)


def scalar(value: Any) -> str:
    if isinstance(value, str):
        return quoted(value)
    text: str = yaml.safe_dump(value, default_flow_style=True)
    return text.removesuffix("\n").removesuffix("\n...")


def quoted(text: str) -> str:
    plain = [letter if " " <= letter <= "~" and letter not in '"\\' else f"\\U{ord(letter):08X}" for letter in text]
    return f'"{"".join(plain)}"'


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Walk the paths of everything in a value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*path, key)
        yield from places(inner, (*path, key))


def at(value: Any, path: Sequence[str | int]) -> Any:
    for key in path:
        value = value[key]
    return value


def changed(value: Any, path: Sequence[str | int], to: Any) -> Any:
    """Return a copy of a value with something else at a path."""
    if not path:
        return to
    key, *rest = path
    if isinstance(value, dict):
        return {name: changed(inner, rest, to) if name == key else inner for name, inner in value.items()}
    return [changed(inner, rest, to) if number == key else inner for number, inner in enumerate(value)]
