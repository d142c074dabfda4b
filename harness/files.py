"""Write files whole or not at all: aside first, then renamed into place.

Imports only what a build that changes nothing needs (`harness/package/quick.py`).
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from _thread import get_ident  # `threading` takes 5 ms to import

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path
    from typing import IO

ASIDE = ".aside"
SEAL_BYTES = 32


def write_atomically(path: Path | str, content: str | bytes, *, mode: int = 0o644) -> bool:
    """Write `content` to `path` and say whether that changed anything.

    A reader sees the old file or the new one, never half of either; an equal file is left as it is.
    """
    place = os.fspath(path)
    data = content.encode() if isinstance(content, str) else content
    if os.path.isfile(place) and read(place) == data:  # noqa: PTH113 # pathlib takes 10 ms to import
        return False
    directory, name = os.path.split(place)
    os.makedirs(directory or ".", exist_ok=True)  # noqa: PTH103
    # Its own for every thread of every process, so that nobody writes into another one's.
    aside = os.path.join(directory, f".{name}.{os.getpid()}-{get_ident()}{ASIDE}")  # noqa: PTH118
    try:
        handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        with open(handle, "wb") as file:  # noqa: PTH123 # a descriptor
            file.write(data)
        os.chmod(aside, mode)  # noqa: PTH101
        os.replace(aside, place)  # noqa: PTH105
    except BaseException as error:
        # A full disk is told by a write, which knows no name.
        if isinstance(error, OSError) and not error.filename:
            error.filename = place
        remove(aside)
        raise
    return True


def sealed(content: bytes) -> bytes:
    """Put the hash of a content after it, so that damage is noticed when it is read."""
    return content + hashlib.sha256(content).digest()


def unsealed(path: Path | str) -> bytes | None:
    """Read what was sealed; None when it is not there, or not what was written."""
    try:
        content = read(os.fspath(path))
    except FileNotFoundError:
        return None
    held = content[:-SEAL_BYTES]
    return held if hashlib.sha256(held).digest() == content[-SEAL_BYTES:] else None


def sweep_asides(path: Path | str) -> None:
    """Remove what writers of `path` left beside it when they were killed; only whoever keeps them all out may ask."""
    directory, name = os.path.split(os.fspath(path))
    for found in os.listdir(directory or "."):  # noqa: PTH208
        if found.startswith(f".{name}.") and found.endswith(ASIDE):
            remove(os.path.join(directory, found))  # noqa: PTH118


def remove(path: str) -> None:
    """Remove a file that may be gone already."""
    try:
        os.unlink(path)  # noqa: PTH108
    except FileNotFoundError:
        return


def read(path: str) -> bytes:
    with open(path, "rb") as file:  # noqa: PTH123
        return file.read()


class locked:  # noqa: N801 # used as a statement, `with locked(path):`
    """Hold a lock file for this process alone, waiting for whoever holds it; a crash lets go of it."""

    def __init__(self, path: Path | str) -> None:
        self.path = os.fspath(path)
        self.file: IO[str] | None = None

    def __enter__(self) -> None:
        os.makedirs(os.path.dirname(self.path), exist_ok=True)  # noqa: PTH103, PTH120
        self.file = open(self.path, "w")  # noqa: PTH123 # closed at the block's end
        fcntl.flock(self.file, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        if self.file:
            self.file.close()
