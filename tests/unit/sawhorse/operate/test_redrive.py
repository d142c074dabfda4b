"""A dead-letter queue is sent back whole, and nothing is lost wherever that stops."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from sawhorse.errors import UnknownName
from sawhorse.local.clients import local_client
from sawhorse.local.emulators import Running
from sawhorse.operate.redrive import Pair, Tally, pairs_of, redrive
from sawhorse.project import Project, Root
from sawhorse.workspace import Deployment

PLACE = "https://sqs.us-east-1.amazonaws.com/111111111111"


@pytest.fixture(scope="session")
def sqs(local_aws: Running) -> Any:
    return local_client("sqs", local_aws.environment())


@pytest.fixture
def pair(sqs: Any) -> Iterator[Pair]:
    """A queue that hands a message out once, and its dead-letter queue."""
    name = f"jobs-{uuid.uuid4().hex[:12]}"
    dead_letters = sqs.create_queue(QueueName=f"{name}-dead-letters")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead_letters, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 1})
    queue = sqs.create_queue(QueueName=name, Attributes={"RedrivePolicy": policy, "VisibilityTimeout": "0"})["QueueUrl"]
    yield Pair(queue, dead_letters)
    for url in (queue, dead_letters):
        sqs.delete_queue(QueueUrl=url)


def fill(sqs: Any, url: str, number: int) -> list[str]:
    bodies = [f"message {index}" for index in range(number)]
    for body in bodies:
        sqs.send_message(QueueUrl=url, MessageBody=body)
    return bodies


def bodies_in(sqs: Any, url: str) -> list[str]:
    """Take everything out of a queue."""
    found: list[str] = []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=60).get("Messages"):
        for message in messages:
            found.append(message["Body"])
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return sorted(found)


def run(sqs: Any, pair: Pair) -> Tally:
    tally = Tally(pair)
    redrive(sqs, tally, lambda _: None)
    return tally


class Stumbling:
    """The real SQS, until an operation is called for the n-th time: then something happens first."""

    def __init__(self, sqs: Any, operation: str, nth: int, happens: Callable[[], object]) -> None:
        self._sqs = sqs
        self._operation = operation
        self._left = nth
        self._happens = happens

    def __getattr__(self, operation: str) -> Any:
        def call(**request: Any) -> Any:
            if operation == self._operation:
                self._left -= 1
                if self._left == 0:
                    self._happens()
            return getattr(self._sqs, operation)(**request)

        return call


def raising(error: BaseException) -> Callable[[], None]:
    def happens() -> None:
        raise error

    return happens


def refusal(operation: str) -> ClientError:
    return ClientError({"Error": {"Code": "InternalError", "Message": "made for a test"}}, operation)


@pytest.mark.parametrize("number", [1, 10, 23])
def test_every_message_goes_back(sqs: Any, pair: Pair, number: int) -> None:
    bodies = fill(sqs, pair.dead_letter_url, number)

    tally = run(sqs, pair)

    assert (tally.sent_back, tally.failed_again, tally.duplicated, tally.left) == (number, 0, 0, 0)
    assert bodies_in(sqs, pair.queue_url) == sorted(bodies)
    assert bodies_in(sqs, pair.dead_letter_url) == []


def test_an_empty_queue_is_said_to_be_empty(sqs: Any, pair: Pair) -> None:
    assert run(sqs, pair).sentence() == f"{pair.dead_letters}: empty, so nothing was sent back."


def test_a_message_keeps_its_body_and_its_attributes(sqs: Any, pair: Pair) -> None:
    attributes = {
        "request_id": {"DataType": "String", "StringValue": "mine"},
        "count": {"DataType": "Number", "StringValue": "7"},
        "bytes": {"DataType": "Binary", "BinaryValue": b"\x00\xff"},
    }
    trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1"
    sqs.send_message(
        QueueUrl=pair.dead_letter_url,
        MessageBody='{"text": "Früh ☀ <&>"}',
        MessageAttributes=attributes,
        MessageSystemAttributes={"AWSTraceHeader": {"DataType": "String", "StringValue": trace}},
    )

    run(sqs, pair)

    (message,) = sqs.receive_message(
        QueueUrl=pair.queue_url, MessageAttributeNames=["All"], MessageSystemAttributeNames=["All"]
    )["Messages"]
    assert message["Body"] == '{"text": "Früh ☀ <&>"}'
    assert message["MessageAttributes"] == attributes
    assert message["Attributes"]["AWSTraceHeader"] == trace


def test_a_message_that_fails_again_meanwhile_is_left_and_told(sqs: Any, pair: Pair) -> None:
    fill(sqs, pair.dead_letter_url, 3)

    def fail_again() -> None:
        # Whoever works on the queue takes each message and fails: it is back in the dead-letter queue at once.
        for _ in range(2):
            sqs.receive_message(QueueUrl=pair.queue_url, MaxNumberOfMessages=10)

    tally = run(Stumbling(sqs, "receive_message", 2, fail_again), pair)

    assert (tally.sent_back, tally.failed_again, tally.left) == (3, 3, 3)
    assert "3 messages sent back" in tally.sentence()
    assert f"3 of them failed again: look into the log of what works on {pair.queue}." in tally.sentence()
    assert len(bodies_in(sqs, pair.dead_letter_url)) == 3


def test_what_comes_in_while_it_runs_goes_back_as_well(sqs: Any, pair: Pair) -> None:
    fill(sqs, pair.dead_letter_url, 2)

    tally = run(Stumbling(sqs, "receive_message", 2, lambda: fill(sqs, pair.dead_letter_url, 1)), pair)

    assert (tally.sent_back, tally.left) == (3, 0)


@pytest.mark.parametrize(
    ("operation", "nth", "sent_back", "duplicated"),
    [
        ("receive_message", 1, 0, 0),
        ("receive_message", 2, 10, 0),
        ("send_message", 1, 0, 0),
        ("send_message", 7, 6, 0),
        ("delete_message", 1, 1, 1),
        ("delete_message", 12, 12, 1),
    ],
)
@pytest.mark.parametrize("interrupted", [True, False])
def test_nothing_is_lost_wherever_it_stops(  # noqa: PLR0913, PLR0917 # a row of a table
    sqs: Any,
    pair: Pair,
    operation: str,
    nth: int,
    sent_back: int,
    duplicated: int,
    interrupted: bool,  # noqa: FBT001 # the same
) -> None:
    bodies = fill(sqs, pair.dead_letter_url, 15)
    error: BaseException = KeyboardInterrupt() if interrupted else refusal(operation)
    tally = Tally(pair)

    with pytest.raises(type(error)):
        redrive(Stumbling(sqs, operation, nth, raising(error)), tally, lambda _: None)

    assert (tally.sent_back, tally.duplicated, tally.left) == (sent_back, duplicated, None)
    assert f"stopped after {'1 message' if sent_back == 1 else f'{sent_back} messages'} sent back" in tally.sentence()
    # The rest can be seen at once, and what lies in both queues is told.
    there, left = bodies_in(sqs, pair.queue_url), bodies_in(sqs, pair.dead_letter_url)
    assert set(there) | set(left) == set(bodies)
    assert len(there) + len(left) == len(bodies) + duplicated


def test_progress_is_told_every_few_messages(sqs: Any, pair: Pair) -> None:
    fill(sqs, pair.dead_letter_url, 25)
    told: list[int] = []

    redrive(sqs, Tally(pair), lambda tally: told.append(tally.sent_back))

    assert told == [10, 20, 25]


def test_a_count_that_could_not_be_deleted_is_in_the_summary() -> None:
    tally = Tally(Pair(f"{PLACE}/jobs", f"{PLACE}/jobs-dead-letters"), sent_back=3, duplicated=1)

    assert tally.sentence() == (
        "jobs-dead-letters: stopped after 3 messages sent back to jobs; the rest was not counted. "
        "1 of them could not be deleted and will be sent again by the next redrive."
    )
    assert tally.as_json() == {
        "queue": "jobs",
        "dead_letter_queue": "jobs-dead-letters",
        "sent_back": 3,
        "failed_again": 0,
        "duplicated": 1,
        "left": None,
    }


def deployment(**outputs: str) -> Deployment:
    root = Root(Project(Path("/there/is/no/such/project")), "dev", "tiny")
    return cast("Deployment", SimpleNamespace(root=root, outputs=outputs))


TWO = deployment(
    api_endpoint="https://example.com",
    sqs_queue_url=f"{PLACE}/jobs",
    sqs_dead_letter_queue_url=f"{PLACE}/jobs-dead-letters",
    sqs_mail_queue_url=f"{PLACE}/mail",
    sqs_mail_dead_letter_queue_url=f"{PLACE}/mail-dead-letters",
)
JOBS = Pair(f"{PLACE}/jobs", f"{PLACE}/jobs-dead-letters")
MAIL = Pair(f"{PLACE}/mail", f"{PLACE}/mail-dead-letters")


def test_the_queues_are_those_of_the_outputs() -> None:
    assert pairs_of(TWO) == [JOBS, MAIL]


@pytest.mark.parametrize("name", ["mail", "mail-dead-letters"])
def test_one_queue_is_chosen_by_its_name_or_that_of_its_dead_letters(name: str) -> None:
    assert pairs_of(TWO, name) == [MAIL]


def test_a_queue_that_is_not_there_is_refused_with_the_choice() -> None:
    with pytest.raises(UnknownName, match=r"^dev/tiny has no queue mails; choose jobs or mail\.$"):
        pairs_of(TWO, "mails")


def test_a_root_without_dead_letters_is_told_what_it_lacks() -> None:
    with pytest.raises(UnknownName, match="add the outputs sqs_queue_url and sqs_dead_letter_queue_url"):
        pairs_of(deployment(api_endpoint="https://example.com"))
