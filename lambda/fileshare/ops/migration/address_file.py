"""Bring the addresses in a SQLite file into their one form, one address in each transaction."""

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fileshare.addresses import Addresses
from fileshare.ops.migration.merging import Away, Problem, Spelled, changed, merged, stored_user
from fileshare.ops.migration.snapshot import Moment, Moved, Snapshot, Unsettled
from fileshare.ops.migration.source import Source, shown_key
from fileshare.records import User
from fileshare.sqlite_database import value_of
from sawhorse.api import BadConfiguration, SawhorseError

# How long a write waits for one of the service.
BUSY_SECONDS = 10.0
NOTES = "merged_users"
MAKE_NOTES = (
    f"CREATE TABLE IF NOT EXISTS {NOTES} "
    "(user_id TEXT PRIMARY KEY NOT NULL, merged_into TEXT NOT NULL, merged_at TEXT NOT NULL, merged_email TEXT)"
)


class AddressFile:
    """Users and links in one file; `connection` is one that leaves transactions to its user."""

    def __init__(self, connection: sqlite3.Connection, *, addresses: Addresses, now: Moment) -> None:
        self._connection = connection
        self._addresses = addresses
        self._now = now

    def snapshot(self) -> Snapshot:
        """Read everybody's address."""
        with self._transaction():
            noted = self._rows("SELECT name FROM sqlite_master WHERE type = 'table' AND name = ?", NOTES)
            away = {
                row["user_id"]: Away(row["merged_into"], row["merged_at"], text_of(row["merged_email"]))
                for row in (self._rows(f"SELECT * FROM {NOTES}") if noted else ())  # noqa: S608 - a name of ours
            }
            rows = self._rows("SELECT * FROM users")
        times = Counter(row["user_id"] for row in rows)
        whole = [row for row in rows if is_key(row["user_id"]) and times[row["user_id"]] == 1]
        found = [Spelled(user.created_at, user.user_id, user.email) for user in map(user_in, whole)]
        return Snapshot(found, away, strange=tuple(strange_ones(times)))

    def settle(self, address: str, user_ids: Iterable[str], /) -> None:
        """Leave one user with an address, with what the others had, their links included."""
        known = set(user_ids)
        try:
            self._settle(address, known)
        except sqlite3.IntegrityError as error:
            # Such as a row with this very address whose id nobody can look up.
            reason = (
                f"the file refuses what has to be written ({error}); correct the rows that it means, and run it again"
            )
            raise Unsettled(dict.fromkeys(sorted(known), reason)) from None

    def _settle(self, address: str, user_ids: Iterable[str]) -> None:
        with self._transaction():
            # Whoever has signed up with this address since the file was read has it in this form.
            ids = {*user_ids, *(row["user_id"] for row in self._rows("SELECT * FROM users WHERE email = ?", address))}
            found = [self._rows("SELECT * FROM users WHERE user_id = ?", one) for one in sorted(filter(is_key, ids))]
            users = [user_in(rows[0]) for rows in found if len(rows) == 1]
            members = sorted(
                (user for user in users if self._addresses.same(user.email, address)),
                key=lambda user: (user.created_at, user.user_id, user.email),
            )
            if members:
                self._leave_one(address, members)

    def move_links(self, away: Mapping[str, str], /) -> Moved:
        """Give all links of users to others."""
        moved: Counter[str] = Counter()
        for owner, kept in away.items():
            with self._transaction():
                statement = "UPDATE urls SET created_by_user = ? WHERE created_by_user = ?"
                moved[owner] += self._connection.execute(statement, (kept, owner)).rowcount
        return Moved(+moved)

    move_last_links = move_links

    def forget(self, user_ids: Iterable[str], /) -> None:
        """Delete what is noted of users who were merged, and its table when that is empty."""
        with self._transaction():
            self._connection.execute(MAKE_NOTES)
            ids = [(user_id,) for user_id in user_ids]
            self._connection.executemany(f"DELETE FROM {NOTES} WHERE user_id = ?", ids)  # noqa: S608 - a name of ours
            if not self._rows(f"SELECT 1 FROM {NOTES} LIMIT 1"):  # noqa: S608 - a name of ours
                self._connection.execute(f"DROP TABLE {NOTES}")

    def _leave_one(self, address: str, members: Sequence[User]) -> None:
        kept, *others = before, *_ = members
        for other in others:
            kept = merged(kept, other)
            self._connection.execute(MAKE_NOTES)
            self._connection.execute(
                f"INSERT OR REPLACE INTO {NOTES} SELECT user_id, ?, ?, email FROM users WHERE user_id = ?",  # noqa: S608 - a name of ours
                (kept.user_id, self._now(), other.user_id),
            )
            self._connection.execute("DELETE FROM users WHERE user_id = ?", (other.user_id,))
        changes = changed(before, kept) | ({"email": address} if before.email != address else {})
        if changes:
            self._update(before.user_id, changes | {"updated_at": self._now()})

    def _update(self, user_id: str, changes: Mapping[str, object]) -> None:
        columns = {row["name"] for row in self._rows("PRAGMA table_info(users)")}
        names = [name for name in changes if name in columns]
        statement = f"UPDATE users SET {', '.join(f'{name} = ?' for name in names)} WHERE user_id = ?"  # noqa: S608 - names of ours
        self._connection.execute(statement, [*(changes[name] for name in names), user_id])

    def _rows(self, statement: str, *values: object) -> list[sqlite3.Row]:
        return list(self._connection.execute(statement, values))

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """Take the file's one lock for writing before anything is read, so that no request gets between."""
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            yield
            self._connection.execute("COMMIT")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            raise SawhorseError(
                "Others write into the file all the time. What was done stays; run it again in some minutes."
            ) from error
        finally:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")


@contextmanager
def open_file(path: Path, *, factory: type[sqlite3.Connection] = sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Open the file of a service, which may go on writing into it."""
    if not path.is_file():
        raise BadConfiguration(f"{path} does not exist; name the SQLite file of fileshare.")
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, factory=factory)
    try:
        connection.row_factory = sqlite3.Row
        # What is not UTF-8 becomes a row that is named, not an end of everything.
        connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
        Source(connection, path).check_columns()
        yield connection
    except sqlite3.DatabaseError as error:
        raise BadConfiguration(
            f"{path} cannot be read or written ({error}); name a SQLite file that is whole, and that you may write. "
            "What was done stays; run it again."
        ) from error
    finally:
        connection.close()


def user_in(row: sqlite3.Row) -> User:
    """Read a user from a row of any form."""
    return stored_user({name: value_of(value) for name, value in dict(row).items()})


def is_key(user_id: object) -> bool:
    """Tell whether a user can be looked up by this id: files that were made by hand can have any."""
    return isinstance(user_id, str) and not re.search("[\ud800-\udfff]", user_id)


def strange_ones(times: Mapping[Any, int]) -> Iterator[Problem]:
    """Name the ids that are none, or that stand in the file twice."""
    for user_id, count in times.items():
        if not is_key(user_id):
            yield Problem(shown_key(user_id), "", "its user_id is not text that could be looked up")
        elif count > 1:
            yield Problem(user_id, "", "the key stands in the file twice")


def text_of(value: object) -> str:
    return value if isinstance(value, str) else ""
