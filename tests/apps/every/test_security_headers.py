"""Every response of every app keeps browsers from doing anything with it: good or bad, whoever stands in front."""

import asyncio
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from aws_lambda_powertools import Logger
from fastapi import FastAPI
from starlette.routing import Route

from shared.application import make_application
from shared.docs_pages import FILES, POLICY
from shared.lambda_handler import make_handler
from shared.routers import make_router
from shared.security_headers import HEADERS, STRICT_TRANSPORT_SECURITY
from tests.apps.every.every_app import APPS, App, made, served
from tests.unit.support import Context, HttpCaller, Refusing, RestCaller

METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE")
BODIES: Mapping[str, bytes | None] = {
    "none": None,
    "object": b"{}",
    "broken": b'{"',
    "not UTF-8": b"\xff\xfe",
    "too large": b'"' + b"x" * 500_000 + b'"',
}
ELSEWHERE = ("/", "/nothing", "/nothing/at/all", "//", "/api", "/docs/", "/docs/nothing.js", "/%00", "/a/../b")
SAMPLES = {"short_code": "unknown", "name": "start.js"}


def paths_of(app: FastAPI) -> list[str]:
    """Fill the paths of all routes, and add some that are none."""
    routes = [route.path for route in app.routes if isinstance(route, Route)]
    filled = [re.sub(r"{(\w+)}", lambda part: SAMPLES.get(part[1], "1"), path) for path in routes]
    return [*filled, *(f"/docs/{name}" for name in FILES), *ELSEWHERE]


def expect_headers(headers: Mapping[str, str], of: object) -> None:
    """Fail unless a response has every header, each once, and no policy that lets foreign or written-in code run."""
    assert headers["x-content-type-options"] == "nosniff", of
    assert headers["referrer-policy"] == "no-referrer", of
    policy = headers["content-security-policy"]
    assert policy in {HEADERS["Content-Security-Policy"], POLICY}, of
    assert "default-src 'none'" in policy, of
    assert "frame-ancestors 'none'" in policy, of
    assert "unsafe" not in policy, of
    # Only the files of the page, which say nothing of anybody, may be kept.
    kept = headers["cache-control"]
    assert kept == "no-store" or headers["content-type"].startswith(("text/javascript", "text/css")), of


def test_every_route_of_every_app_has_them_over_http(one: App) -> None:
    counted: dict[int, int] = {}
    sent = [(body, one.credentials) for body in BODIES.values()] + [
        (None, {}),
        (None, {"Origin": "https://evil.example"}),
    ]
    with served(one.app) as url, httpx.Client(base_url=url, trust_env=False, follow_redirects=False) as http:
        for path in paths_of(one.app):
            for method in METHODS:
                for body, headers in sent:
                    response = http.request(method, path, content=body, headers=headers)
                    expect_headers(response.headers, (method, path, response))
                    assert "strict-transport-security" not in response.headers
                    assert all(len(response.headers.get_list(name)) == 1 for name in HEADERS)
                    counted[response.status_code] = counted.get(response.status_code, 0) + 1

    # It has seen all kinds, or it has shown nothing; triggers_api limits events, not bodies.
    assert {200, 204, 404, 405} <= counted.keys()
    assert one.name == "triggers_api" or counted[413]
    assert sum(counted.values()) > 500


@pytest.mark.parametrize("caller", [RestCaller, HttpCaller])
def test_every_route_of_every_app_has_them_in_lambda(
    one: App, caller: type[RestCaller | HttpCaller], event_loop: asyncio.AbstractEventLoop
) -> None:
    api = caller(make_handler(one.app))
    for path in paths_of(one.app):
        for method in METHODS:
            for body in ("{}", '{"'):
                response = api.send(method, path, body=body, headers=one.credentials)
                expect_headers(response.headers, (method, path, response))
                assert response.headers["strict-transport-security"] == STRICT_TRANSPORT_SECURITY


@pytest.mark.parametrize("name", [name for name in APPS if name != "fileshare"])
def test_an_error_that_nobody_expected_has_them(
    name: str, dynamodb: Any, logger_of: Callable[[str], Logger], tmp_path: Path
) -> None:
    broken = Refusing(None, RuntimeError("made for a test"))
    statuses = set()
    with (
        made(name, dynamodb, logger_of, tmp_path, client=broken) as one,
        served(one.app) as url,
        httpx.Client(base_url=url, trust_env=False) as http,
    ):
        for path in paths_of(one.app):
            for method in ("GET", "POST"):
                response = http.request(method, path, headers=one.credentials)
                expect_headers(response.headers, (method, path))
                statuses.add(response.status_code)
    assert 500 in statuses


def failing_application(logger: Logger, fail: Callable[[Any], Any], *, outside: bool) -> FastAPI:
    """Make an application that fails in its own code, or outside of all that returns errors in our shape."""
    router = make_router()
    router.add_route("/", fail)
    app = make_application(title="t", version="1", description="", routers=[router], logger=logger)
    if outside:

        class Failing:
            def __init__(self, app: Any) -> None:
                self.app = app

            async def __call__(self, *_: Any) -> None:
                raise RuntimeError("made for a test")

        app.add_middleware(Failing)
    return app


@pytest.mark.parametrize("outside", [False, True])
def test_the_frameworks_own_response_to_a_failure_has_them(
    outside: bool,  # noqa: FBT001 - a row of a table
    logger_of: Callable[[str], Logger],
    event_loop: asyncio.AbstractEventLoop,
) -> None:
    async def fail(_request: Any) -> Any:
        raise RuntimeError("made for a test")

    app = failing_application(logger_of("sample"), fail, outside=outside)

    response = HttpCaller(make_handler(app)).get("/")
    with served(app) as url:
        direct = httpx.get(url, trust_env=False)

    assert (response.status, direct.status_code) == (500, 500)
    expect_headers(response.headers, response)
    expect_headers(direct.headers, direct)


def test_a_failure_in_the_middle_of_a_response_has_them(
    logger_of: Callable[[str], Logger], event_loop: asyncio.AbstractEventLoop
) -> None:
    class Half:
        async def __call__(self, _scope: Any, _receive: Any, send: Any) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            raise RuntimeError("made for a test")

    async def half(_request: Any) -> Any:
        return Half()

    app = failing_application(logger_of("sample"), half, outside=False)

    response = HttpCaller(make_handler(app)).get("/")

    assert response.status == 500
    expect_headers(response.headers, response)


@pytest.mark.parametrize(
    ("scheme", "forwarded", "secure"),
    [
        ("http", None, False),
        ("https", None, True),
        ("http", "https", True),
        ("http", "HTTPS, http", True),
        ("https", "http", False),
        ("http", "http, https", False),
        ("http", "", False),
        ("http", "ftp", False),
    ],
)
def test_browsers_are_bound_to_tls_where_they_came_by_it(
    logger_of: Callable[[str], Logger], scheme: str, forwarded: str | None, *, secure: bool
) -> None:
    app = make_application(title="t", version="1", description="", routers=[], logger=logger_of("sample"))
    headers = {} if forwarded is None else {"X-Forwarded-Proto": forwarded}

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url=f"{scheme}://portal", headers=headers) as http:
            return await http.get("/openapi.json")

    response = asyncio.run(ask())

    assert response.status_code == 200
    assert response.headers.get("strict-transport-security") == (STRICT_TRANSPORT_SECURITY if secure else None)


def test_the_event_of_a_function_url_is_an_http_apis(
    logger_of: Callable[[str], Logger], event_loop: asyncio.AbstractEventLoop
) -> None:
    app = make_application(title="t", version="1", description="", routers=[], logger=logger_of("sample"))
    event = HttpCaller(make_handler(app)).event("GET", "/nothing", {}, {})
    event["requestContext"]["domainName"] = "abcdefghij.lambda-url.us-east-1.on.aws"
    event["headers"]["host"] = event["requestContext"]["domainName"]

    response = make_handler(app)(event, Context())

    assert response["statusCode"] == 404
    assert json.loads(response["body"])["error"]["code"] == "not_found"
    expect_headers(response["headers"], response)
