"""Build the apps that are named: what is up to date at once, everything else by the whole way."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from sawhorse.build.background import Reader, read_output
from sawhorse.build.compiler_process import end_all
from sawhorse.build.incremental import look
from sawhorse.build.last_package import Package


def build_apps(project: str, apps: Sequence[str], reader: Reader = read_output) -> list[Package]:
    """Build apps one after another, all when none is named, each as quickly as it can be.

    `reader` gives what lies in dist. Raises SawhorseError and OSError.
    """
    there = sorted(path.parent.name for path in Path(project, "lambda").glob("*/package.toml"))
    unknown = [app for app in apps if app not in there]
    if unknown:
        from sawhorse.project import unknown_app  # noqa: PLC0415 # of use in this case alone

        raise unknown_app(unknown[0], there)
    return [build_app(project, app, reader) for app in apps or there]


def build_app(project: str, app: str, reader: Reader) -> Package:
    dist = f"{project}/dist"
    found = look(project, app, dist, reader=reader)
    done = found.up_to_date()
    if done:
        return done
    # They start while the rest is imported.
    ready = found.compilers
    try:
        from sawhorse.build.build import build_stale  # noqa: PLC0415 # of no use where nothing changed

        return build_stale(project, app, dist, found)
    finally:
        end_all(ready)


def report(package: Package, project: str) -> None:
    """Say what a build did, and on standard error what is wrong with the package."""
    state = "built" if package.changed else "unchanged"
    shown = package.path.removeprefix(f"{project}/")
    print(f"{shown} {state}: {package.size:,} bytes, sha256 {package.sha256}")
    for warning in package.warnings:
        print(f"sawhorse: {warning}", file=sys.stderr)
