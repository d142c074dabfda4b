"""A caller who goes away is not an error of ours, and a path's 405 lists all that the path knows."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from aws_lambda_powertools import Logger
from fastapi import Request

from shared.application import make_application
from shared.asgi import App
from shared.lambda_handler import make_handler
from shared.routers import make_router
from tests.unit.support import HttpCaller


@pytest.fixture
def app(logger_of: Callable[[str], Logger]) -> Any:
    """An application with one path that has two routes."""
    router = make_router()

    @router.post("/things")
    async def add(request: Request) -> int:
        return len(await request.body())

    @router.get("/things")
    async def count() -> int:
        return 0

    return make_application(
        title="sample", version="1", description="A sample.", routers=[router], logger=logger_of("sample")
    )


def send_half_a_body(app: App) -> list[dict[str, Any]]:
    """Send a request as a server does whose client goes away in the middle."""
    received: Iterator[dict[str, Any]] = iter(
        [{"type": "http.request", "body": b"ha", "more_body": True}, {"type": "http.disconnect"}]
    )
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return next(received)

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/things", "headers": [], "query_string": b""}

    async def call() -> None:
        await app(scope, receive, send)

    asyncio.run(call())
    return sent


def test_a_caller_who_goes_away_in_the_middle_is_no_error_of_ours(app: App, capsys: pytest.CaptureFixture[str]) -> None:
    assert send_half_a_body(app) == []

    said = capsys.readouterr().out
    assert "The caller went away before the request was read." in said
    assert '"status":499' in said
    assert f'"level":"{logging.getLevelName(logging.ERROR)}"' not in said


def test_a_405_lists_the_methods_of_every_route_of_the_path(app: Any, event_loop: asyncio.AbstractEventLoop) -> None:
    response = HttpCaller(make_handler(app)).send("PUT", "/things")

    assert (response.status, response.error_code) == (405, "method_not_allowed")
    assert response.headers["allow"] == "GET, HEAD, OPTIONS, POST"
