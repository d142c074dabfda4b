"""Stored addresses come into one form by a command, in the applied tables while the API goes on, and in a file."""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from fileshare.dynamodb_database import user_item
from fileshare.records import User
from fileshare.tokens import new_token
from tests.apps.fileshare.end_to_end.support import ROOT, TARGET, client, old_file, sign_up
from tests.end_to_end.support import Sawhorse

pytestmark = pytest.mark.end_to_end


@pytest.fixture(scope="module")
def sawhorse(standing: Callable[[str], Sawhorse]) -> Sawhorse:
    """dev/fileshare, applied for all tests of this file; each brings its own users and links."""
    return standing(ROOT)


@pytest.fixture(scope="module")
def outputs(sawhorse: Sawhorse) -> dict[str, Any]:
    found: dict[str, Any] = sawhorse.json("outputs", ROOT, "--local")
    return found


@pytest.fixture
def stranger(outputs: dict[str, Any]) -> Iterator[httpx.Client]:
    """A client without a token."""
    with httpx.Client(base_url=outputs["api_endpoint"], timeout=35, trust_env=False) as http:
        yield http


def put_user(dynamodb: Any, table: str, email: str, created: str, **attributes: Any) -> User:
    """Write a user past the application, with a token."""
    token = new_token(str(uuid.uuid4()))
    user = User(user_id=token.clear.split("_")[1], email=email, created_at=created, updated_at=created, **attributes)
    dynamodb.put_item(TableName=table, Item=user_item(replace(user, token_hash=token.hashed)))
    return replace(user, token_hash=token.clear)


def bearer(user: User) -> dict[str, str]:
    return {"Authorization": f"Bearer {user.token_hash}"}


def test_stored_addresses_come_into_one_form_while_the_service_goes_on(
    sawhorse: Sawhorse, outputs: dict[str, Any], stranger: httpx.Client
) -> None:
    dynamodb, users = client(sawhorse, "dynamodb"), outputs["dynamodb_users_table"]
    name = f"k{uuid.uuid4().hex[:8]}"
    used = {"trial_used": True, "user_tier": "trial", "trial_started_at": "2025-01-01T00:00:00.000000Z"}
    older = put_user(dynamodb, users, f"{name.title()}@Example.com", "2025-01-01T00:00:00.000000Z", **used)
    plus = put_user(dynamodb, users, f"{name.upper()}+x@example.com", "2025-02-01T00:00:00.000000Z")
    kelvin = put_user(dynamodb, users, f"\N{KELVIN SIGN}{name[1:]}@example.com", "2025-03-01T00:00:00.000000Z")

    # One reservation is of another kind: its address is left alone, and everything else is done, links included.
    odd = put_user(dynamodb, users, f"ODD{name}@example.com", "2025-01-01T00:00:00.000000Z")
    reservation = {"user_id": {"S": f"email#odd{name}@example.com"}}
    dynamodb.put_item(TableName=users, Item={**reservation, "reserved_for": {"N": "1"}})

    # Before: whoever signs up with another spelling is somebody else, with a link that has been followed.
    younger = sign_up(stranger, f"{name}@example.com")
    token = {"Authorization": f"Bearer {younger['token']}"}
    code = stranger.post("api/links", json={"full_url": TARGET}, headers=token).json()["short_code"]
    assert stranger.get(code).status_code == 302

    # Looking changes nothing, and names both.
    report = sawhorse("run", ROOT, "migrate", "--addresses", "--local", code=1)
    assert f"{younger['user_id']} ({name}@example.com) becomes {older.user_id} ({name}@example.com)." in report
    assert f"{kelvin.user_id} (\\u212a{name[1:]}@example.com) is left as it is: the address must be" in report
    assert "Nothing was changed. Run it again with --yes to do this." in report
    assert stranger.get("api/links", headers=token).json()["links"]

    done = sawhorse.run("run", ROOT, "migrate", "--addresses", "--yes", "--local", "--json")
    assert done.returncode == 1, done.stderr
    found = json.loads(done.stdout)
    left = {kelvin.user_id, odd.user_id, reservation["user_id"]["S"]}
    assert {problem["user_id"] for problem in found["problems"]} == left
    merge = {"kept": older.user_id, "merged": younger["user_id"], "links": 1}
    assert [one for one in found["merges"] if one["kept"] == older.user_id] == [
        {**merge, "address": f"{name}@example.com", "email": f"{name}@example.com"}
    ]

    # After: one user, whose trial is used, and who has the link and its click.
    assert stranger.get("api/links", headers=token).status_code == 401
    trial = stranger.get("api/trial", headers=bearer(older), params={"email": f"{name.upper()}@example.com"}).json()
    assert (trial["email"], trial["can_start_trial"]) == (f"{name}@example.com", False)
    assert stranger.post("api/trial", headers=bearer(older)).status_code == 409
    assert stranger.get(f"api/links/{code}", headers=bearer(older)).json()["click_count"] == 1
    statuses = {
        email: stranger.post("api/users", json={"email": email}).status_code
        for email in (f"{name.title()}@example.com", f"{name}+X@example.com", kelvin.email)
    }
    assert statuses == dict(zip(statuses, (409, 409, 422), strict=True))
    assert stranger.get("api/trial", headers=bearer(plus)).json()["email"] == f"{name}+x@example.com"
    assert stranger.get("api/trial", headers=bearer(kelvin)).json()["email"] == kelvin.email
    for user_id in left:
        dynamodb.delete_item(TableName=users, Key={"user_id": {"S": user_id}})
    assert "0 merged into an older one, 0 addresses" in sawhorse("run", ROOT, "migrate", "--addresses", "--local")


def test_addresses_in_a_file_come_into_one_form_and_can_be_copied_then(sawhorse: Sawhorse, tmp_path: Path) -> None:
    path = tmp_path / "fileshare.sqlite3"
    users, _ = old_file(path, users=2, links=2)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE users SET email = upper(email)")
    words = ("run", ROOT, "migrate", "--addresses", "--in", str(path), "--local")
    assert "2 addresses written in one form" in sawhorse(*words)
    sawhorse(*words, "--yes")
    with closing(sqlite3.connect(path)) as connection:
        emails = {email for (email,) in connection.execute("SELECT email FROM users")}
    assert emails == {user.email for user in users}
    assert sawhorse.json("run", ROOT, "migrate", "--from", str(path), "--local")["passed"]


@pytest.mark.parametrize(
    "words", [[], ["--addresses", "--from", "x"], ["--from", "x", "--yes"], ["--from", "x", "--in", "y"]], ids=str
)
def test_a_migration_is_one_thing_or_the_other(sawhorse: Sawhorse, words: list[str]) -> None:
    output = sawhorse("run", ROOT, "migrate", *words, "--local", code=2)
    assert "say --from FILE, or --addresses." in output or "--in and --yes belong to --addresses" in output
