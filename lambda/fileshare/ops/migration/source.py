"""Read users and links from the old SQLite file, as it was when the migration began, and say which rows do not fit."""

from __future__ import annotations

import math
import re
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from fileshare.addresses import Addresses
from fileshare.checks import (
    MAX_FILE_KEY_LENGTH,
    MAX_FILENAME_LENGTH,
    DoesNotFitError,
    checked_key,
    checked_url,
    is_short_code,
    is_user_id,
)
from fileshare.records import Link, User
from sawhorse.api import BadConfiguration
from shared.times import is_timestamp

SHOWN_KEY_LENGTH = 64
MAX_TIER_LENGTH = 64
NEEDED = {
    "users": {"user_id", "email", "user_tier", "trial_used", "created_at", "updated_at"},
    "urls": {"short_code", "created_by_user", "full_url", "created_at", "click_count"},
}
KEYS = {"users": "user_id", "urls": "short_code"}

Row = Mapping[str, Any]
Record = TypeVar("Record", User, Link)


@dataclass(frozen=True)
class BadRow:
    """A row that cannot be copied, by its key, and why."""

    key: str
    reason: str


class Source:
    """The tables of the file; every read sees the same moment, whatever others write meanwhile."""

    def __init__(self, connection: sqlite3.Connection, path: Path, *, addresses: Addresses | None = None) -> None:
        self._connection = connection
        self._path = path
        self._addresses = addresses or Addresses()

    def count(self, table: str) -> int:
        """Count the rows of a table."""
        with self._sentences():
            return int(self._connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608 # a name of ours

    def users(self) -> Iterator[User | BadRow]:
        """Walk the users; the second with an address that another one has is a bad row."""
        addresses: dict[str, str] = {}
        for found in self._records("users", partial(user_of, addresses=self._addresses)):
            first = addresses.setdefault(found.email, found.user_id) if isinstance(found, User) else ""
            if isinstance(found, User) and first != found.user_id:
                yield BadRow(found.user_id, f"the address is that of the user {first} as well")
            else:
                yield found

    def links(self) -> Iterator[Link | BadRow]:
        """Walk the links."""
        yield from self._records("urls", link_of)

    def check_columns(self) -> None:
        """Refuse a file that is none of fileshare's."""
        for table, needed in NEEDED.items():
            with self._sentences():
                found = {row["name"] for row in self._connection.execute(f"PRAGMA table_info({table})")}
            if not found:
                raise BadConfiguration(f"{self._path} has no table {table}; name the SQLite file of fileshare.")
            if missing := needed - found:
                raise BadConfiguration(
                    f"The table {table} of {self._path} lacks {', '.join(sorted(missing))}; "
                    "its columns stand in lambda/fileshare/README.md."
                )

    def _records(self, table: str, read: Callable[[Row], Record]) -> Iterator[Record | BadRow]:
        seen: set[str] = set()
        for row in self._rows(table):
            key = shown_key(row[KEYS[table]])
            try:
                record = read(row)
            except DoesNotFitError as error:
                yield BadRow(key, str(error))
                continue
            if key in seen:
                yield BadRow(key, "the key stands in the file twice")
            else:
                seen.add(key)
                yield record

    def _rows(self, table: str) -> Iterator[Row]:
        with self._sentences():
            cursor = self._connection.execute(f"SELECT * FROM {table}")  # noqa: S608 # a name of ours
        while True:
            with self._sentences():
                row = cursor.fetchone()
            if row is None:
                return
            yield dict(row)

    @contextmanager
    def _sentences(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            raise BadConfiguration(
                f"{self._path} cannot be read ({error}); name a SQLite file that is whole."
            ) from error


@contextmanager
def open_source(path: Path, *, addresses: Addresses | None = None) -> Iterator[Source]:
    """Open the file for reading only."""
    if not path.is_file():
        raise BadConfiguration(f"{path} does not exist; name the SQLite file to copy from.")
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
    except sqlite3.OperationalError as error:
        raise BadConfiguration(f"{path} cannot be opened ({error}); check who may read it.") from error
    try:
        connection.row_factory = sqlite3.Row
        # What is not UTF-8 becomes a row that is named, not an end of everything.
        connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
        source = Source(connection, path, addresses=addresses)
        source.check_columns()
        connection.execute("BEGIN")
        yield source
    finally:
        connection.close()


def user_of(row: Row, *, addresses: Addresses) -> User:
    """Read a user, or raise DoesNotFitError with what to correct."""
    user_id = text(row, "user_id")
    need(is_user_id(user_id), "user_id must have 1 to 128 letters, digits, dots, underscores, hyphens or @")
    email = text(row, "email")
    form = "in lower case without spaces" + (" and without a plus" if addresses.merge_plus else "")
    need(
        address(email, addresses) == email,
        f"email must stand {form}; bring the file into that form with "
        '"sawhorse run ROOT migrate --addresses --in FILE"',
    )
    tier = text(row, "user_tier")
    need(1 <= len(tier) <= MAX_TIER_LENGTH, f"user_tier must have 1 to {MAX_TIER_LENGTH} characters")
    need(row["trial_used"] in (0, 1) and isinstance(row["trial_used"], int), "trial_used must be 0 or 1")
    token_hash = text_or_none(row, "token_hash")
    need(token_hash is None or re.fullmatch("[0-9a-f]{64}", token_hash), "token_hash must be a SHA-256 in hexadecimal")
    return User(
        user_id=user_id,
        email=email,
        user_tier=tier,
        trial_used=bool(row["trial_used"]),
        trial_started_at=time_or_none(row, "trial_started_at"),
        trial_expires_at=time_or_none(row, "trial_expires_at"),
        created_at=time(row, "created_at"),
        updated_at=time(row, "updated_at"),
        token_hash=token_hash,
    )


def link_of(row: Row) -> Link:
    """Read a link, or raise DoesNotFitError with what to fix."""
    short_code = text(row, "short_code")
    need(is_short_code(short_code), "short_code must have 1 to 64 letters, digits, underscores or hyphens")
    owner = text(row, "created_by_user")
    need(is_user_id(owner), "created_by_user must be the id of a user")
    expires_at, sweep = time_or_none(row, "expires_at"), row.get("expires_at_ttl")
    need(
        sweep == (None if expires_at is None else math.ceil(datetime.fromisoformat(expires_at).timestamp())),
        "expires_at_ttl must be the first full second at or after expires_at, and missing without it",
    )
    clicks = row["click_count"]
    need(isinstance(clicks, int) and clicks >= 0, "click_count must be a whole number that is not negative")
    return Link(
        short_code=short_code,
        created_by_user=owner,
        full_url=checked(row, "full_url", checked_url),
        created_at=time(row, "created_at"),
        expires_at=expires_at,
        expires_at_ttl=sweep,
        file_key=checked_or_none(row, "file_key", MAX_FILE_KEY_LENGTH),
        filename=checked_or_none(row, "filename", MAX_FILENAME_LENGTH),
        click_count=clicks,
    )


def shown_key(key: object) -> str:
    """Write a key for people: what is missing, no text or very long, too."""
    written = key if isinstance(key, str) else "(missing)" if key is None else repr(key)
    printable = written.encode("utf-8", "backslashreplace").decode()
    return printable if len(printable) <= SHOWN_KEY_LENGTH else f"{printable[: SHOWN_KEY_LENGTH - 1]}…"


def need(condition: object, reason: str) -> None:
    if not condition:
        raise DoesNotFitError(reason)


def text(row: Row, name: str) -> str:
    value = row.get(name)
    need(value is not None, f"{name} is missing")
    if not isinstance(value, str):
        raise DoesNotFitError(f"{name} is not text")
    need(not re.search("[\ud800-\udfff]", value), f"{name} is not UTF-8")
    return value


def text_or_none(row: Row, name: str) -> str | None:
    return None if row.get(name) is None else text(row, name)


def time(row: Row, name: str) -> str:
    value = text(row, name)
    need(is_timestamp(value), f"{name} must be a time such as 2026-01-31T09:15:02.104233Z")
    return value


def time_or_none(row: Row, name: str) -> str | None:
    return None if row.get(name) is None else time(row, name)


def checked(row: Row, name: str, check: Callable[[str], str]) -> str:
    value = text(row, name)
    try:
        return check(value)
    except DoesNotFitError as error:
        raise DoesNotFitError(f"{name} {error}") from None


def checked_or_none(row: Row, name: str, most: int) -> str | None:
    return None if row.get(name) is None else checked(row, name, lambda value: checked_key(value, most))


def address(email: str, addresses: Addresses) -> str:
    try:
        return addresses.canonical(email)
    except DoesNotFitError as error:
        raise DoesNotFitError(f"email {error}") from None
