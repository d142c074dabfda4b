"""A function starts with what its first request needs, and with nothing else."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aws_lambda_powertools import Logger
from pydantic import BaseModel

from shared.application import make_application
from shared.openapi import operation
from shared.routers import make_router

SOURCES = Path(__file__).resolve().parents[3] / "lambda"
ENVIRONMENTS = {
    "fileshare": {
        "AWS_REGION": "us-east-1",
        "DYNAMODB_URLS_TABLE_NAME": "urls",
        "DYNAMODB_USERS_TABLE_NAME": "users",
        "USE_DYNAMODB": "true",
    },
    "hybrid_ci_cd": {
        "DYNAMODB_TABLE_AGENTS": "agents",
        "DYNAMODB_TABLE_JOBS": "jobs",
        "DYNAMODB_TABLE_SESSIONS": "sessions",
        "PRODUCTION": "false",
        "STAGE": "dev",
    },
    "stock_track_record": {
        "DYNAMODB_TABLE_PREFIX": "sample",
        "IS_LAMBDA": "true",
        "SQS_QUEUE_URL": "http://127.0.0.1/111111111111/sample",
    },
    "triggers_api": {"DYNAMODB_TABLE_EVENTS": "events", "DYNAMODB_TABLE_KEYS": "keys", "STAGE": "dev"},
    "turbotech_portal": {
        "DYNAMODB_TABLE_DELIVERABLES": "deliverables",
        "DYNAMODB_TABLE_METRICS": "metrics",
        "DYNAMODB_TABLE_UPDATES": "updates",
        "DYNAMODB_TABLE_USERS": "users",
        "STAGE": "dev",
    },
}
# In a process of its own: what it has imported, and how often it has made a route and a schema of JSON.
# `_populate_api_route_state` is a private name of FastAPI: what every route is made by, one that is included as well.
PROGRAM = """
import collections, json, sys
counted = collections.Counter()
def count(owner, name):
    made = getattr(owner, name)
    def counting(*parameters, **options):
        counted[name] += 1
        return made(*parameters, **options)
    setattr(owner, name, counting)
import fastapi.routing, pydantic
count(fastapi.routing, "_populate_api_route_state")
count(pydantic.json_schema.GenerateJsonSchema, "generate")
app = __import__(sys.argv[1] + ".main", fromlist=["app"]).app
routes = [route for route in app.routes if isinstance(route, fastapi.routing.APIRoute)]
print(json.dumps({"counted": counted, "imported": [*sys.modules], "routes": len(routes)}))
"""


class Thing(BaseModel):
    """A body."""

    name: str


@pytest.fixture(scope="module", params=sorted(ENVIRONMENTS))
def started(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Say what an app's API has done when its handler is there, before any request."""
    credentials = {"AWS_ACCESS_KEY_ID": "sample", "AWS_DEFAULT_REGION": "us-east-1", "AWS_SECRET_ACCESS_KEY": "sample"}
    ended = subprocess.run(
        [sys.executable, "-B", "-c", PROGRAM, request.param],
        cwd=SOURCES,
        env={**credentials, **ENVIRONMENTS[request.param], "PATH": os.environ.get("PATH", os.defpath)},
        capture_output=True,
        text=True,
        check=True,
    )
    told: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return told


def test_an_api_imports_of_awss_libraries_only_what_makes_a_client(started: dict[str, Any]) -> None:
    imported = set(started["imported"])

    assert "botocore.client" in imported
    # boto3 brings a manager of transfers to S3 along, and that one multiprocessing.
    assert imported & {"boto3", "multiprocessing", "s3transfer"} == set()


def test_an_api_makes_each_route_once(started: dict[str, Any]) -> None:
    assert started["counted"]["_populate_api_route_state"] == started["routes"]


def test_an_api_works_no_schema_of_its_document_out_before_somebody_asks(started: dict[str, Any]) -> None:
    assert "generate" not in started["counted"]


def test_a_bodys_schema_stands_in_the_document_when_it_is_asked_for(logger_of: Callable[[str], Logger]) -> None:
    router = make_router("/v1")

    async def create_thing() -> None:
        return None

    router.add_api_route("/things", create_thing, methods=["POST"], openapi_extra=operation(body=Thing))
    app = make_application(title="t", version="1", description="", routers=[router], logger=logger_of("sample"))

    for _ in range(2):
        described = app.openapi()["paths"]["/v1/things"]["post"]
        assert described["operationId"] == "create_thing"
        assert described["requestBody"]["content"]["application/json"]["schema"] == Thing.model_json_schema()
