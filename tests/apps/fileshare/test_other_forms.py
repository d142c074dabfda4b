"""What other code wrote into the same tables, in another form or in part, is read; and never fails a request."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import replace
from typing import Any

import pytest
from aws_lambda_powertools import Logger
from pydantic import ValidationError

from fileshare.database import Database
from fileshare.records import TRIAL
from fileshare.settings import Settings, Tables
from fileshare.stored import ShownLink, Target, Trial
from fileshare.tokens import new_token
from shared.stored import Readers
from tests.apps.fileshare.support import Api, a_user, in_a_thread

# The clock of the tests stands at 2026-01-31T09:15.
FORMS = [
    ("2026-02-10T00:00:00", "2026-02-10T00:00:00.000000Z"),
    ("2026-02-10", "2026-02-10T00:00:00.000000Z"),
    ("2026-02-10T12:30", "2026-02-10T12:30:00.000000Z"),
    ("2026-02-10 12:30:00", "2026-02-10T12:30:00.000000Z"),
    (" 2026-02-10T12:30:00Z ", "2026-02-10T12:30:00.000000Z"),
    ("2026-02-10T12:30:00.5+05:00", "2026-02-10T07:30:00.500000Z"),
    ("2026-02-10T12:30:00.104233Z", "2026-02-10T12:30:00.104233Z"),
]
UNREADABLE = [
    "", "soon", "2026-02-31", "1770724800", "0001-01-01T00:00:00+14:00", "2026-02-10T12:30:00Z; secret",
    "2012123012345", "20350101912", "20260210T123000Z", "2026-W05-1", "2026-041", "2026-02-10T12", "2026-02-10Z",
    "2026-02-10T24:00:00", "2026-02-10T12:30:60Z", "2026-02-10T12:30:00.", "2026-02-10T12:30:00.1234567Z",
    "2026-02-10T12:30:00,5", "2026-02-10T12:30:00+0500", "2026-02-10T12:30:00+05", "\N{NO-BREAK SPACE}2026-02-10",
    "2026-02-1\N{FULLWIDTH DIGIT ZERO}",
]  # fmt: skip
WHOLE = "2026-02-10T12:30:00Z"


USER: dict[str, Any] = {"user_id": "42"}
LINK: dict[str, Any] = {"short_code": "abc", "created_by_user": "42", "full_url": "u", "created_at": "2026-02-10"}


@pytest.mark.parametrize(("written", "read"), FORMS)
def test_a_time_is_read_in_its_other_forms(written: str, read: str) -> None:
    user = Trial.model_validate({**USER, "trial_started_at": written, "trial_expires_at": written})
    assert (user.trial_started_at, user.trial_expires_at) == (read, read)
    link = ShownLink.model_validate({**LINK, "created_at": written, "expires_at": written})
    assert (link.created_at, link.expires_at) == (read, read)


def test_nothing_is_guessed_of_a_time_that_lacks_a_character_or_has_another_one() -> None:
    shortened = {WHOLE[:place] + WHOLE[place + 1 :] for place in range(len(WHOLE) - 1)}
    separated = {WHOLE.replace("T", chr(code)) for code in range(0x250)} - {
        WHOLE.replace("T", one) for one in ("T", "t", " ")
    }
    read = []
    for text in sorted(shortened | separated):
        with suppress(ValidationError):
            read.append((text, Target.model_validate({**LINK, "expires_at": text}).expires_at))
    assert read == []


@pytest.mark.parametrize("value", [*UNREADABLE, 1770724800, True, ["2026-02-10"]], ids=str)
def test_a_time_that_cannot_be_read_does_not_fit(value: object) -> None:
    for shape, values, name in ((Trial, USER, "trial_expires_at"), (Target, LINK, "expires_at")):
        with pytest.raises(ValidationError) as raised:
            shape.model_validate({**values, name: value})
        assert [error["loc"] for error in raised.value.errors()] == [(name,)]


@pytest.mark.parametrize(
    ("stored", "read"),
    [
        ({"BOOL": True}, True),
        ({"BOOL": False}, False),
        ({"N": "1"}, True),
        ({"N": "0"}, False),
        ({"N": "0.0"}, False),
        ({"NULL": True}, False),
        ({"N": "2"}, None),
        ({"N": "1e100"}, None),
        ({"S": "false"}, None),
        ({"L": []}, None),
    ],
    ids=str,
)
def test_whether_a_trial_was_used_has_one_reading(logger: Logger, stored: dict[str, Any], read: bool | None) -> None:  # noqa: FBT001 - a row of a table
    readers = Readers(table="users", key=("user_id",), logger=logger)
    trial = readers.of(Trial).find({"user_id": {"S": "42"}, "trial_used": stored})
    assert (None if trial is None else trial.trial_used) == read


def test_the_log_names_a_link_that_does_not_fit_once_and_no_value(
    api: Api, stranger: Api, write: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    code = api.shorten()["short_code"]
    write("urls", "short_code", code, expires_at="a value for no log")
    for _ in range(3):
        assert api.call("GET", "/api/links").json() == {"links": [], "next_cursor": None}
        assert api.call("GET", f"/api/links/{code}").error_code == "not_found"
        assert stranger.get(f"/{code}").error_code == "not_found"
    log = capsys.readouterr().out
    lines = [line for line in map(json.loads, log.splitlines()) if "does not fit" in str(line["message"])]
    assert [(line["key"], line["attributes"]) for line in lines] == [({"short_code": code}, ["expires_at"])]
    assert "a value for no log" not in log
    assert api.call("DELETE", f"/api/links/{code}").status == 204


@pytest.fixture
def write(request: pytest.FixtureRequest, settings: Settings, database: Database) -> Callable[..., None]:
    """Write attributes over those of a user or a link as other code does, past the application."""

    def to_dynamodb(table: str, key: str, value: str, **changes: str | None) -> None:
        tables = settings.database
        assert isinstance(tables, Tables)
        client = request.getfixturevalue("dynamodb")
        for name, text in changes.items():
            removed = text is None
            client.update_item(
                TableName=getattr(tables, table),
                Key={key: {"S": value}},
                UpdateExpression="REMOVE #name" if removed else "SET #name = :text",
                ExpressionAttributeNames={"#name": name},
                **({} if removed else {"ExpressionAttributeValues": {":text": {"S": text}}}),
            )

    def to_sqlite(table: str, key: str, value: str, **changes: str | None) -> None:
        with closing(sqlite3.connect(str(settings.database))) as connection, connection:
            for name, text in changes.items():
                connection.execute(f"UPDATE {table} SET {name} = ? WHERE {key} = ?", (text or "", value))  # noqa: S608 - names of ours

    return to_dynamodb if isinstance(settings.database, Tables) else to_sqlite


@pytest.mark.parametrize(
    ("written", "status"),
    [
        ("2030-01-01T00:00:00", {"trial_active": True, "user_tier": "trial"}),
        ("2030-01-01", {"trial_active": True, "trial_expires_at": "2030-01-01T00:00:00.000000Z"}),
        ("2026-01-31 09:00:00", {"trial_active": False, "message": "Your premium trial has ended"}),
    ],
)
def test_a_trial_whose_end_stands_in_another_form_is_shown(
    make_api: Callable[[], Api],
    database: Database,
    write: Callable[..., None],
    written: str,
    status: dict[str, Any],
) -> None:
    user = a_user(user_tier=TRIAL, trial_used=True)
    token = new_token(user.user_id)
    in_a_thread(database.create_user(replace(user, token_hash=token.hashed)))
    write("users", "user_id", user.user_id, trial_expires_at=written)
    api = make_api()
    api.token = token.clear
    response = api.call("GET", "/api/trial")
    assert response.status == 200, response
    assert response.json() == response.json() | status


def test_a_trial_that_cannot_be_read_is_neither_shown_nor_started_and_stays_as_it_is(
    api: Api, write: Callable[..., None], database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    user_id = api.sign_up()["user_id"]
    write("users", "user_id", user_id, trial_expires_at="a value for no log")
    before = in_a_thread(database.user(user_id))
    for _ in range(2):
        assert (shown := api.call("GET", "/api/trial")).status == 404
        assert shown.error_code == "not_found"
        assert (started := api.call("POST", "/api/trial")).status == 409
        assert started.error_code == "trial_not_available"
    after = in_a_thread(database.user(user_id))
    assert before is not None
    assert after is not None
    assert after.item == before.item
    log = capsys.readouterr().out
    lines = [line for line in map(json.loads, log.splitlines()) if "does not fit" in str(line["message"])]
    assert [(line["key"], line["attributes"]) for line in lines] == [({"user_id": user_id}, ["trial_expires_at"])]
    assert "a value for no log" not in log
    # What the trial has nothing to do with goes on.
    api.shorten()


@pytest.mark.parametrize(
    ("written", "status"),
    [
        ("2026-01-31T10:00:00", 302),
        ("2026-01-31 10:00:00", 302),
        ("2026-01-31 09:00:00", 410),
        ("2026-01-31T12:00:00+05:00", 410),
        ("2026-01-31T08:00:00-05:00", 302),
        ("never", 404),
        ("1", 404),
    ],
)
def test_a_link_whose_end_stands_in_another_form_ends_then(
    api: Api, stranger: Api, write: Callable[..., None], written: str, status: int
) -> None:
    code = api.shorten()["short_code"]
    write("urls", "short_code", code, expires_at=written)
    assert stranger.get(f"/{code}").status == status
    shown = [link["short_code"] for link in api.call("GET", "/api/links").json()["links"]]
    assert shown == ([code] if status == 302 else [])
    assert api.call("GET", f"/api/links/{code}").status == (200 if status == 302 else status)


@pytest.mark.parametrize(
    "target",
    ["javascript:alert(1)", "https://bank.example@evil.example/", "/relative", "https://a.example/\r\nX: y", None],
    ids=str,
)
def test_a_target_that_other_code_wrote_is_checked_before_it_is_followed_and_counted(  # noqa: PLR0913, PLR0917 - a row of a table, and what it needs
    api: Api,
    stranger: Api,
    write: Callable[..., None],
    database: Database,
    capsys: pytest.CaptureFixture[str],
    target: str | None,
) -> None:
    code = api.shorten()["short_code"]
    write("urls", "short_code", code, full_url=target)
    before = in_a_thread(database.link(code))
    response = stranger.get(f"/{code}")
    assert (response.status, response.error_code) == (404, "not_found")
    assert "location" not in response.headers
    after = in_a_thread(database.link(code))
    assert before is not None
    assert after is not None
    assert after.item == before.item
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    warnings = [line for line in lines if line["level"] == "WARNING"]
    assert [line.get("short_code") or line["key"]["short_code"] for line in warnings] == [code]
    assert target is None or target not in json.dumps(lines, ensure_ascii=False)


def test_a_link_may_be_followed_when_it_is_alive_and_leads_somewhere() -> None:
    now = "2026-01-31T09:15:02.104233Z"
    target = Target(full_url="https://example.com/")
    assert target.may_be_followed(now)
    assert not target.model_copy(update={"expires_at": now}).may_be_followed(now)
    assert not target.model_copy(update={"full_url": ""}).may_be_followed(now)
