"""Keep users and links in a SQLite file, for development and for the way back: immediate transactions decide races."""

import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from aws_lambda_powertools import Logger

from fileshare.database import CodeTaken, EmailTaken, Page
from fileshare.records import TRIAL, Link, User, values_of
from fileshare.stored import ShownLink, Target, Trial
from shared.api_errors import Throttled
from shared.async_dynamodb import Threads
from shared.items import Binary
from shared.personal import public_id
from shared.stored import Found, Readers

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

    def __init__(self, path: Path, *, threads: int, logger: Logger) -> None:
        self._path = path
        # Ids of users who came from elsewhere can be addresses.
        options: dict[str, Any] = {"logger": logger, "shown": public_id, "value": value_of}
        self._read_users = Readers(table="users", key=("user_id",), **options)
        self._read_urls = Readers(table="urls", key=("short_code",), **options)
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

    async def user(self, user_id: str) -> Found | None:
        """Find a user as last written."""
        return await self._run(partial(self._find_user, user_id=user_id))

    async def start_trial(self, user_id: str, *, started_at: str, expires_at: str) -> Trial | None:
        """Look whether the trial can be started, and start it, in one transaction."""

        def trial(connection: sqlite3.Connection) -> Trial | None:
            found = self._find_user(connection, user_id=user_id)
            return None if found is None else found.read(Trial)

        def start(connection: sqlite3.Connection) -> Trial | None:
            before = trial(connection)
            if before is None or not before.can_start:
                return None
            connection.execute(
                "UPDATE users SET user_tier = ?, trial_used = 1, trial_started_at = ?, trial_expires_at = ?, "
                "updated_at = ? WHERE user_id = ?",
                (TRIAL, started_at, expires_at, started_at, user_id),
            )
            return trial(connection)

        return await self._write(start)

    async def create_link(self, link: Link) -> None:
        """Store a link unless its code is taken."""

        def insert(connection: sqlite3.Connection) -> None:
            try:
                connection.execute(_insert("urls", link), values_of(link))
            except sqlite3.IntegrityError:
                raise CodeTaken from None

        await self._write(insert)

    async def link(self, short_code: str) -> Found | None:
        """Find a link as last written."""
        return await self._run(partial(self._find_link, short_code=short_code))

    async def follow(self, short_code: str, *, now: str) -> Target | None:
        """Look at the link and add the click in one transaction."""

        def count(connection: sqlite3.Connection) -> Target | None:
            found = self._find_link(connection, short_code=short_code)
            target = None if found is None else found.read(Target)
            if target is None or not target.may_be_followed(now):
                return None
            followed = target.followed()
            statement = "UPDATE urls SET click_count = ? WHERE short_code = ?"
            connection.execute(statement, (followed.click_count, short_code))
            return followed

        return await self._write(count)

    async def links_of(self, user_id: str, *, after: str | None, limit: int, now: str) -> Page:
        """Read one link more than wanted, to know whether there are more."""
        reader = self._read_urls.of(ShownLink)

        def read(connection: sqlite3.Connection) -> Page:
            statement = "SELECT * FROM urls WHERE created_by_user = ? AND short_code > ? ORDER BY short_code"
            with closing(connection.execute(statement, (user_id, after or ""))) as rows:
                live = (link for link in reader.each(map(dict, rows)) if not link.has_expired(now))
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

    def _find_user(self, connection: sqlite3.Connection, *, user_id: str) -> Found | None:
        row = connection.execute("SELECT * FROM users WHERE user_id = ?", (user_id,)).fetchone()
        return Found(item=dict(row), readers=self._read_users) if row else None

    def _find_link(self, connection: sqlite3.Connection, *, short_code: str) -> Found | None:
        row = connection.execute("SELECT * FROM urls WHERE short_code = ?", (short_code,)).fetchone()
        return Found(item=dict(row), readers=self._read_urls) if row else None

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
            connection.text_factory = _text
            self._mine.connection = connection
            self._opened.append(connection)
        return connection


def _insert(table: str, record: User | Link) -> str:
    names = list(values_of(record))
    return f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join(f':{name}' for name in names)})"  # noqa: S608 - both are ours, the values are bound


def value_of(value: Any) -> Any:
    """Read what a column holds as `shared.items` reads the same in DynamoDB."""
    match value:
        case bytes():
            return Binary(value)
        case float() if value.is_integer():
            return int(value)
    return value


def _text(raw: bytes) -> Any:
    """Read a text; other code can have stored one that is not UTF-8, which is no more than bytes then."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw
