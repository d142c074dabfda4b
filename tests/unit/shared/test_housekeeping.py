"""Housekeeping: its failures are logged and counted, and reach nobody."""

import json
from collections.abc import Callable

import pytest
from aws_lambda_powertools import Logger

from shared.api_errors import Throttled
from shared.dynamodb import ConditionFailed
from shared.housekeeping import Housekeeping
from tests.unit.support import client_error

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def logger(logger_of: Callable[[str], Logger]) -> Logger:
    return logger_of("housekeeping_test")


@pytest.mark.parametrize(
    "error",
    [client_error("AccessDeniedException"), Throttled(), ConditionFailed(), ConnectionError("gone"), KeyError("name")],
)
def test_a_failure_ends_the_task_and_is_logged_and_counted(logger: Logger, capsys: Capture, error: Exception) -> None:
    housekeeping = Housekeeping(logger=logger, namespace="tests", dimensions={"stage": "dev"})

    with housekeeping.task("tidy", job_id="7"):
        raise error

    [line] = [json.loads(text) for text in capsys.readouterr().out.splitlines()]
    assert (line["level"], line["task"], line["job_id"], line["HousekeepingFailed"]) == ("ERROR", "tidy", "7", 1)
    assert "Traceback" in line["exception"]
    [described] = line["_aws"]["CloudWatchMetrics"]
    assert described["Namespace"] == "tests"
    assert described["Metrics"] == [{"Name": "HousekeepingFailed", "Unit": "Count"}]
    # CloudWatch takes the values of dimensions and metrics from the line itself.
    assert [[line[name] for name in names] for names in described["Dimensions"]] == [["dev", "housekeeping_test"]]
    assert isinstance(line["_aws"]["Timestamp"], int)


def test_what_succeeds_says_nothing(logger: Logger, capsys: Capture) -> None:
    done = []
    with Housekeeping(logger=logger, namespace="tests").task("tidy"):
        done.append(1)

    assert (done, capsys.readouterr().out) == ([1], "")


def test_a_failure_is_counted_at_the_quietest_log_level(logger: Logger, capsys: Capture) -> None:
    logger.setLevel("ERROR")
    with Housekeeping(logger=logger, namespace="tests").task("tidy"):
        raise Throttled

    assert '"HousekeepingFailed":1' in capsys.readouterr().out


def test_an_interrupt_is_no_failure_of_housekeeping(logger: Logger) -> None:
    with pytest.raises(KeyboardInterrupt), Housekeeping(logger=logger, namespace="tests").task("tidy"):
        raise KeyboardInterrupt
