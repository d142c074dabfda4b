"""Say which wheels are asked for: of which lock, for which platform, and how they are prepared."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from sawhorse.build.build_state import builder_digest
from sawhorse.build.platform import Target
from sawhorse.build.requirement_files import Declared

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


def plural(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"


def canonical(name: str) -> str:
    """Normalize a distribution's name (https://packaging.python.org/en/latest/specifications/name-normalization/)."""
    return re.sub(r"[-_.]+", "-", name).lower()
