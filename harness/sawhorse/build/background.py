"""Work in a thread while the build goes on: reading files and hashing them let go of Python's lock."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable
from functools import partial
from typing import Generic, Self, TypeVar

from sawhorse.trusted_files import read_own

T = TypeVar("T")
# A file's content and its SHA-256.
Hashed = tuple[bytes, bytes]
# Reads a file by its path. Raises OSError and Untrusted.
Reader = Callable[[str], Hashed]


class Background(Generic[T]):
    """What a function returns that works meanwhile. As a context it is left once the function has ended.

    What runs a program is used as one: whoever fails meanwhile would leave the program running.
    """

    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self._done: list[T] = []
        self._failed: list[BaseException] = []
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join()

    def result(self) -> T:
        """Wait for it, and raise what it raised."""
        self._thread.join()
        if self._failed:
            raise self._failed[0]
        return self._done[0]

    def _run(self) -> None:
        try:
            self._done.append(self._work())
        except BaseException as error:  # noqa: BLE001 # raised again where the result is asked for
            self._failed.append(error)


def read_output(path: str) -> Hashed:
    """Read and hash what a build wrote. Raises OSError, and Untrusted where somebody else may have written it."""
    content = read_own(path, private=False, link=True)
    return content, hashlib.sha256(content).digest()


def read_ahead(paths: Iterable[str]) -> Reader:
    """Begin to read and hash files, each in a thread of its own, and return what gives them; others it reads then."""
    begun = {path: Background(partial(read_output, path)) for path in paths}

    def read(path: str) -> Hashed:
        # Once: whoever asks again wants to know what lies there by then.
        ahead = begun.pop(path, None)
        return ahead.result() if ahead else read_output(path)

    return read
