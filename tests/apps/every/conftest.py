"""What the tests of promises that hold for every app can ask for."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aws_lambda_powertools import Logger

from tests.apps.every.every_app import APPS, App, made


@pytest.fixture(params=APPS)
def one(
    request: pytest.FixtureRequest, dynamodb: Any, logger_of: Callable[[str], Logger], tmp_path: Path
) -> Iterator[App]:
    """One app after another, whose database works."""
    with made(request.param, dynamodb, logger_of, tmp_path) as app:
        yield app
