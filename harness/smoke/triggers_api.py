"""What must be true of triggers_api after a deployment."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import httpx
from botocore.exceptions import ClientError

from harness.local.clients import local_client
from harness.local.credentials import role_credentials
from harness.local.emulators import Running
from harness.seed.triggers_api import new_key, remove_key
from harness.smoke.runner import Check, expect, expect_status
from harness.workspace import Deployment, variables_of

# CloudWatch Logs shows a line some seconds after it was written.
LOG_SECONDS = 60.0


@contextmanager
def suite(deployment: Deployment) -> Iterator[Sequence[Check]]:
    """Yield the checks with an API key that lives as long as they run."""
    key = new_key(deployment, label="smoke")
    try:
        with httpx.Client(
            base_url=str(deployment.outputs["api_endpoint"]),
            timeout=35,
            trust_env=deployment.local is None,
            headers={"X-Request-ID": f"smoke-{uuid.uuid4()}"},
        ) as http:
            checks = Checks(deployment, http, key.clear)
            try:
                yield checks.in_order()
            finally:
                checks.clean_up()
    finally:
        remove_key(deployment, key)


class Checks:
    """The checks of one run, which share an event."""

    def __init__(self, deployment: Deployment, http: httpx.Client, key: str) -> None:
        self.deployment = deployment
        self.http = http
        self.key = {"X-API-Key": key}
        self.event_id = ""

    def in_order(self) -> Sequence[Check]:
        """Return the checks in the order in which they build on one another."""
        return [
            Check("health answers without a key", self.health),
            Check("a missing and a wrong key get 401", self.keys),
            Check("an event is created once per idempotency key", self.create),
            Check("the event is in the inbox", self.listing),
            Check("acknowledging twice changes nothing", self.acknowledge),
            Check("the event is deleted, then unknown", self.delete),
            Check("OPTIONS gives the CORS headers", self.cors),
            Check("the API pages work under the stage", self.pages),
            Check("the request id is in the log", self.log_line),
            Check("the role may not scan the table", self.scan),
        ]

    def clean_up(self) -> None:
        """Delete the event if a check that failed, or an interrupt, has left it."""
        # An API that does not answer has failed its checks already.
        with suppress(httpx.HTTPError):
            if self.event_id:
                self.http.delete(f"v1/events/{self.event_id}", headers=self.key)

    def health(self) -> None:
        response = self.http.get("v1/health")
        expect_status(response, 200)
        expect(response.json().get("version"), f"The answer names no version: {response.text}")

    def keys(self) -> None:
        expect_status(self.http.get("v1/inbox"), 401)
        refused = self.http.get("v1/inbox", headers={"X-API-Key": "wrong"})
        expect_status(refused, 401)
        expect(refused.json()["error"]["code"] == "unauthorized", f"The error has another code: {refused.text}")

    def create(self) -> None:
        event = {"source": "smoke", "event_type": "smoke.created", "payload": {"number": 1}}
        headers = {**self.key, "Idempotency-Key": str(uuid.uuid4())}
        first = self.http.post("v1/events", json=event, headers=headers)
        expect_status(first, 201)
        self.event_id = first.json()["event_id"]
        again = self.http.post("v1/events", json=event, headers=headers)
        expect(again.json() == first.json(), f"The repeated call made another event: {again.text}, not {first.text}")

    def listing(self) -> None:
        """Page through the inbox: the index shows a new event a moment later."""
        for _ in range(10):
            if any(event["event_id"] == self.event_id for event in self.inbox()):
                return
            time.sleep(0.5)
        expect(False, f"Event {self.event_id} is not in the inbox.")  # noqa: FBT003 # it always fails here

    def inbox(self) -> Iterator[dict[str, str]]:
        parameters = {"limit": "100"}
        while True:
            response = self.http.get("v1/inbox", headers=self.key, params=parameters)
            expect_status(response, 200)
            page = response.json()
            yield from page["events"]
            if not page.get("next_cursor"):
                return
            parameters["cursor"] = page["next_cursor"]

    def acknowledge(self) -> None:
        first = self.http.post(f"v1/events/{self.event_id}/ack", headers=self.key)
        expect_status(first, 200)
        again = self.http.post(f"v1/events/{self.event_id}/ack", headers=self.key)
        expect_status(again, 200)
        expect(again.json() == first.json(), f"The second acknowledgement changed {first.text} to {again.text}")

    def delete(self) -> None:
        expect_status(self.http.delete(f"v1/events/{self.event_id}", headers=self.key), 204)
        expect_status(self.http.delete(f"v1/events/{self.event_id}", headers=self.key), 404)
        self.event_id = ""

    def cors(self) -> None:
        origin = "https://app.example.com"
        response = self.http.options(
            "v1/events",
            headers={
                "Origin": origin,
                "Access-Control-Request-Method": "POST",
                "Access-Control-Request-Headers": "content-type,x-api-key,x-request-id",
            },
        )
        expect(response.is_success, f"OPTIONS answered {response.status_code}: {response.text[:300]}")
        allowed = response.headers.get("access-control-allow-origin")
        expect(allowed in ("*", origin), f"Access-Control-Allow-Origin is {allowed!r}")
        methods = response.headers.get("access-control-allow-methods", "")
        expect(
            {"GET", "POST", "DELETE"} <= {method.strip() for method in methods.split(",")}, f"Methods are {methods!r}"
        )

    def pages(self) -> None:
        page = self.http.get("docs")
        expect_status(page, 200)
        expect("openapi.json" in page.text, "The page does not load openapi.json")
        expect_status(self.http.get("openapi.json"), 200)

    def log_line(self) -> None:
        logs = self.deployment.client("logs")
        request_id = str(uuid.uuid4())
        start = int(time.time() * 1000) - 60_000
        expect_status(self.http.get("v1/health", headers={"X-Request-ID": request_id}), 200)
        group = str(self.deployment.outputs["log_group"])
        deadline = time.monotonic() + LOG_SECONDS
        while time.monotonic() < deadline:
            # A page may be empty while later ones are not.
            pages = logs.get_paginator("filter_log_events").paginate(
                logGroupName=group, startTime=start, filterPattern=f'"{request_id}"'
            )
            if any(page["events"] for page in pages):
                return
            time.sleep(0.3)
        expect(False, f"No line in {group} has request id {request_id}.")  # noqa: FBT003 # it always fails here

    def scan(self) -> None:
        """Ask IAM, and on the local AWS also try it with the role's own credentials."""
        table_name = str(self.deployment.outputs["dynamodb_events_table"])
        role_arn = str(self.deployment.outputs["lambda_role_arn"])
        table_arn = self.deployment.client("dynamodb").describe_table(TableName=table_name)["Table"]["TableArn"]
        simulated = self.deployment.client("iam").simulate_principal_policy(
            PolicySourceArn=role_arn, ActionNames=["dynamodb:Scan", "dynamodb:PutItem"], ResourceArns=[table_arn]
        )
        decisions = {found["EvalActionName"]: found["EvalDecision"] for found in simulated["EvaluationResults"]}
        expect(decisions.get("dynamodb:Scan") != "allowed", "IAM says that the role may scan the table.")
        expect(decisions.get("dynamodb:PutItem") == "allowed", "IAM says that the role may not even put an item.")
        if self.deployment.local:
            self.try_to_scan(self.deployment.local, table_name, role_arn)

    def try_to_scan(self, local: Running, table_name: str, role_arn: str) -> None:
        credentials = role_credentials(self.deployment.client, role_arn)
        dynamodb = local_client("dynamodb", {**variables_of(local, self.deployment.environment), **credentials})
        try:
            dynamodb.scan(TableName=table_name)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            expect(code == "AccessDeniedException", f"The scan failed with {code}, not with AccessDeniedException.")
            return
        expect(False, "The role's credentials could scan the table.")  # noqa: FBT003 # it always fails here
