"""What alarms count in logs is what the functions and Lambda write there."""

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aws_lambda_powertools import Logger

from shared.lambda_handler import make_handler
from tests.apps.every.every_app import APPS, App, made_broken, paths_of_nothing
from tests.filter_patterns import counted, filters_of_functions
from tests.unit.support import HttpCaller

Capture = pytest.CaptureFixture[str]
# As Lambda documents it in https://docs.aws.amazon.com/lambda/latest/dg/python-logging.html, the log format being JSON.
REPORT = json.dumps(
    {
        "time": "2026-11-26T10:00:00.000Z",
        "type": "platform.report",
        "record": {
            "requestId": "6d68ca91-49c9-448d-89b8-7ca3e6dc66aa",
            "metrics": {
                "durationMs": 32.1,
                "billedDurationMs": 33,
                "memorySizeMB": 128,
                "maxMemoryUsedMB": 67,
                "initDurationMs": 116.2,
            },
            "status": "success",
        },
    }
)
START = json.dumps({"time": "2026-11-26T10:00:00.000Z", "type": "platform.start", "record": {"version": "7"}})


class Failing:
    """A client of DynamoDB all of whose calls fail as nobody foresaw."""

    def __getattr__(self, operation: str) -> Any:
        def call(*_: Any, **__: Any) -> Any:
            raise RuntimeError(operation)

        return call


@pytest.fixture(params=APPS)
def failing(
    request: pytest.FixtureRequest, dynamodb: Any, logger_of: Callable[[str], Logger], tmp_path: Path
) -> Iterator[App]:
    """An app that logs as little as it can, and whose database is broken."""
    with made_broken(request.param, dynamodb, logger_of, tmp_path, client=Failing()) as one:
        yield one


def test_an_apps_own_500_is_counted_once_and_nothing_else_of_it_also_where_it_logs_errors_alone(
    failing: App, logger_of: Callable[[str], Logger], capsys: Capture, event_loop: asyncio.AbstractEventLoop
) -> None:
    logger_of(failing.name).setLevel("ERROR")
    call = HttpCaller(make_handler(failing.app))
    capsys.readouterr()

    responses = [call.send("GET", path, headers=failing.credentials) for path in paths_of_nothing(failing)]

    lines = capsys.readouterr().out.splitlines()
    wanted = [1.0 for response in responses if response.status >= 500]
    assert wanted
    assert counted(*filters_of_functions()["server-errors"], lines) == wanted
    assert counted(*filters_of_functions()["memory"], lines) == []


def test_memory_is_read_from_lambdas_own_report_of_a_call() -> None:
    lines = [
        START,
        REPORT,
        "REPORT RequestId: x Max Memory Used: 67 MB",
        json.dumps({"message": "request", "status": 500}),
    ]
    assert counted(*filters_of_functions()["memory"], lines) == [67.0]


def test_the_filters_that_are_tried_are_those_that_the_module_has() -> None:
    assert set(filters_of_functions()) == {"memory", "server-errors"}
