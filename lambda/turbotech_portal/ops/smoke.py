"""What must be true of turbotech_portal after a deployment; nothing that a customer could see is written."""

from __future__ import annotations

import json
import os
import statistics
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sawhorse.api import (
    BadConfiguration,
    Check,
    Deployment,
    Issuer,
    arn_of_table,
    bearer,
    cors_headers_come,
    expect,
    expect_status,
    expect_version,
    log_line_appears,
    open_http,
    role_may,
    role_may_not_scan,
)
from turbotech_portal.ops.seed import DELIVERABLES, METRICS, audience_of, local_token

if TYPE_CHECKING:
    import httpx

TOKEN_VARIABLE = "PORTAL_TOKEN"  # noqa: S105 # the name of a variable
WARM_SECONDS = 1.0
WARM_CALLS = 5


@contextmanager
def suite(deployment: Deployment) -> Iterator[Sequence[Check]]:
    """Yield the checks with a token: of the local issuer, or the operator's own on AWS, where only Auth0 can sign."""
    subject = f"smoke|{uuid.uuid4()}"
    token = local_token(deployment, subject=subject) if deployment.local else os.environ.get(TOKEN_VARIABLE, "")
    if not token:
        raise BadConfiguration(
            f"{TOKEN_VARIABLE} is not set, and without a token only health could be checked. Put an access token of "
            f"{deployment.root.environment}'s Auth0 tenant for this API into it, and run it again; "
            "for workflows it is in the environment's secret SMOKE_VARIABLES (docs/deploy.md)."
        )
    with open_http(deployment) as http:
        yield Checks(deployment, http, token).in_order()


class Checks:
    """The checks of one run."""

    def __init__(self, deployment: Deployment, http: httpx.Client, token: str) -> None:
        self.deployment = deployment
        self.http = http
        self.token = bearer(token)
        self.started = int(time.time() * 1000)

    def in_order(self) -> Sequence[Check]:
        """Return the checks; the log is looked through last."""
        refused = (
            "a missing, expired or foreign token gets 401"
            if self.deployment.local
            else ("a missing, malformed or forged token gets 401")
        )
        return [
            Check("health responds without a token", self.health),
            Check(refused, self.tokens, through_live=True),
            Check("the seeded deliverables and metrics come back", self.seeded),
            Check("a month's deliverables are found", self.month),
            Check(
                "a deliverable can be changed, and an unknown one gets 404",
                self.change,
                needs=[self.seeded],
                writes=True,
            ),
            Check(
                "a metric can be changed, and an unknown one gets 404",
                self.change_metric,
                needs=[self.seeded],
                writes=True,
            ),
            Check("the users are listed", self.users),
            Check("updates are listed, and marking an unknown one gets 404", self.updates),
            Check("the dashboard has its numbers", self.dashboard),
            Check("warm responses take less than a second", self.warm),
            Check("OPTIONS gives the CORS headers", self.cors, through_live=True),
            Check("the request id is in the log", self.log_line),
            Check("the role may not scan the updates", self.scan),
            Check("the role may enter users and change them", self.enter_users),
            Check("there are no errors in the log", self.no_errors, needs=[self.log_line]),
        ]

    def health(self) -> None:
        expect_version(self.deployment, self.http.get("api/health"))

    def tokens(self) -> None:
        """Send what must be refused. Only the issuer can sign a token that has expired, so AWS gets forgeries."""
        deployment = self.deployment
        tenant = deployment.environment.auth0
        issuer = Issuer.of(deployment.root.project).url if deployment.local else tenant.issuer if tenant else ""
        forged = Issuer.new(issuer).token(subject="smoke", audience=audience_of(deployment))
        refused = {"missing": {}, "malformed": bearer("abc"), "forged": bearer(forged)}
        if deployment.local:
            refused["expired"] = bearer(local_token(deployment, subject="smoke", lifetime_seconds=-3600))
            stranger = Issuer.of(deployment.root.project).token(subject="smoke", audience="https://other.example.com")
            refused["foreign"] = bearer(stranger)
        for kind, headers in refused.items():
            status = self.http.get("api/deliverables", headers=headers).status_code
            expect(status == 401, f"A {kind} token got {status}, not 401.")  # noqa: PLR2004 # reads best so

    def seeded(self) -> None:
        """Look for each by its id: whatever users have made of the rest, a seed puts back only what is not there."""
        for kind, ids in (
            ("deliverables", {number for number, *_ in DELIVERABLES}),
            ("metrics", {number for number, *_ in METRICS}),
        ):
            missing = sorted(ids - {item["id"] for item in self.read(f"api/{kind}")[kind]})
            expect(
                not missing,
                f"Of the {kind} that the seed writes these do not come back: {', '.join(map(str, missing))}. "
                f"Run sawhorse seed {self.deployment.root.name}; one that is there and does not fit is in the log.",
            )

    def month(self) -> None:
        found = self.read("api/deliverables", month="1")["deliverables"]
        expect(found and all(item["month"] == 1 for item in found), f"Month 1 has {found}")

    def change(self) -> None:
        self.write_what_is_there("deliverables", absent="0")

    def change_metric(self) -> None:
        self.write_what_is_there("metrics", absent=str(uuid.uuid4()))

    def write_what_is_there(self, kind: str, *, absent: str) -> None:
        """Give the first of a kind the name that it has: the write is real, and nobody sees a difference."""
        first = self.read(f"api/{kind}")[kind][0]
        path, name = f"api/{kind}/{first['id']}", {"name": first["name"]}
        response = self.http.patch(path, json=name, headers=self.token)
        expect_status(response, 200)
        expect(response.json() == self.read(path), f"The change gave {response.text}, and what is read is another one.")
        expect(response.json()["name"] == first["name"], f"The change gave {response.text}")
        expect_status(self.http.patch(f"api/{kind}/{absent}", json=name, headers=self.token), 404)

    def users(self) -> None:
        page = self.read("api/users")
        expect(isinstance(page["users"], list), f"The list of users is {page}")

    def enter_users(self) -> None:
        """Whoever asks is entered, and everybody sees that one in the list, so only IAM is asked."""
        users = arn_of_table(self.deployment, "dynamodb_users_table")
        role_may(self.deployment, users, ["dynamodb:GetItem", "dynamodb:UpdateItem"])

    def updates(self) -> None:
        page = self.read("api/updates", limit="1")
        expect(isinstance(page["updates"], list), f"The list of updates is {page}")
        expect_status(self.http.post(f"api/updates/{uuid.uuid4()}/read", headers=self.token), 404)
        # An unknown one is only read, and a mark on any other would be seen, so IAM is asked.
        role_may(self.deployment, arn_of_table(self.deployment, "dynamodb_updates_table"), ["dynamodb:UpdateItem"])

    def dashboard(self) -> None:
        numbers = self.read("api/dashboard")
        total, by_status = numbers["deliverables"]["total"], numbers["deliverables"]["by_status"]
        expect(total == sum(by_status.values()) > 0, f"{total} deliverables have these statuses: {by_status}")
        expect(0 <= numbers["deliverables"]["overall_completion"] <= 100, f"The completion is {numbers}")  # noqa: PLR2004 # percent
        expect(numbers["metrics"], "There are no metrics.")
        expect(numbers["updates"]["unread"] >= 0, f"The unread count is {numbers['updates']}")

    def warm(self) -> None:
        """Time calls of the slowest route after a first one has warmed it: half of them must be fast."""
        self.read("api/dashboard")
        seconds = []
        for _ in range(WARM_CALLS):
            start = time.perf_counter()
            self.read("api/dashboard")
            seconds.append(time.perf_counter() - start)
        median = statistics.median(seconds)
        expect(median < WARM_SECONDS, f"The dashboard takes {median:.2f} s when it is warm.")

    def cors(self) -> None:
        headers = "authorization,content-type"
        cors_headers_come(
            self.deployment, self.http, "api/deliverables/1", methods={"GET", "PATCH", "POST"}, headers=headers
        )

    def log_line(self) -> None:
        log_line_appears(self.deployment, self.http, "api/health")

    def scan(self) -> None:
        role_may_not_scan(self.deployment, "dynamodb_updates_table", allowed="dynamodb:PutItem")

    def no_errors(self) -> None:
        """Look through what was logged since the checks began; `log_line` has waited for its last line."""
        pages = (
            self.deployment.client("logs")
            .get_paginator("filter_log_events")
            .paginate(logGroupName=self.deployment.output("log_group"), startTime=self.started, filterPattern='"ERROR"')
        )
        errors = [event["message"] for page in pages for event in page["events"] if is_error(event["message"])]
        expect(not errors, f"There are {len(errors)} errors, the first of them: {''.join(errors[:1])[:300]}")

    def read(self, path: str, **query: str) -> Any:
        response = self.http.get(path, params=query, headers=self.token)
        expect_status(response, 200)
        return response.json()


def is_error(message: str) -> bool:
    """Say whether a line of the log is an error: one of the application's, or one of Lambda's that is not JSON."""
    try:
        line = json.loads(message)
    except ValueError:
        return "ERROR" in message
    return isinstance(line, dict) and line.get("level") == "ERROR"
