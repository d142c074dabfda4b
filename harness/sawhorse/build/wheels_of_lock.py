"""Return the prepared wheels of a lock: those that the cache keeps, and what it lacks prepared now.

Whatever takes time and depends on one wheel alone is done in `harness/sawhorse/build/wheel_preparation.py` and kept by
`harness/sawhorse/build/wheel_cache.py`, under a name that stands for the archive's SHA-256 and for how it is prepared.
"""

from __future__ import annotations

from sawhorse.build.locked_directory import tree_digest_now
from sawhorse.build.wheel_cache import Cache, Part
from sawhorse.build.wheel_request import Wanted
from sawhorse.project import Project


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
        from sawhorse.build import wheel_preparation as preparation  # noqa: PLC0415 # 60 ms that a known lock saves
        from sawhorse.build.pruned_import_check import check_imports  # noqa: PLC0415 # the same

        origins, trees = preparation.origins_of(project, wanted, cache)
        whole = preparation.parts_in_cache(project, wanted, cache, origins)
        # What is kept may name more.
        while (kept := preparation.keep_for_others(origins, whole, wanted)) != origins:
            origins = kept
            whole = preparation.parts_in_cache(project, wanted, cache, origins)
        preparation.refuse_python(origins.values(), whole, wanted.target.python)
        check_imports(project, wanted, cache, dict(zip(origins.values(), whole, strict=True)))
        cache.keep_lock(wanted.key, list(origins), trees)
    return whole


def known_parts(wanted: Wanted, cache: Cache) -> list[Part] | None:
    """Return what was prepared for this lock, unless a directory that it names has changed since."""
    trees = cache.directories_of(wanted.key)
    if any(tree_digest_now(wanted.base / tree.path) != tree.digest for tree in trees):
        return None
    return cache.parts_of(wanted.key)
