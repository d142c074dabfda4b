"""What the tests of triggers_api use: a caller with an API key, and tables of its own."""

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from shared.dynamodb import Client
from tests.unit.support import Response, RestCaller


@dataclass(frozen=True, kw_only=True)
class Tables:
    """The names of two tables that nobody else uses."""

    events: str
    keys: str


@dataclass
class Api(RestCaller):
    """A caller who sends an API key, unless a request brings another one or an empty one."""

    key: str | None = None

    def send(self, method: str, path: str, *, key: str | None = None, **request: Any) -> Response:
        key = self.key if key is None else key
        headers = ({"X-API-Key": key} if key else {}) | dict(request.pop("headers", None) or {})
        return super().send(method, path, headers=headers, **request)

    def create(self, payload: object = None, *, headers: Mapping[str, str] | None = None, **members: Any) -> Response:
        event = {"source": "test", "event_type": "test.created", "payload": payload or {}} | members
        return self.post("/v1/events", body=json.dumps(event), headers=headers)

    def inbox(self, *, limit: int | None = None, cursor: str | None = None) -> Any:
        query = {} if limit is None else {"limit": [str(limit)]}
        query |= {} if cursor is None else {"cursor": [cursor]}
        response = self.get("/v1/inbox", query=query)
        assert response.status == 200, response
        return response.json()


class MakeApi(Protocol):
    """Make an application of its own for a test, with other settings, another client or another clock."""

    def __call__(
        self, *, client: Client | None = None, clock: Callable[[], datetime] | None = None, **settings: Any
    ) -> Api: ...


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
