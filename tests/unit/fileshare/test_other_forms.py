"""What other code wrote into the same tables, in another form or in part, is read; and never fails a request."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from fileshare.database import Database
from fileshare.records import TRIAL
from fileshare.settings import Settings, Tables
from fileshare.stored import link_of, user_of
from fileshare.tokens import new_token
from tests.unit.fileshare.support import Api, a_link, a_user, aside

# The clock of the tests stands at 2026-01-31T09:15.
FORMS = [
    ("2026-02-10T00:00:00", "2026-02-10T00:00:00.000000Z"),
    ("2026-02-10", "2026-02-10T00:00:00.000000Z"),
    ("2026-02-10 12:30:00", "2026-02-10T12:30:00.000000Z"),
    (" 2026-02-10T12:30:00Z ", "2026-02-10T12:30:00.000000Z"),
    ("2026-02-10T12:30:00.5+05:00", "2026-02-10T07:30:00.500000Z"),
    ("2026-02-10T12:30:00.104233Z", "2026-02-10T12:30:00.104233Z"),
]
UNREADABLE = ["", "soon", "2026-02-31", "1770724800", "0001-01-01T00:00:00+14:00", "2026-02-10T12:30:00Z; secret"]


@pytest.mark.parametrize(("written", "read"), FORMS)
def test_a_time_is_read_in_its_other_forms(written: str, read: str) -> None:
    user = user_of({"user_id": "42", "trial_started_at": written, "trial_expires_at": written, "updated_at": written})
    assert (user.trial_started_at, user.trial_expires_at, user.updated_at) == (read, read, read)
    link = link_of({"short_code": "abc", "created_at": written, "expires_at": written})
    assert (link.created_at, link.expires_at) == (read, read)


@pytest.mark.parametrize("value", [*UNREADABLE, 1770724800, True, ["2026-02-10"]], ids=str)
def test_a_time_that_cannot_be_read_counts_as_not_there_and_the_log_names_the_field(
    value: object, caplog: pytest.LogCaptureFixture
) -> None:
    assert user_of({"user_id": "42", "trial_expires_at": value}).trial_expires_at is None
    assert link_of({"short_code": "abc", "expires_at": value}).expires_at is None
    assert [vars(record)["field"] for record in caplog.records] == ["trial_expires_at", "expires_at"]
    assert {record.levelname for record in caplog.records} == {"WARNING"}


def test_fields_of_another_kind_count_as_not_there() -> None:
    bare = {"short_code": "abc"}
    strange = {**bare, "full_url": 7, "created_by_user": None, "click_count": "many", "filename": ["a"]}
    assert link_of(strange) == link_of(bare)
    assert user_of({"user_id": "42", "email": 7, "user_tier": 1, "token_hash": True}) == user_of({"user_id": "42"})


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
        ("whenever it is over: secret", {"trial_active": False, "trial_expires_at": None, "days_left": 0}),
    ],
)
def test_a_trial_whose_end_stands_in_another_form_is_shown(  # noqa: PLR0913, PLR0917 - a row of a table, and what it needs
    make_api: Callable[[], Api],
    database: Database,
    write: Callable[..., None],
    capsys: pytest.CaptureFixture[str],
    written: str,
    status: dict[str, Any],
) -> None:
    user = a_user(user_tier=TRIAL, trial_used=True)
    token = new_token(user.user_id)
    aside(database.create_user(replace(user, token_hash=token.hashed)))
    write("users", "user_id", user.user_id, trial_expires_at=written)
    api = make_api()
    api.token = token.clear
    answer = api.call("GET", "/api/trial")
    assert answer.status == 200, answer
    assert answer.json() == answer.json() | status
    log = capsys.readouterr().out
    warnings = [line for line in map(json.loads, log.splitlines()) if line["level"] == "WARNING"]
    assert [line["field"] for line in warnings] == (["trial_expires_at"] if "whenever" in written else [])
    assert written not in log


@pytest.mark.parametrize(
    ("written", "status"),
    [
        ("2026-01-31T10:00:00", 302),
        ("2026-01-31 10:00:00", 302),
        ("2026-01-31 09:00:00", 410),
        ("2026-01-31T12:00:00+05:00", 410),
        ("2026-01-31T08:00:00-05:00", 302),
        ("never", 302),
        ("1", 302),
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
    assert api.call("GET", f"/api/links/{code}").status == (200 if status == 302 else 410)


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
    answer = stranger.get(f"/{code}")
    assert (answer.status, answer.error_code) == (404, "not_found")
    assert "location" not in answer.headers
    stored = aside(database.link(code))
    assert stored is not None
    assert stored.click_count == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["short_code"] for line in lines if line["level"] == "WARNING"] == [code]
    assert target is None or target not in json.dumps(lines, ensure_ascii=False)


def test_a_link_may_be_followed_when_it_is_alive_and_leads_somewhere() -> None:
    now = "2026-01-31T09:15:02.104233Z"
    assert a_link().may_be_followed(now)
    assert not a_link(expires_at=now).may_be_followed(now)
    assert not a_link(full_url="").may_be_followed(now)
