"""While DynamoDB responds slowly, the event loop goes on: for the adapters and for the whole application."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from shared.dynamodb import Client
from shared.items import to_item
from tests.apps.turbotech_portal.support import deliverable
from turbotech_portal.routes import Adapters

SECONDS = 0.4
AT_ONCE = 50
# What the dashboard reads.
PARTS = 4


class Slow:
    """A client whose every response takes its time, in the thread that asked; `most` counts those at the same time."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.now = self.most = 0

    def __getattr__(self, _operation: str) -> Any:
        def call(**_request: Any) -> Any:
            with self.lock:
                self.now += 1
                self.most = max(self.most, self.now)
            time.sleep(SECONDS)
            with self.lock:
                self.now -= 1
            item = to_item(deliverable(1))
            return {"Item": item, "Attributes": item, "Items": [], "Count": 0}

        return call


async def timed(work: Callable[[], Awaitable[object]]) -> float:
    """Do some work and return the seconds that it took."""
    start = time.perf_counter()
    await work()
    return time.perf_counter() - start


def assert_side_by_side(client: Slow, one: float, many: float) -> None:
    # How many wait at once holds on a busy machine as well; one after the other would take 20 s.
    assert one >= SECONDS
    assert client.most == AT_ONCE
    assert many < AT_ONCE * SECONDS / 2


@pytest.mark.parametrize("method", ["get_by_id", "get_all", "update"])
def test_fifty_slow_responses_at_once_take_the_time_of_one(
    adapters_of: Callable[[Client], Adapters], method: str
) -> None:
    client = Slow()
    adapter = adapters_of(client).deliverables

    def ask() -> Awaitable[object]:
        arguments: dict[str, tuple[Any, ...]] = {"get_by_id": (1,), "update": (1, {"status": "COMPLETED"})}
        response: Awaitable[object] = getattr(adapter, method)(*arguments.get(method, ()))
        return response

    async def measure() -> tuple[float, float]:
        one = await timed(ask)
        return one, await timed(lambda: asyncio.gather(*(ask() for _ in range(AT_ONCE))))

    assert_side_by_side(client, *asyncio.run(measure()))


def test_fifty_requests_at_once_take_the_time_of_one(make_app: Callable[..., FastAPI]) -> None:
    client = Slow()
    transport = httpx.ASGITransport(make_app(client=client, auth_mode="local"))

    async def measure() -> tuple[float, float]:
        async with httpx.AsyncClient(transport=transport, base_url="http://portal") as http:

            async def ask() -> None:
                assert (await http.get("/api/deliverables/1")).json() == deliverable(1)

            one = await timed(ask)
            return one, await timed(lambda: asyncio.gather(*(ask() for _ in range(AT_ONCE))))

    assert_side_by_side(client, *asyncio.run(measure()))


def test_the_dashboard_reads_its_four_parts_side_by_side(make_app: Callable[..., FastAPI]) -> None:
    client = Slow()
    transport = httpx.ASGITransport(make_app(client=client, auth_mode="local"))

    async def measure() -> float:
        async with httpx.AsyncClient(transport=transport, base_url="http://portal") as http:
            return await timed(lambda: http.get("/api/dashboard"))

    seconds = asyncio.run(measure())
    assert seconds >= SECONDS
    assert client.most == PARTS


def test_requests_side_by_side_keep_their_own_ids_in_the_log(
    make_app: Callable[..., FastAPI], capsys: pytest.CaptureFixture[str]
) -> None:
    transport = httpx.ASGITransport(make_app(client=Slow(), auth_mode="local"))
    ids = [f"request-{number}" for number in range(5)]

    async def ask() -> None:
        async with httpx.AsyncClient(transport=transport, base_url="http://portal") as http:
            asked = (http.get("/api/deliverables/1", headers={"X-Request-ID": request_id}) for request_id in ids)
            assert [response.headers["x-request-id"] for response in await asyncio.gather(*asked)] == ids

    asyncio.run(ask())
    printed = capsys.readouterr().out
    # One line of DynamoDB's call and one of the request itself.
    assert [printed.count(f'"{request_id}"') for request_id in ids] == [2] * len(ids)
