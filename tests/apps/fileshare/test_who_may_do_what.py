"""Every cell of fileshare's table, tried over HTTP on both databases."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from aws_lambda_powertools import Logger

from fileshare.app import create_app
from fileshare.database import Database
from fileshare.settings import Settings
from fileshare.tokens import new_token
from shared.times import system_clock
from tests.apps.every.access_tables import Cell, allowed, assert_allowed, assert_refused, cells, refused, routes_of
from tests.apps.every.every_app import served

APP = "fileshare"
LINK = {"full_url": "https://example.com/report.pdf", "filename": "report.pdf"}


@dataclass(frozen=True, kw_only=True)
class Sharing:
    """A service with a link of one user, and another user."""

    http: httpx.Client
    owner: dict[str, Any]
    other: dict[str, Any]

    def link(self) -> str:
        response = self.http.post("/api/links", json=LINK, headers=bearer(self.owner["token"]))
        assert response.status_code == 201, response.text
        return str(response.json()["short_code"])

    def send(self, cell: Cell, token: str | None) -> httpx.Response:
        """Ask for the owner's link or trial."""
        bodies: dict[str, Any] = {"/api/users": {"email": f"{self.link()}@example.com"}, "/api/links": LINK}
        query = {"email": self.owner["email"]} if cell.route == ("GET", "/api/trial") else {}
        return self.http.request(
            cell.method,
            cell.path.format(short_code=self.link()),
            headers=bearer(token) if token else {},
            json=bodies.get(cell.path) if cell.method == "POST" else None,
            params=query,
        )


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def sharing(settings: Settings, database: Database, logger: Logger) -> Iterator[Sharing]:
    app = create_app(settings=settings, database=database, clock=system_clock, logger=logger)
    with served(app) as url, httpx.Client(base_url=url, trust_env=False) as http:
        owner, other = (
            http.post("/api/users", json={"email": f"{name}@example.com"}).json() for name in ("ada", "grace")
        )
        yield Sharing(http=http, owner=owner, other=other)


def test_the_table_has_every_route(sharing: Sharing) -> None:
    assert {cell.route for cell in cells(APP)} == routes_of(sharing.http.get("/openapi.json").json())
    assert len(refused(APP)) == 9


def test_whoever_may_not_is_refused_with_a_stable_code(sharing: Sharing) -> None:
    user_id = sharing.owner["user_id"]
    wrong = [None, "anything", new_token(user_id).clear, new_token("nobody").clear, f"fs_{user_id}_", user_id]
    for cell in refused(APP):
        for token in wrong if cell.caller == "no token" else [sharing.other["token"]]:
            response = sharing.send(cell, token)
            assert_refused(cell, response)
            assert "ada@example.com" not in response.text
            assert "report.pdf" not in response.text
    links = sharing.http.get("/api/links", params={"limit": 100}, headers=bearer(sharing.owner["token"])).json()[
        "links"
    ]
    # Each attempt was at two links of its own, and none of them is gone.
    attempts = sum(len(wrong) if cell.caller == "no token" else 1 for cell in refused(APP))
    assert len(links) == 2 * attempts


def test_whoever_may_does_and_gets_their_own(sharing: Sharing) -> None:
    tokens = {"no token": None, "their owner": sharing.owner["token"], "another user": sharing.other["token"]}
    for cell in allowed(APP):
        response = sharing.send(cell, tokens[cell.caller])
        assert_allowed(cell, response)
        assert response.status_code < 400, response.text
        if cell.caller == "another user" and cell.route in {("GET", "/api/links"), ("POST", "/api/trial")}:
            assert "ada@example.com" not in response.text
    mine = sharing.http.get("/api/links", headers=bearer(sharing.other["token"])).json()["links"]
    # The one that this test has shortened as the other user.
    assert len(mine) == 1
