"""What the apps lean on in the local SQS and in Lambda's work on its queues."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.contracts.support import Account, eventually, package

# Writes down every message that it is given, and how often, and fails those that say so.
WORKER = """
import boto3, os

def handler(event, context):
    table = boto3.resource("dynamodb").Table(os.environ["TABLE"])
    failed = []
    for record in event["Records"]:
        if record["body"] == "unprocessable":
            failed.append(record["messageId"])
        key = record["body"]
        table.update_item(
            Key={"id": key},
            UpdateExpression="ADD seen :one SET receives = :receives",
            ExpressionAttributeValues={":one": 1, ":receives": record["attributes"]["ApproximateReceiveCount"]},
        )
    if os.environ.get("RAISE"):
        raise ValueError("the whole batch")
    return {"batchItemFailures": [{"itemIdentifier": message} for message in failed]}
"""


@pytest.fixture
def seen(account: Account) -> tuple[str, Callable[[], dict[str, int]]]:
    """A table's name, and how to ask it how often each message was worked on."""
    table = account.table()

    def ask() -> dict[str, int]:
        items = account.client("dynamodb").scan(TableName=table, ConsistentRead=True)["Items"]
        return {item["id"]["S"]: int(item["seen"]["N"]) for item in items}

    return table, ask


@pytest.fixture
def queues(account: Account) -> tuple[str, str]:
    """A queue that gives a message out twice, and its dead-letter queue.

    It hides a message for 3 seconds: longer than a warm call takes, and short enough to wait for.
    """
    dead_letters = account.queue()
    redrive = {"deadLetterTargetArn": account.arn_of_queue(dead_letters), "maxReceiveCount": 2}
    return account.queue(VisibilityTimeout="3", RedrivePolicy=json.dumps(redrive)), dead_letters


def worker(account: Account, table: str, **variables: str) -> str:
    arn = account.client("dynamodb").describe_table(TableName=table)["Table"]["TableArn"]
    role = account.role({"Effect": "Allow", "Action": "dynamodb:UpdateItem", "Resource": arn})
    name = account.function(WORKER, role=role, Environment={"Variables": {"TABLE": table, **variables}})
    # A cold call may take longer than a message is hidden, and then somebody else would get it as well.
    account.call(name, {"Records": []})
    return name


def send(account: Account, queue: str, *bodies: str) -> None:
    entries = [{"Id": str(number), "MessageBody": body} for number, body in enumerate(bodies)]
    response = account.client("sqs").send_message_batch(QueueUrl=queue, Entries=entries)
    assert len(response["Successful"]) == len(bodies)


def waiting(account: Account, queue: str) -> list[str]:
    """Take what waits in a queue for a moment, without keeping it."""
    response = account.client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10, VisibilityTimeout=0)
    return sorted(message["Body"] for message in response.get("Messages", []))


def in_queue(account: Account, queue: str) -> int:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    attributes = account.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
    return sum(int(attributes[name]) for name in names)


def test_a_message_that_cannot_be_processed_ends_in_the_dead_letter_queue_and_the_others_do_not(
    account: Account, queues: tuple[str, str], seen: tuple[str, Callable[[], dict[str, int]]]
) -> None:
    queue, dead_letters = queues
    table, ask = seen
    account.work_on(queue, worker(account, table), BatchSize=10)

    send(account, queue, "a", "b", "unprocessable", "c")

    assert eventually(lambda: waiting(account, dead_letters), seconds=30) == ["unprocessable"]
    assert ask() == {"a": 1, "b": 1, "c": 1, "unprocessable": 2}
    assert in_queue(account, queue) == 0


def test_a_batch_whose_function_fails_comes_back_whole(
    account: Account, queues: tuple[str, str], seen: tuple[str, Callable[[], dict[str, int]]]
) -> None:
    queue, dead_letters = queues
    table, ask = seen
    account.work_on(queue, worker(account, table, RAISE="yes"))

    send(account, queue, "a", "b")

    assert eventually(lambda: in_queue(account, dead_letters) == 2, seconds=30)
    assert ask() == {"a": 2, "b": 2}


def test_a_mapping_of_an_alias_follows_it(account: Account, seen: tuple[str, Callable[[], dict[str, int]]]) -> None:
    queue = account.queue(VisibilityTimeout="60")
    table, ask = seen
    functions = account.client("lambda")
    function = worker(account, table)
    first = functions.publish_version(FunctionName=function)["Version"]
    another = WORKER.replace('key = record["body"]', 'key = "second " + record["body"]')
    functions.update_function_code(FunctionName=function, ZipFile=package(another))
    second = functions.publish_version(FunctionName=function)["Version"]
    functions.create_alias(FunctionName=function, Name="live", FunctionVersion=first)
    account.work_on(queue, f"{function}:live")

    send(account, queue, "a")
    assert eventually(ask, seconds=20) == {"a": 1}
    functions.update_alias(FunctionName=function, Name="live", FunctionVersion=second)
    send(account, queue, "b")
    assert eventually(lambda: len(ask()) > 1, seconds=20)
    assert ask() == {"a": 1, "second b": 1}


def test_messages_wait_while_the_mapping_is_off(
    account: Account, queues: tuple[str, str], seen: tuple[str, Callable[[], dict[str, int]]]
) -> None:
    queue, dead_letters = queues
    table, ask = seen
    functions = account.client("lambda")
    mapping = account.work_on(queue, worker(account, table), Enabled=False)
    send(account, queue, "a")

    assert not eventually(ask, seconds=3)
    assert (in_queue(account, queue), in_queue(account, dead_letters)) == (1, 0)
    functions.update_event_source_mapping(UUID=mapping, Enabled=True)
    assert eventually(ask, seconds=20) == {"a": 1}


def test_a_mapping_is_told_as_it_was_given(account: Account, queues: tuple[str, str]) -> None:
    function = account.function("def handler(event, context):\n    return {}\n")
    mapping = account.work_on(
        queues[0], function, BatchSize=50, MaximumBatchingWindowInSeconds=5, ScalingConfig={"MaximumConcurrency": 3}
    )

    found = account.client("lambda").get_event_source_mapping(UUID=mapping)

    assert found["BatchSize"] == 50
    assert found["MaximumBatchingWindowInSeconds"] == 5
    assert found["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert found["ScalingConfig"] == {"MaximumConcurrency": 3}
    assert found["State"] == "Enabled"


def test_the_event_of_a_queue_has_what_a_worker_reads(account: Account) -> None:
    table = account.table()
    arn = account.client("dynamodb").describe_table(TableName=table)["Table"]["TableArn"]
    role = account.role({"Effect": "Allow", "Action": "dynamodb:PutItem", "Resource": arn})
    function = account.function(
        "import boto3, json, os\n\n"
        "def handler(event, context):\n"
        "    table = boto3.resource('dynamodb').Table(os.environ['TABLE'])\n"
        "    table.put_item(Item={'id': 'event', 'event': json.dumps(event)})\n",
        role=role,
        Environment={"Variables": {"TABLE": table}},
    )
    queue = account.queue(VisibilityTimeout="30")
    account.work_on(queue, function)
    sent = account.client("sqs").send_message(QueueUrl=queue, MessageBody='{"job": 1}')

    def event() -> Any:
        item = account.client("dynamodb").get_item(TableName=table, Key={"id": {"S": "event"}}).get("Item")
        return item and json.loads(item["event"]["S"])

    (record,) = eventually(event, seconds=20)["Records"]
    assert record["messageId"] == sent["MessageId"]
    assert json.loads(record["body"]) == {"job": 1}
    assert record["eventSource"] == "aws:sqs"
    assert record["eventSourceARN"] == account.arn_of_queue(queue)
    assert record["attributes"]["ApproximateReceiveCount"] == "1"


@pytest.mark.parametrize(("spared", "waits"), [({}, []), ({"NotIpAddress": {"aws:SourceIp": "127.0.0.0/8"}}, ["a"])])
def test_a_policy_against_plain_http_is_enforced_but_where_it_spares_loopback(
    account: Account, spared: dict[str, Any], waits: list[str]
) -> None:
    queue = account.queue()
    statement = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "sqs:SendMessage",
        "Resource": account.arn_of_queue(queue),
        "Condition": {"Bool": {"aws:SecureTransport": "false"}, **spared},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    account.client("sqs").set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})

    with nullcontext() if waits else pytest.raises(ClientError, match="AccessDenied"):
        send(account, queue, "a")

    assert waiting(account, queue) == waits


def test_a_role_may_send_only_where_its_policy_says(account: Account) -> None:
    allowed, other = account.queue(), account.queue()
    role = account.role({"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": account.arn_of_queue(allowed)})
    function = account.function(
        "import boto3\n"
        "from botocore.exceptions import ClientError\n\n"
        "def handler(event, context):\n"
        "    try:\n"
        "        getattr(boto3.client('sqs'), event['method'])(**event['arguments'])\n"
        "    except ClientError as error:\n"
        "        return error.response['Error']['Code']\n"
        "    return 'allowed'\n",
        role=role,
    )

    def attempt(method: str, **arguments: Any) -> str:
        return str(account.call(function, {"method": method, "arguments": arguments}))

    assert attempt("send_message", QueueUrl=allowed, MessageBody="a") == "allowed"
    assert "AccessDenied" in attempt("send_message", QueueUrl=other, MessageBody="a")
    assert "AccessDenied" in attempt("receive_message", QueueUrl=allowed)
