"""What holds of the OpenAPI document of every app."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from starlette.routing import Route

from tests.apps.every.every_app import App
from tests.unit.support import broken_references

# What Starlette adds to a GET, and the pages about the document.
ADDED = {"HEAD"}
PAGES = ("/docs", "/openapi.json")


def read(one: App, path: str) -> httpx.Response:
    async def get() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=one.app), base_url="http://sample") as client:
            return await client.get(path)

    return asyncio.run(get())


@pytest.fixture
def document(one: App) -> Any:
    return read(one, "/openapi.json").json()


def operations_of(document: Any) -> list[tuple[str, str, Any]]:
    found = [
        (method, path, operation) for path, item in document["paths"].items() for method, operation in item.items()
    ]
    assert len(found) >= 5
    return found


def test_every_reference_leads_to_something_in_the_document(document: Any) -> None:
    assert "ErrorBody" in document["components"]["schemas"]
    assert broken_references(document) == set()


def test_every_route_is_described(one: App, document: Any) -> None:
    routes = {
        (method.lower(), route.path)
        for route in one.app.routes
        if isinstance(route, Route) and not route.path.startswith(PAGES)
        for method in (route.methods or set()) - ADDED
    }
    assert {(method, path) for method, path, _ in operations_of(document)} == routes


def test_every_operation_says_what_it_is_for(document: Any) -> None:
    assert [path for _, path, operation in operations_of(document) if not operation["summary"]] == []


def test_every_response_has_the_id_of_its_request(document: Any) -> None:
    for method, path, operation in operations_of(document):
        for status, response in operation["responses"].items():
            assert "X-Request-ID" in response["headers"], (method, path, status)


def test_every_error_is_described_with_its_body_and_an_example(document: Any) -> None:
    for method, path, operation in operations_of(document):
        for status, response in operation["responses"].items():
            if int(status) >= 400:
                content = response["content"]["application/json"]
                assert content["schema"] == {"$ref": "#/components/schemas/ErrorBody"}, (method, path, status)
                assert content["example"]["error"]["message"].endswith("."), (method, path, status)


def test_what_needs_credentials_may_refuse_them(document: Any) -> None:
    schemes = set(document["components"].get("securitySchemes", {}))
    for method, path, operation in operations_of(document):
        named = {name for scheme in operation.get("security", []) for name in scheme}
        assert named <= schemes, (method, path)
        assert not named or operation["responses"].keys() >= {"401", "429"}, (method, path)


def test_the_page_leads_to_the_document(one: App) -> None:
    page = read(one, "/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert 'href="openapi.json"' in page.text
