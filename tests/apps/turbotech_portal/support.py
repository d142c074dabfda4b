"""What the tests of turbotech_portal use: a caller with a checked token, and tables of its own."""

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from shared.dynamodb import Client
from shared.items import from_item, to_item
from tests.unit.support import HttpCaller, Response

USER = "auth0|ada"
CLAIMS = {"sub": USER, "name": "Ada Lovelace", "email": "ada@example.com", "aud": "https://api.example.com"}
# What a server could take for a guarded path and API Gateway perhaps not: what the application says without a token.
SPELLINGS = {
    "/api": 404,
    "/api/": 404,
    "//api/deliverables": 404,
    "/api//deliverables": 404,
    "/./api/deliverables": 404,
    "/x/../api/deliverables": 404,
    "/API/deliverables": 404,
    "/Api/Deliverables": 404,
    "/api/deliverables/": 308,
    "/api/updates/": 308,
    "/%61pi/deliverables": 404,
    "/api%2Fdeliverables": 404,
    "/%2Fapi/deliverables": 404,
    "/%2561pi/deliverables": 404,
    "/api/deliverables%2F1": 404,
    "/api/deliverables%3Fmonth=1": 404,
    "/api/health/../deliverables": 404,
    "/api/health%2F..%2Fdeliverables": 404,
    "/api;x/deliverables": 404,
    "/%EF%BD%81pi/deliverables": 404,
}


@dataclass(frozen=True, kw_only=True)
class Tables:
    """The names of four tables that nobody else uses."""

    deliverables: str
    metrics: str
    updates: str
    users: str

    @property
    def settings(self) -> dict[str, str]:
        """The names as the settings call them."""
        return {f"{kind}_table": name for kind, name in vars(self).items()}


@dataclass
class Api(HttpCaller):
    """A caller behind the HTTP API, whose token is checked unless `claims` are None."""

    def patch(self, path: str, changes: object) -> Response:
        return self.send("PATCH", path, body=json.dumps(changes))

    def write(self, **members: str) -> Any:
        response = self.post("/api/updates", body=json.dumps({"title": "News", "message": "All is well."} | members))
        assert response.status == 201, response
        return response.json()

    def read(self, path: str, **query: str) -> Any:
        response = self.get(path, query={name: [value] for name, value in query.items()})
        assert response.status == 200, response
        return response.json()


class Paging:
    """A client whose scans and queries come one item at a time, as those of a table of many megabytes do."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.pages = 0

    def __getattr__(self, operation: str) -> Any:
        def call(**request: Any) -> Any:
            if operation in ("scan", "query"):
                self.pages += 1
                request["Limit"] = 1
            return getattr(self._client, operation)(**request)

        return call


class MakeApi(Protocol):
    """Make an application of its own for a test, with other settings, another client or another clock."""

    def __call__(
        self,
        *,
        client: Client | None = None,
        clock: Callable[[], datetime] | None = None,
        claims: dict[str, Any] | None = ...,
        **settings: Any,
    ) -> Api: ...


def deliverable(number: int, **values: Any) -> dict[str, Any]:
    return {
        "id": number,
        "name": f"Deliverable {number}",
        "status": "NOT_STARTED",
        "completion_percentage": 0,
        "month": number,
    } | values


def metric(number: int, **values: Any) -> dict[str, Any]:
    return {"id": number, "name": f"Metric {number}", "target": 100, "current_value": 50} | values


def put(client: Any, table: str, *items: dict[str, Any]) -> None:
    for item in items:
        client.put_item(TableName=table, Item=to_item(item))


def stored(client: Any, table: str, key: int | str) -> dict[str, Any]:
    response = client.get_item(TableName=table, Key=to_item({"id": key}), ConsistentRead=True)
    return from_item(response["Item"])


def make_tables(client: Any) -> Tables:
    """Make the four tables as the app module makes them."""
    suffix = uuid.uuid4().hex[:12]
    names = {kind: f"turbotech-{suffix}-{kind}" for kind in ("deliverables", "metrics", "updates", "users")}
    tables = Tables(**names)
    make_table(client, tables.deliverables, {"id": "N", "month": "N"}, {"MonthIndex": ("month",)})
    make_table(client, tables.metrics, {"id": "N"}, {})
    make_table(
        client, tables.updates, {"id": "S", "feed": "S", "created_at": "S"}, {"FeedIndex": ("feed", "created_at")}
    )
    make_table(client, tables.users, {"id": "S"}, {})
    return tables


def make_table(client: Any, name: str, types: dict[str, str], indexes: dict[str, tuple[str, ...]]) -> None:
    made = [
        {"IndexName": index, "KeySchema": key_schema(*keys), "Projection": {"ProjectionType": "ALL"}}
        for index, keys in indexes.items()
    ]
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": attribute, "AttributeType": kind} for attribute, kind in types.items()],
        KeySchema=key_schema("id"),
        **({"GlobalSecondaryIndexes": made} if made else {}),
    )


def key_schema(*names: str) -> list[dict[str, str]]:
    return [{"AttributeName": name, "KeyType": kind} for name, kind in zip(names, ("HASH", "RANGE"), strict=False)]
