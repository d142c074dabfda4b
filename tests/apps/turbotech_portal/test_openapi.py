"""The OpenAPI document, and whether the application does as it says."""

from collections.abc import Callable
from typing import Any

import pytest
from fastapi import FastAPI
from schemathesis import GenerationMode

from tests.apps.every.documented import NEGATIVE, POSITIVE, assert_does_as_documented
from tests.apps.turbotech_portal.support import Api, Tables, deliverable, metric, put

LISTS_WITH_QUERIES = ("/api/deliverables", "/api/updates")
OPERATIONS = [
    ("GET", "/api/health"),
    ("GET", "/api/deliverables"),
    ("GET", "/api/deliverables/{deliverable_id}"),
    ("PATCH", "/api/deliverables/{deliverable_id}"),
    ("GET", "/api/metrics"),
    ("GET", "/api/metrics/{metric_id}"),
    ("PATCH", "/api/metrics/{metric_id}"),
    ("GET", "/api/updates"),
    ("POST", "/api/updates"),
    ("POST", "/api/updates/{update_id}/read"),
    ("GET", "/api/users"),
    ("GET", "/api/users/me"),
    ("PATCH", "/api/users/me"),
    ("GET", "/api/dashboard"),
]
# Without a parameter and a body there is nothing that could be wrong.
REFUSABLE = [
    (method, path) for method, path in OPERATIONS if method != "GET" or "{" in path or path in LISTS_WITH_QUERIES
]


@pytest.fixture
def document(api: Api) -> Any:
    return api.read("/openapi.json")


def test_the_document_says_where_the_token_goes(document: Any) -> None:
    [(name, scheme)] = document["components"]["securitySchemes"].items()

    assert (name, scheme["type"], scheme["scheme"]) == ("Token", "http", "bearer")
    for path, item in document["paths"].items():
        for operation in item.values():
            assert operation.get("security", []) == ([] if path == "/api/health" else [{"Token": []}])


def test_the_document_describes_a_change(document: Any) -> None:
    content = document["paths"]["/api/deliverables/{deliverable_id}"]["patch"]["requestBody"]["content"]
    schema = content["application/json"]["schema"]

    assert set(schema["properties"]) == {"name", "status", "completion_percentage", "month"}
    assert schema["properties"]["status"]["enum"] == ["NOT_STARTED", "IN_PROGRESS", "BLOCKED", "COMPLETED"]
    assert "required" not in schema
    assert not [value for value in schema["properties"].values() if "default" in value]


@pytest.mark.parametrize(
    ("method", "path", "mode"),
    [(*operation, POSITIVE) for operation in OPERATIONS] + [(*operation, NEGATIVE) for operation in REFUSABLE],
)
def test_the_application_does_as_its_document_says(  # noqa: PLR0913, PLR0917 - a row of a table, and what it is about
    make_app: Callable[..., FastAPI], dynamodb: Any, tables: Tables, method: str, path: str, mode: GenerationMode
) -> None:
    put(dynamodb, tables.deliverables, *(deliverable(number) for number in range(4)))
    put(dynamodb, tables.metrics, *(metric(number) for number in range(4)))
    assert_does_as_documented(make_app(auth_mode="local"), method, path, mode, examples=15)
