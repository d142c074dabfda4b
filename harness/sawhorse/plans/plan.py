"""Run a plan through tftest and read it as data."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import zip_longest
from pathlib import Path
from typing import Any

import tftest

from sawhorse.terraform.provider_lock import forget_hashes
from sawhorse.toolchain import shell_variables


class Unknown(str):
    """Stands in a plan where AWS decides: no text, not even one of the same letters."""

    __slots__ = ()


class Absent(str):
    """Stands in an inventory for what must not be planned: no text, not even one of the same letters."""

    __slots__ = ()


UNKNOWN = Unknown("(known after apply)")
ABSENT = Absent("(not planned)")
# What each of Terraform's sequences of actions does to a resource.
DONE = {
    ("create",): "created",
    ("update",): "updated",
    ("delete", "create"): "replaced",
    ("create", "delete"): "replaced",
    ("create", "forget"): "replaced",
    ("delete",): "deleted",
    ("forget",): "forgotten",
}


@dataclass(frozen=True)
class Tool:
    """Terraform's program and the variables that it runs with."""

    binary: Path
    environment: Mapping[str, str]


@dataclass(frozen=True)
class Plan:
    """What Terraform means to do, as `terraform show -json` tells it."""

    raw: Mapping[str, Any]

    @cached_property
    def changes(self) -> list[Mapping[str, Any]]:
        """What is done to every managed resource, without what an interrupted replacement left to be deleted."""
        changes = self.raw.get("resource_changes", [])
        return [change for change in changes if change["mode"] == "managed" and "deposed" not in change]

    @cached_property
    def resources(self) -> dict[str, Any]:
        """The values of every managed resource after the apply by address, with a mark where AWS decides."""
        return {
            change["address"]: known(change["change"]["after"], change["change"].get("after_unknown", {}))
            for change in self.changes
            if change["change"]["after"] is not None
        }

    @cached_property
    def types(self) -> dict[str, str]:
        """The type of every managed resource by address, of those that are deleted as well."""
        return {change["address"]: change["type"] for change in self.changes}

    @cached_property
    def actions(self) -> dict[str, list[str]]:
        """What is done to every managed resource by address: create, update, delete, or no-op."""
        return {change["address"]: change["change"]["actions"] for change in self.changes}

    @cached_property
    def done(self) -> dict[str, str]:
        """What becomes of every managed resource by address, in a word: created, replaced, deleted, or kept."""
        return {address: DONE.get(tuple(actions), "kept") for address, actions in self.actions.items()}

    @cached_property
    def outputs(self) -> dict[str, Any]:
        """The root's outputs after the apply, with a mark where AWS decides."""
        return {
            name: known(change.get("after"), change.get("after_unknown", {}))
            for name, change in self.raw.get("output_changes", {}).items()
            if change.get("actions") != ["delete"]
        }

    @cached_property
    def public_resources(self) -> dict[str, Any]:
        """The values of every managed resource without those that Terraform calls sensitive."""
        marks = {change["address"]: change["change"].get("after_sensitive", False) for change in self.changes}
        return public(self.resources, marks)

    @cached_property
    def public_outputs(self) -> dict[str, Any]:
        """The root's outputs without those that Terraform calls sensitive."""
        changes = self.raw.get("output_changes", {})
        return public(self.outputs, {name: change.get("after_sensitive", False) for name, change in changes.items()})

    def count(self, kind: str, *, within: str = "") -> int:
        """Count the resources of one type that there are after the apply, in the whole plan or in one module."""
        return sum(1 for address in self.resources if self.types[address] == kind and address.startswith(within))

    def counts(self, done: str | None = None) -> dict[str, int]:
        """Count by type the resources that there are after the apply, or those that something is done to."""
        found = self.resources if done is None else [address for address, word in self.done.items() if word == done]
        return dict(Counter(self.types[address] for address in found))

    def module(self, *path: str) -> Mapping[str, Any]:
        """Return the configuration of a module by the names of the calls that lead to it."""
        module: Mapping[str, Any] = self.raw["configuration"]["root_module"]
        for name in path:
            module = module["module_calls"][name]["module"]
        return module


def known(value: Any, unknown: Any) -> Any:
    """Put a mark into `value` wherever `unknown` says that AWS decides."""
    if unknown is True:
        return UNKNOWN
    if isinstance(unknown, dict) and (unknown or isinstance(value, dict)):
        inside = value if isinstance(value, dict) else {}
        return {key: known(inside.get(key), unknown.get(key, False)) for key in {**inside, **unknown}}
    if isinstance(unknown, list) and (unknown or isinstance(value, list)):
        items = value if isinstance(value, list) else []
        return [known(item, mark) for item, mark in zip_longest(items, unknown)]
    return value


def public(values: Mapping[str, Any], sensitive: Any) -> dict[str, Any]:
    """Leave out of a mapping what `sensitive` says is a secret; a list that holds one is left out whole."""
    marks = sensitive if isinstance(sensitive, dict) else {}
    found = {}
    for key, value in values.items():
        mark = marks.get(key, False)
        if isinstance(value, dict) and isinstance(mark, dict):
            inside = public(value, mark)
            if inside or not value:
                found[key] = inside
        elif not secret(mark):
            found[key] = value
    return found


def secret(mark: Any) -> bool:
    """Whether marks of sensitivity say so of anything."""
    if isinstance(mark, (dict, list)):
        return any(secret(inner) for inner in (mark.values() if isinstance(mark, dict) else mark))
    return mark is True


def plan(tool: Tool, directory: Path, variables: Mapping[str, Any] | None = None, *, refresh: bool = True) -> Plan:
    """Plan a scratch directory. Variables go in as JSON: tftest breaks booleans on the command line."""
    if variables is not None:
        (directory / "terraform.tfvars.json").write_text(json.dumps(variables, indent=2))
    runner = initialized(tool, directory)
    return Plan(runner.plan(output=True, refresh=refresh)._raw)  # noqa: SLF001 - it has no other way to the whole JSON


def initialized(tool: Tool, directory: Path) -> tftest.TerraformTest:
    """Initialize a scratch directory, which checks the provider against the lock once and not at every later command.

    Hashing the AWS provider's 700 MB takes up to a fifth of the processor time of a plan.
    """
    runner = tftest.TerraformTest(str(directory), binary=str(tool.binary))
    # tftest takes the whole shell over.
    runner.env = {**shell_variables.filtered(runner.env, local=True), **tool.environment}
    runner.setup(cleanup_on_exit=False)
    forget_hashes(directory)
    return runner
