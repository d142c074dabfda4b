"""hybrid_ci_cd from source to a raced claim: real packages, real Terraform, a local AWS that enforces IAM."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Barrier
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError

from hybrid_ci_cd.models import MAX_JSON_BYTES
from sawhorse.local.clients import local_client
from sawhorse.operate.seed import bearer
from shared.api_keys import hash_key
from shared.body_limit import DEFAULT_MAX_BODY_BYTES
from tests.apps.every.end_to_end.logs_support import everything_logged, logged_with
from tests.end_to_end.support import Sawhorse

pytestmark = pytest.mark.end_to_end

ROOT = "production/hybrid_ci_cd"
TABLES = ("agents", "jobs", "sessions")
AGENTS = 20
# How many jobs are raced for over HTTP, a second or so each; the unit tests race for a hundred of them on the tables.
# Claims for one job after another, by the same agents.
RACES = 5
UNKNOWN_ID = str(uuid.UUID(int=0, version=4))


@pytest.fixture(scope="module")
def sawhorse(standing: Callable[[str], Sawhorse]) -> Sawhorse:
    """production/hybrid_ci_cd, applied for all tests of this file; each brings its own users."""
    return standing(ROOT)


@pytest.fixture(scope="module")
def outputs(sawhorse: Sawhorse) -> dict[str, Any]:
    found: dict[str, Any] = sawhorse.json("outputs", ROOT, "--local")
    return found


@pytest.fixture(scope="module")
def http(outputs: dict[str, Any]) -> Iterator[httpx.Client]:
    limits = httpx.Limits(max_connections=AGENTS)
    with httpx.Client(base_url=outputs["api_endpoint"], timeout=60, trust_env=False, limits=limits) as client:
        yield client


@dataclass(frozen=True)
class User:
    """A user who has logged in."""

    http: httpx.Client
    user_id: str
    session_id: str

    def send(self, method: str, path: str, body: object = None, token: str | None = None) -> httpx.Response:
        return self.http.request(method, path, json=body, headers=bearer(token or self.session_id))

    def register(self, name: str = "agent") -> Agent:
        made = self.send("POST", "agents", {"name": name})
        assert made.status_code == 201, made.text
        return Agent(self, made.json()["agent_id"], made.json()["agent_token"])

    def queue(self, name: str = "build") -> str:
        made = self.send("POST", "jobs", {"name": name, "payload": {"steps": ["make test"]}})
        assert made.status_code == 201, made.text
        return str(made.json()["job_id"])


@dataclass(frozen=True)
class Agent:
    """An agent that a user has registered."""

    user: User
    agent_id: str
    token: str

    def claim(self, job_id: str) -> httpx.Response:
        return self.user.send("POST", f"jobs/{job_id}/claim", token=self.token)

    def finish(self, job_id: str, attempt: int) -> httpx.Response:
        body = {"attempt": attempt, "status": "succeeded", "result": {"tests": 312}}
        return self.user.send("POST", f"jobs/{job_id}/finish", body, token=self.token)


@pytest.fixture
def log_in(http: httpx.Client) -> Callable[..., User]:
    def make(user_id: str | None = None) -> User:
        login = {
            "user_id": user_id or f"user-{uuid.uuid4()}",
            "provider": "google",
            "oauth_tokens": {},
            "user_info": {},
        }
        made = http.post("auth/session", json=login)
        assert made.status_code == 201, made.text
        return User(http, made.json()["user_id"], made.json()["session_id"])

    return make


@pytest.fixture
def user(log_in: Callable[..., User]) -> User:
    return log_in()


def is_valid(user: User) -> bool:
    told = user.http.post("auth/validate", json={"session_id": user.session_id}).json()
    assert told["valid"] is False or told["user_id"] == user.user_id
    return bool(told["valid"])


def test_health_and_the_api_pages_need_no_token(http: httpx.Client) -> None:
    assert http.get("health").text == '{"status":"healthy","version":"0.1.0"}'
    assert http.get("docs").headers["content-type"].startswith("text/html")
    assert set(http.get("openapi.json").json()["paths"]) == {
        "/health",
        "/auth/session",
        "/auth/validate",
        "/auth/sessions",
        "/auth/sessions/{handle}",
        "/jobs",
        "/jobs/claim",
        "/jobs/{job_id}",
        "/jobs/{job_id}/claim",
        "/jobs/{job_id}/finish",
        "/agents",
        "/agents/{agent_id}",
        "/agents/{agent_id}/heartbeat",
    }


def test_devices_are_listed_and_ended(log_in: Callable[..., User]) -> None:
    laptop = log_in()
    phone, tablet = log_in(laptop.user_id), log_in(laptop.user_id)
    listed = laptop.send("GET", "auth/sessions").json()["sessions"]
    assert [device["handle"] for device in listed if device["current"]] == [hash_key(laptop.session_id)]
    assert len(listed) == 3

    assert laptop.send("DELETE", f"auth/sessions/{hash_key(phone.session_id)}").status_code == 204
    assert [is_valid(session) for session in (laptop, phone, tablet)] == [True, False, True]
    assert tablet.send("DELETE", "auth/sessions").status_code == 204
    assert [is_valid(session) for session in (laptop, phone, tablet)] == [False, False, False]


def test_a_session_ends_at_its_second_though_nothing_has_swept_it(
    sawhorse: Sawhorse, outputs: dict[str, Any], log_in: Callable[..., User]
) -> None:
    user = log_in()
    other = log_in(user.user_id)
    dynamodb = sawhorse.client("dynamodb", "production")
    key = {"session_id": {"S": hash_key(user.session_id)}}
    table = {"TableName": outputs["dynamodb_sessions_table"], "Key": key}
    ends = int(time.time()) + 3
    dynamodb.update_item(
        **table, UpdateExpression="SET expires_at = :ends", ExpressionAttributeValues={":ends": {"N": str(ends)}}
    )
    assert is_valid(user)
    time.sleep(max(0, ends - time.time()))
    assert not is_valid(user)
    assert user.send("GET", "auth/sessions").status_code == 401
    assert len(other.send("GET", "auth/sessions").json()["sessions"]) == 1
    assert "Item" in dynamodb.get_item(**table)


def test_a_job_of_a_lost_agent_is_claimed_again_and_the_lost_one_is_fenced_off(
    sawhorse: Sawhorse, outputs: dict[str, Any], user: User
) -> None:
    first, second = user.register("first"), user.register("second")
    job_id = user.queue()
    assert first.claim(job_id).json()["attempt"] == 1
    assert second.claim(job_id).json()["error"]["code"] == "job_taken"

    sawhorse.client("dynamodb", "production").update_item(
        TableName=outputs["dynamodb_agents_table"],
        Key={"agent_id": {"S": first.agent_id}},
        UpdateExpression="SET last_heartbeat_at = :long_ago",
        ExpressionAttributeValues={":long_ago": {"S": "2026-01-31T09:15:02.104233Z"}},
    )

    assert [agent["agent_id"] for agent in user.send("GET", "agents?status=lost").json()["agents"]] == [first.agent_id]
    taken = user.send("POST", "jobs/claim", token=second.token).json()
    assert (taken["job_id"], taken["attempt"], taken["agent_id"]) == (job_id, 2, second.agent_id)
    assert first.finish(job_id, 1).json()["error"]["code"] == "claim_lost"
    assert second.finish(job_id, 2).status_code == second.finish(job_id, 2).status_code == 200
    assert user.send("GET", "jobs?status=succeeded").json()["jobs"][0]["job_id"] == job_id
    heartbeat = {"status": "idle"}
    back = user.send("POST", f"agents/{first.agent_id}/heartbeat", heartbeat, token=first.token)
    assert back.json()["status"] == "idle"


@pytest.mark.drill(short=1)
def test_twenty_agents_claim_one_job_at_once_and_one_gets_it_each_time(user: User) -> None:
    agents = [user.register(f"agent-{number}") for number in range(AGENTS)]
    start = Barrier(AGENTS)

    def claim(agent: Agent, job_id: str) -> int:
        start.wait(timeout=60)
        return agent.claim(job_id).status_code

    with ThreadPoolExecutor(AGENTS) as pool:
        for number in range(RACES):
            job_id = user.queue(f"race-{number}")
            statuses = list(pool.map(claim, agents, [job_id] * AGENTS))
            assert sorted(statuses) == [200, *[409] * (AGENTS - 1)]
            winner = agents[statuses.index(200)]
            assert user.send("GET", f"jobs/{job_id}").json()["agent_id"] == winner.agent_id


BODY_TOO_LARGE = json.dumps({"name": "n", "payload": {"text": "x" * DEFAULT_MAX_BODY_BYTES}}).encode()
PAYLOAD_TOO_LARGE = json.dumps({"name": "n", "payload": {"text": "x" * MAX_JSON_BYTES}}).encode()
DEEP = b'{"name":"n","payload":{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}}"


@pytest.mark.parametrize(
    ("who", "method", "path", "body", "status", "code"),
    [
        ("nobody", "POST", "auth/session", b"{", 422, "invalid_request"),
        ("nobody", "POST", "auth/session", b"", 422, "invalid_request"),
        ("nobody", "POST", "auth/session", b"\xff\xfe", 422, "invalid_request"),
        ("nobody", "POST", "auth/session", b'{"user_id": 1, "provider": "google"}', 422, "invalid_request"),
        ("nobody", "POST", "auth/session", b'{"user_id": "u", "provider": "go ogle"}', 422, "invalid_request"),
        ("nobody", "POST", "auth/session", BODY_TOO_LARGE, 413, "request_too_large"),
        ("nobody", "POST", "auth/validate", b'{"session_id": null}', 422, "invalid_request"),
        ("nobody", "POST", "auth/validate", b"[]", 422, "invalid_request"),
        ("nobody", "GET", "auth/session", None, 405, "method_not_allowed"),
        ("nobody", "PUT", "jobs", b"{}", 405, "method_not_allowed"),
        ("nobody", "GET", "v1/anything", None, 404, "not_found"),
        ("nobody", "GET", "jobs", None, 401, "unauthorized"),
        ("expired", "GET", "jobs", None, 401, "unauthorized"),
        ("wrong", "GET", "auth/sessions", None, 401, "unauthorized"),
        ("wrong", "DELETE", "auth/sessions", None, 401, "unauthorized"),
        ("wrong", "POST", "jobs/claim", None, 401, "unauthorized"),
        ("user", "POST", "jobs/claim", None, 401, "unauthorized"),
        ("agent", "POST", "jobs", b'{"name": "n"}', 401, "unauthorized"),
        ("agent", "POST", f"agents/{UNKNOWN_ID}/heartbeat", b"{}", 403, "forbidden"),
        ("agent", "POST", f"jobs/{UNKNOWN_ID}/claim", None, 404, "not_found"),
        ("agent", "POST", "jobs/" + "x" * 3000 + "/claim", None, 404, "not_found"),
        ("agent", "POST", f"jobs/{UNKNOWN_ID}/finish", b'{"attempt": 1, "status": "done"}', 422, "invalid_request"),
        ("agent", "POST", f"jobs/{UNKNOWN_ID}/finish", b'{"attempt": 1, "status": "failed"}', 404, "not_found"),
        ("user", "POST", "jobs", b'{"name": "n", "payload": {"a": NaN}}', 422, "invalid_request"),
        ("user", "POST", "jobs", b'{"name": "n", "payload": {"a": 1e999}}', 422, "invalid_request"),
        ("user", "POST", "jobs", b'{"name": "n", "payload": {"a": "\\ud800"}}', 422, "invalid_request"),
        ("user", "POST", "jobs", b'{"name": "n", "unknown": 1}', 422, "invalid_request"),
        ("user", "POST", "jobs", DEEP, 422, "invalid_request"),
        ("user", "POST", "jobs", PAYLOAD_TOO_LARGE, 422, "invalid_request"),
        ("user", "POST", "jobs", BODY_TOO_LARGE, 413, "request_too_large"),
        ("user", "GET", "jobs?status=lost", None, 422, "invalid_request"),
        ("user", "GET", "jobs?limit=0", None, 422, "invalid_request"),
        ("user", "GET", "jobs?cursor=nonsense", None, 422, "invalid_request"),
        ("user", "GET", "agents?cursor=WzksImEiLCJiIl0", None, 422, "invalid_request"),
        ("user", "GET", f"jobs/{UNKNOWN_ID}", None, 404, "not_found"),
        ("user", "GET", "jobs/unknown", None, 404, "not_found"),
        ("user", "DELETE", "auth/sessions/unknown", None, 404, "not_found"),
        ("user", "DELETE", f"agents/{UNKNOWN_ID}", None, 404, "not_found"),
        ("user", "POST", "agents", b'{"name": "a", "runs_on": "moon"}', 422, "invalid_request"),
    ],
    ids=lambda value: value[:40] if isinstance(value, str | bytes) else str(value),
)
def test_bad_input_gets_an_error_with_a_code_and_the_request_id(  # noqa: PLR0913, PLR0917 # a row of a table
    http: httpx.Client,
    tokens: dict[str, str],
    who: str,
    method: str,
    path: str,
    body: bytes | None,
    status: int,
    code: str,
) -> None:
    headers = {"X-Request-ID": "mine-1", "Content-Type": "application/json"} | (
        bearer(tokens[who]) if who in tokens else {}
    )
    response = http.request(method, path, content=body, headers=headers)
    assert response.status_code == status, response.text
    error = response.json()["error"]
    assert error["code"] == code
    assert error["message"].endswith(".")
    assert error["request_id"] == response.headers["X-Request-ID"] == "mine-1"


@pytest.fixture(scope="module")
def tokens(sawhorse: Sawhorse, outputs: dict[str, Any], http: httpx.Client) -> dict[str, str]:
    """What callers of each kind send."""
    login = {"user_id": f"user-{uuid.uuid4()}", "provider": "google"}
    session_id, expired = (http.post("auth/session", json=login).json()["session_id"] for _ in range(2))
    sawhorse.client("dynamodb", "production").update_item(
        TableName=outputs["dynamodb_sessions_table"],
        Key={"session_id": {"S": hash_key(expired)}},
        UpdateExpression="SET expires_at = :now",
        ExpressionAttributeValues={":now": {"N": str(int(time.time()))}},
    )
    agent = http.post("agents", json={"name": "agent"}, headers=bearer(session_id)).json()
    return {"user": session_id, "expired": expired, "agent": agent["agent_token"], "wrong": "A" * 43}


def test_what_belongs_to_somebody_else_is_not_found(log_in: Callable[..., User]) -> None:
    mine, stranger = log_in(), log_in()
    agent, job_id = mine.register(), mine.queue()
    for method, path in [
        ("GET", f"jobs/{job_id}"),
        ("DELETE", f"agents/{agent.agent_id}"),
        ("DELETE", f"auth/sessions/{hash_key(mine.session_id)}"),
    ]:
        response = stranger.send(method, path)
        assert (response.status_code, response.json()["error"]["code"]) == (404, "not_found")
    assert stranger.register().claim(job_id).status_code == 404
    assert is_valid(mine)


@pytest.mark.parametrize("path", ["auth/session", "jobs", "agents", "nowhere"])
def test_a_preflight_gets_the_cors_headers(http: httpx.Client, path: str) -> None:
    response = http.options(
        path,
        headers={
            "Origin": "https://app.example.com",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization, content-type",
        },
    )
    assert response.is_success
    assert response.headers["access-control-allow-origin"] == "https://app.example.com"
    allowed = {name.strip().lower() for name in response.headers["access-control-allow-headers"].split(",")}
    assert {"authorization", "content-type", "x-request-id", "x-session-key"} <= allowed


def test_a_strangers_page_is_told_nothing(http: httpx.Client) -> None:
    response = http.get("health", headers={"Origin": "https://evil.example.com"})
    assert "access-control-allow-origin" not in response.headers


def test_neither_the_log_nor_the_tables_hold_what_opens_something(
    sawhorse: Sawhorse, outputs: dict[str, Any], http: httpx.Client
) -> None:
    request_id = str(uuid.uuid4())
    login = {
        "user_id": f"user-{uuid.uuid4()}",
        "provider": "google",
        "oauth_tokens": {"access_token": "ya29.access", "refresh_token": "1//refresh"},
    }
    session_id = http.post("auth/session", json=login).json()["session_id"]
    token = http.post("agents", json={"name": "a"}, headers=bearer(session_id)).json()["agent_token"]
    assert http.get("jobs", headers=bearer(token) | {"X-Request-ID": request_id}).status_code == 200
    held = logged_with(lambda: everything_logged(sawhorse, ROOT, outputs["log_group"]), request_id)
    dynamodb = sawhorse.client("dynamodb", "production")
    for table in TABLES:
        for page in dynamodb.get_paginator("scan").paginate(TableName=outputs[f"dynamodb_{table}_table"]):
            held += json.dumps(page["Items"])
    assert not [secret for secret in (session_id, token, token.split(".")[1], "ya29", "1//refresh") if secret in held]


def test_the_roles_own_credentials_can_do_what_the_app_does_and_no_more(
    sawhorse: Sawhorse, outputs: dict[str, Any]
) -> None:
    dynamodb = local_client("dynamodb", sawhorse.json("local", "credentials", ROOT))
    names = {table: outputs[f"dynamodb_{table}_table"] for table in TABLES}
    keys = {"agents": "agent_id", "jobs": "job_id", "sessions": "session_id"}
    for table, name in names.items():
        key = {keys[table]: {"S": "absent"}}
        assert "Item" not in dynamodb.get_item(TableName=name, Key=key)
        with pytest.raises(ClientError, match="AccessDenied"):
            dynamodb.scan(TableName=name)
        with pytest.raises(ClientError, match="AccessDenied"):
            dynamodb.delete_table(TableName=name)
        with pytest.raises(ClientError, match="AccessDenied"):
            dynamodb.update_table(TableName=name, BillingMode="PAY_PER_REQUEST")
    with pytest.raises(ClientError, match="AccessDenied"):
        dynamodb.delete_item(TableName=names["jobs"], Key={"job_id": {"S": "absent"}})
    with pytest.raises(ClientError, match="AccessDenied"):
        dynamodb.update_item(TableName=names["sessions"], Key={"session_id": {"S": "absent"}})
