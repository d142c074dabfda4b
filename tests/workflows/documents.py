"""Read workflows and composite actions, and refuse every key that the runner does not carry out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

WORKFLOW = {"name", "on", "permissions", "concurrency", "jobs"}
JOB = {
    "name", "needs", "if", "runs-on", "timeout-minutes", "environment", "permissions", "env", "steps", "outputs",
    "strategy", "uses", "with", "concurrency", "secrets",
}  # fmt: skip
STEP = {"name", "id", "if", "uses", "with", "run", "env", "shell"}
EVENTS = {"push", "pull_request", "workflow_dispatch", "workflow_call", "schedule"}


class UnknownKeyError(Exception):
    """A key that the runner does not know: it would be left out without a word."""


def read_workflow(path: Path) -> dict[str, Any]:
    """Read a workflow. Scalars stay the texts that they are, so that `on` is no truth value."""
    found = read(path)
    refuse_unknown(path, found, WORKFLOW)
    refuse_unknown(path, found["on"], EVENTS)
    for name, job in found["jobs"].items():
        refuse_unknown(path, job, JOB, name)
        for step in job.get("steps", []):
            refuse_unknown(path, step, STEP, name)
    return found


def read_action(path: Path) -> list[dict[str, Any]]:
    """Read the steps of a composite action."""
    found = read(path)
    refuse_unknown(path, found, {"name", "description", "runs"})
    refuse_unknown(path, found["runs"], {"using", "steps"})
    if found["runs"]["using"] != "composite":
        raise UnknownKeyError(f"{path}: only composite actions are run.")
    for step in found["runs"]["steps"]:
        refuse_unknown(path, step, STEP)
    steps: list[dict[str, Any]] = found["runs"]["steps"]
    return steps


def read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.load(path.read_text(), Loader=yaml.BaseLoader)  # noqa: S506 # makes texts alone
    return found


def refuse_unknown(path: Path, found: Mapping[str, Any], known: set[str], where: str = "") -> None:
    unknown = sorted(set(found) - known)
    if unknown:
        raise UnknownKeyError(f"{path.name} {where}: {', '.join(unknown)} is not known to the runner.")


def listed(value: Any) -> list[str]:
    return [] if value is None else [value] if isinstance(value, str) else list(value)
