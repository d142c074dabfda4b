"""Request ids and CORS, on every response."""

import uuid

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.request_ids import choose, is_well_formed
from tests.apps.triggers_api.support import Api, MakeApi

ALLOWED = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"
REQUESTS = [
    ("GET", "/v1/health", 200),
    ("GET", "/v1/inbox", 200),
    ("POST", "/v1/events", 422),
    ("DELETE", "/v1/events/none", 404),
    ("GET", "/nowhere", 404),
    ("PUT", "/v1/health", 405),
    ("OPTIONS", "/v1/events", 204),
    ("OPTIONS", "/nowhere", 204),
    ("HEAD", "/v1/health", 200),
    ("GET", "/docs", 200),
]


@pytest.mark.parametrize(("method", "path", "status"), REQUESTS)
def test_every_response_repeats_the_callers_request_id(api: Api, method: str, path: str, status: int) -> None:
    response = api.send(method, path, headers={"x-request-id": "My.id_1-2"})

    assert (response.status, response.headers["x-request-id"]) == (status, "My.id_1-2")


@pytest.mark.parametrize("given_id", ["", "two words", "a" * 129, "é", "a/b", "a\n", "a, b", "<script>"])
def test_an_id_that_is_not_well_formed_is_replaced(api: Api, given_id: str) -> None:
    response = api.get("/nowhere", headers={"X-Request-ID": given_id})

    assert uuid.UUID(response.headers["x-request-id"]).version == 4
    assert response.json()["error"]["request_id"] == response.headers["x-request-id"]


def test_every_request_without_an_id_gets_another_one(api: Api) -> None:
    assert len({api.get("/v1/health").headers["x-request-id"] for _ in range(5)}) == 5


@given(st.text(alphabet=ALLOWED, min_size=1, max_size=128))
def test_an_id_of_letters_digits_dots_lines_and_dashes_is_kept(text: str) -> None:
    assert choose(text) == text


@given(st.text(max_size=140))
def test_everything_else_is_no_id(text: str) -> None:
    assert is_well_formed(text) == (1 <= len(text) <= 128 and set(text) <= set(ALLOWED))


@pytest.mark.parametrize(("method", "path", "status"), REQUESTS)
def test_every_response_carries_the_cors_headers(api: Api, method: str, path: str, status: int) -> None:
    response = api.send(method, path)

    assert response.status == status
    assert response.headers["access-control-allow-origin"] == "*"
    assert "X-Request-ID" in response.headers["access-control-expose-headers"]


@pytest.mark.parametrize("headers", [{}, {"Origin": "https://a.example", "Access-Control-Request-Method": "POST"}])
def test_options_needs_no_key_and_says_what_browsers_may_do(api: Api, headers: dict[str, str]) -> None:
    response = api.send("OPTIONS", "/v1/events", key="", headers=headers)

    assert (response.status, response.body) == (204, "")
    assert response.headers["access-control-allow-methods"] == "GET, POST, DELETE, OPTIONS"
    assert response.headers["access-control-allow-headers"] == "Content-Type, X-API-Key, X-Request-ID, Idempotency-Key"
    assert response.headers["access-control-max-age"] == "3600"


@pytest.mark.parametrize(("method", "path", "status"), REQUESTS)
def test_a_list_of_origins_lets_only_those_in(make_api: MakeApi, method: str, path: str, status: int) -> None:
    api = make_api(cors_origins=("https://app.example.com", "http://localhost:3000"))

    listed = api.send(method, path, headers={"Origin": "http://localhost:3000"})
    stranger = api.send(method, path, headers={"Origin": "https://app.example.com.evil.example"})
    nobody = api.send(method, path)

    assert (listed.status, stranger.status, nobody.status) == (status, status, status)
    assert listed.headers["access-control-allow-origin"] == "http://localhost:3000"
    assert "access-control-allow-origin" not in stranger.headers | nobody.headers
    assert listed.headers["vary"] == stranger.headers["vary"] == nobody.headers["vary"] == "Origin"


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(
        st.text(alphabet=ALLOWED.replace(".", ""), min_size=1, max_size=20), st.text(max_size=20), max_size=4
    )
)
def test_no_header_that_a_caller_sends_breaks_anything(api: Api, headers: dict[str, str]) -> None:
    assert api.get("/v1/health", headers={f"X-Test-{name}": value for name, value in headers.items()}).status == 200
