"""What the environment decides, and what it may not."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from hybrid_ci_cd.settings import Settings
from shared.settings import SettingsError

SOURCES = Path(__file__).parents[3] / "lambda"
LEAST = {
    "DYNAMODB_TABLE_SESSIONS": "sessions",
    "DYNAMODB_TABLE_JOBS": "jobs",
    "DYNAMODB_TABLE_AGENTS": "agents",
    "STAGE": "production",
    "PRODUCTION": "false",
}


def test_the_least_environment_gives_the_defaults() -> None:
    assert Settings.from_environment(LEAST) == Settings(
        sessions_table="sessions",
        jobs_table="jobs",
        agents_table="agents",
        stage="production",
        log_level="INFO",
        cors_origins=("*",),
        session_lifetime=timedelta(days=7),
        session_key_hash=None,
        agent_lost_after=timedelta(seconds=90),
    )


def test_every_setting_is_read() -> None:
    environment = LEAST | {
        "LOG_LEVEL": "DEBUG",
        "CORS_ORIGINS": "https://app.example.com, http://localhost:3000",
        "SESSION_LIFETIME_SECONDS": "3600",
        "SESSION_KEY_SHA256": "AB" * 32,
        "AGENT_LOST_AFTER_SECONDS": "5",
    }

    read = Settings.from_environment(environment)

    assert (read.log_level, read.cors_origins) == ("DEBUG", ("https://app.example.com", "http://localhost:3000"))
    assert (read.session_lifetime, read.agent_lost_after) == (timedelta(hours=1), timedelta(seconds=5))
    assert read.session_key_hash == "ab" * 32


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"DYNAMODB_TABLE_SESSIONS": ""}, "DYNAMODB_TABLE_SESSIONS is not set."),
        ({"DYNAMODB_TABLE_JOBS": ""}, "DYNAMODB_TABLE_JOBS is not set."),
        ({"DYNAMODB_TABLE_AGENTS": ""}, "DYNAMODB_TABLE_AGENTS is not set."),
        ({"STAGE": ""}, "STAGE is not set."),
        ({"PRODUCTION": "no"}, "PRODUCTION is 'no'. Set it to one of true, false."),
        ({"PRODUCTION": "true", "OPEN_SESSIONS": "yes"}, "OPEN_SESSIONS is 'yes'. Set it to one of true, false."),
        ({"LOG_LEVEL": "chatty"}, "LOG_LEVEL is 'chatty'."),
        ({"CORS_ORIGINS": "*,https://a.example"}, "Set it to \\* alone"),
        ({"SESSION_LIFETIME_SECONDS": "59"}, "Set it to a whole number from 60 to 7776000."),
        ({"SESSION_LIFETIME_SECONDS": "7776001"}, "Set it to a whole number from 60 to 7776000."),
        ({"AGENT_LOST_AFTER_SECONDS": "4"}, "Set it to a whole number from 5 to 86400."),
        ({"SESSION_KEY_SHA256": "the-key-itself"}, "SESSION_KEY_SHA256 is not a SHA-256 in hexadecimal."),
    ],
    ids=str,
)
def test_a_wrong_setting_is_refused_in_a_sentence(changed: dict[str, str], sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence) as refusal:
        Settings.from_environment(LEAST | changed)
    assert "the-key-itself" not in str(refusal.value)


@pytest.mark.parametrize(
    "changed",
    [{"PRODUCTION": ""}, {"PRODUCTION": "true"}, {"PRODUCTION": "true", "OPEN_SESSIONS": "false", "STAGE": "dev"}],
    ids=str,
)
def test_sessions_for_everybody_keep_production_from_starting(changed: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match=r"become any user of production\. Set it, or set OPEN_SESSIONS to true"):
        Settings.from_environment(LEAST | changed)

    assert Settings.from_environment(LEAST | changed | {"OPEN_SESSIONS": "true"}).session_key_hash is None
    assert Settings.from_environment(LEAST | changed | {"SESSION_KEY_SHA256": "ab" * 32}).session_key_hash == "ab" * 32


def test_the_handler_starts_from_its_environment() -> None:
    program = "from hybrid_ci_cd.main import handler; print(handler.lifespan)"
    started = subprocess.run(
        [sys.executable, "-B", "-c", program],
        env={"PYTHONPATH": str(SOURCES), "AWS_DEFAULT_REGION": "us-east-1"} | LEAST,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (started.stdout, started.stderr) == ("off\n", "")
