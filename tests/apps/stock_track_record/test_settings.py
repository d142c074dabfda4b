"""What the environments of the two functions may say."""

import subprocess
import sys
from pathlib import Path

import pytest

from shared.settings import SettingsError
from stock_track_record.settings import ApiSettings, WorkerSettings
from tests.apps.stock_track_record.support import QUEUE_URL

WORKER_LEAST = {"DYNAMODB_TABLE_PREFIX": "StockTrackRecord"}
LEAST = WORKER_LEAST | {"SQS_QUEUE_URL": QUEUE_URL}
SOURCES = Path(__file__).parents[3] / "lambda"


def test_the_least_that_can_be_set() -> None:
    api, worker = ApiSettings.from_environment(LEAST), WorkerSettings.from_environment(LEAST)

    assert api == ApiSettings(table_prefix="StockTrackRecord", queue_url=QUEUE_URL)
    assert worker == WorkerSettings(table_prefix="StockTrackRecord", queue_url=QUEUE_URL)
    assert (api.region, api.is_lambda, api.endpoint, worker.max_receives) == ("us-east-1", False, None, 3)


@pytest.mark.parametrize("environment", [WORKER_LEAST, WORKER_LEAST | {"SQS_QUEUE_URL": " "}], ids=["absent", "empty"])
def test_the_worker_does_without_the_address_of_its_queue(environment: dict[str, str]) -> None:
    assert WorkerSettings.from_environment(environment) == WorkerSettings(table_prefix="StockTrackRecord")


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
    assert api.cors_origins == ("https://app.example.com", "http://localhost:3000")
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
    with pytest.raises(SettingsError, match="SQS_QUEUE_URL is not set"):
        ApiSettings.from_environment(LEAST | {"SQS_QUEUE_URL": " "})
    with pytest.raises(SettingsError, match="FRONTEND_URL has"):
        ApiSettings.from_environment(LEAST | {"FRONTEND_URL": "https://a.example/"})
    with pytest.raises(SettingsError, match="SQS_MAX_RECEIVES is '0'"):
        WorkerSettings.from_environment(LEAST | {"SQS_MAX_RECEIVES": "0"})


def start(module: str, environment: dict[str, str]) -> tuple[str, str]:
    """Start a handler as Lambda does, in a process of its own and without any network; say where its clients speak."""
    program = f"""
from botocore.session import Session

make = Session.create_client

def tell(*parameters, **options):
    made = make(*parameters, **options)
    print(parameters[1], made.meta.region_name)
    return made

Session.create_client = tell
from stock_track_record import {module}
print(callable({module}.handler))
"""
    variables = {"PYTHONPATH": str(SOURCES), "AWS_DEFAULT_REGION": "us-east-1", "IS_LAMBDA": "true"} | environment
    started = subprocess.run(
        [sys.executable, "-B", "-c", program], env=variables, capture_output=True, text=True, check=False
    )
    return started.stdout, started.stderr


@pytest.mark.parametrize("module", ["main", "worker_main"])
def test_the_region_of_the_tables_is_not_that_of_the_queue(module: str) -> None:
    """The queue is where the function is: its event source can be nowhere else."""
    assert start(module, LEAST | {"DYNAMODB_REGION": "eu-central-1"}) == (
        "dynamodb eu-central-1\nsqs us-east-1\nTrue\n",
        "",
    )


def test_the_worker_starts_from_the_environment_that_was_promised_to_it() -> None:
    assert start("worker_main", WORKER_LEAST | {"DYNAMODB_REGION": "us-east-1"}) == ("dynamodb us-east-1\nTrue\n", "")
