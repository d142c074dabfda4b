"""Keep users and links in a SQLite file, for development and for the way back: immediate transactions decide races."""

import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TypeVar

from fileshare.database import CodeTaken, EmailTaken, Page
from fileshare.records import FREE, TRIAL, Link, User, values_of
from fileshare.stored import link_of, user_of
from shared.api_errors import Throttled
from shared.waiting import Threads

T = TypeVar("T")

# How long a write waits for the one before it.
BUSY_SECONDS = 10.0

SCHEMA = """
CREATE TABLE IF NOT EXISTS users (
    user_id TEXT PRIMARY KEY NOT NULL,
    email TEXT NOT NULL UNIQUE,
    user_tier TEXT NOT NULL,
    trial_used INTEGER NOT NULL,
    trial_started_at TEXT,
    trial_expires_at TEXT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    token_hash TEXT
);
CREATE TABLE IF NOT EXISTS urls (
    short_code TEXT PRIMARY KEY NOT NULL,
    created_by_user TEXT NOT NULL,
    full_url TEXT NOT NULL,
    created_at TEXT NOT NULL,
    expires_at TEXT,
    expires_at_ttl INTEGER,
    file_key TEXT,
    filename TEXT,
    click_count INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS urls_of_user ON urls (created_by_user, short_code);
"""

Work = Callable[[sqlite3.Connection], T]


class SQLiteDatabase:
    """The database interface over one file, which is made when it is not there.

    Every call runs in a thread with a connection of its own, so that the event loop never waits for the disk.
    """

    def __init__(self, path: Path, *, threads: int) -> None:
        self._path = path
        self._threads = Threads(threads, name="sqlite")
        self._mine = threading.local()
        self._opened: list[sqlite3.Connection] = []
        connection = self._connection()
        # Readers and a writer do not wait for one another.
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(SCHEMA)

    async def create_user(self, user: User) -> None:
        """Store a new user; the address is unique in the table itself."""

        def insert(connection: sqlite3.Connection) -> None:
            try:
                connection.execute(_insert("users", user), values_of(user))
            except sqlite3.IntegrityError:
                raise EmailTaken from None

        await self._write(insert)

    async def user(self, user_id: str) -> User | None:
        """Find a user as last written."""
        return await self._run(partial(_find_user, user_id=user_id))

    async def start_trial(self, user_id: str, *, started_at: str, expires_at: str) -> User | None:
        """Start the trial under the condition that none ever was."""

        def start(connection: sqlite3.Connection) -> User | None:
            changed = connection.execute(
                "UPDATE users SET user_tier = ?, trial_used = 1, trial_started_at = ?, trial_expires_at = ?, "
                "updated_at = ? WHERE user_id = ? AND trial_used = 0 AND user_tier = ?",
                (TRIAL, started_at, expires_at, started_at, user_id, FREE),
            )
            return _find_user(connection, user_id=user_id) if changed.rowcount else None

        return await self._write(start)

    async def create_link(self, link: Link) -> None:
        """Store a link unless its code is taken."""

        def insert(connection: sqlite3.Connection) -> None:
            try:
                connection.execute(_insert("urls", link), values_of(link))
            except sqlite3.IntegrityError:
                raise CodeTaken from None

        await self._write(insert)

    async def link(self, short_code: str) -> Link | None:
        """Find a link as last written."""
        return await self._run(partial(_find_link, short_code=short_code))

    async def follow(self, short_code: str, *, now: str) -> Link | None:
        """Look at the link and add the click in one transaction."""

        def count(connection: sqlite3.Connection) -> Link | None:
            link = _find_link(connection, short_code=short_code)
            if link is None or not link.may_be_followed(now):
                return None
            connection.execute("UPDATE urls SET click_count = click_count + 1 WHERE short_code = ?", (short_code,))
            return replace(link, click_count=link.click_count + 1)

        return await self._write(count)

    async def links_of(self, user_id: str, *, after: str | None, limit: int, now: str) -> Page:
        """Read one link more than wanted, to know whether there are more."""

        def read(connection: sqlite3.Connection) -> Page:
            statement = "SELECT * FROM urls WHERE created_by_user = ? AND short_code > ? ORDER BY short_code"
            with closing(connection.execute(statement, (user_id, after or ""))) as rows:
                live = (link for link in map(_link, rows) if not link.has_expired(now))
                links = list(islice(live, limit + 1))
            return Page(links=links[:limit], after=links[limit - 1].short_code if len(links) > limit else None)

        return await self._run(read)

    async def delete_link(self, short_code: str, *, owner: str) -> bool:
        """Delete a link under the condition that it is the owner's."""

        def delete(connection: sqlite3.Connection) -> bool:
            statement = "DELETE FROM urls WHERE short_code = ? AND created_by_user = ?"
            return connection.execute(statement, (short_code, owner)).rowcount > 0

        return await self._write(delete)

    def close(self) -> None:
        """Let the threads end and close their connections."""
        self._threads.close()
        while self._opened:
            self._opened.pop().close()

    async def _write(self, work: Work[T]) -> T:
        """Do the work in a transaction that takes the file's one lock for writing before it looks."""

        def transaction(connection: sqlite3.Connection) -> T:
            connection.execute("BEGIN IMMEDIATE")
            try:
                done = work(connection)
                connection.execute("COMMIT")
            except BaseException:
                # After some faults, such as a full disk, SQLite has rolled back by itself.
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
            return done

        return await self._run(transaction)

    async def _run(self, work: Work[T]) -> T:
        def call() -> T:
            try:
                return work(self._connection())
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
                    raise Throttled from error
                raise

        return await self._threads.run(call)

    def _connection(self) -> sqlite3.Connection:
        """Give this thread's connection; without Python's own transactions, which begin by reading."""
        connection: sqlite3.Connection | None = getattr(self._mine, "connection", None)
        if connection is None:
            connection = sqlite3.connect(
                self._path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            connection.row_factory = sqlite3.Row
            self._mine.connection = connection
            self._opened.append(connection)
        return connection


def _insert(table: str, record: User | Link) -> str:
    names = list(values_of(record))
    return f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join(f':{name}' for name in names)})"  # noqa: S608 - both are ours, the values are bound


def _find_user(connection: sqlite3.Connection, *, user_id: str) -> User | None:
    row = connection.execute("SELECT * FROM users WHERE user_id = ?", (user_id,)).fetchone()
    return user_of(dict(row)) if row else None


def _find_link(connection: sqlite3.Connection, *, short_code: str) -> Link | None:
    row = connection.execute("SELECT * FROM urls WHERE short_code = ?", (short_code,)).fetchone()
    return _link(row) if row else None


def _link(row: sqlite3.Row) -> Link:
    return link_of(dict(row))
