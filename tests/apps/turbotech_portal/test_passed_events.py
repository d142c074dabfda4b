"""What the Web Adapter passes on that is not a request gets the response of the handler, and nobody else does."""

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from shared.claims import CONTEXT_HEADER
from shared.passed_events import MAX_EVENT_BYTES, PATH
from tests.unit.support import runtime_api

# As the adapter writes the context of an event that is not a request, and that of one.
PASSED = {CONTEXT_HEADER: "null"}
REQUEST = {CONTEXT_HEADER: json.dumps({"apiId": "a", "http": {"method": "POST", "path": PATH}})}
RECORDS = {"Records": [{"eventSource": "aws:sqs", "messageId": name, "body": "secret" * 60_000} for name in "ab"]}


@pytest.fixture
def app(make_app: Callable[..., FastAPI], monkeypatch: pytest.MonkeyPatch) -> Iterator[FastAPI]:
    """The application as a process within Lambda."""
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "turbotech-portal-dev")
    with runtime_api() as address:
        monkeypatch.setenv("AWS_LAMBDA_RUNTIME_API", address)
        yield make_app(in_lambda=True)


def post(app: FastAPI, body: bytes, headers: dict[str, str], *, method: str = "POST") -> httpx.Response:
    async def send() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://portal") as http:
            return await http.request(method, PATH, content=body, headers=headers)

    return asyncio.run(send())


@pytest.mark.parametrize("event", [{}, {"source": "warm"}, {"source": "aws.events", "detail-type": "Scheduled Event"}])
def test_an_event_that_keeps_the_function_warm_gets_204(app: FastAPI, event: dict[str, Any]) -> None:
    response = post(app, json.dumps(event).encode(), PASSED)

    assert (response.status_code, response.content) == (204, b"")
    assert response.headers["cache-control"] == "no-store"


def test_records_are_sent_back_whole_however_large_their_batch_is(
    app: FastAPI, capsys: pytest.CaptureFixture[str]
) -> None:
    response = post(app, json.dumps(RECORDS).encode(), PASSED)

    assert response.json() == {"batchItemFailures": [{"itemIdentifier": "a"}, {"itemIdentifier": "b"}]}
    written = capsys.readouterr().out
    assert '"kind":"aws:sqs"' in written
    assert "secret" not in written


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"null", b"[]", b'{"a": 1}', b'{"requestContext": {}, "httpMethod": "GET"}', b"[" * 100_000, b"\xff"],
    ids=lambda body: body[:20].decode("latin-1"),
)
def test_any_other_event_is_refused(app: FastAPI, body: bytes) -> None:
    response = post(app, body, PASSED)

    assert (response.status_code, response.json()["error"]["code"]) == (422, "invalid_request")


def test_what_is_longer_than_any_event_is_none(app: FastAPI) -> None:
    assert post(app, b" " * (MAX_EVENT_BYTES + 1) + b"{}", PASSED).status_code == 422


def test_a_caller_finds_nothing_there(app: FastAPI, make_app: Callable[..., FastAPI]) -> None:
    assert post(app, b"{}", REQUEST).status_code == 404
    assert post(app, b"{}", {}).status_code == 404
    assert post(app, b"{}", PASSED, method="GET").status_code == 404
    assert post(make_app(), b"{}", PASSED).status_code == 404
