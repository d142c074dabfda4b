"""Wait for DynamoDB without holding the event loop up: every call runs in a pool of threads."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import Any, TypeVar

from shared.dynamodb import DynamoDB, Item

Response = dict[str, Any]
Result = TypeVar("Result")


class Threads:
    """A pool of threads for calls that block."""

    def __init__(self, count: int, *, name: str) -> None:
        self._pool = ThreadPoolExecutor(count, thread_name_prefix=name)

    async def run(self, call: Callable[[], Result]) -> Result:
        """Make a call in one of the threads; the event loop goes on meanwhile."""
        # The context carries the request's id into the log lines of the call.
        return await asyncio.get_running_loop().run_in_executor(self._pool, partial(copy_context().run, call))

    def close(self) -> None:
        """Let the threads end after what they are doing."""
        self._pool.shutdown(wait=True, cancel_futures=True)


class AsyncDynamoDB:
    """The calls of `DynamoDB`, awaitable.

    botocore blocks, and a library that does not would pin another release of botocore than the one that is locked.
    A thread costs about a tenth of a millisecond a call; as many calls wait at once as there are threads.
    """

    def __init__(self, dynamodb: DynamoDB, *, threads: int) -> None:
        self._dynamodb = dynamodb
        self._threads = Threads(threads, name="dynamodb")

    def close(self) -> None:
        """Let the threads end; no call may come after."""
        self._threads.close()

    async def batch_get_item(self, table: str, **request: Any) -> Response:
        """Read items by their keys."""
        return await self._threads.run(partial(self._dynamodb.batch_get_item, table, **request))

    async def delete_item(self, table: str, **request: Any) -> Response:
        """Delete an item."""
        return await self._threads.run(partial(self._dynamodb.delete_item, table, **request))

    async def get_item(self, table: str, **request: Any) -> Response:
        """Read an item."""
        return await self._threads.run(partial(self._dynamodb.get_item, table, **request))

    async def put_item(self, table: str, **request: Any) -> Response:
        """Write an item."""
        return await self._threads.run(partial(self._dynamodb.put_item, table, **request))

    async def query(self, table: str, **request: Any) -> Response:
        """Read the items of one partition."""
        return await self._threads.run(partial(self._dynamodb.query, table, **request))

    async def scan(self, table: str, **request: Any) -> Response:
        """Read a table from one end to the other."""
        return await self._threads.run(partial(self._dynamodb.scan, table, **request))

    async def transact_write(self, items: list[dict[str, Any]]) -> Response:
        """Do all the writes or none."""
        return await self._threads.run(partial(self._dynamodb.transact_write, items))

    async def update_item(self, table: str, **request: Any) -> Response:
        """Change an item."""
        return await self._threads.run(partial(self._dynamodb.update_item, table, **request))


async def every_item_awaited(read: Callable[..., Awaitable[Response]]) -> AsyncIterator[Item]:
    """Read a query or a scan to its end without holding the event loop up; `read` takes ExclusiveStartKey."""
    response = await read()
    for item in response["Items"]:
        yield item
    while "LastEvaluatedKey" in response:
        response = await read(ExclusiveStartKey=response["LastEvaluatedKey"])
        for item in response["Items"]:
            yield item
