"""Refuse a package that was not made of what stands in the checkout now."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from sawhorse.build.build_state import Remembered, remembered
from sawhorse.build.config import read_config
from sawhorse.build.locked_directory import tree_digest_now
from sawhorse.build.manifest import read_manifest
from sawhorse.build.packed_names import shown
from sawhorse.build.requirement_files import lock_digest, lock_inputs
from sawhorse.build.shared_files import is_shared
from sawhorse.build.sources import digest_of, hashes_of, read_sources
from sawhorse.build.zip_reader import names_in_zip
from sawhorse.build.zip_writer import base64_of
from sawhorse.errors import BuildFailed, SawhorseError
from sawhorse.project import Project, one_and_all

NAMED_AT_MOST = 3


def refuse_stale(project: Project, dist: Path, app: str) -> None:
    """Compare an app's package in `dist` with the sources, package.toml, the lock and what the lock names.

    Raises BuildFailed.
    """
    remedy = f'Run "sawhorse build {app}", or add --as-built to take the package as it is.'
    entries = read_manifest(dist).get(app, {}).values()
    made_of = {entry.sources_sha256 for entry in entries}
    if None in made_of:
        raise BuildFailed(f"{dist.name}/manifest.json does not say what {app}.zip was made of. {remedy}")
    directories = {path: digest for entry in entries for path, digest in entry.directories.items()}
    changes = [f"{path} changed" for path, digest in directories.items() if tree_digest(project, path) != digest]
    now = made_of_now(project, dist, app)
    if made_of == {sha256_of(now)} and not changes:
        return
    before = remembered(str(dist), app)
    # What is remembered may be of another build than what lies in `dist`.
    if before and made_of == {sha256_of(before)}:
        changes += changes_of(project, app, before, now)
    named = changes[:NAMED_AT_MOST] + ([f"{len(changes) - NAMED_AT_MOST} more"] if len(changes) > NAMED_AT_MOST else [])
    differing = f": {one_and_all(named)}" if named else ""
    raise BuildFailed(f"{dist.name}/{app}.zip was not made of what stands here now{differing}. {remedy}")


def is_of_checkout(project: Project, dist: Path, app: str) -> bool:
    """Say whether an app's package in `dist` was made of what stands in the checkout now, as far as that can be read.

    One of a build that did not say what it was made of is not.
    """
    try:
        refuse_stale(project, dist, app)
    except (SawhorseError, OSError):
        return False
    return True


def tree_digest(project: Project, path: str) -> str:
    return tree_digest_now(project.path / path)


def made_of_now(project: Project, dist: Path, app: str) -> Remembered:
    """Return what stands in the checkout of all that a package is made of.

    Its zip says which shared files it has. That a build would choose others shows in one of its files, or in the names
    of those that it has not.
    """
    config = read_config(project, app)
    sources = read_sources(str(project.path), app, config.root_files)
    packed = names_in_zip(dist / f"{app}.zip")
    hashes = {name: one for name, one in hashes_of(sources).items() if not is_shared(name) or name in packed}
    locked = lock_digest(lock_inputs(str(project.path), app))
    return Remembered(config.digest, locked, hashes, sorted(sources.keys() - hashes.keys()))


def sha256_of(made_of: Remembered) -> str:
    return base64_of(digest_of(made_of.config, made_of.lock, made_of.sources, made_of.left_out))


def changes_of(project: Project, app: str, before: Remembered, now: Remembered) -> list[str]:
    """Say of each file that differs what became of it."""
    found = [f"lambda/{app}/package.toml changed"] if before.config != now.config else []
    if before.lock != now.lock:
        names = lock_inputs(str(project.path), app)
        found += [f"{one_and_all(sorted(names))} changed" if names else "the lock is gone"]
    found += [
        f"{where(app, name)} {what_became(name, before.sources, now.sources)}"
        for name in sorted({*before.sources, *now.sources})
        if before.sources.get(name) != now.sources.get(name)
    ]
    came, went = set(now.left_out) - set(before.left_out), set(before.left_out) - set(now.left_out)
    others = [(name, "is new") for name in came] + [(name, "is gone") for name in went - now.sources.keys()]
    return found + [f"{where(app, name)} {became}" for name, became in sorted(others)]


def where(app: str, name: str) -> str:
    """Return where a file of the package lies in the project; those at the top are the app's."""
    return f"lambda/{shown(name)}" if "/" in name else f"lambda/{app}/{shown(name)}"


def what_became(name: str, before: Mapping[str, tuple[bytes, bool]], now: Mapping[str, tuple[bytes, bool]]) -> str:
    if name not in before:
        return "is new"
    if name not in now:
        return "is gone"
    return "changed" if before[name][0] != now[name][0] else "has another mode"
