"""Write locks: `python -m harness.lock [--upgrade] [NAME]...`, every lock of the project where none is named."""

from __future__ import annotations

import argparse
import sys

from harness.errors import INTERRUPTED, SawhorseError, told
from harness.layout import Project
from harness.package.locks import make_lock

# Locks of tools come first: those of the apps agree with the harness's, which runs their unit tests.
TOOLS = (
    "uv",
    "build",
    "harness",
    "ministack",
    "moto",
    "runtime",
    "checkov",
    "audit",
    "bench_sam",
    "bench_chalice",
    "bench_functions",
)


def main(arguments: list[str] | None = None) -> int:
    """Write the locks that are named, each whole or not at all, and return the exit code."""
    parser = argparse.ArgumentParser(prog="make lock", description="Resolve requirements and write hashed locks.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="an app, or a tool such as harness; default: all")
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions, not only what has to change")
    options = parser.parse_args(arguments)
    try:
        project = Project.find()
        for name in options.names or [*TOOLS, *project.apps]:
            constraints = [project.requirements / "harness.txt"] if name in project.apps else []
            lock = make_lock(project, name, upgrade=options.upgrade, constraints=constraints)
            print(project.shown(lock), flush=True)
    except (SawhorseError, OSError) as error:
        return told(error)
    except KeyboardInterrupt:
        print("sawhorse: stopped.", file=sys.stderr)
        return INTERRUPTED
    return 0


if __name__ == "__main__":
    sys.exit(main())
