"""What the tests of every app use: callers behind API Gateway, a clock, and DynamoDB clients that misbehave."""

import asyncio
import base64
import json
import socket
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from botocore.exceptions import ClientError
from pydantic_core import PydanticCustomError

from shared.dynamodb import Client
from shared.visible_text import checked_line

EVENTS = Path(__file__).parents[1] / "events"
FUNCTION_REQUEST_ID = "5f0e4c1a-0000-4000-8000-function0001"

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]


class Context:
    """The part of Lambda's context that the application reads."""

    aws_request_id = FUNCTION_REQUEST_ID


@contextmanager
def runtime_api() -> Iterator[str]:
    """Listen as Lambda's Runtime API does within a function's sandbox, and say where."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


@dataclass(frozen=True)
class Response:
    """What API Gateway would send to the caller."""

    status: int
    headers: dict[str, str]
    body: str

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error_code(self) -> str:
        return str(self.json()["error"]["code"])


@dataclass
class Clock:
    """A clock that shows a second more each time that someone looks."""

    now: datetime = datetime(2026, 1, 31, 9, 15, 2, 104233, tzinfo=UTC)
    step: timedelta = timedelta(seconds=1)

    def __call__(self) -> datetime:
        self.now += self.step
        return self.now


@dataclass
class Caller(ABC):
    """Somebody who sends requests through an API Gateway; the subclasses say which kind."""

    handler: Handler
    default_headers: dict[str, str] = field(default_factory=dict, kw_only=True)

    def send(
        self,
        method: str,
        path: str,
        *,
        body: str | bytes | None = None,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, list[str]] | None = None,
    ) -> Response:
        event = self.event(method, path, self.default_headers | dict(headers or {}), dict(query or {}))
        event["body"] = body
        if isinstance(body, bytes):
            event |= {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}
        response = self.handler(event, Context())
        return Response(response["statusCode"], response["headers"], response["body"])

    @abstractmethod
    def event(self, method: str, path: str, headers: dict[str, str], query: dict[str, list[str]]) -> dict[str, Any]:
        """Make the event, all but its body."""

    def send_concurrently(self, method: str, path: str, **request: Any) -> Response:
        """Send a request while another one is under way: it needs a thread with an event loop of its own."""

        def send() -> Response:
            loop = asyncio.new_event_loop()
            asyncio.set_event_loop(loop)
            try:
                return self.send(method, path, **request)
            finally:
                loop.close()

        with ThreadPoolExecutor(max_workers=1) as thread:
            return thread.submit(send).result()

    def get(self, path: str, **request: Any) -> Response:
        return self.send("GET", path, **request)

    def post(self, path: str, **request: Any) -> Response:
        return self.send("POST", path, **request)

    def delete(self, path: str, **request: Any) -> Response:
        return self.send("DELETE", path, **request)


@dataclass
class RestCaller(Caller):
    """A caller behind a REST API: events of version 1.0, whose path is without the stage."""

    def event(self, method: str, path: str, headers: dict[str, str], query: dict[str, list[str]]) -> dict[str, Any]:
        event = recorded_event("apigateway_rest_proxy")
        event |= {"httpMethod": method, "path": path}
        event["requestContext"] |= {"httpMethod": method, "path": f"/dev{path}"}
        event["headers"] |= headers
        event["multiValueHeaders"] |= {name: [value] for name, value in headers.items()}
        if query:
            event["queryStringParameters"] = {name: values[-1] for name, values in query.items()}
            event["multiValueQueryStringParameters"] = query
        return event


@dataclass
class HttpCaller(Caller):
    """A caller behind an HTTP API: events of version 2.0, with the claims that its authorizer has checked, if any."""

    claims: dict[str, Any] | None = None

    def event(self, method: str, path: str, headers: dict[str, str], query: dict[str, list[str]]) -> dict[str, Any]:
        event = recorded_event("apigateway_http_proxy")
        event |= {"rawPath": quote(path), "rawQueryString": urlencode(query, doseq=True)}
        event["requestContext"]["http"] |= {"method": method, "path": quote(path)}
        event["headers"] |= {name.lower(): value for name, value in headers.items()}
        if self.claims is not None:
            event["requestContext"]["authorizer"] = {"jwt": {"claims": self.claims, "scopes": None}}
        return event


def recorded_event(name: str) -> dict[str, Any]:
    """Read an event as an API sends it."""
    event: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    return event


def broken_references(document: Any) -> set[str]:
    """Return the references of an OpenAPI document that lead to nothing in it; each is a JSON pointer (RFC 6901)."""

    def references(part: Any) -> Iterator[str]:
        if isinstance(part, list):
            part = dict(enumerate(part))
        if isinstance(part, dict):
            if isinstance(part.get("$ref"), str):
                yield part["$ref"]
            for inner in part.values():
                yield from references(inner)

    def leads_somewhere(reference: str) -> bool:
        start, *names = reference.split("/")
        part = document if start == "#" else None
        for name in names:
            key = name.replace("~1", "/").replace("~0", "~")
            part = part.get(key) if isinstance(part, dict) else None
        return part is not None

    return {reference for reference in references(document) if not leads_somewhere(reference)}


def is_name(text: str) -> bool:
    """Tell whether a text can be seen, and has one spelling."""
    try:
        return checked_line(text) == text
    except PydanticCustomError:
        return False


def client_error(code: str, *, reasons: list[str] | None = None) -> ClientError:
    """Make an error as botocore raises it."""
    response: Any = {"Error": {"Code": code, "Message": "made for a test"}}
    if reasons is not None:
        response["CancellationReasons"] = [{"Code": reason} for reason in reasons]
    return ClientError(response, "Made")


class Refusing:
    """A client that raises the given error for the given operations, as often as told, and else calls the real one."""

    def __init__(self, client: Client | None, error: Exception, *operations: str, times: int = 1_000) -> None:
        self._client = client
        self._error = error
        self._operations = operations
        self._times = times
        self.calls: list[str] = []

    def __getattr__(self, operation: str) -> Any:
        def call(**request: Any) -> Any:
            self.calls.append(operation)
            if (operation in self._operations or not self._operations) and self._times > 0:
                self._times -= 1
                raise self._error
            return getattr(self._client, operation)(**request)

        return call


class Interrupting:
    """A client that lets something else happen once, just before it calls an operation."""

    def __init__(self, client: Client, operation: str, happens: Callable[[], object]) -> None:
        self._client = client
        self._operation = operation
        self._happens: Callable[[], object] | None = happens

    def __getattr__(self, operation: str) -> Any:
        def call(**request: Any) -> Any:
            if operation == self._operation and self._happens is not None:
                happens, self._happens = self._happens, None
                happens()
            return getattr(self._client, operation)(**request)

        return call


class Recording:
    """A client that keeps every request."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.requests: list[tuple[str, dict[str, Any]]] = []

    def __getattr__(self, operation: str) -> Any:
        def call(**request: Any) -> Any:
            self.requests.append((operation, request))
            return getattr(self._client, operation)(**request)

        return call


def filled(client: Any, table: str, item: dict[str, Any]) -> dict[str, Any]:
    """Store an item with another attribute that leaves it no byte of room, as DynamoDB itself counts them."""
    least, most = 300 * 1024, 400 * 1024
    while least < most:
        size = (least + most + 1) // 2
        try:
            client.put_item(TableName=table, Item=item | {"rest": {"S": "x" * size}})
        except ClientError as error:
            if "tem size" not in str(error):
                raise
            most = size - 1
        else:
            least = size
    full = item | {"rest": {"S": "x" * least}}
    client.put_item(TableName=table, Item=full)
    return full


def counted(capture: pytest.CaptureFixture[str]) -> list[str]:
    """Return the tasks of housekeeping whose failures were counted in what was logged."""
    lines = [json.loads(text) for text in capture.readouterr().out.splitlines()]
    return [line["task"] for line in lines if "HousekeepingFailed" in line]


async def watched(work: Awaitable[object]) -> tuple[float, float]:
    """Await something; return the seconds that took, and the longest that the event loop was held up meanwhile."""
    longest = 0.0

    async def watch() -> None:
        nonlocal longest
        while True:
            start = time.perf_counter()
            await asyncio.sleep(0.005)
            longest = max(longest, time.perf_counter() - start)

    watching = asyncio.create_task(watch())
    start = time.perf_counter()
    await work
    seconds = time.perf_counter() - start
    watching.cancel()
    return seconds, longest
