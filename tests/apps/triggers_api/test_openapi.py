"""The OpenAPI document and its page, and whether the application does as they say."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urljoin

import pytest
from fastapi import FastAPI
from schemathesis import GenerationMode

from shared.api_keys import ApiKey
from tests.apps.every.documented import NEGATIVE, POSITIVE, UNSAYABLE, Case, assert_does_as_documented
from tests.apps.triggers_api.support import Api
from tests.unit.support import is_name
from triggers_api import idempotency

PREFIXES = ["", "/dev", "/_aws/execute-api/a1b2c3d4e5/dev"]


@pytest.fixture
def document(api: Api) -> Any:
    return api.get("/openapi.json").json()


@pytest.mark.parametrize("prefix", PREFIXES)
def test_the_page_finds_the_document_and_the_routes_under_any_prefix(api: Api, prefix: str) -> None:
    page = api.get("/docs")
    origin = "https://a1b2c3d4e5.execute-api.us-east-1.amazonaws.com"

    assert 'href="openapi.json"' in page.body
    document_url = urljoin(f"{origin}{prefix}/docs", "openapi.json")
    assert document_url == f"{origin}{prefix}/openapi.json"
    [server] = api.get("/openapi.json").json()["servers"]
    # Swagger UI resolves a server against the document's address, and drops the slash at the end.
    assert urljoin(document_url, server["url"]).rstrip("/") == f"{origin}{prefix}"


def test_the_page_names_no_path_of_this_server_from_its_root(api: Api) -> None:
    page = api.get("/docs").body

    assert 'href="/' not in page
    assert 'src="/' not in page
    assert "'/" not in page


def test_the_document_knows_every_route(document: Any) -> None:
    assert {(path, method) for path, item in document["paths"].items() for method in item} == {
        ("/v1/health", "get"),
        ("/v1/events", "post"),
        ("/v1/inbox", "get"),
        ("/v1/events/{event_id}/ack", "post"),
        ("/v1/events/{event_id}", "delete"),
    }


def test_the_document_says_where_the_key_goes(document: Any) -> None:
    [scheme] = document["components"]["securitySchemes"].items()
    assert scheme == (
        "ApiKey",
        {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "Your API key."},
    )
    for path, item in document["paths"].items():
        for operation in item.values():
            assert operation.get("security", []) == ([] if path == "/v1/health" else [{"ApiKey": []}])


def test_what_a_key_opens_may_refuse_the_request_or_ask_to_come_again(document: Any) -> None:
    for item in document["paths"].values():
        for operation in item.values():
            assert "422" in operation["responses"] or not operation.get("security")
    assert "Retry-After" in document["paths"]["/v1/inbox"]["get"]["responses"]["429"]["headers"]


def test_the_document_describes_the_headers_and_the_body_of_an_event(document: Any) -> None:
    post = document["paths"]["/v1/events"]["post"]

    assert {parameter["name"].lower() for parameter in post["parameters"]} == {"x-request-id", "idempotency-key"}
    schema = post["requestBody"]["content"]["application/json"]["schema"]
    assert schema["required"] == ["source", "event_type", "payload"]
    assert schema["example"] == {"source": "test", "event_type": "test.created", "payload": {}}
    assert set(post["responses"]) == {"201", "401", "403", "409", "413", "415", "422", "429", "500"}


def is_idempotency_key(text: str) -> bool:
    return re.fullmatch(idempotency.PATTERN, text) is not None


def has_names(body: object) -> bool:
    """Tell whether a body's names can be seen: no pattern of a schema can say which characters do their work."""
    names = [body.get(name) for name in ("source", "event_type")] if isinstance(body, dict) else []
    return all(is_name(name) for name in names if isinstance(name, str))


@pytest.mark.parametrize(
    ("method", "path", "mode"),
    [
        ("GET", "/v1/health", POSITIVE),
        ("GET", "/v1/inbox", POSITIVE),
        ("GET", "/v1/inbox", NEGATIVE),
        ("POST", "/v1/events", POSITIVE),
        ("POST", "/v1/events", NEGATIVE),
        ("POST", "/v1/events/{event_id}/ack", POSITIVE),
        ("POST", "/v1/events/{event_id}/ack", NEGATIVE),
        ("DELETE", "/v1/events/{event_id}", POSITIVE),
        ("DELETE", "/v1/events/{event_id}", NEGATIVE),
    ],
)
def test_the_application_does_as_its_document_says(
    make_app: Callable[..., FastAPI], stored_key: ApiKey, method: str, path: str, mode: GenerationMode
) -> None:
    def fits(case: Case) -> bool:
        # Schemathesis puts spaces into some values, against their pattern.
        return mode is NEGATIVE or (
            is_idempotency_key(case.headers.get("Idempotency-Key", "none")) and has_names(case.body)
        )

    assert_does_as_documented(
        make_app(),
        method,
        path,
        mode,
        examples=15,
        headers={"X-API-Key": stored_key.clear},
        excluded=UNSAYABLE if path == "/v1/inbox" else (),
        fits=fits,
    )
