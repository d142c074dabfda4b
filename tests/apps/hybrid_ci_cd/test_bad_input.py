"""Whatever callers send, they get a 4xx with a code and a sentence, and never an error of ours."""

import json
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hybrid_ci_cd.models import MAX_JSON_BYTES, MAX_USER_INFO_BYTES
from shared import cursor
from shared.body_limit import DEFAULT_MAX_BODY_BYTES
from tests.apps.hybrid_ci_cd.support import LOGIN, AgentCaller, Api, MakeApi, User
from tests.unit.support import Refusing, client_error

ID = "7f3d9f0e-5c1b-4c7e-9d53-0a4a1f4c2b11"
TIME = "2026-01-31T09:15:02.104233Z"
NO_BODIES = [b"", b"{", b"null", b"[]", b'"text"', b"\xff\xfe", b'{"a":' * 5000]
DEEP: Any = "[" * 5000 + "]" * 5000


@pytest.fixture
def user(api: Api) -> User:
    return api.log_in()


@pytest.fixture
def agent(api: Api, user: User) -> AgentCaller:
    return api.register(user)


def assert_refused(response: Any, status: int = 422, code: str = "invalid_request") -> None:
    assert (response.status, response.error_code) == (status, code), response
    assert response.json()["error"]["message"].endswith(".")
    assert response.json()["error"]["request_id"] == response.headers["x-request-id"]


@pytest.mark.parametrize("body", NO_BODIES, ids=lambda body: repr(body[:12]))
@pytest.mark.parametrize("path", ["/auth/session", "/auth/validate"])
def test_a_body_that_is_no_object_is_refused_to_everybody(api: Api, path: str, body: bytes) -> None:
    assert_refused(api.post(path, body=body))


@pytest.mark.parametrize("body", NO_BODIES, ids=lambda body: repr(body[:12]))
def test_a_body_that_is_no_object_is_refused_to_users_and_agents(
    api: Api, user: User, agent: AgentCaller, body: bytes
) -> None:
    for path in ("/jobs", "/agents"):
        assert_refused(api.post(path, body=body, headers=user.headers))
    for path in (f"/agents/{agent.agent_id}/heartbeat", f"/jobs/{ID}/finish"):
        assert_refused(api.post(path, body=body, headers=agent.headers))


@pytest.mark.parametrize(
    "changed",
    [
        {"user_id": ""},
        {"user_id": "u" * 257},
        {"user_id": 1},
        {"user_id": None},
        {"provider": "go ogle"},
        {"provider": "google\n"},
        {"provider": ""},
        {"oauth_tokens": "token"},
        {"oauth_tokens": None},
        {"user_info": []},
        {"user_info": {"text": "x" * MAX_USER_INFO_BYTES}},
        {"unknown": 1},
    ],
    ids=lambda changed: str(changed)[:30],
)
def test_a_login_that_does_not_fit_is_refused(api: Api, changed: dict[str, Any]) -> None:
    assert_refused(api.send_json("/auth/session", LOGIN | changed))


@pytest.mark.parametrize(
    "payload",
    [
        "NaN",
        "Infinity",
        '{"a": NaN}',
        '{"a": 1e999}',
        '{"a": -1e999}',
        f'{{"a": {"9" * 5000}}}',
        '{"a": "\\ud800"}',
        f'{{"a": {DEEP}}}',
        "1",
        "null",
        json.dumps({"text": "x" * MAX_JSON_BYTES}),
    ],
    ids=lambda payload: payload[:20],
)
def test_what_no_json_library_can_read_back_is_refused(api: Api, user: User, agent: AgentCaller, payload: str) -> None:
    assert_refused(api.post("/jobs", body=f'{{"name": "n", "payload": {payload}}}', headers=user.headers))
    finished = f'{{"attempt": 1, "status": "failed", "result": {payload}}}'
    assert_refused(api.post(f"/jobs/{ID}/finish", body=finished, headers=agent.headers))


@pytest.mark.parametrize(
    "finished",
    [
        {"attempt": 0, "status": "failed"},
        {"attempt": 1.5, "status": "failed"},
        {"attempt": True, "status": "failed"},
        {"attempt": "1", "status": "failed"},
        {"attempt": 10**30, "status": "failed"},
        {"attempt": 1, "status": "running"},
        {"attempt": 1},
        {"status": "failed"},
    ],
    ids=str,
)
def test_a_result_that_does_not_fit_is_refused(api: Api, agent: AgentCaller, finished: dict[str, Any]) -> None:
    assert_refused(api.send_json(f"/jobs/{ID}/finish", finished, headers=agent.headers))


def test_a_body_that_is_too_large_is_refused_before_it_is_read(api: Api, user: User) -> None:
    body = json.dumps({"name": "n", "payload": {"text": "x" * DEFAULT_MAX_BODY_BYTES}})

    assert_refused(api.post("/jobs", body=body, headers=user.headers), 413, "request_too_large")
    assert_refused(api.post("/auth/session", body=body), 413, "request_too_large")


@pytest.mark.parametrize("unknown", ["unknown", ID, "x" * 3000, "%00", "a b", "É"])
def test_an_unknown_id_is_not_found(api: Api, user: User, agent: AgentCaller, unknown: str) -> None:
    for response in (
        api.get(f"/jobs/{unknown}", headers=user.headers),
        api.claim(unknown, agent),
        api.finish(unknown, agent),
        api.delete(f"/agents/{unknown}", headers=user.headers),
        api.delete(f"/auth/sessions/{unknown}", headers=user.headers),
    ):
        assert_refused(response, 404, "not_found")


@pytest.mark.parametrize(
    "text",
    ["nonsense", "é", "W10", cursor.encode([]), cursor.encode([0]), cursor.encode({"a": 1}), "x" * 9000]
    + [
        cursor.encode(value)
        for value in (
            [1, TIME, ID],
            [-1, TIME, ID],
            [0, 5, ID],
            [0, TIME, 5],
            [0, TIME, "x" * 3000],
            [0, "2026", ID],
            [0.0, TIME, ID],
            [0, TIME, ID, ID],
        )
    ],
    ids=lambda text: text[:20],
)
def test_a_cursor_that_is_not_ours_is_refused(api: Api, user: User, text: str) -> None:
    for path in ("/jobs", "/auth/sessions"):
        assert_refused(api.get(path, headers=user.headers, query={"cursor": [text]}))


def test_a_cursor_of_another_list_is_refused(api: Api, user: User) -> None:
    api.log_in()
    page = api.get("/auth/sessions", headers=user.headers, query={"limit": ["1"]}).json()

    assert_refused(api.get("/jobs", headers=user.headers, query={"cursor": [page["next_cursor"]]}))


def test_a_made_up_cursor_reaches_nobody_elses_jobs(api: Api, user: User) -> None:
    api.queue(api.log_in("somebody else"))
    mine = api.queue(user)

    text = cursor.encode([0, "2025-01-31T09:15:02.104233Z", ID])

    assert [job["job_id"] for job in api.jobs(user, cursor=text)] == [mine]


@pytest.mark.parametrize(
    "query",
    [{"limit": "0"}, {"limit": "101"}, {"limit": "x"}, {"status": "lost"}, {"status": ""}, {"status": "queued#u"}],
    ids=str,
)
def test_a_query_that_does_not_fit_is_refused(api: Api, user: User, query: dict[str, str]) -> None:
    assert_refused(api.get("/jobs", headers=user.headers, query={name: [value] for name, value in query.items()}))


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/health", "GET, HEAD, OPTIONS"),
        ("GET", "/auth/session", "OPTIONS, POST"),
        ("GET", "/auth/validate", "OPTIONS, POST"),
        ("POST", "/auth/sessions", "DELETE, GET, HEAD, OPTIONS"),
        ("PUT", "/jobs", "GET, HEAD, OPTIONS, POST"),
        ("PUT", "/agents", "GET, HEAD, OPTIONS, POST"),
        ("PATCH", "/agents/x", "DELETE, OPTIONS"),
        ("DELETE", "/jobs/x/claim", "OPTIONS, POST"),
        ("GET", "/agents/x/heartbeat", "OPTIONS, POST"),
    ],
)
def test_a_method_that_a_path_does_not_know_gets_the_list(api: Api, method: str, path: str, allowed: str) -> None:
    response = api.send(method, path)

    assert_refused(response, 405, "method_not_allowed")
    assert response.headers["allow"] == allowed


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=5), children, max_size=3),
    max_leaves=8,
)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=st.sampled_from(["/auth/session", "/auth/validate", "/jobs", "/agents"]),
    members=st.dictionaries(
        st.sampled_from(["user_id", "provider", "oauth_tokens", "user_info", "session_id", "name", "payload"]),
        json_values,
    ),
)
def test_no_json_is_an_error_of_ours(api: Api, user: User, path: str, members: dict[str, Any]) -> None:
    response = api.send_json(path, members, headers=user.headers)

    assert response.status in (200, 201, 422), response


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (client_error("ProvisionedThroughputExceededException"), 429, "throttled"),
        (client_error("ThrottlingException"), 429, "throttled"),
        (client_error("InternalServerError"), 500, "internal_error"),
        (client_error("AccessDeniedException"), 500, "internal_error"),
        (EndpointConnectionError(endpoint_url="http://127.0.0.1:1"), 500, "internal_error"),
        (ReadTimeoutError(endpoint_url="http://127.0.0.1:1"), 500, "internal_error"),
    ],
    ids=str,
)
@pytest.mark.parametrize(
    ("method", "path", "operation"),
    [
        ("POST", "/auth/session", "put_item"),
        ("GET", "/auth/sessions", "query"),
        ("DELETE", "/auth/sessions", "put_item"),
        ("GET", "/jobs", "get_item"),
        ("POST", "/jobs", "put_item"),
        ("POST", "/agents", "put_item"),
    ],
)
def test_what_dynamodb_refuses_is_told_without_its_stack(  # noqa: PLR0913, PLR0917 - a row of two tables
    make_api: MakeApi,
    dynamodb: Any,
    user: User,
    error: Exception,
    status: int,
    code: str,
    method: str,
    path: str,
    operation: str,
) -> None:
    body = json.dumps(LOGIN if path == "/auth/session" else {"name": "n"})

    response = make_api(client=Refusing(dynamodb, error, operation)).send(method, path, body=body, headers=user.headers)

    assert_refused(response, status, code)
    assert "Traceback" not in response.body
    assert response.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize("operation", ["get_item", "batch_get_item", "update_item"])
@pytest.mark.parametrize("path", ["/jobs/claim", "/jobs/{waiting}/claim", "/jobs/{running}/finish"])
def test_a_throttled_agent_is_asked_to_wait(  # noqa: PLR0913, PLR0917 - who takes part in it
    make_api: MakeApi, dynamodb: Any, api: Api, user: User, agent: AgentCaller, path: str, operation: str
) -> None:
    running, waiting = api.queue(user), api.queue(user)
    api.claim(running, agent)
    operations = (operation, "update_item")
    throttled = make_api(client=Refusing(dynamodb, client_error("ThrottlingException"), *operations))

    path = path.format(running=running, waiting=waiting)
    response = throttled.send_json(path, {"attempt": 1, "status": "failed"}, headers=agent.headers)

    assert_refused(response, 429, "throttled")
    assert int(response.headers["retry-after"]) > 0
