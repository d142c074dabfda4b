"""Tell whether a package was made of the sources that are there now, before it is planned or applied."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from harness.errors import BuildFailed
from harness.layout import Project
from harness.package.assembly import hashes_of
from harness.package.config import read_config
from harness.package.manifest import Entry
from harness.package.sources import read_sources
from harness.package.state import lock_digest, lock_inputs, read_state, sources_digest

SHOWN = 3


def refuse_stale(project: Project, app: str, dist: Path, packages: Mapping[str, Entry]) -> None:
    """Refuse packages of other sources than the tree's: what was planned would not be what is there to read.

    Raises BuildFailed. Compared are the app's and the shared files with their modes, package.toml, the lock, and the
    directories that the lock names.
    """
    entry = next(iter(packages.values()))
    if entry.sources_sha256 is None:
        raise BuildFailed(
            f'{dist.name}/{app}.zip was built by an older Sawhorse, which noted no sources; run "sawhorse build {app}".'
        )
    config = read_config(project, app)
    sources = hashes_of(read_sources(str(project.path), app, config.root_files))
    inputs = lock_inputs(str(project.path), app)
    changed = [f"{path}/" for path, digest in entry.directories.items() if digest_of(project, path) != digest]
    if sources_digest(sources, config.digest, lock_digest(inputs)) != entry.sources_sha256:
        changed += differing(project, app, dist, sources, config.digest, lock_digest(inputs))
    elif not changed:
        return
    which = f" ({', '.join(changed[:SHOWN])}{' and more' if len(changed) > SHOWN else ''})" if changed else ""
    raise BuildFailed(
        f"The sources of {app} have changed since {dist.name}/{app}.zip was built{which}. "
        f'Run "sawhorse build {app}", or add --as-built to use the package as it is.'
    )


def differing(  # noqa: PLR0913, PLR0917 # all that is compared
    project: Project, app: str, dist: Path, sources: Mapping[str, tuple[bytes, bool]], config: bytes, lock: bytes
) -> list[str]:
    """Name what differs, as far as the last build noted it."""
    state = read_state(str(dist), app)
    if state is None:
        return []
    before = state.sources
    changed = sorted(name for name in before.keys() | sources.keys() if before.get(name) != sources.get(name))
    # A file for the package's top lies with its app.
    names = [f"lambda/{name}" if "/" in name else f"lambda/{app}/{name}" for name in changed]
    names += [f"lambda/{app}/package.toml"] if state.recipe.config != config else []
    return names + ([*lock_inputs(str(project.path), app)] if state.recipe.lock != lock else [])


def digest_of(project: Project, path: str) -> str:
    from harness.package.wheel_build import tree_digest_now  # noqa: PLC0415 # few locks name directories

    return tree_digest_now(project.path / path)
