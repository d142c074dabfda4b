"""Calls wait side by side and leave the event loop free."""

import asyncio
import time
from typing import Any, cast

from aws_lambda_powertools import Logger

from shared.async_dynamodb import AsyncDynamoDB
from shared.dynamodb import Client, DynamoDB
from tests.unit.support import watched

SECONDS = 0.2


class Slow:
    """A DynamoDB whose every response takes its time."""

    def __init__(self) -> None:
        self.operations: list[str] = []

    def __getattr__(self, operation: str) -> Any:
        def call(**request: Any) -> Any:
            self.operations.append(operation)
            time.sleep(SECONDS)
            return {"asked": request}

        return call


def slow(threads: int) -> tuple[Slow, AsyncDynamoDB]:
    client = Slow()
    dynamodb = DynamoDB(client=cast("Client", client), logger=Logger(service="waiting"))
    return client, AsyncDynamoDB(dynamodb, threads=threads)


async def ask(dynamodb: AsyncDynamoDB, times: int) -> tuple[float, float]:
    """Ask so many times at once; return the seconds that took, and the longest that the loop was held up."""
    return await watched(asyncio.gather(*(dynamodb.get_item("samples", Key={"id": {"N": "1"}}) for _ in range(times))))


def test_fifty_slow_responses_at_once_take_about_the_time_of_one() -> None:
    _, dynamodb = slow(threads=50)

    seconds, longest = asyncio.run(ask(dynamodb, 50))

    # One after the other they would take fifty times as long; a busy machine may take twice the time of one, and more.
    assert seconds < 10 * SECONDS
    assert longest < 5 * SECONDS


def test_no_more_calls_wait_at_once_than_there_are_threads() -> None:
    _, dynamodb = slow(threads=1)

    seconds, _ = asyncio.run(ask(dynamodb, 3))

    assert seconds >= 3 * SECONDS


def test_every_operation_reaches_the_client() -> None:
    client, dynamodb = slow(threads=8)

    async def all_of_them() -> list[dict[str, Any]]:
        return await asyncio.gather(
            dynamodb.batch_get_item("samples", Keys=[]),
            dynamodb.delete_item("samples", Key={}),
            dynamodb.get_item("samples", Key={}),
            dynamodb.put_item("samples", Item={}),
            dynamodb.query("samples"),
            dynamodb.scan("samples"),
            dynamodb.transact_write([{"Put": {"TableName": "samples"}}]),
            dynamodb.update_item("samples", Key={}),
        )

    responses = asyncio.run(all_of_them())

    assert sorted(client.operations) == [
        "batch_get_item",
        "delete_item",
        "get_item",
        "put_item",
        "query",
        "scan",
        "transact_write_items",
        "update_item",
    ]
    assert responses[2] == {"asked": {"TableName": "samples", "Key": {}}}
