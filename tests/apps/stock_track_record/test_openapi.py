"""The OpenAPI document, whether the application does as it says, and who responds to browsers."""

from collections.abc import Callable
from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import negative_data_rejection, positive_data_acceptance

from tests.apps.stock_track_record.support import Api, MakeApi
from tests.unit.support import broken_references

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
CHECKED = settings(
    deadline=None,
    max_examples=12,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def document(api: Api) -> Any:
    return api.get("/openapi.json").json()


def test_every_reference_of_the_document_leads_to_something_in_it(document: Any) -> None:
    assert "ErrorBody" in document["components"]["schemas"]
    assert broken_references(document) == set()


def test_the_document_knows_every_route(document: Any) -> None:
    assert {(path, method) for path, item in document["paths"].items() for method in item} == ROUTES


def test_every_error_is_described_with_its_body_and_an_example(document: Any) -> None:
    for item in document["paths"].values():
        for operation in item.values():
            for status, response in operation["responses"].items():
                assert "X-Request-ID" in response["headers"]
                if int(status) >= 400:
                    content = response["content"]["application/json"]
                    assert content["schema"] == {"$ref": "#/components/schemas/ErrorBody"}
                    assert content["example"]["error"]["message"].endswith(".")


def test_the_bodies_are_described(document: Any) -> None:
    picks = document["paths"]["/api/channels/{channel_id}/picks"]["post"]["requestBody"]["content"]
    pick = picks["application/json"]["schema"]["properties"]["picks"]["items"]

    assert pick["required"] == ["ticker", "direction", "date", "price"]
    assert pick["properties"]["price"]["type"] == "number"


def test_the_page_and_health_respond(api: Api) -> None:
    assert api.get("/docs").headers["content-type"].startswith("text/html")
    assert api.get("/api/health").json() == {"status": "ok", "version": "1.0.0"}


@pytest.mark.parametrize(
    ("path", "method", "mode"),
    [
        *((path, method, GenerationMode.POSITIVE) for path, method in sorted(ROUTES)),
        *((path, method, GenerationMode.NEGATIVE) for path, method in WITH_MORE_THAN_IDS),
    ],
    ids=str,
)
def test_the_application_does_as_its_document_says(
    make_app: Callable[..., FastAPI], path: str, method: str, mode: GenerationMode
) -> None:
    # Its pytest plugin reads a private attribute that pytest 9.2 no longer has, so we drive the checks ourselves.
    described = schemathesis.openapi.from_asgi("/openapi.json", make_app())
    # No schema says which texts are cursors of ours, or that a day is in the past and stands once; and what
    # nobody knows in a query is ignored.
    excluded = [positive_data_acceptance, negative_data_rejection]

    @CHECKED
    @given(case=described[path][method.upper()].as_strategy(generation_mode=mode))
    def check(case: schemathesis.Case[Any]) -> None:
        case.call_and_validate(excluded_checks=excluded)

    check()


def test_in_lambda_the_http_api_responds_to_browsers(make_api: MakeApi) -> None:
    headers = {"Origin": "https://app.example.com"}
    origins = ("https://app.example.com",)

    inside = make_api(is_lambda=True, frontend_origins=origins).get("/api/health", headers=headers)
    outside = make_api(is_lambda=False, frontend_origins=origins).get("/api/health", headers=headers)

    assert "access-control-allow-origin" not in inside.headers
    assert outside.headers["access-control-allow-origin"] == "https://app.example.com"
