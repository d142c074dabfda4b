"""Who may call what."""

from typing import Any

import pytest

from shared.api_keys import hash_key
from tests.apps.hybrid_ci_cd.support import LOGIN, Api, MakeApi, bearer
from tests.unit.support import Recording

ID = "7f3d9f0e-5c1b-4c7e-9d53-0a4a1f4c2b11"
OF_A_USER = [
    ("GET", "/auth/sessions"),
    ("DELETE", "/auth/sessions"),
    ("DELETE", f"/auth/sessions/{'a' * 64}"),
    ("POST", "/jobs"),
    ("POST", "/agents"),
    ("DELETE", f"/agents/{ID}"),
]
OF_AN_AGENT = [
    ("POST", "/jobs/claim"),
    ("POST", f"/jobs/{ID}/claim"),
    ("POST", f"/jobs/{ID}/finish"),
    ("POST", f"/agents/{ID}/heartbeat"),
]
OF_BOTH = [("GET", "/jobs"), ("GET", f"/jobs/{ID}"), ("GET", "/agents")]
OPEN = ["/health", "/docs", "/openapi.json"]
KEY = "login-service-key"


@pytest.mark.parametrize(("method", "path"), OF_A_USER + OF_AN_AGENT + OF_BOTH)
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Basic dTpw"},
        bearer("wrong"),
        bearer("A" * 43),
        bearer(f"{ID}.{'A' * 43}"),
        bearer("é" * 43),
        bearer("x" * 5000),
    ],
    ids=str,
)
def test_without_the_right_token_nothing_is_done(api: Api, method: str, path: str, headers: dict[str, str]) -> None:
    response = api.send(method, path, body="not even JSON", headers=headers, query={"limit": ["0"]})

    assert (response.status, response.error_code) == (401, "unauthorized")
    assert response.headers["www-authenticate"].startswith("Bearer realm=")


@pytest.mark.parametrize(("method", "path"), OF_AN_AGENT)
def test_a_session_is_no_agents_token(api: Api, method: str, path: str) -> None:
    assert api.send(method, path, body="{}", headers=api.log_in().headers).status == 401


@pytest.mark.parametrize(("method", "path"), OF_A_USER)
def test_an_agents_token_is_no_session(api: Api, method: str, path: str) -> None:
    agent = api.register(api.log_in())

    assert api.send(method, path, body="{}", headers=agent.headers).status == 401


@pytest.mark.parametrize("path", OPEN)
def test_the_open_pages_need_no_token_and_no_database(make_api: MakeApi, dynamodb: Any, path: str) -> None:
    client = Recording(dynamodb)

    assert make_api(client=client).get(path).status == 200
    assert client.requests == []


def test_health_is_exactly_what_was_promised(api: Api) -> None:
    assert api.get("/health").body == '{"status":"healthy","version":"0.1.0"}'


def test_a_session_is_asked_for_again_at_every_request(api: Api) -> None:
    user = api.log_in()
    assert api.get("/jobs", headers=user.headers).status == 200

    api.delete("/auth/sessions", headers=user.headers)

    assert api.get("/jobs", headers=user.headers).status == 401


@pytest.mark.parametrize("key", [None, "", "wrong", hash_key(KEY), "é"])
def test_where_a_key_is_set_only_a_login_service_makes_sessions(make_api: MakeApi, key: str | None) -> None:
    api = make_api(session_key_hash=hash_key(KEY))

    response = api.send_json("/auth/session", LOGIN, headers={} if key is None else {"X-Session-Key": key})

    assert (response.status, response.error_code) == (401, "unauthorized")


def test_a_login_service_makes_sessions_and_everybody_validates_them(make_api: MakeApi) -> None:
    api = make_api(session_key_hash=hash_key(KEY))

    user = api.log_in(headers={"X-Session-Key": KEY})

    assert api.validate(user.session_id)["valid"]
    assert api.get("/auth/sessions", headers=user.headers).status == 200
