"""What the tests of hybrid_ci_cd use: a caller behind API Gateway, users and agents who have what they need, tables."""

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from shared.dynamodb import Client
from tests.unit.support import Response, RestCaller

LOGIN = {"user_id": "user123", "provider": "google", "oauth_tokens": {}, "user_info": {}}


@dataclass(frozen=True, kw_only=True)
class Tables:
    """The names of three tables that nobody else uses."""

    sessions: str
    jobs: str
    agents: str


@dataclass(frozen=True)
class User:
    """A user who has logged in."""

    session_id: str
    handle: str

    @property
    def headers(self) -> dict[str, str]:
        return bearer(self.session_id)


@dataclass(frozen=True)
class AgentCaller:
    """An agent that has registered."""

    agent_id: str
    token: str

    @property
    def headers(self) -> dict[str, str]:
        return bearer(self.token)


@dataclass
class Api(RestCaller):
    """A caller who knows the routes."""

    def send_json(self, path: str, body: object, **request: Any) -> Response:
        return self.post(path, body=json.dumps(body), **request)

    def log_in(self, user_id: str = "user123", *, headers: dict[str, str] | None = None, **members: Any) -> User:
        response = self.send_json("/auth/session", LOGIN | {"user_id": user_id} | members, headers=headers)
        assert response.status == 201, response
        return User(response.json()["session_id"], response.json()["handle"])

    def validate(self, session_id: str) -> Any:
        response = self.send_json("/auth/validate", {"session_id": session_id})
        assert response.status == 200, response
        return response.json()

    def devices(self, user: User) -> Any:
        response = self.get("/auth/sessions", headers=user.headers)
        assert response.status == 200, response
        return response.json()["sessions"]

    def register(self, user: User, name: str = "agent") -> AgentCaller:
        response = self.send_json("/agents", {"name": name}, headers=user.headers)
        assert response.status == 201, response
        return AgentCaller(response.json()["agent_id"], response.json()["agent_token"])

    def heartbeat(self, agent: AgentCaller, status: str = "idle") -> Response:
        return self.send_json(f"/agents/{agent.agent_id}/heartbeat", {"status": status}, headers=agent.headers)

    def agents(self, user: User, **query: str) -> Any:
        return self.listed("/agents", "agents", user, **query)

    def queue(self, user: User, name: str = "build", payload: object = None) -> str:
        response = self.send_json("/jobs", {"name": name, "payload": payload or {}}, headers=user.headers)
        assert response.status == 201, response
        return str(response.json()["job_id"])

    def claim(self, job_id: str, agent: AgentCaller) -> Response:
        return self.post(f"/jobs/{job_id}/claim", headers=agent.headers)

    def claim_next(self, agent: AgentCaller) -> Response:
        return self.post("/jobs/claim", headers=agent.headers)

    def finish(
        self, job_id: str, agent: AgentCaller, *, attempt: int = 1, status: str = "succeeded", result: object = None
    ) -> Response:
        body = {"attempt": attempt, "status": status, "result": result or {}}
        return self.send_json(f"/jobs/{job_id}/finish", body, headers=agent.headers)

    def jobs(self, user: User, **query: str) -> Any:
        return self.listed("/jobs", "jobs", user, **query)

    def listed(self, path: str, member: str, user: User, **query: str) -> list[Any]:
        """Read a list to its end."""
        entries: list[Any] = []
        while True:
            response = self.get(path, headers=user.headers, query={name: [value] for name, value in query.items()})
            assert response.status == 200, response
            entries += response.json()[member]
            if response.json()["next_cursor"] is None:
                return entries
            query["cursor"] = response.json()["next_cursor"]


@dataclass
class StoppedClock:
    """A clock that stands until somebody moves it."""

    now: datetime = field(default_factory=lambda: datetime.fromisoformat("2026-01-31T09:15:02.104233+00:00"))

    def __call__(self) -> datetime:
        return self.now


class ResponseLost:
    """A client that behaves as botocore does when a response got lost: it writes, and then writes again.

    `meanwhile` is what happens between the two writes, once.
    """

    def __init__(self, client: Any, operation: str, meanwhile: Callable[[], object] | None = None) -> None:
        self._client = client
        self._operation = operation
        self._meanwhile = meanwhile

    def __getattr__(self, operation: str) -> Any:
        def call(**request: Any) -> Any:
            if operation == self._operation:
                getattr(self._client, operation)(**request)
                meanwhile, self._meanwhile = self._meanwhile, None
                if meanwhile:
                    meanwhile()
            return getattr(self._client, operation)(**request)

        return call


class MakeApi(Protocol):
    """Make an application of its own for a test, with other settings, another client or another clock."""

    def __call__(
        self, *, client: Client | None = None, clock: Callable[[], datetime] | None = None, **settings: Any
    ) -> Api: ...


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def make_tables(client: Any) -> Tables:
    """Make the three tables as the app module makes them."""
    suffix = uuid.uuid4().hex[:12]
    tables = Tables(
        sessions=f"hybrid-ci-cd-sessions-{suffix}",
        jobs=f"hybrid-ci-cd-jobs-{suffix}",
        agents=f"hybrid-ci-cd-agents-{suffix}",
    )
    make_table(
        client,
        tables.sessions,
        "session_id",
        ("user_id", "expires_at"),
        ["created_at", "generation", "provider", "user_agent"],
        types={"expires_at": "N"},
    )
    make_table(
        client,
        tables.jobs,
        "job_id",
        ("status", "created_at"),
        ["agent_id", "attempt", "claimed_at", "finished_at", "name"],
    )
    make_table(client, tables.agents, "agent_id", ("status", "last_heartbeat_at"), ["name", "registered_at", "runs_on"])
    return tables


def make_table(  # noqa: PLR0913 - what a table is made of
    client: Any,
    name: str,
    key: str,
    index: tuple[str, str],
    copied: list[str],
    *,
    types: dict[str, str] | None = None,
) -> None:
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": attribute, "AttributeType": (types or {}).get(attribute, "S")}
            for attribute in (key, *index)
        ],
        KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "-".join((*index, "index")),
                "KeySchema": [
                    {"AttributeName": index[0], "KeyType": "HASH"},
                    {"AttributeName": index[1], "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": copied},
            }
        ],
    )
