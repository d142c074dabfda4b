"""A body that does not fit is a 4xx with a sentence, whatever its bytes, and one that is too large is never read."""

import asyncio
import json
from collections.abc import Callable
from typing import Annotated, Any

import pytest
from aws_lambda_powertools import Logger
from fastapi import Request
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import Field

from shared.application import make_application
from shared.bodies import read_body
from shared.lambda_handler import make_handler
from shared.routers import make_router
from shared.strict_model import StrictModel
from tests.unit.support import HttpCaller

LIMIT = 1000


class Pick(StrictModel):
    """What the sample route takes."""

    ticker: Annotated[str, Field(max_length=8)]
    price: float


@pytest.fixture
def http(logger_of: Callable[[str], Logger], event_loop: asyncio.AbstractEventLoop) -> HttpCaller:
    """An application with one route, as every app makes its own."""
    router = make_router()

    @router.post("/picks")
    async def add(request: Request) -> dict[str, Any]:
        pick = await read_body(request, Pick, subject="The pick")
        return pick.model_dump()

    app = make_application(
        title="sample",
        version="1",
        description="A sample.",
        routers=[router],
        logger=logger_of("sample"),
        max_body_bytes=LIMIT,
    )
    return HttpCaller(make_handler(app))


def test_a_body_that_fits_is_a_model(http: HttpCaller) -> None:
    assert http.post("/picks", body=b'{"ticker": "ABC", "price": 1.5}').json() == {"ticker": "ABC", "price": 1.5}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"ticker": "ABC"}',
        b'{"ticker": 1, "price": 1}',
        b'{"ticker": "ABC", "price": "1"}',
        b'{"ticker": "ABC", "price": NaN}',
        b'{"ticker": "ABC", "price": Infinity}',
        b'{"ticker": "ABC", "price": 1e400}',
        b'{"ticker": "\\ud800", "price": 1}',
        b'{"ticker": "ABC", "price": 1, "colour": "red"}',
        b"[" * 900,
        b'{"a":' * 190,
    ],
)
def test_a_body_that_does_not_fit_is_422_with_a_code_a_sentence_and_the_request_id(
    http: HttpCaller, body: bytes
) -> None:
    response = http.post("/picks", body=body, headers={"X-Request-ID": "mine"})

    assert response.status == 422, response.body
    error = response.json()["error"]
    assert (error["code"], error["request_id"]) == ("invalid_request", "mine")
    assert error["message"].startswith(("The pick does not fit: ", "The body "))
    assert error["message"].endswith(".")


@given(
    body=st.binary(max_size=200)
    | st.recursive(st.none() | st.floats() | st.text(), st.lists).map(lambda value: json.dumps(value).encode())
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
def test_no_bytes_make_an_error_of_our_own(http: HttpCaller, body: bytes) -> None:
    assert http.post("/picks", body=body).status in (200, 413, 422)


def test_a_body_that_announces_too_much_is_413(http: HttpCaller) -> None:
    response = http.post("/picks", body=b"{}", headers={"Content-Length": str(LIMIT + 1)})

    assert (response.status, response.json()["error"]["code"]) == (413, "request_too_large")
    assert "1000 bytes" in response.json()["error"]["message"]


def test_a_body_that_announces_nothing_and_is_too_large_is_413_as_well(http: HttpCaller) -> None:
    response = http.post("/picks", body=b"x" * (LIMIT + 1))

    assert (response.status, response.json()["error"]["code"]) == (413, "request_too_large")
    assert response.json()["error"]["request_id"] == response.headers["x-request-id"]


def test_a_body_as_large_as_the_limit_is_read(http: HttpCaller) -> None:
    body = b'{"ticker": "ABC", "price": 1}'

    assert http.post("/picks", body=body + b" " * (LIMIT - len(body))).status == 200


@pytest.mark.parametrize("length", ["-1", "1" * 400, "x"])
def test_a_length_that_is_none_makes_no_error_of_our_own(http: HttpCaller, length: str) -> None:
    response = http.post("/picks", body=b"{}", headers={"Content-Length": length})

    assert response.status in (413, 422)
