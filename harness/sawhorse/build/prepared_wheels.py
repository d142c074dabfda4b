"""Return the prepared wheels of a lock: those that the cache keeps, and what it lacks prepared now.

Whatever takes time and depends on one wheel alone is done in `harness/sawhorse/build/wheel_preparation.py` and kept by
`harness/sawhorse/build/wheel_cache.py`, under a name that stands for the archive's SHA-256 and for how it is prepared.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from sawhorse.build.build_state import builder_digest
from sawhorse.build.platform import Target
from sawhorse.build.requirement_source import Declared
from sawhorse.build.wheel_cache import Cache, Part
from sawhorse.errors import BuildFailed
from sawhorse.project import Project
from sawhorse.toolchain.machine import say

if TYPE_CHECKING:
    from sawhorse.build.wheel_preparation import Origin

# Four fifths of botocore describe services that one function never calls; what all share lies beside their directories.
BOTOCORE = "botocore"


@dataclass(frozen=True)
class Wanted:
    """What parts are asked for: a lock, the platform, the interpreter that compiles, and the files to leave out.

    `locked` is what the lock said when it was read: that, and not what the file says later. Without an interpreter
    there is no bytecode. Paths in the lock are relative to `base`.
    """

    lock: Path
    locked: bytes
    base: Path
    # Where the requirements are edited that the lock is made of, and the command that locks them.
    declared: Declared
    target: Target
    interpreter: Path | None
    # The whole version of that interpreter, empty without one.
    compiled_by: str
    # Patterns in place of the usual rule.
    prune: tuple[str, ...] | None = None
    # The services whose descriptions botocore keeps; None keeps all of them.
    aws_services: tuple[str, ...] | None = None
    # Whether commands of the wheels are kept, in `bin/`.
    commands: bool = False
    # Where uv's settings are looked for; None for `base`.
    settings: Path | None = None

    @property
    def preparation(self) -> str:
        """What a part depends on besides its archive."""
        # Two patch releases of one Python may compile otherwise, and a package is compiled by one.
        python = self.compiled_by or "none"
        patterns = ["usual"] if self.prune is None else ["patterns", *self.prune]
        return "\n".join([builder_digest(), python, str(self.commands), *patterns])

    @property
    def services(self) -> str:
        return "all" if self.aws_services is None else " ".join(sorted(self.aws_services))

    def part_name(self, name: str, version: str, identity: str) -> str:
        """Name the part that is made of an archive; `identity` stands for the archive's bytes."""
        services = self.services if canonical(name) == BOTOCORE else ""
        digest = hashlib.sha256(f"{identity}\n{self.preparation}\n{services}".encode())
        return f"{canonical(name)}-{version}-{digest.hexdigest()[:32]}.part"

    @cached_property
    def key(self) -> str:
        """Stands for the lock on this platform, prepared like this."""
        digest = hashlib.sha256(f"{self.target.name}\n{self.preparation}\n{self.services}\n".encode())
        digest.update(self.locked)
        return digest.hexdigest()


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
        from sawhorse.build.directory_hash import tree_digest_now  # noqa: PLC0415 # few locks name directories

        if any(tree_digest_now(wanted.base / tree.path) != tree.digest for tree in trees):
            return None
    return cache.parts_of(wanted.key)


def plural(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"


def canonical(name: str) -> str:
    """Normalize a distribution's name (https://packaging.python.org/en/latest/specifications/name-normalization/)."""
    return re.sub(r"[-_.]+", "-", name).lower()
