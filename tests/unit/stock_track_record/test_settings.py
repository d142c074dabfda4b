"""What the environments of the two functions may say."""

import subprocess
import sys
from pathlib import Path

import pytest

from shared.settings import SettingsError
from stock_track_record.settings import ApiSettings, WorkerSettings
from tests.unit.stock_track_record.support import QUEUE_URL

LEAST = {"DYNAMODB_TABLE_PREFIX": "StockTrackRecord", "SQS_QUEUE_URL": QUEUE_URL}
SOURCES = Path(__file__).parents[3] / "lambda"


def test_the_least_that_can_be_set() -> None:
    api, worker = ApiSettings.from_environment(LEAST), WorkerSettings.from_environment(LEAST)

    assert api == ApiSettings(table_prefix="StockTrackRecord", queue_url=QUEUE_URL)
    assert worker == WorkerSettings(table_prefix="StockTrackRecord", queue_url=QUEUE_URL)
    assert (api.region, api.is_lambda, api.endpoint, worker.max_receives) == ("us-east-1", False, None, 3)


def test_everything_that_can_be_set() -> None:
    environment = LEAST | {
        "DYNAMODB_REGION": "eu-central-1",
        "IS_LAMBDA": "false",
        "LOG_LEVEL": "DEBUG",
        "FRONTEND_URL": "https://app.example.com,http://localhost:3000",
        "DYNAMODB_ENDPOINT": "http://127.0.0.1:8000",
        "SQS_MAX_RECEIVES": "5",
    }
    api, worker = ApiSettings.from_environment(environment), WorkerSettings.from_environment(environment)

    assert (api.region, api.log_level, api.endpoint) == ("eu-central-1", "DEBUG", "http://127.0.0.1:8000")
    assert api.frontend_origins == ("https://app.example.com", "http://localhost:3000")
    assert (worker.max_receives, worker.endpoint) == (5, "http://127.0.0.1:8000")


def test_the_prefix_is_the_one_source_of_the_names() -> None:
    settings = ApiSettings.from_environment(LEAST | {"DYNAMODB_TABLE_PREFIX": "StockTrackRecord-dev"})

    assert (settings.table, settings.stocks_table) == ("StockTrackRecord-dev", "StockTrackRecord-dev-Stocks")


def test_an_empty_variable_is_not_set() -> None:
    names = ("DYNAMODB_REGION", "IS_LAMBDA", "LOG_LEVEL", "FRONTEND_URL", "DYNAMODB_ENDPOINT", "SQS_MAX_RECEIVES")
    empty = LEAST | dict.fromkeys(names, "")

    assert ApiSettings.from_environment(empty) == ApiSettings.from_environment(LEAST)
    assert WorkerSettings.from_environment(empty) == WorkerSettings.from_environment(LEAST)


@pytest.mark.parametrize("settings", [ApiSettings, WorkerSettings])
@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"DYNAMODB_TABLE_PREFIX": " "}, "DYNAMODB_TABLE_PREFIX is not set."),
        ({"DYNAMODB_TABLE_PREFIX": "a b"}, "DYNAMODB_TABLE_PREFIX is 'a b'. Set it to 3 to 240 letters"),
        ({"SQS_QUEUE_URL": ""}, "SQS_QUEUE_URL is not set."),
        ({"IS_LAMBDA": "yes"}, "IS_LAMBDA is 'yes'. Set it to one of true, false."),
        ({"LOG_LEVEL": "chatty"}, "LOG_LEVEL is 'chatty'."),
        ({"DYNAMODB_ENDPOINT": "http://x", "IS_LAMBDA": "true"}, "which is for development alone. Remove it"),
        ({"DYNAMODB_ENDPOINT": "http://x", "AWS_LAMBDA_FUNCTION_NAME": "f"}, "which is for development alone."),
    ],
)
def test_a_wrong_setting_is_refused_in_a_sentence(
    settings: type[ApiSettings | WorkerSettings], changed: dict[str, str], sentence: str
) -> None:
    with pytest.raises(SettingsError, match=sentence):
        settings.from_environment(LEAST | changed)


def test_each_function_checks_its_own_settings() -> None:
    with pytest.raises(SettingsError, match="FRONTEND_URL has"):
        ApiSettings.from_environment(LEAST | {"FRONTEND_URL": "https://a.example/"})
    with pytest.raises(SettingsError, match="SQS_MAX_RECEIVES is '0'"):
        WorkerSettings.from_environment(LEAST | {"SQS_MAX_RECEIVES": "0"})


@pytest.mark.parametrize("module", ["main", "worker_main"])
def test_the_handlers_start_from_their_environment(module: str) -> None:
    """Start as Lambda does, in a process of its own and without any network."""
    program = f"from stock_track_record.{module} import handler; print(callable(handler))"
    variables = {"PYTHONPATH": str(SOURCES), "AWS_DEFAULT_REGION": "us-east-1", "IS_LAMBDA": "true"} | LEAST
    started = subprocess.run(
        [sys.executable, "-B", "-c", program], env=variables, capture_output=True, text=True, check=False
    )

    assert (started.stdout, started.stderr) == ("True\n", "")
