"""Find the variables that a function's import wants: those of an applied root, else placeholders."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sawhorse.project import Project, Root

# What stands for a value that nobody gave.
SAMPLE = "sample"
NAME = r"(?P<name>[A-Z][A-Z0-9_]*)"
# How an import says what it misses: as Python does, and as `shared.settings` does, with the values that fit.
MISSING = (
    rf"KeyError: '{NAME}'",
    rf"\w+: {NAME} is (?:not set\b|'(?:{SAMPLE})?'\.)(?:.*?\bto one of (?P<choice>[^,.\s]+))?",
)
# Runs in the package's interpreter: imports the module again and again, each time with what it missed the last time.
# What it had imported by then is there, so it takes hardly longer than one import.
PROBE = f"""
import json, os, re, sys
report, module = sys.argv[1:3]
sys.path[:0] = sys.argv[3:]
before, made, more = set(os.environ), {{}}, True
while more:
    more, error = False, ""
    try:
        __import__(module)
    except BaseException as raised:
        error = "%s: %s" % (type(raised).__name__, raised)
    for found in filter(None, (re.match(pattern, error) for pattern in {MISSING!r})):
        name, value = found["name"], found.groupdict().get("choice") or {SAMPLE!r}
        if name not in before and made.get(name) != value and len(made) < 100:
            made[name] = os.environ[name] = value
            more = True
            break
with open(report, "w") as file:
    json.dump(made, file)
"""


@dataclass(frozen=True)
class Applied:
    """The variables of an app's functions by their handlers, and where they were found, such as `dev/shop`."""

    where: str = ""
    by_handler: dict[str, dict[str, str]] = field(default_factory=dict, repr=False)


def applied_variables(project: Project, app: str) -> Applied:
    """Read the variables of an app's functions from the state of a root that is applied, one of local runs first."""
    roots = [root for root in project.roots if root.app == app]
    for root, path, where in [
        *places(roots, "terraform.tfstate.d/local/", " on the local AWS"),
        *places(roots, "", ""),
    ]:
        try:
            found = dict(functions_in(json.loads(path.read_text())))
        # None is there, or none that can be read: placeholders serve as well.
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            continue
        if found:
            return Applied(f"{root.name}{where}", found)
    return Applied()


def places(roots: list[Root], directory: str, where: str) -> list[tuple[Root, Path, str]]:
    return [(root, root.path / f"{directory}terraform.tfstate", where) for root in roots]


def functions_in(state: Any) -> Iterator[tuple[str, dict[str, str]]]:
    """Walk the functions of a state: the handler of each, and its variables."""
    for resource in state.get("resources", []):
        if resource["type"] == "aws_lambda_function" and resource["mode"] == "managed":
            for instance in resource["instances"]:
                attributes = instance["attributes"]
                environments = attributes.get("environment") or []
                variables = {
                    name: value for one in environments for name, value in (one.get("variables") or {}).items()
                }
                yield attributes["handler"], variables
