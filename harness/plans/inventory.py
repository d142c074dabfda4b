"""Compare a plan with an inventory: what it must hold, naming only what somebody promised."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from harness.plans.plan import Plan


def assert_plan(planned: Plan, inventory: Path, *, refresh: str) -> None:
    """Fail with what differs when the plan does not hold everything that the inventory names.

    An inventory has `values` by address, `counts` by type and `outputs`. Mappings are subsets, all else is equal, and
    where it holds a mapping or a list the plan may hold the JSON of one. `refresh` is the command that rewrites it.
    """
    expected = yaml.safe_load(inventory.read_text())
    found = inventory_of(planned, expected)
    differences = list(differing(expected, found))
    if differences:
        lines = "\n".join(differences)
        raise AssertionError(
            f"The plan is not what {inventory.name} says:\n{lines}\nWhen the plan is right, rewrite the file: {refresh}"
        )


def refresh_inventory(planned: Plan, inventory: Path) -> None:
    """Write what is planned into the inventory, for the things that it names and no others."""
    text = inventory.read_text()
    comments = "".join(line for line in text.splitlines(keepends=True) if line.startswith("#"))
    found = inventory_of(planned, yaml.safe_load(text))
    inventory.write_text(comments + yaml.safe_dump(found, sort_keys=False, width=120, allow_unicode=True))


def inventory_of(planned: Plan, expected: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the plan has of everything that `expected` names."""
    whole = {
        "values": planned.resources,
        "counts": {kind: planned.count(kind) for kind in expected.get("counts", {})},
        "outputs": planned.outputs,
    }
    return {part: narrowed(whole[part], expected[part]) for part in expected}


def narrowed(found: Any, expected: Any) -> Any:
    """Keep of `found` what `expected` names."""
    if isinstance(expected, (dict, list)) and isinstance(found, str) and found[:1] in "{[":
        found = json.loads(found)
    if isinstance(expected, dict) and isinstance(found, dict):
        return {key: narrowed(found[key], value) for key, value in expected.items() if key in found}
    if isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        return [narrowed(item, value) for item, value in zip(found, expected, strict=True)]
    return found


def differing(expected: Any, found: Any, path: str = "") -> Iterator[str]:
    """Say where two narrowed values differ, a line each for what is named and what is planned."""
    if isinstance(expected, dict) and isinstance(found, dict):
        for key, value in expected.items():
            if key in found:
                yield from differing(value, found[key], f"{path} > {key}" if path else str(key))
            else:
                yield f"  {path} > {key}\n    - {shown(value)}\n    + (not planned)"
    elif isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        for number, (value, item) in enumerate(zip(expected, found, strict=True)):
            yield from differing(value, item, f"{path} > {number}")
    elif expected != found:
        yield f"  {path}\n    - {shown(expected)}\n    + {shown(found)}"


def shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
