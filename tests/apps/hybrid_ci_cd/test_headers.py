"""Request ids and CORS, on every response."""

import pytest

from tests.apps.hybrid_ci_cd.support import Api, MakeApi

REQUESTS = [
    ("GET", "/health", 200),
    ("POST", "/auth/session", 422),
    ("GET", "/jobs", 401),
    ("GET", "/nowhere", 404),
    ("PUT", "/jobs", 405),
    ("OPTIONS", "/jobs/claim", 204),
]


@pytest.mark.parametrize(("method", "path", "status"), REQUESTS)
def test_every_response_repeats_the_request_id_and_carries_the_cors_headers(
    api: Api, method: str, path: str, status: int
) -> None:
    response = api.send(method, path, headers={"X-Request-ID": "mine", "Origin": "https://app.example.com"})

    assert (response.status, response.headers["x-request-id"]) == (status, "mine")
    assert response.headers["access-control-allow-origin"] == "*"
    assert response.headers["access-control-expose-headers"] == "X-Request-ID, Retry-After"


def test_a_preflight_allows_what_browsers_send(api: Api) -> None:
    headers = api.send("OPTIONS", "/jobs").headers

    assert headers["access-control-allow-methods"] == "GET, POST, DELETE, OPTIONS"
    assert headers["access-control-allow-headers"] == "Authorization, Content-Type, X-Request-ID, X-Session-Key"


@pytest.mark.parametrize(("origin", "told"), [("https://a.example", "https://a.example"), ("https://b.example", None)])
def test_only_the_origins_of_the_setting_are_let_in(make_api: MakeApi, origin: str, told: str | None) -> None:
    api = make_api(cors_origins=("https://a.example",))

    assert api.get("/health", headers={"Origin": origin}).headers.get("access-control-allow-origin") == told
