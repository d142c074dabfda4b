"""Checks that several smoke suites share say what they found, and wait no longer than told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from sawhorse.environment import Environment
from sawhorse.operate.smoke import CheckFailed
from sawhorse.operate.smoke_checks import cors_headers_come, eventually
from sawhorse.project import Project, Root
from sawhorse.workspace import Deployment

ORIGIN = "https://app.example.com"


def api(status: int = 204, **headers: str) -> httpx.Client:
    """An API that responds to everything with these headers."""
    told = {name.replace("_", "-"): value for name, value in headers.items()}

    def respond(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(status, headers=told)

    return httpx.Client(base_url="http://api.example.com", transport=httpx.MockTransport(respond))


class NoApis:
    """API Gateway without HTTP APIs, and a function that lets one origin in."""

    def get_paginator(self, _operation: str) -> NoApis:
        return self

    def paginate(self) -> list[dict[str, Any]]:
        return [{"Items": []}]

    def get_function_configuration(self, **_: Any) -> dict[str, Any]:
        return {"Environment": {"Variables": {"CORS_ORIGINS": f"{ORIGIN},https://second.example.com"}}}


class OfNothing(Deployment):
    """A deployment behind a REST API."""

    def client(self, _service: str) -> NoApis:
        return NoApis()


def deployment() -> Deployment:
    environment = Environment(name="dev", account_id="111111111111", region="us-east-1", production=False)
    outputs = {"lambda_function_name": "sample", "api_endpoint": "https://api.example.com/dev"}
    return OfNothing(Root(Project(Path()), "dev", "sample"), environment, outputs, None)


@pytest.mark.parametrize("allowed", ["*", ORIGIN])
@pytest.mark.parametrize("methods", ["GET, POST", "GET,POST,DELETE", "*"])
def test_a_preflight_that_lets_the_origin_and_the_methods_in_passes(allowed: str, methods: str) -> None:
    asked: list[httpx.Request] = []
    http = api(access_control_allow_origin=allowed, access_control_allow_methods=methods)
    http.event_hooks = {"request": [asked.append]}

    # It raises for whatever is not let in.
    cors_headers_come(deployment(), http, "v1/x", methods={"GET", "POST"}, headers="x")

    assert [(request.method, request.headers["Origin"]) for request in asked] == [("OPTIONS", ORIGIN)]


@pytest.mark.parametrize(
    ("http", "finding"),
    [
        (api(), "Access-Control-Allow-Origin is None"),
        (api(access_control_allow_origin="https://other.example.com"), "Access-Control-Allow-Origin is 'https://other"),
        (api(access_control_allow_origin="*", access_control_allow_methods="GET"), "Methods are 'GET'"),
        (api(403), "OPTIONS returned 403"),
    ],
    ids=["no headers", "another origin", "a method is missing", "refused"],
)
def test_a_preflight_that_does_not_is_told(http: httpx.Client, finding: str) -> None:
    with pytest.raises(CheckFailed, match=finding):
        cors_headers_come(deployment(), http, "v1/x", methods={"GET", "POST"}, headers="content-type")


def test_what_appears_late_is_waited_for_and_returned() -> None:
    responses: Iterator[object] = iter([None, [], "there"])

    assert eventually(lambda: next(responses), seconds=5, finding="never") == "there"


def test_what_never_appears_is_told_in_the_words_that_were_given() -> None:
    with pytest.raises(CheckFailed, match=r"^It is not there\.$"):
        eventually(lambda: None, seconds=0, finding="It is not there.")
