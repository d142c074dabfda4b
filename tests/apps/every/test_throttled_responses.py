"""Whoever is throttled is told when to come again, by every route of every app that DynamoDB throttles."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from aws_lambda_powertools import Logger

from shared.api_errors import RETRY_AFTER_SECONDS
from tests.apps.every.every_app import APPS, made, paths_of_nothing, served
from tests.unit.support import Refusing, client_error

BODIES: tuple[dict[str, Any], ...] = (
    {},
    {"session_id": "A" * 43},
    {"name": "Sample", "prices": [{"date": "2025-01-02", "price": 1}]},
)


# fileshare runs on SQLite here; unit/fileshare/test_refusals.py has it throttled on its tables.
@pytest.mark.parametrize("name", [name for name in APPS if name != "fileshare"])
def test_a_throttled_response_says_when_to_come_again(
    name: str, dynamodb: Any, logger_of: Callable[[str], Logger], tmp_path: Path
) -> None:
    throttled = Refusing(None, client_error("ThrottlingException"))
    refused: list[tuple[str, str]] = []
    with (
        made(name, dynamodb, logger_of, tmp_path, client=throttled) as one,
        served(one.app) as url,
        httpx.Client(base_url=url, headers=one.credentials, trust_env=False) as http,
    ):
        for path in paths_of_nothing(one):
            for method, body in [("GET", None), *(("POST", body) for body in BODIES), ("PUT", BODIES[-1])]:
                response = http.request(method, path, json=body)
                if response.status_code == 429:
                    refused.append((method, path))
                    assert response.headers["Retry-After"] == str(RETRY_AFTER_SECONDS)
                    assert response.json()["error"]["code"] == "throttled"
                    assert f"in {RETRY_AFTER_SECONDS} seconds" in response.json()["error"]["message"]
    # Most of what asks DynamoDB at all.
    assert len({path for _, path in refused}) >= 2, refused
