"""Send the messages of a root's dead-letter queues back to the queues that they came from.

SQS can do this by itself (StartMessageMoveTask), but the local SQS cannot, and what runs there should be what runs on
AWS. A message is sent before it is deleted, so nothing is lost wherever this stops; what is sent twice is for the
consumer to know again, as SQS itself asks of every consumer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sawhorse.errors import UnknownName
from sawhorse.outputs import queue_urls_in
from sawhorse.project import one_of
from sawhorse.workspace import Deployment

BATCH = 10
# Seconds for which a message that was taken is hidden from everybody else; ten are sent and deleted in far less.
VISIBILITY_TIMEOUT = 120
# Seconds to wait for a message: asked so, SQS looks on all of its servers before it says that there is none.
WAIT_SECONDS = 1


@dataclass(frozen=True)
class Pair:
    """A queue and its dead-letter queue, by their addresses."""

    queue_url: str
    dead_letter_url: str

    @property
    def queue(self) -> str:
        return name_in(self.queue_url)

    @property
    def dead_letters(self) -> str:
        return name_in(self.dead_letter_url)


@dataclass
class Tally:
    """What was done to one dead-letter queue so far.

    `failed_again` were sent back and failed again meanwhile, `duplicated` were sent back and could not be deleted, and
    `left` is SQS's own count of what lies there at the end, which is None until then.
    """

    pair: Pair
    sent_back: int = 0
    failed_again: int = 0
    duplicated: int = 0
    left: int | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            "queue": self.pair.queue,
            "dead_letter_queue": self.pair.dead_letters,
            "sent_back": self.sent_back,
            "failed_again": self.failed_again,
            "duplicated": self.duplicated,
            "left": self.left,
        }

    def sentence(self) -> str:
        """Say what was done, and what is left to do."""
        there = f"{self.pair.dead_letters}: "
        if self.left is None:
            said = f"stopped after {messages(self.sent_back)} sent back to {self.pair.queue}; the rest was not counted."
        elif not self.sent_back and not self.left:
            said = "empty, so nothing was sent back."
        else:
            said = f"{messages(self.sent_back)} sent back to {self.pair.queue}, {self.left} left."
        if self.failed_again:
            said += f" {self.failed_again} of them failed again: look into the log of what works on {self.pair.queue}."
        if self.duplicated:
            said += f" {self.duplicated} of them could not be deleted and will be sent again by the next redrive."
        return there + said


def pairs_of(deployment: Deployment, wanted: str | None = None) -> list[Pair]:
    """Return the pairs that a root's outputs name, or the one whose queue or dead-letter queue is called `wanted`."""
    pairs = [Pair(*urls) for urls in queue_urls_in(deployment.root, deployment.outputs)]
    if not pairs:
        raise UnknownName(
            f"{deployment.root.name} names no dead-letter queue; add the outputs sqs_queue_url and "
            "sqs_dead_letter_queue_url to the root and apply it, or choose a root that has them."
        )
    if wanted is None:
        return pairs
    found = [pair for pair in pairs if wanted in (pair.queue, pair.dead_letters)]
    if not found:
        raise UnknownName(
            f"{deployment.root.name} has no queue {wanted}; choose {one_of([pair.queue for pair in pairs])}."
        )
    return found


def redrive(sqs: Any, tally: Tally, report: Callable[[Tally], None]) -> None:
    """Send every message back that lies in the dead-letter queue now; `report` hears of it every few messages.

    A message that fails again while this runs lies there anew: it is known by the id that it was sent with, and left.
    """
    sent: set[str] = set()
    held: dict[str, str] = {}
    try:
        while taken := receive_messages(sqs, tally.pair.dead_letter_url):
            held |= {message["MessageId"]: message["ReceiptHandle"] for message in taken}
            fresh = [message for message in taken if message["MessageId"] not in sent]
            tally.failed_again = len(sent & held.keys())
            if not fresh:
                break
            for message in fresh:
                sent.add(send(sqs, tally.pair.queue_url, message))
                tally.sent_back += 1
                # Until it is deleted it lies in both queues.
                tally.duplicated += 1
                sqs.delete_message(QueueUrl=tally.pair.dead_letter_url, ReceiptHandle=message["ReceiptHandle"])
                tally.duplicated -= 1
                del held[message["MessageId"]]
            report(tally)
    finally:
        return_messages(sqs, tally.pair.dead_letter_url, list(held.values()))
    tally.left = count(sqs, tally.pair.dead_letter_url)


def receive_messages(sqs: Any, url: str) -> list[dict[str, Any]]:
    response = sqs.receive_message(
        QueueUrl=url,
        MaxNumberOfMessages=BATCH,
        VisibilityTimeout=VISIBILITY_TIMEOUT,
        WaitTimeSeconds=WAIT_SECONDS,
        MessageAttributeNames=["All"],
        MessageSystemAttributeNames=["AWSTraceHeader", "MessageGroupId"],
    )
    taken: list[dict[str, Any]] = response.get("Messages", [])
    return taken


def send(sqs: Any, url: str, message: Mapping[str, Any]) -> str:
    """Send a message as it was, attributes and all, and return its new id."""
    request: dict[str, Any] = {"QueueUrl": url, "MessageBody": message["Body"]}
    if attributes := message.get("MessageAttributes"):
        request["MessageAttributes"] = attributes
    system = message.get("Attributes", {})
    if trace := system.get("AWSTraceHeader"):
        request["MessageSystemAttributes"] = {"AWSTraceHeader": {"DataType": "String", "StringValue": trace}}
    if group := system.get("MessageGroupId"):
        request["MessageGroupId"] = group
    return str(sqs.send_message(**request)["MessageId"])


def return_messages(sqs: Any, url: str, handles: Sequence[str]) -> None:
    """Let others see at once what was taken and not sent."""
    for start in range(0, len(handles), BATCH):
        entries = [
            {"Id": str(number), "ReceiptHandle": handle, "VisibilityTimeout": 0}
            for number, handle in enumerate(handles[start : start + BATCH])
        ]
        sqs.change_message_visibility_batch(QueueUrl=url, Entries=entries)


def count(sqs: Any, url: str) -> int:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return sum(int(attributes[name]) for name in names)


def name_in(url: str) -> str:
    """Return a queue's name, the last part of its address."""
    return url.rpartition("/")[2]


def messages(number: int) -> str:
    return "1 message" if number == 1 else f"{number:,} messages"
