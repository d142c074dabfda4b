"""No call holds the event loop up while a database takes its time."""

import asyncio
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from aws_lambda_powertools import Logger

from fileshare import sqlite_database
from fileshare.app import create_app, open_database
from fileshare.database import Database
from fileshare.dynamodb_database import DynamoDBDatabase
from fileshare.settings import Settings, Tables
from fileshare.sqlite_database import SQLiteDatabase
from shared.api_errors import Throttled
from tests.apps.fileshare.support import START, a_link, a_user, link_in, user_in
from tests.unit.support import Clock, watched

SECONDS = 0.5


class Slow:
    """A client that takes its time for every response."""

    def __init__(self, client: Any, seconds: float) -> None:
        self._client = client
        self._seconds = seconds

    def __getattr__(self, operation: str) -> Any:
        def call(**request: Any) -> Any:
            time.sleep(self._seconds)
            return getattr(self._client, operation)(**request)

        return call


def test_twenty_slow_responses_of_dynamodb_take_the_time_of_one_and_leave_the_loop_free(
    dynamodb: Any, tables: Tables, logger: Logger
) -> None:
    database = open_database(Settings(database=tables), client=Slow(dynamodb, SECONDS), logger=logger)

    async def check() -> tuple[float, float]:
        return await watched(asyncio.gather(*(database.user(f"{number}") for number in range(20))))

    seconds, longest = asyncio.run(check())

    # One after the other they would take twenty times as long, and the loop would stand still for one of them at least.
    assert seconds < 6 * SECONDS
    assert 0 < longest < 0.9 * SECONDS
    database.close()


def test_a_reader_of_sqlite_does_not_wait_for_a_writer(tmp_path: Path, logger: Logger) -> None:
    database = SQLiteDatabase(tmp_path / "fileshare.sqlite3", threads=4, logger=logger)
    link = a_link()

    async def check() -> None:
        await database.create_link(link)
        with closing(sqlite3.connect(tmp_path / "fileshare.sqlite3", isolation_level=None)) as writer:
            writer.execute("BEGIN IMMEDIATE")
            click = asyncio.create_task(database.follow(link.short_code, now=START))
            await asyncio.sleep(0.1)
            assert await link_in(database, link.short_code) == link
            assert not click.done()
            writer.execute("COMMIT")
        followed = await click
        assert followed
        assert followed.click_count == 1

    asyncio.run(check())
    database.close()


def test_a_writer_of_sqlite_that_waits_too_long_is_told_to_come_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, logger: Logger
) -> None:
    monkeypatch.setattr(sqlite_database, "BUSY_SECONDS", 0.05)
    database = SQLiteDatabase(tmp_path / "fileshare.sqlite3", threads=1, logger=logger)
    with closing(sqlite3.connect(tmp_path / "fileshare.sqlite3", isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        with pytest.raises(Throttled):
            asyncio.run(database.create_user(a_user()))
    database.close()


def test_what_sqlite_keeps_is_there_after_a_restart(tmp_path: Path, logger: Logger) -> None:
    user, link = a_user(), a_link()
    first = SQLiteDatabase(tmp_path / "fileshare.sqlite3", threads=2, logger=logger)
    asyncio.run(first.create_user(user))
    asyncio.run(first.create_link(link))
    first.close()
    second = SQLiteDatabase(tmp_path / "fileshare.sqlite3", threads=2, logger=logger)
    assert asyncio.run(user_in(second, user.user_id)) == user
    assert asyncio.run(link_in(second, link.short_code)) == link
    second.close()


def test_the_interface_has_no_part_that_only_one_database_has() -> None:
    wanted = {name for name in vars(Database) if not name.startswith("_")}
    for implementation in (DynamoDBDatabase, SQLiteDatabase):
        assert {name for name in vars(implementation) if not name.startswith("_")} == wanted


def test_the_database_is_closed_when_the_server_ends(
    settings: Settings, database: Database, logger: Logger, tmp_path: Path
) -> None:
    app = create_app(settings=settings, database=database, clock=Clock(), logger=logger)

    async def serve() -> None:
        async with app.router.lifespan_context(app):
            await database.create_user(a_user())
            assert (tmp_path / "fileshare.sqlite3-wal").exists() is isinstance(settings.database, Path)
        with pytest.raises(RuntimeError, match="shutdown"):
            await user_in(database, "anybody")

    asyncio.run(serve())
    # The last connection that closes brings what was written into the file, and takes the log beside it away.
    assert not (tmp_path / "fileshare.sqlite3-wal").exists()
