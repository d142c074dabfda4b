"""Wait for DynamoDB without holding the event loop up: every call runs in a pool of threads."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import Any

from shared.dynamodb import DynamoDB

Answer = dict[str, Any]


class AsyncDynamoDB:
    """The calls of `DynamoDB`, awaitable.

    botocore blocks, and a library that does not would pin a botocore of its own beside the one that Lambda brings.
    A thread costs about a tenth of a millisecond a call; as many calls wait at once as there are threads.
    """

    def __init__(self, dynamodb: DynamoDB, *, threads: int) -> None:
        self._dynamodb = dynamodb
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="dynamodb")

    async def batch_get_item(self, table: str, **request: Any) -> Answer:
        """Read items by their keys."""
        return await self._wait(partial(self._dynamodb.batch_get_item, table, **request))

    async def delete_item(self, table: str, **request: Any) -> Answer:
        """Delete an item."""
        return await self._wait(partial(self._dynamodb.delete_item, table, **request))

    async def get_item(self, table: str, **request: Any) -> Answer:
        """Read an item."""
        return await self._wait(partial(self._dynamodb.get_item, table, **request))

    async def put_item(self, table: str, **request: Any) -> Answer:
        """Write an item."""
        return await self._wait(partial(self._dynamodb.put_item, table, **request))

    async def query(self, table: str, **request: Any) -> Answer:
        """Read the items of one partition."""
        return await self._wait(partial(self._dynamodb.query, table, **request))

    async def scan(self, table: str, **request: Any) -> Answer:
        """Read a table from one end to the other."""
        return await self._wait(partial(self._dynamodb.scan, table, **request))

    async def transact_write(self, items: list[dict[str, Any]]) -> Answer:
        """Do all the writes or none."""
        return await self._wait(partial(self._dynamodb.transact_write, items))

    async def update_item(self, table: str, **request: Any) -> Answer:
        """Change an item."""
        return await self._wait(partial(self._dynamodb.update_item, table, **request))

    async def _wait(self, call: Callable[[], Answer]) -> Answer:
        # The context carries the request's id into the log lines of the call.
        return await asyncio.get_running_loop().run_in_executor(self._pool, partial(copy_context().run, call))
