"""The OpenAPI document, whether the application does as it says, and who responds to browsers."""

from collections.abc import Callable
from typing import Any

import pytest
from fastapi import FastAPI
from schemathesis import GenerationMode

from tests.apps.every.documented import NEGATIVE, POSITIVE, assert_does_as_documented
from tests.apps.stock_track_record.support import Api, MakeApi

ROUTES = {
    ("/api/health", "get"),
    ("/api/channels", "get"),
    ("/api/channels", "post"),
    ("/api/channels/{channel_id}", "get"),
    ("/api/channels/{channel_id}/picks", "get"),
    ("/api/channels/{channel_id}/picks", "post"),
    ("/api/channels/{channel_id}/process", "post"),
    ("/api/channels/{channel_id}/jobs", "get"),
    ("/api/channels/{channel_id}/track-record", "get"),
    ("/api/jobs/{job_id}", "get"),
    ("/api/stocks/{ticker}", "get"),
    ("/api/stocks/{ticker}", "put"),
}
# What has a body or a query; an id is any text, so nothing can be wrong with it.
WITH_MORE_THAN_IDS = [
    ("/api/channels", "get"),
    ("/api/channels", "post"),
    ("/api/channels/{channel_id}/picks", "get"),
    ("/api/channels/{channel_id}/picks", "post"),
    ("/api/channels/{channel_id}/jobs", "get"),
    ("/api/stocks/{ticker}", "put"),
]


@pytest.fixture
def document(api: Api) -> Any:
    return api.get("/openapi.json").json()


def test_the_document_knows_every_route(document: Any) -> None:
    assert {(path, method) for path, item in document["paths"].items() for method in item} == ROUTES


def test_the_bodies_are_described(document: Any) -> None:
    picks = document["paths"]["/api/channels/{channel_id}/picks"]["post"]["requestBody"]["content"]
    pick = picks["application/json"]["schema"]["properties"]["picks"]["items"]

    assert pick["required"] == ["ticker", "direction", "date", "price"]
    assert pick["properties"]["price"]["type"] == "number"


def test_health_tells_the_version(api: Api) -> None:
    assert api.get("/api/health").json() == {"status": "ok", "version": "1.0.0"}


@pytest.mark.parametrize(
    ("path", "method", "mode"),
    [
        *((path, method, POSITIVE) for path, method in sorted(ROUTES)),
        *((path, method, NEGATIVE) for path, method in WITH_MORE_THAN_IDS),
    ],
    ids=str,
)
def test_the_application_does_as_its_document_says(
    make_app: Callable[..., FastAPI], path: str, method: str, mode: GenerationMode
) -> None:
    assert_does_as_documented(make_app(), method, path, mode, examples=12)


def test_in_lambda_the_http_api_responds_to_browsers(make_api: MakeApi) -> None:
    headers = {"Origin": "https://app.example.com"}
    origins = ("https://app.example.com",)

    inside = make_api(is_lambda=True, cors_origins=origins).get("/api/health", headers=headers)
    outside = make_api(is_lambda=False, cors_origins=origins).get("/api/health", headers=headers)

    assert "access-control-allow-origin" not in inside.headers
    assert outside.headers["access-control-allow-origin"] == "https://app.example.com"
