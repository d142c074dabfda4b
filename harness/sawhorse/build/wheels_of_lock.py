"""Return the prepared wheels of a lock: those that the cache keeps, and what it lacks prepared now.

Whatever takes time and depends on one wheel alone is done in `harness/sawhorse/build/wheel_preparation.py` and kept by
`harness/sawhorse/build/wheel_cache.py`, under a name that stands for the archive's SHA-256 and for how it is prepared.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from sawhorse.build.wheel_cache import Cache, Part
from sawhorse.build.wheel_request import Wanted, plural
from sawhorse.errors import BuildFailed
from sawhorse.project import Project
from sawhorse.toolchain.machine import say

if TYPE_CHECKING:
    from sawhorse.build.wheel_preparation import Origin


def prepared_parts(project: Project, wanted: Wanted, cache: Cache) -> list[Part]:
    """Return the distributions of a lock, from the cache or prepared now, by their names. Raises BuildFailed."""
    known = known_parts(wanted, cache)
    if known is not None:
        return known
    with cache.preparing():
        # Another build may have done it meanwhile.
        known = known_parts(wanted, cache)
        if known is not None:
            return known
        from sawhorse.build.pruned_import_check import check_imports  # noqa: PLC0415 # of a lock that is new
        from sawhorse.build.wheel_preparation import keep_for_others, origins_of, refuse_python  # noqa: PLC0415 # the same

        origins, trees = origins_of(project, wanted, cache)
        whole = parts_in_cache(project, wanted, cache, origins)
        # What is kept may name more.
        while (kept := keep_for_others(origins, whole, wanted)) != origins:
            origins = kept
            whole = parts_in_cache(project, wanted, cache, origins)
        refuse_python(origins.values(), whole, wanted.target.python)
        check_imports(project, wanted, cache, dict(zip(origins.values(), whole, strict=True)))
        cache.keep_lock(wanted.key, list(origins), trees)
    return whole


def parts_in_cache(project: Project, wanted: Wanted, cache: Cache, origins: Mapping[str, Origin]) -> list[Part]:
    """Return the parts of these origins, and prepare and keep those that are missing."""
    from sawhorse.build.wheel_preparation import prepare  # noqa: PLC0415 # of a lock that is new

    missing = {name: origin for name, origin in origins.items() if cache.part(name) is None}
    if missing:
        say(f"Preparing {plural(len(missing), 'wheel')} of {project.shown(wanted.lock)} for {wanted.target.name}.")
    for name, part in prepare(missing, wanted, cache).items():
        cache.keep_part(name, part)
    parts = [cache.part(name) for name in origins]
    whole = [part for part in parts if part]
    if len(whole) != len(parts):
        raise BuildFailed(f"What was written to {cache.path} is not what is there; look at that disk, and build again.")
    return whole


def known_parts(wanted: Wanted, cache: Cache) -> list[Part] | None:
    """Return what was prepared for this lock, unless a directory that it names has changed since."""
    trees = cache.directories_of(wanted.key)
    if trees:
        from sawhorse.build.locked_directory import tree_digest_now  # noqa: PLC0415 # few locks name directories

        if any(tree_digest_now(wanted.base / tree.path) != tree.digest for tree in trees):
            return None
    return cache.parts_of(wanted.key)
