"""Start the `sawhorse` command: `sawhorse build APP...` at once, everything else through `harness.cli`.

The command line's own imports take longer than a build that changes nothing.
"""

from __future__ import annotations

import os
import sys

from harness.checkout import find_checkout
from harness.errors import SawhorseError, told

TYPE_CHECKING = False
if TYPE_CHECKING:
    from harness.package.assembly import Package


def main() -> int:
    """Run the command that the arguments name, and return its exit code or raise SystemExit with it."""
    command, *words = sys.argv[1:] or [""]
    if command != "build" or not words or any(word.startswith("-") for word in words):
        from harness.cli import main as command_line  # noqa: PLC0415 # typer and the like take 150 ms

        command_line()
    try:
        return build(words)
    except (SawhorseError, OSError) as error:
        return told(error)


def build(apps: list[str]) -> int:
    """Build apps, as `sawhorse build` does without options."""
    from harness.package.quick import build_quickly, report  # noqa: PLC0415 # other commands need nothing of it

    project = find_checkout()
    # Nothing is built while one of the names is wrong.
    known = all(os.path.isfile(f"{project}/lambda/{app}/package.toml") for app in apps)  # noqa: PTH113
    quick = [build_quickly(project, app, dist=f"{project}/dist") for app in apps] if known else []
    packages = [package for package in quick if package]
    if len(packages) < len(apps):
        packages = build_all(project, apps)
    for package in packages:
        report(package, project)
    return 0


def build_all(project: str, apps: list[str]) -> list[Package]:
    """Build apps that may be new, changed in more than their sources, or not there at all."""
    from pathlib import Path  # noqa: PLC0415 # this and what follows take 60 ms

    from harness.layout import Project  # noqa: PLC0415
    from harness.package.build import build as build_package  # noqa: PLC0415

    checkout = Project(Path(project))
    return [build_package(checkout, name) for name in [checkout.app(app) for app in apps]]


if __name__ == "__main__":
    sys.exit(main())
