"""Write files whole or not at all: a temporary file first, then renamed into place.

Imports only what a build that changes nothing needs (`harness/sawhorse/build/incremental.py`).
"""

from __future__ import annotations

import fcntl
import os
import stat
from _thread import get_ident  # `threading` takes 5 ms to import

from sawhorse.errors import Untrusted
from sawhorse.trusted_files import (
    BY_OTHERS,
    FOR_OTHERS,
    PRIVATE_FILE,
    SHARED_FILE,
    close_to_others,
    make_directories,
    open_trusted,
    refuse,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

TEMPORARY = ".tmp"


def write_atomically(path: Path | str, content: str | bytes, *, mode: int = PRIVATE_FILE) -> bool:
    """Write `content` to `path` and say whether that changed anything.

    A reader sees the old file or the new one, never half of either; an equal file is left as it is, but one for this
    user alone is closed to others, and never one that somebody else wrote. No mode depends on the umask.
    """
    place = os.fspath(path)
    data = content.encode() if isinstance(content, str) else content
    if holds(place, data, private=not mode & FOR_OTHERS):
        return False
    directory, name = os.path.split(place)
    make_directories(directory or ".", private=not mode & FOR_OTHERS)
    # Its own for every thread of every process, so that nobody writes into another one's.
    temporary = os.path.join(directory, f".{name}.{os.getpid()}-{get_ident()}{TEMPORARY}")  # noqa: PTH118
    try:
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        with open(handle, "wb") as file:  # noqa: PTH123 # a descriptor
            file.write(data)
        os.chmod(temporary, mode)  # noqa: PTH101
        os.replace(temporary, place)  # noqa: PTH105
    except BaseException as error:
        # A full disk is told by a write, which knows no name.
        if isinstance(error, OSError) and not error.filename:
            error.filename = place
        remove(temporary)
        raise
    return True


def write_shared(path: Path | str, content: str | bytes) -> bool:
    """Write what others may read, such as a package or what git tracks, as `write_atomically` does."""
    return write_atomically(path, content, mode=SHARED_FILE)


def holds(place: str, data: bytes, *, private: bool) -> bool:
    """Say whether a file that nobody else may write has this content already, and close a private one to others."""
    try:
        descriptor = open_trusted(place, directory=False, link=not private)
    except (Untrusted, OSError):
        # Whatever is there is replaced.
        return False
    with open(descriptor, "rb") as file:  # noqa: PTH123 # a descriptor
        if private:
            close_to_others(descriptor)
        return os.fstat(descriptor).st_size == len(data) and file.read() == data


def remove_temporary_files(path: Path | str) -> None:
    """Remove what writers of `path` left beside it when they were killed; only whoever keeps them all out may ask."""
    directory, name = os.path.split(os.fspath(path))
    for found in os.listdir(directory or "."):  # noqa: PTH208
        if found.startswith(f".{name}.") and found.endswith(TEMPORARY):
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
        self.descriptor = -1

    def __enter__(self) -> None:
        make_directories(os.path.dirname(self.path))  # noqa: PTH120
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK
        try:
            self.descriptor = os.open(self.path, flags, PRIVATE_FILE)
            found = os.fstat(self.descriptor)
            # What is in it counts for nothing, so it does not matter that others could write into it.
            refuse(self.path, found, directory=False, allowed=BY_OTHERS)
            if stat.S_IMODE(found.st_mode) != PRIVATE_FILE:
                os.fchmod(self.descriptor, PRIVATE_FILE)
            fcntl.flock(self.descriptor, fcntl.LOCK_EX)
        except BaseException as error:
            self.__exit__()
            if isinstance(error, OSError):
                refuse(self.path, os.lstat(self.path), directory=False)
            raise

    def __exit__(self, *_: object) -> None:
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1
