"""What the environment may say."""

import subprocess
import sys
from pathlib import Path

import pytest

from shared.settings import SettingsError
from turbotech_portal.settings import Scopes, Settings

LEAST = {
    "DYNAMODB_TABLE_DELIVERABLES": "deliverables",
    "DYNAMODB_TABLE_METRICS": "metrics",
    "DYNAMODB_TABLE_UPDATES": "updates",
    "DYNAMODB_TABLE_USERS": "users",
    "STAGE": "dev",
}
SOURCES = Path(__file__).parents[3] / "lambda"


def test_the_least_that_can_be_set() -> None:
    assert Settings.from_environment(LEAST) == Settings(
        deliverables_table="deliverables",
        metrics_table="metrics",
        updates_table="updates",
        users_table="users",
        stage="dev",
        production=True,
        auth_mode="gateway",
        in_lambda=False,
        log_level="INFO",
        cors_origins=("*",),
        public_docs=True,
    )


def test_everything_that_can_be_set() -> None:
    environment = LEAST | {
        "AUTH_MODE": "local",
        "STAGE": "staging",
        "PRODUCTION": "false",
        "LOG_LEVEL": "DEBUG",
        "CORS_ORIGINS": "https://portal.example.com",
        "PUBLIC_DOCS": "false",
        "SCOPE_READ": "read:portal",
        "SCOPE_DELIVERABLES": " change:deliverables ",
        "SCOPE_METRICS": "https://api.example.com/metrics.change",
        "SCOPE_UPDATES": "",
    }

    settings = Settings.from_environment(environment)

    assert (settings.auth_mode, settings.stage, settings.log_level) == ("local", "staging", "DEBUG")
    assert settings.cors_origins == ("https://portal.example.com",)
    assert not settings.public_docs
    assert settings.scopes == Scopes(
        read="read:portal", deliverables="change:deliverables", metrics="https://api.example.com/metrics.change"
    )


@pytest.mark.parametrize("name", ["SCOPE_READ", "SCOPE_DELIVERABLES", "SCOPE_METRICS", "SCOPE_UPDATES"])
@pytest.mark.parametrize("value", ["two words", "a,b", "[a]", 'a"b', "a\\b", "é", "a\x00", "s" * 129])
def test_what_cannot_be_a_scope_is_refused(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=rf"^{name} is .* Set it to one scope as tokens spell it"):
        Settings.from_environment(LEAST | {name: value})


@pytest.mark.parametrize("name", LEAST)
def test_a_variable_that_is_missing_is_named(name: str) -> None:
    with pytest.raises(SettingsError, match=rf"^{name} is not set\."):
        Settings.from_environment({other: value for other, value in LEAST.items() if other != name})


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({}, "AUTH_MODE is local and PRODUCTION is not false"),
        ({"PRODUCTION": " "}, "AUTH_MODE is local and PRODUCTION is not false"),
        ({"PRODUCTION": "true"}, "AUTH_MODE is local and PRODUCTION is not false"),
        (
            {"PRODUCTION": "false", "AWS_LAMBDA_FUNCTION_NAME": "turbotech-portal-dev"},
            "AUTH_MODE is local inside Lambda",
        ),
    ],
)
def test_the_development_user_is_kept_out_of_where_customers_are(environment: dict[str, str], sentence: str) -> None:
    with pytest.raises(SettingsError, match=f"^{sentence}.*Set AUTH_MODE to gateway"):
        Settings.from_environment(LEAST | {"AUTH_MODE": "local"} | environment)


def test_an_unknown_mode_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"^AUTH_MODE is 'none'\. Set it to one of gateway, local\."):
        Settings.from_environment(LEAST | {"AUTH_MODE": "none"})


def test_production_is_either_or() -> None:
    with pytest.raises(SettingsError, match=r"^PRODUCTION is 'prod'\. Set it to one of true, false\."):
        Settings.from_environment(LEAST | {"PRODUCTION": "prod"})


def test_docs_are_either_public_or_not() -> None:
    with pytest.raises(SettingsError, match=r"^PUBLIC_DOCS is 'no'\. Set it to one of true, false\."):
        Settings.from_environment(LEAST | {"PUBLIC_DOCS": "no"})


def test_a_process_without_its_variables_ends_with_the_sentence_that_names_one() -> None:
    result = subprocess.run(
        [sys.executable, "-c", "import turbotech_portal.main"],
        env={"PYTHONPATH": str(SOURCES), "STAGE": "dev"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.returncode == 1
    assert "DYNAMODB_TABLE_DELIVERABLES is not set." in result.stderr
