"""What the frame of every application does with the options that not every application uses."""

import asyncio
from collections.abc import Callable
from typing import Any

from aws_lambda_powertools import Logger
from fastapi import FastAPI

from shared.application import make_application
from shared.lambda_handler import make_handler
from tests.unit.support import HttpCaller


def application(logger: Logger, **options: Any) -> FastAPI:
    return make_application(
        title="sample", version="1", description="A sample.", routers=[], logger=logger, cors=None, **options
    )


def serve(app: FastAPI) -> list[str]:
    """Start and end an application as a server does; return what it said."""
    said: list[str] = []
    wanted = iter(["lifespan.startup", "lifespan.shutdown"])

    async def receive() -> dict[str, Any]:
        return {"type": next(wanted)}

    async def send(message: Any) -> None:
        said.append(message["type"])

    asyncio.run(app({"type": "lifespan", "asgi": {"version": "3.0"}}, receive, send))
    return said


def test_what_has_to_be_closed_is_closed_when_the_server_ends(logger_of: Callable[[str], Logger]) -> None:
    closed: list[str] = []

    said = serve(application(logger_of("sample"), on_shutdown=lambda: closed.append("threads")))

    assert said == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert closed == ["threads"]


def test_lambda_closes_nothing_between_two_calls(
    logger_of: Callable[[str], Logger], event_loop: asyncio.AbstractEventLoop
) -> None:
    closed: list[str] = []
    app = application(logger_of("sample"), on_shutdown=lambda: closed.append("threads"))

    assert HttpCaller(make_handler(app)).get("/docs").status == 200
    assert closed == []
    assert not event_loop.is_closed()


def test_without_docs_there_are_none_and_no_sentence_points_to_them(
    logger_of: Callable[[str], Logger], event_loop: asyncio.AbstractEventLoop
) -> None:
    shown, hidden = (HttpCaller(make_handler(application(logger_of("sample"), docs=docs))) for docs in (True, False))

    assert [shown.get(path).status for path in ("/docs", "/openapi.json")] == [200, 200]
    assert [hidden.get(path).status for path in ("/docs", "/openapi.json")] == [404, 404]
    assert "See /docs" in shown.get("/nothing").json()["error"]["message"]
    assert "/docs" not in hidden.get("/nothing").json()["error"]["message"]
    assert not event_loop.is_closed()
