"""Build what is proven to need no more than its own changed files, within the time that Python takes to start.

What the last build made is read again and compared by its hashes: every source, package.toml, the lock, the builder's
own code, the files in dist and the entry in the manifest. Modification times are believed nowhere. Whatever is new
here is left to `harness/package/build.py`, which imports what this must not: pathlib, json, dataclasses and the like
would take longer than the build.
"""

from __future__ import annotations

import hashlib
import os
import sys

from harness.files import locked, read
from harness.package.assembly import Contents, Package, hashes_of, pack_sources, write_package
from harness.package.compiling import WrongInterpreter, bytecode_name
from harness.package.sources import read_sources
from harness.package.state import State, lock_path, read_state

TYPE_CHECKING = False
if TYPE_CHECKING:
    from harness.package.sources import Sources


def build_quickly(project: str, app: str, *, dist: str, target: str | None = None) -> Package | None:
    """Prove an app's package, or make it anew where only its sources changed; None when that is not enough.

    `target` is the platform to build for, whatever was built for last when None. Raises BuildFailed.
    """
    state = read_state(dist, app)
    if state is None or not is_settled(project, state, target):
        return None
    sources = read_sources(project, app, state.recipe.root_files)
    if hashes_of(sources) == state.sources and is_whole(dist, state):
        return Package(dist, state, changed=False)
    # A file that came or went may be a handler, or the last of its package.
    if sources.keys() != state.sources.keys():
        return None
    try:
        with locked(lock_path(dist, app)):
            return rebuild(dist, app, sources)
    except WrongInterpreter:
        return None


def is_settled(project: str, state: State, target: str | None) -> bool:
    """Say whether what was settled before still is: configuration, lock, platform, and an interpreter that compiles."""
    recipe = state.recipe
    if not recipe.compiler or target not in {None, recipe.target} or not os.access(recipe.compiler, os.X_OK):
        return False
    try:
        config = read(f"{project}/lambda/{recipe.app}/package.toml")
        lock = read(f"{project}/requirements/{recipe.app}.txt")
    except OSError:
        return False
    return hashlib.sha256(config).digest() == recipe.config and hashlib.sha256(lock).digest() == recipe.lock


def is_whole(dist: str, state: State) -> bool:
    """Say whether everything that was written is as it was written."""
    try:
        manifest = read(f"{dist}/manifest.json").decode(errors="replace")
        hashes = {name: hashlib.sha256(read(f"{dist}/{name}")).digest() for name in state.outputs}
    except OSError:
        return False
    return state.fragment in manifest and hashes == state.outputs


def rebuild(dist: str, app: str, sources: Sources) -> Package | None:
    """Compile and compress what changed, and take the rest from the package that is there."""
    state = read_state(dist, app)
    # Another build may have come first, and a package that is not whole is no place to take anything from.
    if state is None or not is_whole(dist, state) or state.recipe.layer:
        return None
    before = {member.name: member for member in state.members_in(read(f"{dist}/{app}.zip"))}
    own = {*sources, *(bytecode_name(name, state.recipe.python) for name in sources)}
    code = pack_sources(state.recipe, sources, {name: member for name, member in before.items() if name in own})
    documents = {name: read(f"{dist}/{name}") for name in state.outputs if not name.endswith(".zip")}
    dependencies = [member for name, member in before.items() if name not in own]
    contents = Contents(sources, code, dependencies)
    return write_package(dist, state.recipe, contents, documents=documents, before=state)


def report(package: Package, project: str) -> None:
    """Say what a build did, and on standard error what is wrong with the package."""
    state = "built" if package.changed else "unchanged"
    shown = package.path.removeprefix(f"{project}/")
    print(f"{shown} {state}: {package.size:,} bytes, sha256 {package.sha256}")
    for warning in package.warnings:
        print(f"sawhorse: {warning}", file=sys.stderr)
