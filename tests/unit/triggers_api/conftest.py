"""Fixtures of triggers_api: tables on the local DynamoDB, a stored API key, and applications made around them."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import botocore.session
import pytest
from aws_lambda_powertools import Logger
from fastapi import FastAPI
from mangum import Mangum

from harness.local.emulators import Running
from shared.api_keys import ApiKey, generate
from shared.dynamodb import Client
from shared.logs import CHATTY, StandardOutput, make_logger
from tests.unit.triggers_api.support import Api, Clock, MakeApi, Tables, make_tables
from triggers_api.app import SERVICE, create_app
from triggers_api.settings import Settings


@pytest.fixture(scope="session")
def dynamodb(local_aws: Running) -> Iterator[Any]:
    variables = local_aws.environment()
    client: Any = botocore.session.get_session().create_client(
        "dynamodb",
        region_name=variables["AWS_DEFAULT_REGION"],
        endpoint_url=variables.get("AWS_ENDPOINT_URL_DYNAMODB", variables["AWS_ENDPOINT_URL"]),
        aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=variables.get("AWS_SESSION_TOKEN"),
    )
    yield client
    client.close()


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
def logger() -> Iterator[Logger]:
    names = ("", SERVICE, *CHATTY)
    levels = {name: logging.getLogger(name).level for name in names}
    root = logging.getLogger()
    yield make_logger(SERVICE, "DEBUG")
    root.handlers = [handler for handler in root.handlers if not isinstance(handler, StandardOutput)]
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


@pytest.fixture
def event_loop() -> Iterator[asyncio.AbstractEventLoop]:
    # Mangum takes the thread's loop, and from Python 3.12 on warns when there is none.
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield loop
    asyncio.set_event_loop(None)
    loop.close()


@pytest.fixture
def make_app(dynamodb: Any, tables: Tables, logger: Logger) -> Callable[..., FastAPI]:
    def make(*, client: Client | None = None, clock: Callable[[], datetime] | None = None, **settings: Any) -> FastAPI:
        names = {"events_table": tables.events, "keys_table": tables.keys, "stage": "dev"}
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
