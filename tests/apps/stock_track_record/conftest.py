"""Fixtures of stock_track_record: tables on the local DynamoDB, a queue, and applications and workers around them."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from aws_lambda_powertools import Logger
from fastapi import FastAPI

from shared.dynamodb import Client, DynamoDB
from shared.lambda_handler import make_handler
from stock_track_record.app import SERVICE, create_app
from stock_track_record.jobs import JobStore
from stock_track_record.queue import Queue
from stock_track_record.records import RecordStore
from stock_track_record.settings import ApiSettings
from stock_track_record.stocks import StockStore
from stock_track_record.worker import Worker
from tests.apps.stock_track_record.support import (
    PICK,
    QUEUE_URL,
    Api,
    HandedQueue,
    Hands,
    MakeApi,
    MakeWorker,
    make_tables,
)
from tests.unit.support import Clock


@pytest.fixture
def prefix(dynamodb: Any) -> Iterator[str]:
    """The prefix of two tables that nobody else uses."""
    made = make_tables(dynamodb)
    yield made
    dynamodb.delete_table(TableName=made)
    dynamodb.delete_table(TableName=f"{made}-Stocks")


@pytest.fixture
def logger(logger_of: Callable[[str], Logger]) -> Logger:
    return logger_of(SERVICE)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def queue() -> HandedQueue:
    return HandedQueue()


@pytest.fixture
def make_app(dynamodb: Any, prefix: str, logger: Logger, queue: HandedQueue, clock: Clock) -> Callable[..., FastAPI]:
    def make(*, client: Client | None = None, clock: Callable[[], datetime] = clock, **settings: Any) -> FastAPI:
        values: dict[str, Any] = {"table_prefix": prefix, "queue_url": QUEUE_URL, "is_lambda": True} | settings
        return create_app(
            settings=ApiSettings(**values), client=client or dynamodb, queue_client=queue, clock=clock, logger=logger
        )

    return make


@pytest.fixture
def make_api(make_app: Callable[..., FastAPI], queue: HandedQueue, event_loop: asyncio.AbstractEventLoop) -> MakeApi:
    def make(*, client: Client | None = None, clock: Callable[[], datetime] | None = None, **settings: Any) -> Api:
        chosen = {} if clock is None else {"clock": clock}
        return Api(make_handler(make_app(client=client, **chosen, **settings)), queue=queue)

    return make


@pytest.fixture
def api(make_api: MakeApi) -> Api:
    return make_api()


@pytest.fixture
def make_worker(dynamodb: Any, prefix: str, logger: Logger, queue: HandedQueue, clock: Clock) -> MakeWorker:
    def make(*, client: Client | None = None, max_receives: int = 3, has_queue: bool = True) -> Hands:
        database = DynamoDB(client=client or dynamodb, logger=logger)
        jobs = JobStore(table=prefix, dynamodb=database, clock=clock, logger=logger)
        worker = Worker(
            jobs=jobs,
            records=RecordStore(
                table=prefix,
                dynamodb=database,
                stocks=StockStore(table=f"{prefix}-Stocks", dynamodb=database, logger=logger, sleep=lambda _: None),
                jobs=jobs,
                clock=clock,
                logger=logger,
                sleep=lambda _: None,
            ),
            queue=Queue(client=queue, url=QUEUE_URL) if has_queue else None,
            logger=logger,
            max_receives=max_receives,
        )
        return Hands(worker.handle, queue)

    return make


@pytest.fixture
def worker(make_worker: MakeWorker) -> Hands:
    return make_worker()


@pytest.fixture
def channel_id(api: Api) -> str:
    """A channel with a long pick, a short pick, and one of a stock without prices."""
    made = api.create()
    api.price("ACME", _2026_01_05=10, _2026_01_30=12.5)
    api.price("ZETA", _2026_01_30=8)
    short = {"ticker": "ZETA", "direction": "short", "date": "2026-01-06", "price": 10}
    api.add(made, PICK, short, PICK | {"ticker": "NONE"})
    return made
