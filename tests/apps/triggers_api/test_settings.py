"""What the environment may say."""

import subprocess
import sys
from pathlib import Path

import pytest

from shared.settings import SettingsError
from triggers_api.settings import Settings

LEAST = {"DYNAMODB_TABLE_EVENTS": "events", "DYNAMODB_TABLE_KEYS": "keys", "STAGE": "dev"}
SOURCES = Path(__file__).parents[3] / "lambda"


def test_the_least_that_can_be_set() -> None:
    assert Settings.from_environment(LEAST) == Settings(
        events_table="events",
        keys_table="keys",
        stage="dev",
        production=True,
        auth_mode="aws",
        log_level="INFO",
        cors_origins=("*",),
        inbox_write_shards=1,
        inbox_read_shards=1,
    )


def test_everything_that_can_be_set() -> None:
    environment = LEAST | {
        "STAGE": "staging",
        "PRODUCTION": "false",
        "AUTH_MODE": "local",
        "LOG_LEVEL": "DEBUG",
        "CORS_ORIGINS": "https://app.example.com, http://localhost:3000",
        "INBOX_WRITE_SHARDS": "4",
        "INBOX_READ_SHARDS": "8",
    }

    assert Settings.from_environment(environment) == Settings(
        events_table="events",
        keys_table="keys",
        stage="staging",
        production=False,
        auth_mode="local",
        log_level="DEBUG",
        cors_origins=("https://app.example.com", "http://localhost:3000"),
        inbox_write_shards=4,
        inbox_read_shards=8,
    )


def test_whoever_writes_to_four_shards_reads_four() -> None:
    assert Settings.from_environment(LEAST | {"INBOX_WRITE_SHARDS": "4"}).inbox_read_shards == 4


def test_an_empty_variable_is_not_set() -> None:
    names = ("PRODUCTION", "AUTH_MODE", "LOG_LEVEL", "CORS_ORIGINS", "INBOX_WRITE_SHARDS", "INBOX_READ_SHARDS")

    assert Settings.from_environment(LEAST | dict.fromkeys(names, "")) == Settings.from_environment(LEAST)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"DYNAMODB_TABLE_EVENTS": ""}, "DYNAMODB_TABLE_EVENTS is not set."),
        ({"DYNAMODB_TABLE_KEYS": ""}, "DYNAMODB_TABLE_KEYS is not set."),
        ({"STAGE": " "}, "STAGE is not set."),
        ({"AUTH_MODE": "none"}, "AUTH_MODE is 'none'. Set it to one of aws, local."),
        ({"AUTH_MODE": "local"}, "the development key must never open production"),
        ({"AUTH_MODE": "local", "PRODUCTION": ""}, "the development key must never open production"),
        ({"AUTH_MODE": "local", "PRODUCTION": "true"}, "the development key must never open production"),
        ({"PRODUCTION": "no"}, "PRODUCTION is 'no'. Set it to one of true, false."),
        ({"LOG_LEVEL": "chatty"}, "LOG_LEVEL is 'chatty'. Set it to one of DEBUG, ERROR, INFO, WARNING."),
        ({"LOG_LEVEL": "CRITICAL"}, "LOG_LEVEL is 'CRITICAL'."),
        ({"CORS_ORIGINS": "*,https://a.example"}, "Set it to \\* alone"),
        ({"CORS_ORIGINS": "https://a.example/"}, "CORS_ORIGINS has 'https://a.example/'."),
        ({"CORS_ORIGINS": "https://my_app.example"}, "CORS_ORIGINS has 'https://my_app.example'."),
        ({"CORS_ORIGINS": "https://a.example:\u0664\u0664\u0663"}, "CORS_ORIGINS has 'https://a.example:"),
        ({"INBOX_WRITE_SHARDS": "1.5"}, "Set it to a whole number from 1 to 32."),
        ({"INBOX_WRITE_SHARDS": "0"}, "Set it to a whole number from 1 to 32."),
        ({"INBOX_WRITE_SHARDS": "33"}, "Set it to a whole number from 1 to 32."),
        ({"INBOX_READ_SHARDS": "two"}, "INBOX_READ_SHARDS is 'two'."),
        ({"INBOX_WRITE_SHARDS": "4", "INBOX_READ_SHARDS": "2"}, "Set INBOX_READ_SHARDS to at least as many."),
    ],
)
def test_a_wrong_setting_is_refused_in_a_sentence(changed: dict[str, str], sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence):
        Settings.from_environment(LEAST | changed)


def start(**environment: str) -> subprocess.CompletedProcess[str]:
    """Start the handler as Lambda does, in a process of its own and without any network."""
    program = "from triggers_api.main import handler; print(handler.lifespan)"
    variables = {"PYTHONPATH": str(SOURCES), "AWS_DEFAULT_REGION": "us-east-1"} | environment
    return subprocess.run(
        [sys.executable, "-B", "-c", program], env=variables, capture_output=True, text=True, check=False
    )


def test_the_handler_starts_from_its_environment() -> None:
    started = start(**LEAST)

    assert (started.stdout, started.stderr) == ("off\n", "")


def test_the_development_key_keeps_production_from_starting() -> None:
    started = start(**LEAST | {"AUTH_MODE": "local", "STAGE": "prod-eu", "PRODUCTION": "true"})

    assert started.returncode != 0
    assert started.stderr.splitlines()[-1].endswith("Set AUTH_MODE to aws.")
