"""What must be true of fileshare after a deployment."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx

from fileshare.ops.seed import remove_user
from fileshare.ops.service import service_environment
from fileshare.tokens import new_token
from sawhorse.api import (
    Check,
    Suite,
    cleaned_up,
    cors_headers_come,
    eventually,
    expect,
    expect_status,
    expect_version,
    log_line_appears,
    role_may_not_scan,
)

if TYPE_CHECKING:
    from sawhorse.api import Deployment

OFFER = "Try Premium - Free for 30 days"
TARGET = "https://example.com/smoke.pdf"
# Long enough to follow the link once before it ends.
LIFE_SECONDS = 4.0
INDEX_SECONDS = 10.0


def suite(deployment: Deployment) -> Suite:
    """Return the checks, and take away afterwards what they have made."""
    return cleaned_up(deployment, Checks)


class Checks:
    """The checks of one run, which share a user and a link."""

    def __init__(self, deployment: Deployment, http: httpx.Client) -> None:
        self.deployment = deployment
        self.http = http
        self.email = f"smoke-{uuid.uuid4()}@example.com"
        self.user_id = ""
        self.token: dict[str, str] = {}
        self.codes: list[str] = []

    def in_order(self) -> Sequence[Check]:
        """Return the checks in the order in which they build on one another."""
        return [
            Check("health reads DynamoDB", self.health),
            Check("the parameters name the tables and the policy", self.parameters),
            Check("the roles have the policy", self.attached),
            Check("a new user signs up once and is offered the trial", self.sign_up, writes=True),
            Check("a missing and a wrong token get 401", self.tokens),
            Check("the trial starts once and is kept", self.trial, needs=[self.sign_up], writes=True),
            Check("a link is followed and every click counts", self.follow, needs=[self.sign_up], writes=True),
            Check("an expired link is gone at its moment", self.expiry, needs=[self.sign_up], writes=True),
            Check("links are listed for their owner", self.listing, needs=[self.follow]),
            Check("the link is deleted, then unknown", self.delete, needs=[self.follow], writes=True),
            Check("OPTIONS gives the CORS headers", self.cors, through_live=True),
            Check("alarms and a dashboard watch the tables", self.watched),
            Check("the request id is in the log", self.log_line),
            Check("the role may not scan the table", self.scan),
        ]

    def clean_up(self) -> None:
        """Delete what is left of this run, also after a check that failed or an interrupt."""
        # An API that does not respond has failed its checks already.
        with suppress(httpx.HTTPError):
            for code in self.codes:
                self.http.delete(f"api/links/{code}", headers=self.token)
        if self.user_id:
            remove_user(self.deployment, self.user_id, self.email)

    def health(self) -> None:
        response = self.http.get("api/health")
        expect_version(self.deployment, response)
        expect(response.json().get("database") == "dynamodb", f"The backend does not use DynamoDB: {response.text}")

    def parameters(self) -> None:
        output = self.deployment.output
        variables = service_environment(self.deployment.client, self.deployment.environment, output("parameters"))
        tables = variables["DYNAMODB_USERS_TABLE_NAME"], variables["DYNAMODB_URLS_TABLE_NAME"]
        expect(tables == (output("dynamodb_users_table"), output("dynamodb_urls_table")), f"They name {tables}")
        dynamodb = self.deployment.client("dynamodb")
        arns = [dynamodb.describe_table(TableName=table)["Table"]["TableArn"] for table in tables]
        prefix = output("parameters")
        names = [f"{prefix}/dynamodb_{kind}_arn" for kind in ("users_table", "urls_table", "policy")]
        found = self.deployment.client("ssm").get_parameters(Names=names)["Parameters"]
        values = {parameter["Name"]: parameter["Value"] for parameter in found}
        expect([values.get(name) for name in names] == [*arns, output("policy_arn")], f"The ARNs are {values}")

    def attached(self) -> None:
        iam, policy_arn = self.deployment.client("iam"), self.deployment.output("policy_arn")
        role_name = self.deployment.output("lambda_role_arn").rpartition("/")[2]
        roles = [role_name, self.deployment.outputs.get("task_role")]
        for role in filter(None, roles):
            attached = iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
            expect(policy_arn in [policy["PolicyArn"] for policy in attached], f"{role} lacks the policy")

    def sign_up(self) -> None:
        response = self.http.post("api/users", json={"email": self.email})
        expect_status(response, 201)
        self.user_id = response.json()["user_id"]
        self.token = {"Authorization": f"Bearer {response.json()['token']}"}
        expect_status(self.http.post("api/users", json={"email": self.email.upper()}), 409)
        # Lowered before it is looked at, this sign would be the k of the address.
        kelvin = self.email.replace("smoke", "smo\N{KELVIN SIGN}e", 1)
        expect_status(self.http.post("api/users", json={"email": kelvin}), 422)
        if self.deployment.outputs.get("merge_plus_addresses"):
            plus = self.email.replace("@", "+smoke@")
            expect_status(self.http.post("api/users", json={"email": plus}), 409)
        status = self.trial_status()
        expect(status["message"] == OFFER and status["can_start_trial"], f"The trial is not offered: {status}")

    def tokens(self) -> None:
        expect_status(self.http.get("api/links"), 401)
        wrong = {"Authorization": f"Bearer {new_token(self.user_id or 'nobody').clear}"}
        refused = self.http.get("api/links", headers=wrong)
        expect_status(refused, 401)
        expect(refused.json()["error"]["code"] == "unauthorized", f"The error has another code: {refused.text}")

    def trial(self) -> None:
        started = self.http.post("api/trial", headers=self.token)
        expect_status(started, 200)
        expect_status(self.http.post("api/trial", headers=self.token), 409)
        status = self.trial_status()
        expect(status == started.json(), f"The trial was not kept: {status}, not {started.text}")
        length = datetime.fromisoformat(status["trial_expires_at"]) - datetime.fromisoformat(status["trial_started_at"])
        expect(length == timedelta(days=30), f"The trial lasts {length}")

    def trial_status(self) -> dict[str, Any]:
        response = self.http.get("api/trial", headers=self.token, params={"email": self.email})
        expect_status(response, 200)
        status: dict[str, Any] = response.json()
        return status

    def follow(self) -> None:
        code = self.shorten()
        for _ in range(3):
            self.expect_redirect(code)
        shown = self.http.get(f"api/links/{code}", headers=self.token)
        expect_status(shown, 200)
        expect(shown.json()["click_count"] == 3, f"Three clicks are not three: {shown.text}")  # noqa: PLR2004 # as many as above

    def expiry(self) -> None:
        end = datetime.now(UTC) + timedelta(seconds=LIFE_SECONDS)
        code = self.shorten(expires_at=end.isoformat())
        self.expect_redirect(code)
        time.sleep(max((end - datetime.now(UTC)).total_seconds(), 0) + 0.5)
        expect_status(self.http.get(code), 410)

    def listing(self) -> None:
        """The index shows a new link a moment later."""

        def listed() -> bool:
            response = self.http.get("api/links", headers=self.token)
            expect_status(response, 200)
            return self.codes[0] in [link["short_code"] for link in response.json()["links"]]

        eventually(listed, seconds=INDEX_SECONDS, finding=f"The link {self.codes[0]} is not listed.")

    def delete(self) -> None:
        code = self.codes[0]
        expect_status(self.http.delete(f"api/links/{code}", headers=self.token), 204)
        expect_status(self.http.delete(f"api/links/{code}", headers=self.token), 404)
        expect_status(self.http.get(code), 404)

    def cors(self) -> None:
        headers = "authorization,content-type,x-request-id"
        cors_headers_come(self.deployment, self.http, "api/links", methods={"GET", "POST", "DELETE"}, headers=headers)

    def watched(self) -> None:
        cloudwatch = self.deployment.client("cloudwatch")
        name = self.deployment.output("dynamodb_users_table").removesuffix("-users")
        pages = cloudwatch.get_paginator("describe_alarms").paginate(AlarmNamePrefix=name)
        alarms = {alarm["AlarmName"] for page in pages for alarm in page["MetricAlarms"]}
        wanted = {f"{name}-users/throttles", f"{name}-urls/throttles", f"{name}-errors", f"{name}-server-errors"}
        expect(wanted <= alarms, f"There are no alarms {sorted(wanted - alarms)}")
        dashboard = cloudwatch.get_dashboard(DashboardName=self.deployment.output("dashboard"))
        for table in ("users", "urls"):
            expect(f"{name}-{table}" in dashboard["DashboardBody"], f"The dashboard does not show {name}-{table}")

    def log_line(self) -> None:
        log_line_appears(self.deployment, self.http, "api/health")

    def scan(self) -> None:
        role_may_not_scan(self.deployment, "dynamodb_users_table", allowed="dynamodb:PutItem")

    def shorten(self, **members: str) -> str:
        response = self.http.post("api/links", headers=self.token, json={"full_url": TARGET, **members})
        expect_status(response, 201)
        code = str(response.json()["short_code"])
        self.codes.append(code)
        return code

    def expect_redirect(self, code: str) -> None:
        response = self.http.get(code)
        expect_status(response, 302)
        expect(response.headers["location"] == TARGET, f"The link goes to {response.headers['location']}")
