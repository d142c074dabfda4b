"""What the tests of stock_track_record use: its tables, a queue that is handed over by hand, and callers."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from botocore.exceptions import ReadTimeoutError

from shared.dynamodb import Client
from stock_track_record.worker import Handler
from tests.unit.support import Context, HttpCaller, Response

PICK = {"ticker": "ACME", "direction": "long", "date": "2026-01-05", "price": 10}
QUEUE_URL = "https://sqs.us-east-1.amazonaws.com/111111111111/stock-track-record-jobs-test"
QUEUE_ARN = "arn:aws:sqs:us-east-1:111111111111:stock-track-record-jobs-test"
TIMEOUT = ReadTimeoutError(endpoint_url="http://127.0.0.1:1")
UNKNOWN = "7f3d9f0e-5c1b-4c7e-9d53-0a4a1f4c2b11"


@dataclass
class HandedQueue:
    """A queue whose messages wait until a test hands them to the worker; it fails when it is told to."""

    error: Exception | None = None
    sent: list[dict[str, Any]] = field(default_factory=list)
    given_back: list[str] = field(default_factory=list)

    def send_message(self, **request: Any) -> dict[str, Any]:
        if self.error:
            raise self.error
        self.sent.append(request)
        return {"MessageId": str(len(self.sent))}

    def change_message_visibility(self, **request: Any) -> dict[str, Any]:
        if self.error:
            raise self.error
        assert request["VisibilityTimeout"] == 0
        self.given_back.append(request["ReceiptHandle"])
        return {}

    def bodies(self) -> list[str]:
        """Take every message out."""
        bodies = [message["MessageBody"] for message in self.sent]
        self.sent.clear()
        return bodies


def batch(bodies: Sequence[str], *, receives: int | Sequence[int] = 1) -> dict[str, Any]:
    """Make the event in which Lambda hands messages to the worker; `receives` is of all, or of one after the other."""
    counts = [receives] * len(bodies) if isinstance(receives, int) else receives
    return {
        "Records": [
            {
                "messageId": f"message-{number}",
                "receiptHandle": f"handle-{number}",
                "body": body,
                "attributes": {
                    "ApproximateReceiveCount": str(count),
                    "SentTimestamp": "1767225600000",
                    "SenderId": "111111111111",
                    "ApproximateFirstReceiveTimestamp": "1767225600001",
                },
                "messageAttributes": {
                    "request_id": {
                        "stringValue": f"request-{number}",
                        "stringListValues": [],
                        "binaryListValues": [],
                        "dataType": "String",
                    }
                },
                "md5OfBody": "",
                "eventSource": "aws:sqs",
                "eventSourceARN": QUEUE_ARN,
                "awsRegion": "us-east-1",
            }
            for number, (body, count) in enumerate(zip(bodies, counts, strict=True))
        ]
    }


class WorkerContext(Context):
    """Lambda's context of a call that has a minute left, after the milliseconds that are told before that."""

    def __init__(self, left: Sequence[int]) -> None:
        self._left = list(left)

    def get_remaining_time_in_millis(self) -> int:
        return self._left.pop(0) if self._left else 60_000


@dataclass
class Api(HttpCaller):
    """A caller that knows the routes, and hands the queue to the worker."""

    queue: HandedQueue = field(kw_only=True)

    def put(self, path: str, **request: Any) -> Response:
        return self.send("PUT", path, **request)

    def create(self, name: str = "Sample channel") -> str:
        response = self.post("/api/channels", body=json.dumps({"name": name}))
        assert response.status == 201, response
        return str(response.json()["channel_id"])

    def add(self, channel_id: str, *picks: dict[str, Any]) -> Response:
        return self.post(f"/api/channels/{channel_id}/picks", body=json.dumps({"picks": list(picks)}))

    def price(self, ticker: str, **days: float) -> Response:
        prices = [{"date": day.replace("_", "-").strip("-"), "price": price} for day, price in days.items()]
        return self.put(f"/api/stocks/{ticker}", body=json.dumps({"name": f"{ticker} Inc.", "prices": prices}))

    def process(self, channel_id: str) -> dict[str, Any]:
        response = self.post(f"/api/channels/{channel_id}/process")
        assert response.status == 202, response
        job: dict[str, Any] = response.json()
        return job

    def job(self, job_id: str) -> dict[str, Any]:
        response = self.get(f"/api/jobs/{job_id}")
        assert response.status == 200, response
        job: dict[str, Any] = response.json()
        return job

    def record(self, channel_id: str) -> dict[str, Any]:
        response = self.get(f"/api/channels/{channel_id}/track-record")
        assert response.status == 200, response
        record: dict[str, Any] = response.json()
        return record


@dataclass
class Hands:
    """The worker, to which a test hands messages."""

    handler: Handler
    queue: HandedQueue

    def __call__(self, *bodies: str, receives: int | Sequence[int] = 1, left: Sequence[int] = ()) -> list[str]:
        """Hand over a batch, everything that waits by default, and return what the worker reports as not done."""
        event = batch(bodies or self.queue.bodies(), receives=receives)
        response = self.handler(event, WorkerContext(left))
        return [failure["itemIdentifier"] for failure in response["batchItemFailures"]]


class MakeApi(Protocol):
    """Make an application of its own for a test, with another client, another clock or other settings."""

    def __call__(
        self, *, client: Client | None = None, clock: Callable[[], datetime] | None = None, **settings: Any
    ) -> Api: ...


class MakeWorker(Protocol):
    """Make a worker of its own for a test, with another client, or without the address of its queue."""

    def __call__(self, *, client: Client | None = None, max_receives: int = 3, has_queue: bool = True) -> Hands: ...


def make_tables(client: Any) -> str:
    """Make the two tables as the application's module has them, and return the prefix of their names."""
    prefix = f"StockTrackRecord-{uuid.uuid4().hex[:12]}"
    names = ("pk", "sk", "gsi1pk", "gsi1sk")
    client.create_table(
        TableName=prefix,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in names],
        KeySchema=keys("pk", "sk"),
        GlobalSecondaryIndexes=[
            {
                "IndexName": "gsi1",
                "KeySchema": keys("gsi1pk", "gsi1sk"),
                "Projection": {
                    "ProjectionType": "INCLUDE",
                    "NonKeyAttributes": [
                        "channel_id",
                        "created_at",
                        "description",
                        "detail",
                        "finished_at",
                        "job_id",
                        "name",
                        "state",
                    ],
                },
            }
        ],
    )
    client.create_table(
        TableName=f"{prefix}-Stocks",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "ticker", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "ticker", "KeyType": "HASH"}],
    )
    return prefix


def keys(hash_key: str, range_key: str) -> list[dict[str, str]]:
    return [{"AttributeName": hash_key, "KeyType": "HASH"}, {"AttributeName": range_key, "KeyType": "RANGE"}]


def items_of(client: Any, table: str) -> list[Any]:
    """Read a whole table, in an order that does not change."""
    found = client.scan(TableName=table, ConsistentRead=True)["Items"]
    return sorted(found, key=lambda item: json.dumps(item, sort_keys=True))
