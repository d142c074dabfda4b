"""Start the `sawhorse` command: `sawhorse build [APP]...` at once, everything else through `harness.cli`.

The command line's own imports take longer than a build that changes nothing.
"""

from __future__ import annotations

import io
import os
import sys

from harness.checkout import find_checkout
from harness.errors import INTERRUPTED, SawhorseError, told
from harness.ownership import keep_to_this_user

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.package.assembly import Package


def main() -> int:
    """Run the command that the arguments name, and return its exit code or raise SystemExit with it."""
    keep_to_this_user()
    command, *words = sys.argv[1:] or [""]
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A path that is not UTF-8 can be shown as well; on standard error Python does so by itself.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        if command == "build" and not any(word.startswith("-") for word in words):
            return build_and_report(find_checkout(), words)
        from harness.cli import main as command_line  # noqa: PLC0415 # typer and the like take 150 ms

        command_line()
    except (SawhorseError, OSError) as error:
        return told(error)
    except KeyboardInterrupt:
        print("sawhorse: stopped.", file=sys.stderr)
        return INTERRUPTED


def build_and_report(project: str, apps: Sequence[str]) -> int:
    """Do what `sawhorse build` does without options."""
    from harness.package.quick import report  # noqa: PLC0415 # other commands need nothing of it

    for package in build(project, apps):
        report(package, project)
    return 0


def build(project: str, apps: Sequence[str]) -> list[Package]:
    """Build apps one after another, all when none is named, each as quickly as it can be.

    Raises SawhorseError and OSError.
    """
    from harness.package.quick import build_quickly  # noqa: PLC0415 # other commands need nothing of it

    there = sorted(name for name in os.listdir(f"{project}/lambda") if is_app(project, name))  # noqa: PTH208
    unknown = [app for app in apps if app not in there]
    if unknown:
        from harness.layout import unknown_app  # noqa: PLC0415 # pathlib and the like take 30 ms

        raise unknown_app(unknown[0], there)
    return [build_quickly(project, app, dist=f"{project}/dist") or build_whole(project, app) for app in apps or there]


def is_app(project: str, name: str) -> bool:
    return os.path.isfile(f"{project}/lambda/{name}/package.toml")  # noqa: PTH113


def build_whole(project: str, app: str) -> Package:
    """Build an app that is new, or changed in more than its sources."""
    from pathlib import Path  # noqa: PLC0415 # this and what follows take 60 ms

    from harness.layout import Project  # noqa: PLC0415
    from harness.package.build import build as build_package  # noqa: PLC0415

    return build_package(Project(Path(project)), app)


if __name__ == "__main__":
    sys.exit(main())
