"""The environment's variables choose the database, and what cannot work is refused in a sentence."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from aws_lambda_powertools import Logger

from fileshare.app import open_database
from fileshare.settings import Settings, Tables
from shared.settings import SettingsError

LAMBDA = Path(__file__).parents[3] / "lambda"
FOUR = {
    "USE_DYNAMODB": "true",
    "AWS_REGION": "us-east-2",
    "DYNAMODB_USERS_TABLE_NAME": "users",
    "DYNAMODB_URLS_TABLE_NAME": "urls",
}


def test_the_four_variables_of_the_contract_are_enough() -> None:
    settings = Settings.from_environment(FOUR)
    assert settings == Settings(database=Tables(region="us-east-2", users="users", urls="urls"))
    assert (settings.log_level, settings.cors_origins) == ("INFO", ("*",))


def test_lambda_says_that_it_is_lambda() -> None:
    assert not Settings.from_environment(FOUR).in_lambda
    assert Settings.from_environment({**FOUR, "AWS_LAMBDA_FUNCTION_NAME": "file-sharing-app-dev"}).in_lambda


def test_the_switch_leads_back_to_sqlite_whatever_else_is_set() -> None:
    assert Settings.from_environment({**FOUR, "USE_DYNAMODB": "false"}).database == Path("fileshare.sqlite3")
    elsewhere = {**FOUR, "USE_DYNAMODB": " false ", "SQLITE_PATH": "/data/links.sqlite3"}
    assert Settings.from_environment(elsewhere).database == Path("/data/links.sqlite3")


@pytest.mark.parametrize("name", sorted(FOUR))
@pytest.mark.parametrize("value", [None, "", "  "])
def test_a_variable_that_is_missing_is_named(name: str, value: str | None) -> None:
    environment = {key: text for key, text in FOUR.items() if key != name} | ({} if value is None else {name: value})
    with pytest.raises(SettingsError, match=f"{name} is not set. Set it"):
        Settings.from_environment(environment)


@pytest.mark.parametrize(("text", "merges"), [(None, False), ("", False), ("false", False), (" true ", True)])
def test_plus_addresses_are_users_of_their_own_unless_the_setting_says_otherwise(
    text: str | None, *, merges: bool
) -> None:
    settings = Settings.from_environment(FOUR | ({} if text is None else {"MERGE_PLUS_ADDRESSES": text}))
    assert settings.addresses.merge_plus is merges


def test_a_setting_of_plus_addresses_that_says_neither_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"MERGE_PLUS_ADDRESSES is 'yes'\. Set it to one of true, false"):
        Settings.from_environment({**FOUR, "MERGE_PLUS_ADDRESSES": "yes"})


@pytest.mark.parametrize("value", ["True", "1", "yes", "dynamodb"])
def test_a_switch_that_says_neither_is_refused(value: str) -> None:
    with pytest.raises(SettingsError, match="Set it to one of true, false"):
        Settings.from_environment({**FOUR, "USE_DYNAMODB": value})


def test_dynamodb_is_not_opened_without_a_client(logger: Logger) -> None:
    with pytest.raises(ValueError, match="needs a client"):
        open_database(Settings.from_environment(FOUR), client=None, logger=logger)


@pytest.mark.parametrize("switch", ["true", "false"])
def test_the_module_that_lambda_and_a_server_start_needs_nothing_else(switch: str, tmp_path: Path) -> None:
    program = (
        "import asyncio, httpx, fileshare.main as main\n"
        "assert callable(main.handler)\n"
        "async def ask():\n"
        "    transport = httpx.ASGITransport(app=main.app)\n"
        "    async with httpx.AsyncClient(transport=transport, base_url='http://fileshare') as http:\n"
        "        return (await http.get('/api/health')).json()['database']\n"
        "print('it is', asyncio.run(ask()))\n"
    )
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        cwd=tmp_path,
        env={**FOUR, "USE_DYNAMODB": switch, "PYTHONPATH": str(LAMBDA), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert f"it is {'dynamodb' if switch == 'true' else 'sqlite'}" in result.stdout
    assert (tmp_path / "fileshare.sqlite3").exists() is (switch == "false")
