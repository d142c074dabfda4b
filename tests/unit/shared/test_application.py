"""What the frame of every application does with the options that not every application uses."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from aws_lambda_powertools import Logger
from fastapi import APIRouter, FastAPI
from pydantic import BaseModel

from shared.application import make_application
from shared.lambda_handler import make_handler
from shared.openapi import operation
from shared.routers import make_router
from tests.unit.support import HttpCaller


class Thing(BaseModel):
    """A body."""

    name: str


async def create_thing() -> str:
    return "made"


async def everything() -> str:
    return "caught"


def application(logger: Logger, *, routers: Sequence[APIRouter] = (), **options: Any) -> FastAPI:
    return make_application(
        title="sample", version="1", description="A sample.", routers=routers, logger=logger, cors=None, **options
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


def test_a_route_that_is_added_after_the_document_was_read_stands_in_the_next_one(
    logger_of: Callable[[str], Logger],
) -> None:
    app = application(logger_of("sample"))
    assert app.openapi()["paths"] == {}

    app.add_api_route("/things", create_thing, methods=["POST"], openapi_extra=operation(body=Thing))

    for _ in range(2):
        content = app.openapi()["paths"]["/things"]["post"]["requestBody"]["content"]
        assert content["application/json"]["schema"] == Thing.model_json_schema()


def test_a_router_that_is_included_is_refused_with_what_to_do_instead(logger_of: Callable[[str], Logger]) -> None:
    app = application(logger_of("sample"))

    with pytest.raises(TypeError, match="Hand the router to make_application: "):
        app.include_router(make_router(), prefix="/v1")


def test_the_last_routers_get_what_neither_the_others_nor_the_docs_pages_have(
    logger_of: Callable[[str], Logger], event_loop: asyncio.AbstractEventLoop
) -> None:
    first, last = make_router(), make_router()
    first.add_api_route("/things", create_thing)
    last.add_api_route("/{path}", everything)
    http = HttpCaller(make_handler(application(logger_of("sample"), routers=[first], last_routers=[last])))

    assert [http.get(path).json() for path in ("/things", "/other")] == ["made", "caught"]
    assert http.get("/openapi.json").json()["info"]["title"] == "sample"
    assert http.get("/docs").headers["content-type"].startswith("text/html")
    assert not event_loop.is_closed()
