"""What must be true of triggers_api after a deployment."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import httpx

from sawhorse.api import (
    Check,
    Deployment,
    cleaned_up,
    cors_headers_come,
    eventually,
    expect,
    expect_status,
    expect_version,
    log_line_appears,
    pages_work,
    role_may_not_scan,
)
from triggers_api.ops.seed import new_key, remove_key


@contextmanager
def suite(deployment: Deployment) -> Iterator[Sequence[Check]]:
    """Yield the checks with an API key that lives as long as they run; without one where nothing may be written."""
    key = new_key(deployment, label="smoke") if deployment.may_write else None
    try:
        clear = key.clear if key else ""
        with cleaned_up(deployment, lambda deployment, http: Checks(deployment, http, clear)) as checks:
            yield checks
    finally:
        if key:
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
            Check("health responds without a key", self.health),
            Check("a missing and a wrong key get 401", self.keys),
            Check("an event is created once per idempotency key", self.create, writes=True),
            Check("the event is in the inbox", self.listing, needs=[self.create]),
            Check("acknowledging twice changes nothing", self.acknowledge, needs=[self.create], writes=True),
            Check("the event is deleted, then unknown", self.delete, needs=[self.create], writes=True),
            Check("OPTIONS gives the CORS headers", self.cors, through_live=True),
            Check("the API pages work under the stage", self.pages),
            Check("the request id is in the log", self.log_line),
            Check("the role may not scan the table", self.scan),
        ]

    def clean_up(self) -> None:
        """Delete the event if a check that failed, or an interrupt, has left it."""
        # An API that does not respond has failed its checks already.
        with suppress(httpx.HTTPError):
            if self.event_id:
                self.http.delete(f"v1/events/{self.event_id}", headers=self.key)

    def health(self) -> None:
        expect_version(self.deployment, self.http.get("v1/health"))

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
        eventually(
            lambda: any(event["event_id"] == self.event_id for event in self.inbox()),
            seconds=5,
            finding=f"Event {self.event_id} is not in the inbox.",
        )

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
        headers = "content-type,x-api-key,x-request-id"
        cors_headers_come(self.deployment, self.http, "v1/events", methods={"GET", "POST", "DELETE"}, headers=headers)

    def pages(self) -> None:
        pages_work(self.http)

    def log_line(self) -> None:
        log_line_appears(self.deployment, self.http, "v1/health")

    def scan(self) -> None:
        role_may_not_scan(self.deployment, "dynamodb_events_table", allowed="dynamodb:PutItem")
