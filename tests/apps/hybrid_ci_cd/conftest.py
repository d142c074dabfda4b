"""Fixtures of hybrid_ci_cd: tables on the local DynamoDB, and applications made around them."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import astuple
from datetime import datetime
from typing import Any

import pytest
from aws_lambda_powertools import Logger
from fastapi import FastAPI

from hybrid_ci_cd.app import SERVICE, create_app
from hybrid_ci_cd.settings import Settings
from shared.dynamodb import Client
from shared.lambda_handler import make_handler
from tests.apps.hybrid_ci_cd.support import Api, MakeApi, StoppedClock, Tables, make_tables
from tests.unit.support import Clock


@pytest.fixture
def tables(dynamodb: Any) -> Iterator[Tables]:
    made = make_tables(dynamodb)
    yield made
    for name in astuple(made):
        dynamodb.delete_table(TableName=name)


@pytest.fixture
def logger(logger_of: Callable[[str], Logger]) -> Logger:
    return logger_of(SERVICE)


@pytest.fixture
def store_settings(tables: Tables) -> Settings:
    return Settings(sessions_table=tables.sessions, jobs_table=tables.jobs, agents_table=tables.agents, stage="dev")


@pytest.fixture
def make_app(dynamodb: Any, tables: Tables, logger: Logger) -> Callable[..., FastAPI]:
    names = {"sessions_table": tables.sessions, "jobs_table": tables.jobs, "agents_table": tables.agents}

    def make(*, client: Client | None = None, clock: Callable[[], datetime] | None = None, **settings: Any) -> FastAPI:
        return create_app(
            settings=Settings(**names | {"stage": "dev"} | settings),
            client=client or dynamodb,
            clock=clock or Clock(),
            logger=logger,
        )

    return make


@pytest.fixture
def make_api(make_app: Callable[..., FastAPI], event_loop: asyncio.AbstractEventLoop) -> MakeApi:
    def make(*, client: Client | None = None, clock: Callable[[], datetime] | None = None, **settings: Any) -> Api:
        return Api(make_handler(make_app(client=client, clock=clock, **settings)))

    return make


@pytest.fixture
def api(make_api: MakeApi) -> Api:
    return make_api()


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
def timed_api(make_api: MakeApi, clock: StoppedClock) -> Api:
    """An application whose time stands still until the test moves it."""
    return make_api(clock=clock)
