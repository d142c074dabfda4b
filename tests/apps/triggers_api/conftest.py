"""Fixtures of triggers_api: tables on the local DynamoDB, a stored API key, and applications made around them."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from aws_lambda_powertools import Logger
from fastapi import FastAPI
from mangum import Mangum

from shared.api_keys import ApiKey, generate
from shared.dynamodb import Client
from tests.apps.triggers_api.support import Api, MakeApi, Tables, make_tables
from tests.unit.support import Clock
from triggers_api.app import SERVICE, create_app
from triggers_api.settings import Settings


@pytest.fixture
def tables(dynamodb: Any) -> Iterator[Tables]:
    made = make_tables(dynamodb)
    yield made
    dynamodb.delete_table(TableName=made.events)
    dynamodb.delete_table(TableName=made.keys)


@pytest.fixture
def stored_key(dynamodb: Any, tables: Tables) -> ApiKey:
    key = generate()
    item = {"api_key": {"S": key.hashed}, "key_id": {"S": key.key_id}, "label": {"S": "unit tests"}}
    dynamodb.put_item(TableName=tables.keys, Item=item)
    return key


@pytest.fixture
def logger(logger_of: Callable[[str], Logger]) -> Logger:
    return logger_of(SERVICE)


@pytest.fixture
def make_app(dynamodb: Any, tables: Tables, logger: Logger) -> Callable[..., FastAPI]:
    def make(*, client: Client | None = None, clock: Callable[[], datetime] | None = None, **settings: Any) -> FastAPI:
        names: dict[str, Any] = {
            "events_table": tables.events,
            "keys_table": tables.keys,
            "stage": "dev",
            "production": False,
        }
        return create_app(
            settings=Settings(**names | settings), client=client or dynamodb, clock=clock or Clock(), logger=logger
        )

    return make


@pytest.fixture
def make_api(make_app: Callable[..., FastAPI], stored_key: ApiKey, event_loop: asyncio.AbstractEventLoop) -> MakeApi:
    def make(*, client: Client | None = None, clock: Callable[[], datetime] | None = None, **settings: Any) -> Api:
        app = make_app(client=client, clock=clock, **settings)
        return Api(Mangum(app, lifespan="off"), key=stored_key.clear)

    return make


@pytest.fixture
def api(make_api: MakeApi) -> Api:
    return make_api()
