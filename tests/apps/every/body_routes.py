"""Every route of every app that takes a body: one that fits, who may send it, and how what was kept comes back."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, ClassVar

from shared.lambda_handler import make_handler
from shared.times import system_clock
from tests.apps.every.every_app import App
from tests.apps.turbotech_portal.support import deliverable, metric, put
from tests.unit.support import HttpCaller, Response

# Statuses of a body that is not taken, whatever its route is about, and of what a route is about.
REFUSED = {400, 413, 415, 422}
GONE = {404, 409}
PICK = {"ticker": "ACME", "direction": "long", "date": "2026-01-05", "price": 12.5}


class Digits(str):
    """A number as it is written."""

    __slots__ = ()


@dataclass(frozen=True, kw_only=True)
class BodyRoute:
    """A route that takes a body.

    `ready` makes what the next request needs and returns its path; `read` asks what was kept, by the names of members.
    What was made for a body that was refused serves the next one.
    """

    name: str
    http: HttpCaller
    method: str
    ready: Callable[[], str]
    fits: dict[str, Any]
    read: Callable[[Response], Any] = lambda _: {}
    headers: dict[str, str] = field(default_factory=dict)
    unused: list[str] = field(default_factory=list)

    def send(self, body: bytes, **headers: str) -> Response:
        path = self.unused.pop() if self.unused else ""
        if path:
            response = self.http.send(self.method, path, body=body, headers=self.headers | headers)
        # What waited for long may be used up, such as a job whose agent was silent.
        if not path or response.status in GONE:
            path = self.ready()
            response = self.http.send(self.method, path, body=body, headers=self.headers | headers)
        if response.status in REFUSED:
            self.unused.append(path)
        return response


def routes_of(app: App, dynamodb: Any) -> list[BodyRoute]:
    """Return the routes of an application."""
    http = HttpCaller(make_handler(app.app), default_headers=app.credentials)
    makers: dict[str, Callable[[HttpCaller], list[BodyRoute]]] = {
        "fileshare": _fileshare,
        "hybrid_ci_cd": _hybrid_ci_cd,
        "stock_track_record": _stock_track_record,
        "triggers_api": _triggers_api,
        "turbotech_portal": lambda http: _turbotech_portal(http, dynamodb, app.tables),
    }
    return makers[app.name](http)


def _at(path: str) -> Callable[[], str]:
    return lambda: path


def _made(response: Response) -> Any:
    assert response.status in (200, 201), response
    return exactly(response)


def exactly(response: Response) -> Any:
    """Read a response with its numbers as they are written."""
    return json.loads(response.body, parse_float=Digits, parse_int=Digits)


def _post(http: HttpCaller, path: str, body: object, headers: dict[str, str] | None = None) -> Any:
    response = http.post(path, body=json.dumps(body), headers=headers)
    return _made(response)


def _fileshare(http: HttpCaller) -> list[BodyRoute]:
    token = _post(http, "/api/users", {"email": f"{uuid.uuid4()}@example.com"})["token"]
    mine = {"Authorization": f"Bearer {token}"}
    return [
        BodyRoute(
            name="users",
            http=http,
            method="POST",
            ready=_at("/api/users"),
            fits={"email": "Ada@Example.com"},
            read=lambda response: {"email": exactly(response)["email"]},
        ),
        BodyRoute(
            name="links",
            http=http,
            method="POST",
            ready=_at("/api/links"),
            fits={
                "full_url": "https://example.com/report.pdf",
                "expires_at": (system_clock() + timedelta(days=30)).isoformat(timespec="milliseconds"),
                "file_key": "uploads/report.pdf",
                "filename": "report.pdf",
            },
            read=lambda response: _made(http.get(f"/api/links/{exactly(response)['short_code']}", headers=mine)),
            headers=mine,
        ),
    ]


class _CiCd:
    """A user of hybrid_ci_cd with an agent, and what they ask."""

    login: ClassVar = {
        "user_id": "user123", "provider": "google", "oauth_tokens": {}, "user_info": {"name": "Ada", "age": 36.5},
    }  # fmt: skip

    def __init__(self, http: HttpCaller) -> None:
        self.http = http
        self.user = {"Authorization": f"Bearer {_post(http, '/auth/session', self.login)['session_id']}"}
        agent = _post(http, "/agents", {"name": "agent"}, self.user)
        self.agent = f"/agents/{agent['agent_id']}"
        self.runner = {"Authorization": f"Bearer {agent['agent_token']}"}

    def running(self) -> str:
        # Many bodies take longer than an agent may be silent.
        _post(self.http, f"{self.agent}/heartbeat", {}, self.runner)
        job_id = _post(self.http, "/jobs", {"name": "build"}, self.user)["job_id"]
        _made(self.http.post(f"/jobs/{job_id}/claim", headers=self.runner))
        return f"/jobs/{job_id}/finish"

    def job(self, response: Response) -> Any:
        return _made(self.http.get(f"/jobs/{exactly(response)['job_id']}", headers=self.user))

    def listed(self, response: Response) -> Any:
        wanted = exactly(response)
        found = _made(self.http.get("/agents", headers=self.user))["agents"]
        entry: Any = next(one for one in found if one["agent_id"] == wanted["agent_id"])
        if "scopes" in wanted:
            # An agent for each of many bodies would be more than a page.
            self.http.delete(f"/agents/{wanted['agent_id']}", headers=self.user)
        return entry


def _hybrid_ci_cd(http: HttpCaller) -> list[BodyRoute]:
    asking = _CiCd(http)
    validated = {"session_id": "kq3vYx0dX1S0Z0Yb6m9m4mJb5q4bqk9v1n8Cw2hXh3A"}
    return [
        BodyRoute(
            name="session",
            http=http,
            method="POST",
            ready=_at("/auth/session"),
            fits=asking.login,
            read=lambda response: _post(http, "/auth/validate", {"session_id": exactly(response)["session_id"]}),
        ),
        BodyRoute(name="validate", http=http, method="POST", ready=_at("/auth/validate"), fits=validated),
        BodyRoute(
            name="jobs",
            http=http,
            method="POST",
            ready=_at("/jobs"),
            fits={"name": "build main", "payload": {"commit": "5ce2b18", "seconds": 0.25, "steps": [1]}},
            read=asking.job,
            headers=asking.user,
        ),
        BodyRoute(
            name="finish",
            http=http,
            method="POST",
            ready=asking.running,
            fits={"attempt": 1, "status": "succeeded", "result": {"tests": 312, "coverage": 98.5}},
            read=asking.job,
            headers=asking.runner,
        ),
        BodyRoute(
            name="agents",
            http=http,
            method="POST",
            ready=_at("/agents"),
            fits={"name": "build-7", "runs_on": "customer"},
            read=asking.listed,
            headers=asking.user,
        ),
        BodyRoute(
            name="heartbeat",
            http=http,
            method="POST",
            ready=_at(f"{asking.agent}/heartbeat"),
            fits={"status": "busy"},
            read=asking.listed,
            headers=asking.runner,
        ),
    ]


def _stock_track_record(http: HttpCaller) -> list[BodyRoute]:
    places: list[str] = []

    def channel() -> str:
        channel_id = _post(http, "/api/channels", {"name": "n"})["channel_id"]
        places[:] = [f"/api/channels/{channel_id}/picks"]
        return places[0]

    def stock() -> str:
        places[:] = [f"/api/stocks/T{uuid.uuid4().hex[:9].upper()}"]
        return places[0]

    def again(_response: Response) -> Any:
        return _made(http.get(places[0]))

    return [
        BodyRoute(
            name="channels",
            http=http,
            method="POST",
            ready=_at("/api/channels"),
            fits={"name": "Morning picks", "description": "One.\nTwo."},
            read=lambda response: _made(http.get(f"/api/channels/{exactly(response)['channel_id']}")),
        ),
        BodyRoute(name="picks", http=http, method="POST", ready=channel, fits={"picks": [PICK]}, read=again),
        BodyRoute(
            name="stocks",
            http=http,
            method="PUT",
            ready=stock,
            fits={"name": "Acme", "prices": [{"date": "2026-01-05", "price": 12.5}]},
            read=again,
        ),
    ]


def _triggers_api(http: HttpCaller) -> list[BodyRoute]:
    def listed(response: Response) -> Any:
        event_id = exactly(response)["event_id"]
        events = _made(http.get("/v1/inbox"))["events"]
        http.delete(f"/v1/events/{event_id}")
        return next(event for event in events if event["event_id"] == event_id)

    return [
        BodyRoute(
            name="events",
            http=http,
            method="POST",
            ready=_at("/v1/events"),
            fits={"source": "test", "event_type": "test.created", "payload": {"a": 1.5, "b": ["c", None]}},
            read=listed,
        )
    ]


def _turbotech_portal(http: HttpCaller, dynamodb: Any, tables: dict[str, str]) -> list[BodyRoute]:
    put(dynamodb, tables["deliverables"], deliverable(1))
    put(dynamodb, tables["metrics"], metric(1))
    changes: list[tuple[str, dict[str, Any]]] = [
        (
            "/api/deliverables/1",
            {"name": "Report", "status": "IN_PROGRESS", "completion_percentage": 50, "month": 3},
        ),
        ("/api/metrics/1", {"name": "Uptime", "target": 99.95, "current_value": 99.9}),
        ("/api/users/me", {"name": "Ada"}),
    ]

    def update(response: Response) -> Any:
        update_id = exactly(response)["id"]
        return next(one for one in _made(http.get("/api/updates"))["updates"] if one["id"] == update_id)

    def again(path: str) -> Callable[[Response], Any]:
        return lambda _: _made(http.get(path))

    return [
        *(
            BodyRoute(name=path.split("/")[2], http=http, method="PATCH", ready=_at(path), fits=fits, read=again(path))
            for path, fits in changes
        ),
        BodyRoute(
            name="updates",
            http=http,
            method="POST",
            ready=_at("/api/updates"),
            fits={"title": "News", "message": "One.\nTwo."},
            read=update,
        ),
    ]
