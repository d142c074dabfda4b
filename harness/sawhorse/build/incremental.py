"""Build what is proven to need no more than its own changed files, within the time that Python takes to start.

What the last build made is read again and compared by its hashes: every source, package.toml, the lock, the builder's
own code, the files in dist and the entry in the manifest. Modification times are believed nowhere. Whatever is new
here is left to `build.py`, which imports what this must not: pathlib, json, dataclasses and the like would take longer
than the build.
"""

from __future__ import annotations

import hashlib
import os
import sys

from sawhorse.build.assembly import (
    Contents,
    Package,
    pack_sources,
    whole_outputs,
    write_package,
)
from sawhorse.build.build_state import State, lock_digest, lock_inputs, read_state, writing
from sawhorse.build.bytecode_client import Imports, Running, WrongInterpreter, bytecode_name, end_all
from sawhorse.build.requirement_source import declared_in
from sawhorse.build.sources import hashes_of, read_sources
from sawhorse.files import read
from sawhorse.trusted_files import is_own_program

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from sawhorse.build.sources import Sources


def build_quickly(project: str, app: str, *, dist: str, target: str | None = None) -> Package | None:
    """Prove an app's package, or make it anew where only its sources changed; None when that is not enough.

    `target` is the platform to build for, whatever was built for last when None. Raises BuildFailed.
    """
    proven = prove(project, app, dist, target)
    if isinstance(proven, Package) or proven is None:
        return proven
    try:
        with writing(dist, app):
            # Another build may have come first.
            proven = prove(project, app, dist, target)
            return rebuild(dist, app, *proven) if isinstance(proven, tuple) else proven
    except WrongInterpreter:
        return None


def prove(project: str, app: str, dist: str, target: str | None) -> Package | tuple[State, Sources] | None:
    """Return the package when nothing changed, state and sources when sources did, None when anything else may have."""
    state = read_state(dist, app)
    if state is None or not is_settled(project, state, target):
        return None
    sources = read_sources(project, app, state.recipe.root_files)
    # A file that came or went may be a handler, and so may one that cannot be executed any more.
    if {name: mode for name, (_, mode) in sources.items()} != {name: mode for name, (_, mode) in state.sources.items()}:
        return None
    if hashes_of(sources) != state.sources:
        return state, sources
    return Package(dist, state, changed=False) if whole_outputs(dist, state) else None


def is_settled(project: str, state: State, target: str | None) -> bool:
    """Say whether what was settled before still is: configuration, lock, platform, and an interpreter that compiles."""
    recipe = state.recipe
    if (
        not recipe.compiler
        or recipe.directories
        or target not in {None, recipe.target}
        or not is_own_program(recipe.compiler)
    ):
        return False
    try:
        config = read(f"{project}/lambda/{recipe.app}/package.toml")
        lock = lock_digest(lock_inputs(project, recipe.app))
    except OSError:
        return False
    settled = hashlib.sha256(config).digest() == recipe.config and lock == recipe.lock
    # Sentences name where requirements are edited.
    return settled and declared_in(project, recipe.app) == recipe.declared


def rebuild(dist: str, app: str, state: State, sources: Sources) -> Package | None:
    """Compile and compress what changed, and take the rest from the package that is there."""
    if state.recipe.layer:
        return None
    changed = [name for name, hashed in hashes_of(sources).items() if hashed != state.sources[name]]
    # It starts while the package is read.
    ready = [Running(state.recipe.compiler, judging=True)] if any(name.endswith(".py") for name in changed) else []
    try:
        # A package that is not whole is no place to take anything from, and what was proven is what is taken.
        outputs = whole_outputs(dist, state)
        return rebuild_whole(dist, app, state, sources, outputs, ready) if outputs else None
    finally:
        end_all(ready)


def rebuild_whole(  # noqa: PLR0913, PLR0917 # all that is known by then
    dist: str, app: str, state: State, sources: Sources, outputs: dict[str, bytes], ready: Sequence[Running]
) -> Package:
    before = {member.name: member for member in state.members_in(outputs[f"{app}.zip"])}
    own = {*sources, *(bytecode_name(name, state.recipe.python) for name in sources)}
    imports = {name: Imports(*found) for name, found in state.imports.items()}
    code = pack_sources(state.recipe, sources, {name: before[name] for name in own & before.keys()}, imports, ready)
    documents = {name: content for name, content in outputs.items() if not name.endswith(".zip")}
    dependencies = [member for name, member in before.items() if name not in own]
    contents = Contents(sources, code, dependencies)
    return write_package(dist, state.recipe, contents, documents=documents, before=state)


def build_apps(project: str, apps: Sequence[str]) -> list[Package]:
    """Build apps one after another, all when none is named, each as quickly as it can be.

    Raises SawhorseError and OSError.
    """
    there = sorted(name for name in os.listdir(f"{project}/lambda") if is_app(project, name))  # noqa: PTH208
    unknown = [app for app in apps if app not in there]
    if unknown:
        from sawhorse.project import unknown_app  # noqa: PLC0415 # pathlib and the like take 30 ms

        raise unknown_app(unknown[0], there)
    return [build_quickly(project, app, dist=f"{project}/dist") or build_whole(project, app) for app in apps or there]


def is_app(project: str, name: str) -> bool:
    return os.path.isfile(f"{project}/lambda/{name}/package.toml")  # noqa: PTH113


def build_whole(project: str, app: str) -> Package:
    """Build an app that is new, or changed in more than its sources."""
    from pathlib import Path  # noqa: PLC0415 # this and what follows take 60 ms

    from sawhorse.build.build import build as build_package  # noqa: PLC0415
    from sawhorse.project import Project  # noqa: PLC0415

    return build_package(Project(Path(project)), app)


def report(package: Package, project: str) -> None:
    """Say what a build did, and on standard error what is wrong with the package."""
    state = "built" if package.changed else "unchanged"
    shown = package.path.removeprefix(f"{project}/")
    print(f"{shown} {state}: {package.size:,} bytes, sha256 {package.sha256}")
    for warning in package.warnings:
        print(f"sawhorse: {warning}", file=sys.stderr)
