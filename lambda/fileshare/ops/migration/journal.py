"""Remember what was copied, so that what was deleted in DynamoDB since is not copied again."""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sawhorse.api import BadConfiguration, Untrusted, make_own_file

SUFFIX = ".migration"


class Journal:
    """A file beside the one that is copied: the keys that are in a table, by the table's identity."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def keys(self, table: str) -> set[str]:
        """Return the keys that were copied to a table, or found there, by any run before."""
        rows = self._connection.execute("SELECT key FROM copied WHERE target = ?", (table,))
        return {key for (key,) in rows}

    def add(self, table: str, keys: Iterable[str]) -> None:
        """Write keys down for good: they are there after a power cut."""
        with self._connection:
            self._connection.executemany("INSERT OR IGNORE INTO copied VALUES (?, ?)", [(table, key) for key in keys])


@contextmanager
def open_journal(source: Path) -> Iterator[Journal]:
    """Open the journal of a file, which is made when there is none."""
    path = source.with_name(f"{source.name}{SUFFIX}")
    try:
        # Who may write the directory may as well remove the file: a group's own is no worse.
        make_own_file(path, allowed=path.parent.stat().st_mode & stat.S_IWGRP)
        connection = sqlite3.connect(path)
    except Untrusted as error:
        raise refused(path, "it is not a file that this user alone may write") from error
    except (OSError, sqlite3.OperationalError) as error:
        raise refused(path, error) from error
    try:
        try:
            connection.execute(
                "CREATE TABLE IF NOT EXISTS copied (target TEXT, key TEXT, PRIMARY KEY (target, key)) WITHOUT ROWID"
            )
        except sqlite3.DatabaseError as error:
            raise refused(path, error) from error
        yield Journal(connection)
    finally:
        connection.close()


def refused(path: Path, error: sqlite3.Error | OSError | str) -> BadConfiguration:
    return BadConfiguration(
        f"{path} cannot be written ({error}), and without it a link that was deleted since would be copied again. "
        "Copy the SQLite file to a directory where you may write, and migrate from there."
    )
