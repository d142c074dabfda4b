"""What must be true of stock_track_record after a deployment."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import httpx

from sawhorse.api import (
    BadConfiguration,
    Check,
    CheckFailed,
    Deployment,
    Issuer,
    Suite,
    bearer,
    cleaned_up,
    cors_headers_come,
    eventually,
    expect,
    expect_status,
    expect_version,
    log_line_appears,
    pages_work,
    receive_messages,
    return_messages,
    role_may,
    role_may_log,
    role_may_not_scan,
    worker_takes,
)

# With the token of an API that asks for one.
TOKEN_VARIABLE = "STOCK_TRACK_RECORD_TOKEN"  # noqa: S105 # the name of a variable
# A worker that starts cold, and a queue that has others before us.
WORK_SECONDS = 60.0
# What cannot be processed is given back at once, so it is received three times within seconds; each may wait for a
# poll of the queue.
DEAD_LETTER_SECONDS = 120.0
# As AWS asks of a role whose function it feeds from a queue, and what the worker does itself to give a message back:
# https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html#events-sqs-permissions
CONSUMER_ACTIONS = (
    "sqs:ReceiveMessage",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:ChangeMessageVisibility",
)
# For one look through the dead letters, which are hidden from everybody else meanwhile.
LOOK_SECONDS = 30.0


def suite(deployment: Deployment) -> Suite:
    """Return the checks with a channel, a stock and messages that live as long as they run."""
    return cleaned_up(deployment, made)


def made(deployment: Deployment, http: httpx.Client) -> Checks:
    """Make the checks, with a token for each call where the API asks for one."""
    http.headers.update(token_for(deployment, http))
    return Checks(deployment, http)


def token_for(deployment: Deployment, http: httpx.Client) -> dict[str, str]:
    """Return the header with a token of the local issuer, or the operator's own on AWS; none where none is asked for.

    Raises BadConfiguration where one is asked for and nobody gave it.
    """
    try:
        asked = http.get("api/channels", params={"limit": "1"}).status_code == httpx.codes.UNAUTHORIZED
    except httpx.HTTPError:
        # Whatever does not respond fails its check.
        return {}
    if not asked:
        return {}
    if deployment.local:
        return bearer(local_token(deployment))
    token = os.environ.get(TOKEN_VARIABLE, "")
    if not token:
        raise BadConfiguration(
            f"{TOKEN_VARIABLE} is not set, and the API asks for a token. Put an access token for this API into it, one "
            "with the scopes to read and to write, and run it again."
        )
    return bearer(token)


def local_token(deployment: Deployment) -> str:
    """Sign a token with the local issuer, with every scope that the deployed API asks for."""
    name = deployment.output("lambda_function_name")
    function = deployment.client("lambda").get_function_configuration(
        FunctionName=name, Qualifier=deployment.qualifier(name)
    )
    variables = function.get("Environment", {}).get("Variables", {})
    scopes = " ".join(variables.get(name, "") for name in ("READ_SCOPES", "WRITE_SCOPES")).strip()
    tenant = deployment.environment.auth0
    return Issuer.of(deployment.root.project).token(
        subject="smoke",
        audience=tenant.audience if tenant else "",
        lifetime_seconds=3600,
        **({"scope": scopes} if scopes else {}),
    )


class Checks:
    """The checks of one run, which share a channel and a stock."""

    def __init__(self, deployment: Deployment, http: httpx.Client) -> None:
        self.deployment = deployment
        self.http = http
        self.mark = uuid.uuid4().hex
        self.ticker = f"SMOKE{self.mark[:5].upper()}"
        self.channel_id = ""
        self.jobs: list[str] = []

    def in_order(self) -> Sequence[Check]:
        """Return the checks in the order in which they build on one another."""
        return [
            Check("health responds", self.health),
            Check("a channel is created and listed", self.channel, writes=True),
            Check("picks and prices are taken, and bad ones refused", self.picks, needs=[self.channel], writes=True),
            Check("the worker takes messages and the record appears", self.process, needs=[self.picks], writes=True),
            Check(
                "a message that cannot be processed ends in the dead-letter queue, others do not",
                self.dead_letter,
                needs=[self.process],
                writes=True,
            ),
            Check("the worker gives back what it cannot process", self.worker_responds),
            Check("a preflight gets the CORS headers of the frontend", self.cors, through_live=True),
            Check("the API pages work", self.pages),
            Check("the request id is in the log", self.log_line),
            Check("neither role may scan the tables", self.scan),
            Check("the worker may take messages and write its log", self.worker_grants),
        ]

    def health(self) -> None:
        expect_version(self.deployment, self.http.get("api/health"))

    def channel(self) -> None:
        created = self.http.post("api/channels", json={"name": f"smoke {self.mark}"})
        expect_status(created, 201)
        self.channel_id = created.json()["channel_id"]
        expect_status(self.http.get(f"api/channels/{self.channel_id}"), 200)
        # The index shows a new channel a moment later.
        eventually(self.listed, seconds=10, finding=f"Channel {self.channel_id} is not in the list.")

    def listed(self) -> bool:
        parameters = {"limit": "100"}
        while True:
            response = self.http.get("api/channels", params=parameters)
            expect_status(response, 200)
            page = response.json()
            if any(channel["channel_id"] == self.channel_id for channel in page["channels"]):
                return True
            if not page["next_cursor"]:
                return False
            parameters["cursor"] = page["next_cursor"]

    def picks(self) -> None:
        prices = [{"date": "2025-01-02", "price": 10}, {"date": "2025-01-31", "price": 12.5}]
        expect_status(self.http.put(f"api/stocks/{self.ticker}", json={"name": "Smoke", "prices": prices}), 200)
        pick = {"ticker": self.ticker, "direction": "long", "date": "2025-01-02", "price": 10}
        path = f"api/channels/{self.channel_id}/picks"
        expect_status(self.http.post(path, json={"picks": [pick]}), 201)
        expect_status(self.http.post(path, json={"picks": [pick]}), 409)
        listed = self.http.get(path)
        expect_status(listed, 200)
        expect([one["ticker"] for one in listed.json()["picks"]] == [self.ticker], f"Listed are {listed.text[:300]}")
        refused = self.http.post(path, json={"picks": [pick | {"direction": "up"}]})
        expect_status(refused, 422)
        expect(refused.json()["error"]["code"] == "invalid_request", f"The error has another code: {refused.text}")

    def process(self) -> None:
        """Send what cannot be processed between other messages, and see the others done."""
        self.ask()
        self.deployment.client("sqs").send_message(
            QueueUrl=self.deployment.output("sqs_queue_url"), MessageBody=self.unprocessable
        )
        self.ask()
        eventually(self.all_done, seconds=WORK_SECONDS, finding=f"The jobs {', '.join(self.jobs)} are not done.")
        response = self.http.get(f"api/channels/{self.channel_id}/track-record")
        expect_status(response, 200)
        record = response.json()
        expect(record["job_id"] == self.jobs[-1], f"The record is not the newest job's: {response.text[:300]}")
        expect((record["count"], record["mean_return"]) == (1, 0.25), f"The figures are wrong: {response.text[:300]}")

    def dead_letter(self) -> None:
        found: list[str] = []

        def dead_letter_arrived() -> bool:
            found.extend(self.own_dead_letters())
            return self.unprocessable in found

        finding = (
            f"The message that cannot be processed is not in the dead-letter queue after {DEAD_LETTER_SECONDS:.0f} s."
        )
        eventually(dead_letter_arrived, seconds=DEAD_LETTER_SECONDS, finding=finding)
        expect(found == [self.unprocessable], f"Other messages are dead letters, too: {found}")

    def worker_responds(self) -> None:
        """Hand it a batch as its queue does: one version responds, that which is checked."""
        worker, queue = self.deployment.output("worker_function_name"), self.queue_arn()
        given_back = worker_takes(self.deployment, worker, queue, [self.unprocessable])
        expect(given_back == [self.unprocessable], f"It gave back {given_back}")

    def own_dead_letters(self) -> list[str]:
        """Take this run's messages out of the dead-letter queue, and give back at once what is others'."""
        sqs, url = self.deployment.client("sqs"), self.deployment.output("sqs_dead_letter_queue_url")
        deadline = time.monotonic() + LOOK_SECONDS
        own: list[str] = []
        others: list[str] = []
        try:
            while not own and time.monotonic() < deadline and (taken := receive_messages(sqs, url)):
                for message in taken:
                    body = str(message["Body"])
                    if self.mark in body or (self.channel_id and self.channel_id in body):
                        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                        own.append(body)
                    else:
                        others.append(message["ReceiptHandle"])
        finally:
            return_messages(sqs, url, others)
        return own

    def cors(self) -> None:
        headers = "content-type"
        cors_headers_come(self.deployment, self.http, "api/channels", methods={"GET", "POST", "PUT"}, headers=headers)

    def pages(self) -> None:
        pages_work(self.http)

    def log_line(self) -> None:
        log_line_appears(self.deployment, self.http, "api/health")

    def scan(self) -> None:
        for role, stocks_action in (("lambda_role_arn", "GetItem"), ("worker_role_arn", "BatchGetItem")):
            role_may_not_scan(self.deployment, "dynamodb_records_table", allowed="dynamodb:PutItem", role_output=role)
            role_may_not_scan(
                self.deployment, "dynamodb_stocks_table", allowed=f"dynamodb:{stocks_action}", role_output=role
            )

    def worker_grants(self) -> None:
        """On AWS its queue is read for it as its role; the local AWS reads it as itself, so IAM is asked."""
        role_may(self.deployment, self.queue_arn(), CONSUMER_ACTIONS, role_output="worker_role_arn")
        role_may_log(self.deployment, group_output="worker_log_group", role_output="worker_role_arn")

    def queue_arn(self) -> str:
        found = self.deployment.client("sqs").get_queue_attributes(
            QueueUrl=self.deployment.output("sqs_queue_url"), AttributeNames=["QueueArn"]
        )
        return str(found["Attributes"]["QueueArn"])

    def clean_up(self) -> None:
        """Delete what this run made. The API deletes nothing, so it is done in the tables."""
        if not self.channel_id:
            return
        # A job that vanished before its message was worked on would leave a message that cannot be processed.
        with suppress(httpx.HTTPError, CheckFailed):
            eventually(self.none_queued, seconds=WORK_SECONDS, finding="Jobs are still queued.")
        dynamodb = self.deployment.client("dynamodb")
        table = self.deployment.output("dynamodb_records_table")
        of_channel = dynamodb.query(
            TableName=table,
            KeyConditionExpression="pk = :channel",
            ExpressionAttributeValues={":channel": {"S": f"CHANNEL#{self.channel_id}"}},
        )["Items"]
        made = [{"pk": item["pk"], "sk": item["sk"]} for item in of_channel]
        made += [{"pk": {"S": f"JOB#{job_id}"}, "sk": {"S": "JOB"}} for job_id in self.jobs]
        for key in made:
            dynamodb.delete_item(TableName=table, Key=key)
        stocks = self.deployment.output("dynamodb_stocks_table")
        dynamodb.delete_item(TableName=stocks, Key={"ticker": {"S": self.ticker}})

    def ask(self) -> None:
        response = self.http.post(f"api/channels/{self.channel_id}/process")
        expect_status(response, 202)
        self.jobs.append(response.json()["job_id"])

    def states(self) -> list[Any]:
        responses = [self.http.get(f"api/jobs/{job_id}") for job_id in self.jobs]
        for response in responses:
            expect_status(response, 200)
        return [response.json()["state"] for response in responses]

    def all_done(self) -> bool:
        return self.states() == ["done"] * len(self.jobs)

    def none_queued(self) -> bool:
        return "queued" not in self.states()

    @property
    def unprocessable(self) -> str:
        return f"smoke unprocessable {self.mark}"
