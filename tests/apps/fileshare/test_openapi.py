"""The OpenAPI document says what the application does."""

from typing import Any

import pytest

from tests.apps.fileshare.support import Api

ROUTES = {
    ("get", "/api/health"): {"200", "500"},
    ("post", "/api/users"): {"201", "409", "413", "415", "422", "429", "500"},
    ("get", "/api/trial"): {"200", "401", "403", "404", "422", "429", "500"},
    ("post", "/api/trial"): {"200", "401", "409", "429", "500"},
    ("post", "/api/links"): {"201", "401", "413", "415", "422", "429", "500"},
    ("get", "/api/links"): {"200", "401", "422", "429", "500"},
    ("get", "/api/links/{short_code}"): {"200", "401", "403", "404", "410", "422", "429", "500"},
    ("delete", "/api/links/{short_code}"): {"204", "401", "403", "404", "422", "429", "500"},
    ("get", "/{short_code}"): {"302", "404", "410", "422", "429", "500"},
}
OPEN = {("get", "/api/health"), ("post", "/api/users"), ("get", "/{short_code}")}


@pytest.fixture
def document(stranger: Api) -> Any:
    return stranger.get("/openapi.json").json()


def test_every_route_is_described_with_its_responses(document: Any) -> None:
    assert {
        (method, path): set(operation["responses"])
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    } == ROUTES


def test_the_routes_that_need_a_token_say_so(document: Any) -> None:
    for method, path in ROUTES:
        assert ("security" in document["paths"][path][method]) is ((method, path) not in OPEN)


def test_the_page_and_the_document_are_no_short_codes(stranger: Api) -> None:
    assert "openapi.json" in stranger.get("/docs").body
    assert stranger.get("/openapi.json").json()["info"]["title"] == "fileshare"


def test_health_tells_the_version_and_the_database(stranger: Api, settings: Any) -> None:
    kind = "sqlite" if "sqlite" in str(settings.database) else "dynamodb"
    response = stranger.get("/api/health")
    assert (response.status, response.json()) == (200, {"status": "ok", "version": "1.0.0", "database": kind})


def test_head_works_where_get_does(api: Api) -> None:
    code = api.shorten()["short_code"]
    response = api.send("HEAD", f"/{code}")
    assert (response.status, response.body, response.headers["location"]) == (302, "", "https://example.com/report.pdf")
