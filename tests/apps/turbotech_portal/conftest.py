"""Fixtures of turbotech_portal: tables on the local DynamoDB, and applications made around them."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, cast

import pytest
from aws_lambda_powertools import Logger
from fastapi import FastAPI

from shared.dynamodb import Client
from shared.lambda_handler import make_handler
from tests.apps.turbotech_portal.support import CLAIMS, Api, MakeApi, Tables, make_tables
from tests.unit.support import Clock
from turbotech_portal.app import SERVICE, create_app, make_adapters
from turbotech_portal.routes import Adapters
from turbotech_portal.settings import Settings


@pytest.fixture
def tables(dynamodb: Any) -> Iterator[Tables]:
    made = make_tables(dynamodb)
    yield made
    for name in made.settings.values():
        dynamodb.delete_table(TableName=name)


@pytest.fixture
def logger(logger_of: Callable[[str], Logger]) -> Logger:
    return logger_of(SERVICE)


@pytest.fixture
def make_app(dynamodb: Any, tables: Tables, logger: Logger) -> Callable[..., FastAPI]:
    def make(*, client: Client | None = None, clock: Callable[[], datetime] | None = None, **settings: Any) -> FastAPI:
        names: dict[str, Any] = {**tables.settings, "stage": "dev", "production": False}
        return create_app(
            settings=Settings(**names | settings),
            client=client or dynamodb,
            clock=clock or Clock(),
            logger=logger,
        )

    return make


@pytest.fixture
def make_api(make_app: Callable[..., FastAPI], event_loop: asyncio.AbstractEventLoop) -> MakeApi:
    def make(
        *,
        client: Client | None = None,
        clock: Callable[[], datetime] | None = None,
        claims: dict[str, Any] | None = CLAIMS,
        **settings: Any,
    ) -> Api:
        app = make_app(client=client, clock=clock, **settings)
        return Api(make_handler(app), claims=claims)

    return make


@pytest.fixture
def api(make_api: MakeApi) -> Api:
    return make_api()


@pytest.fixture
def adapters_of(tables: Tables, logger: Logger) -> Callable[[Client], Adapters]:
    """Make the adapters of the four tables around a client."""
    settings = Settings(stage="dev", **cast("Any", tables.settings))
    return lambda client: make_adapters(settings=settings, client=client, clock=Clock(), logger=logger)


@pytest.fixture
def adapters(dynamodb: Any, adapters_of: Callable[[Client], Adapters]) -> Adapters:
    """The adapters of the four tables, as scripts use them."""
    return adapters_of(dynamodb)
