"""What must be true of the sample after a deployment."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sawhorse.api import (
    Check,
    Deployment,
    cors_headers_come,
    expect,
    expect_status,
    expect_version,
    log_line_appears,
    open_http,
    pages_work,
    role_may_not_scan,
)

if TYPE_CHECKING:
    import httpx


@contextmanager
def suite(deployment: Deployment) -> Iterator[Sequence[Check]]:
    """Yield the checks with a client of the API."""
    with open_http(deployment) as http:
        yield Checks(deployment, http).in_order()


class Checks:
    """The checks of one run."""

    def __init__(self, deployment: Deployment, http: httpx.Client) -> None:
        self.deployment = deployment
        self.http = http

    def in_order(self) -> Sequence[Check]:
        """Return the checks in the order in which they build on one another."""
        return [
            Check("health tells the version", self.health),
            Check("a note is kept", self.note, writes=True),
            Check("an unknown note is 404", self.unknown),
            Check("the API pages work", self.pages),
            Check("OPTIONS gives the CORS headers", self.cors, through_live=True),
            Check("the request id is in the log", self.log_line),
            Check("the role may not scan the table", self.scan),
        ]

    def health(self) -> None:
        expect_version(self.deployment, self.http.get("api/health"))

    def note(self) -> None:
        text = str(uuid.uuid4())
        expect_status(self.http.put("api/notes/smoke", params={"text": text}), 200)
        kept = self.http.get("api/notes/smoke")
        expect_status(kept, 200)
        expect(kept.json() == {"name": "smoke", "text": text}, f"Another note was kept: {kept.text}")

    def unknown(self) -> None:
        expect_status(self.http.get("api/notes/unknown"), 404)

    def pages(self) -> None:
        pages_work(self.http)

    def cors(self) -> None:
        cors_headers_come(self.deployment, self.http, "api/notes/smoke", methods={"GET", "PUT"}, headers="content-type")

    def log_line(self) -> None:
        log_line_appears(self.deployment, self.http, "api/health")

    def scan(self) -> None:
        role_may_not_scan(self.deployment, "dynamodb_notes_table", allowed="dynamodb:PutItem")
