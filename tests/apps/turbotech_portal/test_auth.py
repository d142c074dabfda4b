"""Who may call: whoever brings claims that the HTTP API's authorizer has checked."""

import asyncio
import json
from collections.abc import Callable, Mapping

import httpx
import pytest
from fastapi import FastAPI

from shared.claims import CONTEXT_HEADER
from tests.apps.turbotech_portal.support import SPELLINGS, USER, Api, MakeApi
from tests.unit.support import Context, runtime_api
from turbotech_portal.auth import DEVELOPMENT_USER

ROUTES = [
    ("GET", "/api/deliverables"),
    ("GET", "/api/deliverables/1"),
    ("PATCH", "/api/deliverables/1"),
    ("GET", "/api/metrics"),
    ("GET", "/api/metrics/1"),
    ("PATCH", "/api/metrics/1"),
    ("GET", "/api/updates"),
    ("POST", "/api/updates"),
    ("POST", "/api/updates/1/read"),
    ("GET", "/api/users"),
    ("GET", "/api/users/me"),
    ("PATCH", "/api/users/me"),
    ("GET", "/api/dashboard"),
]
CONTEXT = json.dumps({"authorizer": {"jwt": {"claims": {"sub": USER}, "scopes": None}}})


def call(app: FastAPI, method: str, path: str | httpx.URL, headers: Mapping[str, str] | None = None) -> httpx.Response:
    """Call the application as uvicorn does: no event of API Gateway, only HTTP."""

    async def send() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://portal") as http:
            return await http.request(method, path, headers=headers)

    return asyncio.run(send())


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_without_checked_claims_every_route_is_refused(make_api: MakeApi, method: str, path: str) -> None:
    response = make_api(claims=None).send(method, path, body="{", headers={"Authorization": "Bearer anything"})

    assert (response.status, response.error_code) == (401, "unauthorized")
    assert response.headers["www-authenticate"] == "Bearer"
    assert response.json()["error"]["request_id"] == response.headers["x-request-id"]


@pytest.mark.parametrize(("path", "status"), SPELLINGS.items())
def test_no_other_spelling_of_a_guarded_path_does_without_a_token(
    make_api: MakeApi, make_app: Callable[..., FastAPI], monkeypatch: pytest.MonkeyPatch, path: str, status: int
) -> None:
    """What API Gateway does not take for a guarded route comes to the application by its public `$default`."""
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "turbotech-portal-dev")
    api, app = make_api(claims=None), make_app()
    url = httpx.URL("http://portal").copy_with(raw_path=path.encode())

    for method in ("GET", "HEAD"):
        event = api.event(method, "/", {}, {}) | {"rawPath": path}
        event["requestContext"]["http"]["path"] = path
        assert api.handler(event, Context())["statusCode"] == status
    adapted = {CONTEXT_HEADER: json.dumps({"http": {"path": path}})}
    # httpx walks the dots of a path itself, and so asks for the guarded one.
    assert {call(app, method, url, adapted).status_code for method in ("GET", "HEAD")} <= {status, 401}


def test_every_route_but_health_is_in_the_table_above(api: Api) -> None:
    paths = api.get("/openapi.json").json()["paths"]
    protected = {(method.upper(), path) for path, item in paths.items() for method in item} - {("GET", "/api/health")}

    def filled(path: str) -> str:
        for name in ("deliverable_id", "metric_id", "update_id"):
            path = path.replace(f"{{{name}}}", "1")
        return path

    assert {(method, filled(path)) for method, path in protected} == set(ROUTES)


def test_health_needs_no_token(make_api: MakeApi) -> None:
    assert make_api(claims=None).read("/api/health") == {"status": "ok", "version": "1.0.0"}


@pytest.mark.parametrize(
    "subject", [None, "", 7, "s" * 256, "é" * 128, "a\nb", "\ud800"], ids=["none", "empty", "number", *"abcd"]
)
def test_a_token_that_names_nobody_is_refused(make_api: MakeApi, subject: object) -> None:
    response = make_api(claims={"sub": subject}).get("/api/users/me")

    assert (response.status, response.error_code) == (401, "unauthorized")


@pytest.mark.parametrize("subject", ["s" * 255, "é" * 127, "client@clients"])
def test_a_subject_of_any_kind_is_a_user(make_api: MakeApi, subject: str) -> None:
    assert make_api(claims={"sub": subject}).read("/api/users/me")["id"] == subject


def test_the_web_adapters_header_counts_inside_lambda(
    make_app: Callable[..., FastAPI], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "turbotech-portal-dev")
    app = make_app()

    with runtime_api() as address:
        monkeypatch.setenv("AWS_LAMBDA_RUNTIME_API", address)
        assert call(app, "GET", "/api/users/me", {CONTEXT_HEADER: CONTEXT}).json()["id"] == USER
        assert call(app, "GET", "/api/users/me", {CONTEXT_HEADER: "{}"}).status_code == 401
        assert call(app, "GET", "/api/users/me", {CONTEXT_HEADER: "nonsense"}).status_code == 401


@pytest.mark.parametrize("variables", [{}, {"AWS_LAMBDA_FUNCTION_NAME": "turbotech-portal-dev"}], ids=["none", "name"])
def test_a_header_that_anybody_can_write_counts_for_nothing_elsewhere(
    make_app: Callable[..., FastAPI], monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    for name in ("AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_RUNTIME_API"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    response = call(make_app(), "GET", "/api/users/me", {CONTEXT_HEADER: CONTEXT})

    assert (response.status_code, response.json()["error"]["code"]) == (401, "unauthorized")


def test_a_header_of_the_caller_counts_for_nothing_before_mangum(
    make_api: MakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "turbotech-portal-dev")

    assert make_api(claims=None).get("/api/users/me", headers={CONTEXT_HEADER: CONTEXT}).status == 401


def test_on_a_laptop_everybody_is_the_development_user(make_app: Callable[..., FastAPI]) -> None:
    response = call(make_app(auth_mode="local"), "GET", "/api/users/me", {CONTEXT_HEADER: CONTEXT})

    assert response.json()["id"] == DEVELOPMENT_USER.user_id
    assert response.json()["name"] == "Developer"


def test_the_caller_is_in_the_log_and_the_token_is_not(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    api.get("/api/deliverables", headers={"Authorization": "Bearer secret-token"})

    printed = capsys.readouterr().out
    assert f'"user":"{USER}"' in printed
    assert "secret-token" not in printed
