"""Run a plan through tftest and read it as data."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import tftest

from harness.files import write_atomically

UNKNOWN = "(known after apply)"


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
    def resources(self) -> dict[str, Any]:
        """The values of every managed resource after the apply by address, with a mark where AWS decides."""
        return {
            change["address"]: known(change["change"]["after"], change["change"].get("after_unknown", {}))
            for change in self.raw.get("resource_changes", [])
            if change["mode"] == "managed" and change["change"]["after"] is not None
        }

    @cached_property
    def types(self) -> dict[str, str]:
        """The type of every managed resource by address."""
        changes = self.raw.get("resource_changes", [])
        return {change["address"]: change["type"] for change in changes if change["mode"] == "managed"}

    @cached_property
    def actions(self) -> dict[str, list[str]]:
        """What is done to every managed resource by address: create, update, delete, or no-op."""
        changes = self.raw.get("resource_changes", [])
        return {change["address"]: change["change"]["actions"] for change in changes if change["mode"] == "managed"}

    @cached_property
    def outputs(self) -> dict[str, Any]:
        """The root's outputs after the apply, with a mark where AWS decides."""
        changes = self.raw.get("output_changes", {})
        return {name: known(change.get("after"), change.get("after_unknown", {})) for name, change in changes.items()}

    def count(self, kind: str, *, within: str = "") -> int:
        """Count the resources of one type, in the whole plan or in one module."""
        return sum(1 for address, type_ in self.types.items() if type_ == kind and address.startswith(within))

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
    if isinstance(unknown, dict):
        inside = value if isinstance(value, dict) else {}
        return {key: known(inside.get(key), unknown.get(key, False)) for key in inside.keys() | unknown.keys()}
    if isinstance(unknown, list) and isinstance(value, list):
        marks = [*unknown, *[False] * (len(value) - len(unknown))]
        return [known(item, mark) for item, mark in zip(value, marks, strict=False)]
    return value


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
    runner = tftest.TerraformTest(str(directory), binary=str(tool.binary), env=dict(tool.environment))
    runner.setup(cleanup_on_exit=False)
    lock = directory / ".terraform.lock.hcl"
    write_atomically(lock, re.sub(r"^  hashes = \[.*?^  \]\n", "", lock.read_text(), flags=re.MULTILINE | re.DOTALL))
    return runner
