"""Write files whole or not at all: a temporary file first, then renamed into place."""

from __future__ import annotations

import fcntl
import os
import stat
from pathlib import Path

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

TEMPORARY = ".tmp"


def write_atomically(path: Path | str, content: str | bytes, *, mode: int = PRIVATE_FILE) -> bool:
    """Write `content` to `path` and say whether that changed anything.

    A reader sees the old file or the new one, never half of either; an equal file is left as it is, but one for this
    user alone is closed to others, and never one that somebody else wrote. No mode depends on the umask.
    """
    place = Path(path)
    data = content.encode() if isinstance(content, str) else content
    if holds(place, data, private=not mode & FOR_OTHERS):
        return False
    make_directories(place.parent, private=not mode & FOR_OTHERS)
    # Its own for every writer, so that nobody writes into another one's.
    temporary = place.with_name(f".{place.name}.{os.urandom(8).hex()}{TEMPORARY}")
    try:
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, PRIVATE_FILE)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        temporary.chmod(mode)
        temporary.replace(place)
    except BaseException as error:
        # A full disk is told by a write, which knows no name.
        if isinstance(error, OSError) and not error.filename:
            error.filename = str(place)
        remove(temporary)
        raise
    return True


def write_shared(path: Path | str, content: str | bytes) -> bool:
    """Write what others may read, such as a package or what git tracks, as `write_atomically` does."""
    return write_atomically(path, content, mode=SHARED_FILE)


def holds(place: Path, data: bytes, *, private: bool) -> bool:
    """Say whether a file that nobody else may write has this content already, and close a private one to others."""
    try:
        descriptor = open_trusted(place, directory=False, link=not private)
    except (Untrusted, OSError):
        # Whatever is there is replaced.
        return False
    with os.fdopen(descriptor, "rb") as file:
        if private:
            close_to_others(descriptor)
        return os.fstat(descriptor).st_size == len(data) and file.read() == data


def remove_temporary_files(path: Path | str) -> None:
    """Remove what writers of `path` left beside it when they were killed; only whoever keeps them all out may ask."""
    place = Path(path)
    for found in place.parent.iterdir():
        if found.name.startswith(f".{place.name}.") and found.name.endswith(TEMPORARY):
            remove(found)


def remove(path: Path | str) -> None:
    """Remove a file that may be gone already."""
    Path(path).unlink(missing_ok=True)


def read(path: Path | str) -> bytes:
    return Path(path).read_bytes()


class locked:  # noqa: N801 # used as a statement, `with locked(path):`
    """Hold a lock file for this process alone, waiting for whoever holds it; a crash lets go of it."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self.descriptor = -1

    def __enter__(self) -> None:
        make_directories(self.path.parent)
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
                refuse(self.path, self.path.lstat(), directory=False)
            raise

    def __exit__(self, *_: object) -> None:
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1
