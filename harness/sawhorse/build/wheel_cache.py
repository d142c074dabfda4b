"""Keep prepared wheels for every app and checkout of this user: whole files under names that say what they hold.

Below the cache's directory:

    archives/<sha256>                     a wheel or source archive as it was fetched, named by its content
    selections/<hash>                     which archives a lock stands for, on one platform
    built/<hash>                          a wheel that was built from a source archive or a directory
    wheels/<name>-<version>-<hash>.part   a wheel, pruned, compiled and compressed
    locks/<hash>                          the parts that a lock stands for, on one platform
    imports/<hash>                        that what was pruned of a lock's wheels breaks no import
    interpreters/<version>                where the interpreter of a minor version is; the program itself is looked at
    documents/<hash>                      bill of materials and licences of an app with these parts
    aside/                                what a preparation under way writes; swept by the next one

All but the archives, which a lock names by their hash, are believed only where this user signed them, under this name.
"""

from __future__ import annotations

import marshal
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sawhorse.build.background import Background
from sawhorse.build.zip_writer import Member, described_again
from sawhorse.files import locked, write_atomically
from sawhorse.signing import read_signed, sign
from sawhorse.trusted_files import is_own_program, make_own_directory, own_directory, read_own
from sawhorse.user_directories import user_directory

INSTEAD = "name another directory in SAWHORSE_CACHE_DIR"
# Changed whenever an older cache must not be read any more.
LAYOUT = b"sawhorse 2\n"


@dataclass(frozen=True)
class Part:
    """One distribution as it lies in packages: its files, and the METADATA that says what it is.

    `archive` is the SHA-256 in hex of the archive that it came from, empty where it was built from a directory.
    `pruned` names what was left out by the patterns that removed it.
    """

    name: str
    version: str
    metadata: str
    archive: str
    pruned: Mapping[str, tuple[str, ...]]
    members: tuple[Member, ...]

    @property
    def size(self) -> int:
        """Unzipped bytes."""
        return sum(member.size for member in self.members)


@dataclass(frozen=True)
class Tracked:
    """A directory that a lock names, relative to what its paths are relative to, with the digest of its files."""

    path: str
    digest: str


@dataclass(frozen=True)
class Cache:
    """The cache of a user, at `path`."""

    path: Path

    @classmethod
    def of_user(cls) -> Cache:
        """SAWHORSE_CACHE_DIR, else `sawhorse` in XDG_CACHE_HOME, which is `~/.cache` unless it is set.

        Raises Untrusted for a directory that is not this user's own.
        """
        path = user_directory("SAWHORSE_CACHE_DIR", base="XDG_CACHE_HOME", usual=".cache")
        with suppress(FileNotFoundError):
            own_directory(path, link=True, instead=INSTEAD)
        return cls(path)

    def held(self, kind: str, name: str) -> bytes | None:
        """Read what was kept; None when it is not there, or not what this user wrote under this name."""
        return read_signed(self.path / kind / name, f"cache {kind}/{name}")

    def keep(self, kind: str, name: str, content: bytes) -> None:
        """Keep a content under a name; only while `preparing`."""
        path = self.path / kind / name
        make_own_directory(path.parent)
        # What is written aside is swept should this process be killed.
        written = self.aside / name
        write_atomically(written, sign(content, f"cache {kind}/{name}"))
        written.replace(path)

    def parts_of(self, lock_key: str) -> list[Part] | None:
        """Return the parts of a lock, or None when they were never prepared or one is not what it was."""
        held = self.held("locks", lock_key)
        if held is None:
            return None
        # All are read at once, since most of it is hashing.
        reading = [Background(partial(self.part, name)) for name in marshal.loads(held)[0]]
        parts = [one.result() for one in reading]
        return None if None in parts else [part for part in parts if part]

    def directories_of(self, lock_key: str) -> list[Tracked]:
        """Return the directories that a lock names, as they were when its parts were prepared."""
        held = self.held("locks", lock_key)
        return [Tracked(*tree) for tree in marshal.loads(held)[1]] if held else []

    def part(self, name: str) -> Part | None:
        """Read a part; None when it is not there or broken."""
        held = self.held("wheels", name)
        return read_part(held) if held and held.startswith(LAYOUT) else None

    def archive_path(self, sha256: str) -> Path:
        """Return where an archive of this SHA-256 lies once it was fetched; whoever reads it checks it."""
        return self.path / "archives" / sha256

    @contextmanager
    def incoming(self) -> Iterator[Path]:
        """Give a temporary file for an archive that is on its way; only while `preparing`."""
        handle, name = tempfile.mkstemp(dir=self.aside)
        os.close(handle)
        try:
            yield Path(name)
        finally:
            Path(name).unlink(missing_ok=True)

    @contextmanager
    def workplace(self) -> Iterator[Path]:
        """Give a directory to build or unpack in; only while `preparing`."""
        with tempfile.TemporaryDirectory(dir=self.aside) as name:
            yield Path(name)

    def keep_archive(self, sha256: str, incoming: Path) -> None:
        path = self.archive_path(sha256)
        make_own_directory(path.parent)
        incoming.replace(path)

    def archive(self, sha256: str) -> bytes:
        """Read an archive; whoever does checks it. Raises Untrusted for one of somebody else."""
        return read_own(self.archive_path(sha256))

    def selection(self, key: str) -> bytes | None:
        return self.held("selections", key)

    def keep_selection(self, key: str, content: bytes) -> None:
        self.keep("selections", key, content)

    def built(self, key: str) -> bytes | None:
        """Return a wheel that was built under this key."""
        return self.held("built", key)

    def keep_built(self, key: str, content: bytes) -> None:
        self.keep("built", key, content)

    def imports_checked(self, key: str) -> bool:
        return self.held("imports", key) is not None

    def keep_imports_checked(self, key: str) -> None:
        self.keep("imports", key, b"")

    @property
    def aside(self) -> Path:
        """The directory of whoever is `preparing`."""
        return self.path / "aside"

    def documents_of(self, key: str) -> dict[str, bytes] | None:
        """Return the documents kept under a key, by their names; None when there are none."""
        held = self.held("documents", key)
        return dict(marshal.loads(held)) if held else None

    def interpreter(self, python: str) -> Path | None:
        """Return the interpreter of a minor version that was found before, unless it may be another one's by now."""
        held = self.held("interpreters", python)
        path = Path(os.fsdecode(held)) if held else None
        return path if path and is_own_program(path) else None

    def remember_interpreter(self, python: str, path: Path) -> None:
        with self.preparing():
            self.keep("interpreters", python, os.fsencode(path))

    def forget_interpreter(self, python: str) -> None:
        (self.path / "interpreters" / python).unlink(missing_ok=True)

    def keep_documents(self, key: str, documents: dict[str, bytes]) -> None:
        with self.preparing():
            self.keep("documents", key, marshal.dumps(documents, 2))

    @contextmanager
    def preparing(self) -> Iterator[Path]:
        """Give a directory to work in, to one process at a time; what a killed one left there is gone."""
        make_own_directory(self.path, link=True, instead=INSTEAD)
        with locked(self.path / ".lock"):
            aside = self.aside
            shutil.rmtree(aside, ignore_errors=True)
            make_own_directory(aside)
            try:
                yield aside
            finally:
                shutil.rmtree(aside, ignore_errors=True)

    def keep_part(self, name: str, part: Part) -> None:
        self.keep("wheels", name, write_part(part))

    def keep_lock(self, lock_key: str, names: Sequence[str], trees: Sequence[Tracked]) -> None:
        content = (list(names), [[tree.path, tree.digest] for tree in trees])
        self.keep("locks", lock_key, marshal.dumps(content, 2))


def write_part(part: Part) -> bytes:
    """Return a part as a file: its index, and the compressed data of its members."""
    pruned = {pattern: list(names) for pattern, names in part.pruned.items()}
    members = [member.described() for member in part.members]
    index = (part.name, part.version, part.metadata, part.archive, pruned, members)
    return b"".join([LAYOUT, marshal.dumps(index, 2), *(member.data for member in part.members)])


def read_part(held: bytes) -> Part:
    # `marshal` reads one value and leaves what follows it.
    content = memoryview(held)
    name, version, metadata, archive, pruned, descriptions = marshal.loads(content[len(LAYOUT) :])
    begin = len(held) - sum(description[-1] for description in descriptions)
    members = []
    for description in descriptions:
        end = begin + description[-1]
        members.append(described_again(description, content[begin:end]))
        begin = end
    removed = {pattern: tuple(names) for pattern, names in pruned.items()}
    return Part(name, version, metadata, archive, removed, tuple(members))
