"""What callers see when something goes wrong."""

import json
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from tests.apps.turbotech_portal.support import Api, MakeApi, Tables, deliverable, metric, put
from tests.unit.support import Refusing, client_error

UPDATE_ID = "7f3d9f0e-5c1b-4c7e-9d53-0a4a1f4c2b11"
UPDATE = {
    "id": UPDATE_ID,
    "feed": "project",
    "title": "T",
    "message": "M",
    "author": {"id": "a", "name": "A"},
    "created_at": "2026-01-31T09:15:02.104233Z",
}
NEWS = json.dumps({"title": "T", "message": "M"})
# A method, a path, a body, and the DynamoDB operation that fails.
REQUESTS = [
    ("GET", "/api/deliverables", "", "scan"),
    ("GET", "/api/deliverables/1", "", "get_item"),
    ("PATCH", "/api/deliverables/1", '{"month": 2}', "get_item"),
    ("PATCH", "/api/deliverables/1", '{"month": 2}', "update_item"),
    ("GET", "/api/metrics", "", "scan"),
    ("PATCH", "/api/metrics/1", '{"target": 2}', "update_item"),
    ("GET", "/api/updates", "", "query"),
    ("POST", "/api/updates", NEWS, "get_item"),
    ("POST", "/api/updates", NEWS, "update_item"),
    ("POST", "/api/updates", NEWS, "put_item"),
    ("POST", f"/api/updates/{UPDATE_ID}/read", "", "get_item"),
    ("POST", f"/api/updates/{UPDATE_ID}/read", "", "update_item"),
    ("GET", "/api/users", "", "scan"),
    ("GET", "/api/users/me", "", "get_item"),
    ("GET", "/api/dashboard", "", "query"),
]


@pytest.mark.parametrize("request_to_make", REQUESTS, ids=lambda parts: " ".join((*parts[:2], parts[3])))
@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (client_error("ProvisionedThroughputExceededException"), 429, "throttled"),
        (client_error("AccessDeniedException"), 500, "internal_error"),
        (client_error("ResourceNotFoundException"), 500, "internal_error"),
        (EndpointConnectionError(endpoint_url="http://127.0.0.1:1"), 500, "internal_error"),
    ],
    ids=str,
)
def test_a_failure_of_dynamodb_keeps_its_stack_to_itself(  # noqa: PLR0913, PLR0917 - a row of a table
    make_api: MakeApi,
    dynamodb: Any,
    tables: Tables,
    request_to_make: tuple[str, str, str, str],
    error: Exception,
    status: int,
    code: str,
) -> None:
    method, path, body, operation = request_to_make
    put(dynamodb, tables.deliverables, deliverable(1))
    put(dynamodb, tables.metrics, metric(1))
    put(dynamodb, tables.updates, UPDATE)

    response = make_api(client=Refusing(dynamodb, error, operation)).send(
        method, path, body=body, headers={"X-Request-ID": "mine"}
    )

    assert (response.status, response.error_code) == (status, code)
    assert response.json()["error"]["request_id"] == response.headers["x-request-id"] == "mine"
    assert "Traceback" not in response.body
    assert ("retry-after" in response.headers) == (status == 429)


@pytest.mark.parametrize(
    "path", ["/", "/api", "/api/", "/deliverables", "/api/deliverables/1/2", "/api/updates/x", "/%00"]
)
def test_a_path_that_leads_nowhere_is_not_found(api: Api, path: str) -> None:
    response = api.get(path)

    assert (response.status, response.error_code) == (404, "not_found")


@pytest.mark.parametrize(("public", "step"), [(True, "See /docs for the routes."), (False, "Check how it is spelled.")])
def test_the_docs_can_be_switched_off_and_then_nothing_points_to_them(
    make_api: MakeApi, *, public: bool, step: str
) -> None:
    api = make_api(public_docs=public, claims=None)

    assert [api.get(path).status for path in ("/docs", "/openapi.json")] == [200 if public else 404] * 2
    assert api.get("/nothing").json()["error"]["message"] == f"There is nothing at this path. {step}"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/api/health", "GET, HEAD, OPTIONS"),
        ("DELETE", "/api/deliverables", "GET, HEAD, OPTIONS"),
        ("PUT", "/api/deliverables/1", "GET, HEAD, OPTIONS, PATCH"),
        ("DELETE", "/api/metrics/1", "GET, HEAD, OPTIONS, PATCH"),
        ("PATCH", "/api/updates", "GET, HEAD, OPTIONS, POST"),
        ("GET", f"/api/updates/{UPDATE_ID}/read", "OPTIONS, POST"),
        ("POST", "/api/dashboard", "GET, HEAD, OPTIONS"),
    ],
)
def test_a_method_that_a_path_does_not_know_gets_the_list(api: Api, method: str, path: str, allowed: str) -> None:
    response = api.send(method, path)

    assert (response.status, response.error_code) == (405, "method_not_allowed")
    assert response.headers["allow"] == allowed


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PATCH", "/api/deliverables/1"),
        ("PATCH", "/api/metrics/1"),
        ("POST", "/api/updates"),
        ("PATCH", "/api/users/me"),
    ],
)
@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"x" * 262_145, 413, "request_too_large"),
        (b"{", 422, "invalid_request"),
        (b"\xff", 422, "invalid_request"),
        (b"", 422, "invalid_request"),
        (b"null", 422, "invalid_request"),
        (b"[" * 100_000, 422, "invalid_request"),
        (b'{"name": ' + b'{"a":' * 50_000, 422, "invalid_request"),
    ],
    ids=lambda value: repr(value)[:12],
)
def test_a_body_that_is_none_gets_a_sentence(  # noqa: PLR0913, PLR0917 - a row of a table
    api: Api, method: str, path: str, body: bytes, status: int, code: str
) -> None:
    response = api.send(method, path, body=body)

    assert (response.status, response.error_code) == (status, code)


def test_a_browser_is_told_what_it_may_do(make_api: MakeApi) -> None:
    api = make_api(cors_origins=("https://portal.example.com",), claims=None)
    headers = {"Origin": "https://portal.example.com", "Access-Control-Request-Method": "PATCH"}

    preflight = api.send("OPTIONS", "/api/deliverables/1", headers=headers)
    refused = api.get("/api/deliverables", headers=headers)

    assert preflight.status == 204
    assert preflight.headers["access-control-allow-methods"] == "GET, POST, PATCH, OPTIONS"
    assert "Authorization" in preflight.headers["access-control-allow-headers"]
    assert refused.status == 401
    assert refused.headers["access-control-allow-origin"] == "https://portal.example.com"


def test_in_lambda_the_origin_is_left_to_the_http_api(make_api: MakeApi) -> None:
    api = make_api(in_lambda=True)
    headers = {"Origin": "https://portal.example.com", "Access-Control-Request-Method": "PATCH"}

    preflight = api.send("OPTIONS", "/api/deliverables/1", headers=headers)

    assert preflight.status == 204
    assert "access-control-allow-origin" not in preflight.headers
    assert "access-control-allow-origin" not in api.get("/api/deliverables", headers=headers).headers
