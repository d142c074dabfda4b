"""Write locks: `python -m sawhorse.cli.lock [--upgrade] [NAME]...`, every lock of the project where none is named."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from sawhorse.build.lock_files import HARNESS_LOCK
from sawhorse.build.lock_resolver import make_lock
from sawhorse.errors import INTERRUPTED, SawhorseError, report_error
from sawhorse.project import Project
from sawhorse.toolchain.machine import say

# Locks of tools come first: those of the apps agree with the harness's where they can, which runs their unit tests.
TOOLS = (
    "uv",
    "build",
    "harness",
    "ministack",
    "moto",
    "runtime",
    "checkov",
    "audit",
    "sam",
    "chalice",
    "functions",
)
PINS = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s;\\]+)", re.MULTILINE)
NAMED_AT_MOST = 3


def show_differences(project: Project, lock: Path, preferred: Path) -> None:
    """Say where unit tests of an app would import another version than its package has."""
    here = pins_of(preferred)
    others = [
        f"{name} {here[name]} and not {version}"
        for name, version in pins_of(lock).items()
        if here.get(name, version) != version
    ]
    if others:
        more = f" and {len(others) - NAMED_AT_MOST} more" if len(others) > NAMED_AT_MOST else ""
        say(
            f"{project.shown(lock)}: unit tests run with {project.shown(preferred)}, and there import "
            f"{', '.join(others[:NAMED_AT_MOST])}{more}."
        )


def pins_of(lock: Path) -> dict[str, str]:
    """Return the version of each distribution that a lock of requirements pins once."""
    found = PINS.findall(lock.read_text()) if lock.suffix == ".txt" and lock.is_file() else []
    names = [name for name, _ in found]
    return {name: version for name, version in found if names.count(name) == 1}


def main(arguments: list[str] | None = None) -> int:
    """Write the locks that are named, each whole or not at all, and return the exit code."""
    parser = argparse.ArgumentParser(prog="make lock", description="Resolve requirements and write hashed locks.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="an app, or a tool such as harness; default: all")
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions, not only what has to change")
    options = parser.parse_args(arguments)
    try:
        project = Project.find()
        for name in options.names or [*TOOLS, *project.apps]:
            preferred = project.path / HARNESS_LOCK if name in project.apps else None
            lock = make_lock(project, name, upgrade=options.upgrade, preferred=preferred)
            print(project.shown(lock), flush=True)
            if preferred:
                show_differences(project, lock, preferred)
    except (SawhorseError, OSError) as error:
        return report_error(error)
    except KeyboardInterrupt:
        print("sawhorse: stopped.", file=sys.stderr)
        return INTERRUPTED
    return 0


if __name__ == "__main__":
    sys.exit(main())
