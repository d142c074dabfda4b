"""Keep prepared wheels for every app and checkout of this user: whole files under names that say what they hold.

Below the cache's directory:

    wheels/<name>-<version>-<hash>.part   a wheel, pruned, compiled and compressed
    locks/<hash>                          the parts that a lock stands for, on one platform
    interpreters/<version>                where the interpreter of a minor version is
    documents/<hash>                      bill of materials and licences of an app with these parts
    aside/                                what a preparation under way writes; swept by the next one
"""

from __future__ import annotations

import marshal
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.errors import BadConfiguration
from harness.files import locked, sealed, unsealed
from harness.package.archive import Member, described_again

# Changed whenever an older cache must not be read any more.
LAYOUT = b"sawhorse 1\n"


@dataclass(frozen=True)
class Part:
    """One distribution as it lies in packages: its files, and the METADATA that says what it is."""

    name: str
    version: str
    metadata: str
    members: tuple[Member, ...]

    @property
    def size(self) -> int:
        """Unzipped bytes."""
        return sum(member.size for member in self.members)


@dataclass(frozen=True)
class Cache:
    """The cache of a user, at `path`."""

    path: Path

    @classmethod
    def of_user(cls) -> Cache:
        """SAWHORSE_CACHE_DIR, else `sawhorse` in XDG_CACHE_HOME, which is `~/.cache` unless it is set."""
        named, base = os.environ.get("SAWHORSE_CACHE_DIR"), os.environ.get("XDG_CACHE_HOME", "")
        if named and not Path(named).is_absolute():
            raise BadConfiguration(f"SAWHORSE_CACHE_DIR is {named}; name a directory from / on, or unset it.")
        # A relative one is to be ignored (https://specifications.freedesktop.org/basedir-spec/latest/).
        home = Path(base) if Path(base).is_absolute() else Path("~/.cache").expanduser()
        return cls(Path(named) if named else home / "sawhorse")

    def parts_of(self, lock_key: str) -> list[Part] | None:
        """Return the parts of a lock, or None when they were never prepared or one is not what it was."""
        names = unsealed(self.path / "locks" / lock_key)
        if names is None:
            return None
        parts = [self.part(name) for name in names.decode().splitlines()]
        return None if None in parts else [part for part in parts if part]

    def part(self, name: str) -> Part | None:
        """Read a part; None when it is not there or broken."""
        held = unsealed(self.path / "wheels" / name)
        return read_part(held) if held and held.startswith(LAYOUT) else None

    def documents_of(self, key: str) -> dict[str, bytes] | None:
        """Return the documents kept under a key, by their names; None when there are none."""
        held = unsealed(self.path / "documents" / key)
        return dict(marshal.loads(held)) if held else None

    def interpreter(self, python: str) -> Path | None:
        """Return the interpreter of a minor version that was found before, when it is still there."""
        held = unsealed(self.path / "interpreters" / python)
        path = Path(os.fsdecode(held)) if held else None
        return path if path and os.access(path, os.X_OK) else None

    def remember_interpreter(self, python: str, path: Path) -> None:
        with self.preparing() as aside:
            self.keep(self.path / "interpreters" / python, os.fsencode(path), aside)

    def forget_interpreter(self, python: str) -> None:
        (self.path / "interpreters" / python).unlink(missing_ok=True)

    def keep_documents(self, key: str, documents: dict[str, bytes]) -> None:
        with self.preparing() as aside:
            self.keep(self.path / "documents" / key, marshal.dumps(documents, 2), aside)

    @contextmanager
    def preparing(self) -> Iterator[Path]:
        """Give a directory to work in, to one process at a time; what a killed one left there is gone."""
        with locked(self.path / ".lock"):
            aside = self.path / "aside"
            shutil.rmtree(aside, ignore_errors=True)
            aside.mkdir(mode=0o700)
            try:
                yield aside
            finally:
                shutil.rmtree(aside, ignore_errors=True)

    def keep_part(self, name: str, part: Part, aside: Path) -> None:
        self.keep(self.path / "wheels" / name, write_part(part), aside)

    def keep_lock(self, lock_key: str, names: Sequence[str], aside: Path) -> None:
        self.keep(self.path / "locks" / lock_key, "".join(f"{name}\n" for name in names).encode(), aside)

    def keep(self, path: Path, content: bytes, aside: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        written = aside / path.name
        written.write_bytes(sealed(content))
        written.replace(path)


def write_part(part: Part) -> bytes:
    """Return a part as a file: its index, and the compressed data of its members."""
    index = (part.name, part.version, part.metadata, [member.described() for member in part.members])
    return b"".join([LAYOUT, marshal.dumps(index, 2), *(member.data for member in part.members)])


def read_part(held: bytes) -> Part:
    # `marshal` reads one value and leaves what follows it.
    name, version, metadata, descriptions = marshal.loads(memoryview(held)[len(LAYOUT) :])
    begin = len(held) - sum(description[-1] for description in descriptions)
    members = []
    for description in descriptions:
        end = begin + description[-1]
        members.append(described_again(description, held[begin:end]))
        begin = end
    return Part(name, version, metadata, tuple(members))
