"""What the tests of triggers_api use: a caller behind API Gateway, a clock, and DynamoDB clients that misbehave."""

import asyncio
import base64
import copy
import json
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from botocore.exceptions import ClientError

from shared.dynamodb import Client

RECORDED_EVENT = Path(__file__).parents[2] / "events" / "apigateway_rest_proxy.json"
FUNCTION_REQUEST_ID = "5f0e4c1a-0000-4000-8000-function0001"

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]


class Context:
    """The part of Lambda's context that the application reads."""

    aws_request_id = FUNCTION_REQUEST_ID


@dataclass(frozen=True)
class Answer:
    """What API Gateway would send to the caller."""

    status: int
    headers: dict[str, str]
    body: str

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error_code(self) -> str:
        return str(self.json()["error"]["code"])


@dataclass(frozen=True, kw_only=True)
class Tables:
    """The names of two tables that nobody else uses."""

    events: str
    keys: str


@dataclass
class Clock:
    """A clock that shows a second more each time that someone looks."""

    now: datetime = datetime(2026, 1, 31, 9, 15, 2, 104233, tzinfo=UTC)
    step: timedelta = timedelta(seconds=1)

    def __call__(self) -> datetime:
        self.now += self.step
        return self.now


@dataclass
class Api:
    """Send requests as API Gateway does: a REST proxy event through the real Mangum handler."""

    handler: Handler
    key: str | None = None
    default_headers: dict[str, str] = field(default_factory=dict)

    def send(  # noqa: PLR0913 - the parts of a request
        self,
        method: str,
        path: str,
        *,
        body: str | bytes | None = None,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, list[str]] | None = None,
        key: str | None = None,
    ) -> Answer:
        event = copy.deepcopy(recorded_event())
        event |= {"httpMethod": method, "path": path, "body": body}
        if isinstance(body, bytes):
            event |= {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}
        event["requestContext"] |= {"httpMethod": method, "path": f"/dev{path}"}
        key = self.key if key is None else key
        sent = self.default_headers | ({"X-API-Key": key} if key else {}) | dict(headers or {})
        event["headers"] |= sent
        event["multiValueHeaders"] |= {name: [value] for name, value in sent.items()}
        if query:
            event["queryStringParameters"] = {name: values[-1] for name, values in query.items()}
            event["multiValueQueryStringParameters"] = dict(query)
        answer = self.handler(event, Context())
        return Answer(answer["statusCode"], answer["headers"], answer["body"])

    def send_aside(self, method: str, path: str, **request: Any) -> Answer:
        """Send a request while another one is under way: it needs a thread with an event loop of its own."""

        def send() -> Answer:
            loop = asyncio.new_event_loop()
            asyncio.set_event_loop(loop)
            try:
                return self.send(method, path, **request)
            finally:
                loop.close()

        with ThreadPoolExecutor(max_workers=1) as thread:
            return thread.submit(send).result()

    def get(self, path: str, **request: Any) -> Answer:
        return self.send("GET", path, **request)

    def post(self, path: str, **request: Any) -> Answer:
        return self.send("POST", path, **request)

    def delete(self, path: str, **request: Any) -> Answer:
        return self.send("DELETE", path, **request)

    def create(self, payload: object = None, *, headers: Mapping[str, str] | None = None, **members: Any) -> Answer:
        event = {"source": "test", "event_type": "test.created", "payload": payload or {}} | members
        return self.post("/v1/events", body=json.dumps(event), headers=headers)

    def inbox(self, *, limit: int | None = None, cursor: str | None = None) -> Any:
        query = {} if limit is None else {"limit": [str(limit)]}
        query |= {} if cursor is None else {"cursor": [cursor]}
        answer = self.get("/v1/inbox", query=query)
        assert answer.status == 200, answer
        return answer.json()


class MakeApi(Protocol):
    """Make an application of its own for a test, with other settings, another client or another clock."""

    def __call__(
        self, *, client: Client | None = None, clock: Callable[[], datetime] | None = None, **settings: Any
    ) -> Api: ...


def recorded_event() -> dict[str, Any]:
    """Read the event that a REST API sends."""
    event: dict[str, Any] = json.loads(RECORDED_EVENT.read_text())
    return event


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


def make_tables(client: Any) -> Tables:
    """Make the two tables as the specification has them."""
    suffix = uuid.uuid4().hex[:12]
    tables = Tables(events=f"triggers-api-events-{suffix}", keys=f"triggers-api-keys-{suffix}")
    names = ("event_id", "created_at", "status")
    client.create_table(
        TableName=tables.events,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in names],
        KeySchema=[
            {"AttributeName": "event_id", "KeyType": "HASH"},
            {"AttributeName": "created_at", "KeyType": "RANGE"},
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "status-created_at-index",
                "KeySchema": [
                    {"AttributeName": "status", "KeyType": "HASH"},
                    {"AttributeName": "created_at", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )
    client.create_table(
        TableName=tables.keys,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "api_key", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "api_key", "KeyType": "HASH"}],
    )
    return tables
