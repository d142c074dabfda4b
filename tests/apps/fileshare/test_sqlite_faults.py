"""A write of SQLite that fails says why, and leaves neither an open transaction nor half of what it wrote."""

import asyncio
import sqlite3
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from aws_lambda_powertools import Logger

from fileshare.sqlite_database import SQLiteDatabase
from tests.apps.fileshare.support import a_link, a_user, link_in, user_in


class Faulty(sqlite3.Connection):
    """A connection with faults: a file that may not grow, or a COMMIT that fails as on a broken disk."""

    most_pages: int | None = None
    failing_commits = 0

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        if Faulty.most_pages:
            self.execute(f"PRAGMA max_page_count = {Faulty.most_pages}")

    def execute(self, statement: str, *values: Any) -> sqlite3.Cursor:
        if statement == "COMMIT" and Faulty.failing_commits:
            Faulty.failing_commits -= 1
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = sqlite3.SQLITE_IOERR
            raise error
        return super().execute(statement, *values)


@pytest.fixture
def faulty(monkeypatch: pytest.MonkeyPatch) -> type[Faulty]:
    monkeypatch.setattr(sqlite3, "connect", partial(sqlite3.connect, factory=Faulty))
    monkeypatch.setattr(Faulty, "most_pages", None)
    monkeypatch.setattr(Faulty, "failing_commits", 0)
    return Faulty


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "fileshare.sqlite3"


@pytest.fixture
def database(path: Path, faulty: type[Faulty], logger: Logger) -> Iterator[SQLiteDatabase]:
    made = SQLiteDatabase(path, threads=1, logger=logger)
    yield made
    made.close()


def test_a_disk_that_is_full_is_what_the_error_says(path: Path, faulty: type[Faulty], database: SQLiteDatabase) -> None:
    """SQLite rolls back by itself then, and a second ROLLBACK would hide the fault behind one of its own."""
    faulty.most_pages = path.stat().st_size // 4096 + 3
    large = a_link(full_url="https://example.com/" + "x" * 100_000)
    with pytest.raises(sqlite3.OperationalError, match="database or disk is full"):
        asyncio.run(database.create_link(large))
    small = a_link()
    asyncio.run(database.create_link(small))
    assert asyncio.run(link_in(database, large.short_code)) is None
    assert asyncio.run(link_in(database, small.short_code)) == small


def test_a_commit_that_fails_is_rolled_back_and_the_next_write_works(
    faulty: type[Faulty], database: SQLiteDatabase
) -> None:
    lost, kept = a_user(), a_user()
    faulty.failing_commits = 1
    with pytest.raises(sqlite3.OperationalError, match="disk I/O error"):
        asyncio.run(database.create_user(lost))
    asyncio.run(database.create_user(kept))
    assert asyncio.run(user_in(database, lost.user_id)) is None
    assert asyncio.run(user_in(database, kept.user_id)) == kept
