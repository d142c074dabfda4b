"""Fixtures of fileshare: every test of the database and of the API runs on DynamoDB and on SQLite."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aws_lambda_powertools import Logger
from mangum import Mangum

from fileshare.app import SERVICE, create_app, open_database
from fileshare.database import Database
from fileshare.settings import Settings, Tables
from tests.apps.fileshare.support import Api, make_tables
from tests.unit.support import Clock

KINDS = ("dynamodb", "sqlite")


@pytest.fixture
def logger(logger_of: Callable[[str], Logger]) -> Logger:
    return logger_of(SERVICE)


@pytest.fixture
def tables(dynamodb: Any) -> Iterator[Tables]:
    yield from two_tables(dynamodb)


@pytest.fixture(params=KINDS)
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    return settings_of(request, tmp_path)


def two_tables(dynamodb: Any) -> Iterator[Tables]:
    """Make tables, and delete them when they were used."""
    made = make_tables(dynamodb)
    yield made
    dynamodb.delete_table(TableName=made.users)
    dynamodb.delete_table(TableName=made.urls)


def settings_of(request: pytest.FixtureRequest, directory: Path) -> Settings:
    """Choose the database that the test is run on this time."""
    if request.param == "dynamodb":
        return Settings(database=request.getfixturevalue("tables"))
    return Settings(database=directory / "fileshare.sqlite3")


@pytest.fixture
def database(settings: Settings, dynamodb: Any, logger: Logger) -> Iterator[Database]:
    made = open_database(settings, client=dynamodb, logger=logger)
    yield made
    made.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make_api(
    settings: Settings, database: Database, logger: Logger, clock: Clock, event_loop: asyncio.AbstractEventLoop
) -> Callable[..., Api]:
    """Make callers of one application."""
    handler = Mangum(create_app(settings=settings, database=database, clock=clock, logger=logger), lifespan="off")
    return lambda: Api(handler)


@pytest.fixture
def api(make_api: Callable[[], Api]) -> Api:
    """A user with a token."""
    caller = make_api()
    caller.sign_up()
    return caller


@pytest.fixture
def stranger(make_api: Callable[[], Api]) -> Api:
    """Somebody without a token."""
    return make_api()
