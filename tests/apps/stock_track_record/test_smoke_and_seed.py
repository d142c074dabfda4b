"""A seed that stopped half-way is ended by the next one, and smoke leaves the dead letters of others alone."""

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from sawhorse.environment import Environment
from sawhorse.local.clients import local_client
from sawhorse.local.emulators import Running
from sawhorse.project import Project, Root
from sawhorse.workspace import Deployment
from shared.api_errors import ApiError
from stock_track_record.ops import smoke
from stock_track_record.ops.seed import CHANNELS, seed
from tests.apps.stock_track_record.support import Hands, items_of


@pytest.fixture
def sqs(local_aws: Running) -> Any:
    return local_client("sqs", local_aws.environment())


@pytest.fixture
def queue_url(sqs: Any) -> Iterator[str]:
    url = str(sqs.create_queue(QueueName=f"jobs-{uuid.uuid4().hex[:12]}")["QueueUrl"])
    yield url
    sqs.delete_queue(QueueUrl=url)


def deployment(local_aws: Running | None, **outputs: str) -> Deployment:
    root = Root(Project(Path()), "dev", "stock_track_record")
    environment = Environment(name="dev", account_id="111111111111", region="us-east-1", production=False)
    return Deployment(root, environment, outputs, local_aws)


def taken(sqs: Any, url: str) -> list[str]:
    """Take all messages out of a queue."""
    bodies: list[str] = []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            bodies.append(message["Body"])
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return bodies


def test_a_seed_that_stopped_before_it_asked_is_ended_by_the_next_one(  # noqa: PLR0913, PLR0917 # what a seed fills
    local_aws: Running, dynamodb: Any, prefix: str, sqs: Any, queue_url: str, worker: Hands
) -> None:
    tables = {"dynamodb_records_table": prefix, "dynamodb_stocks_table": f"{prefix}-Stocks"}
    with pytest.raises(ApiError, match="The queue did not take job"):
        seed(deployment(local_aws, sqs_queue_url=f"{queue_url}-gone", **tables))
    whole = deployment(local_aws, sqs_queue_url=queue_url, **tables)

    # The first line is of the stocks, the others are of the channels.
    _, *asked = seed(whole).lines
    assert [line for line in asked if line.endswith("its track record is being made.")] == asked
    bodies = taken(sqs, queue_url)
    assert len(bodies) == len(asked) == len(CHANNELS)
    assert worker(*bodies) == []
    before = [items_of(dynamodb, table) for table in tables.values()]

    _, *again = seed(whole).lines
    assert [line for line in again if line.endswith("its track record before.")] == again
    assert taken(sqs, queue_url) == []
    assert [items_of(dynamodb, table) for table in tables.values()] == before


def test_smoke_takes_its_own_dead_letters_and_gives_the_others_back_at_once(
    local_aws: Running, sqs: Any, queue_url: str
) -> None:
    checks = smoke.Checks(deployment(local_aws, sqs_dead_letter_queue_url=queue_url), httpx.Client())
    others = [f"other {number}" for number in range(12)]
    for body in [*others, checks.unprocessable]:
        sqs.send_message(QueueUrl=queue_url, MessageBody=body)

    assert checks.own_dead_letters() == [checks.unprocessable]
    assert sorted(taken(sqs, queue_url)) == sorted(others)


def test_smoke_ends_though_there_are_always_more_dead_letters_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    class Endless:
        """A queue that always has one more."""

        def __init__(self) -> None:
            self.handed: list[str] = []
            self.released: list[str] = []

        def receive_message(self, **_request: Any) -> dict[str, Any]:
            self.handed.append(f"handle-{len(self.handed)}")
            return {"Messages": [{"Body": "other", "ReceiptHandle": self.handed[-1]}]}

        def change_message_visibility_batch(self, **request: Any) -> None:
            assert {entry["VisibilityTimeout"] for entry in request["Entries"]} == {0}
            self.released += [entry["ReceiptHandle"] for entry in request["Entries"]]

    endless = Endless()
    monkeypatch.setattr(Deployment, "client", lambda *_: endless)
    monkeypatch.setattr(smoke, "LOOK_SECONDS", 0.05)
    checks = smoke.Checks(deployment(None, sqs_dead_letter_queue_url="https://sqs/dead"), httpx.Client())

    assert checks.own_dead_letters() == []
    assert endless.released == endless.handed != []
