"""Nothing that stands in the tables ends the migration of addresses: what does not fit is named, all else is done."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from fileshare.dynamodb_database import link_item, reservation_key, user_item
from fileshare.ops.migration.addresses import AddressReport, Migration
from fileshare.records import User
from fileshare.settings import Tables
from fileshare.sqlite_database import SCHEMA
from tests.apps.fileshare.ops.address_support import PLAIN, FilePlace, Place, TablesPlace, run
from tests.apps.fileshare.support import a_link, a_user
from tests.hostile import EXTREMES
from tests.unit.support import filled

EARLIER = "2025-01-01T00:00:00.000000Z"
OLDER, YOUNGER = (
    a_user("bob", user_id="older", email="Bob@Example.com", created_at=EARLIER),
    a_user("bob", user_id="younger", email="bob@example.com"),
)
LINK = a_link("younger")
# What reserves an address for nobody, as `shared.stored` reads what is not there.
NOBODY: list[dict[str, Any]] = [{}, {"reserved_for": {"NULL": True}}]


@pytest.fixture
def place(dynamodb: Any, tables: Tables) -> TablesPlace:
    """Hold two users who are one, with a link of the younger."""
    for user in (OLDER, YOUNGER):
        dynamodb.put_item(TableName=tables.users, Item=user_item(user))
    dynamodb.put_item(TableName=tables.urls, Item=link_item(LINK))
    return TablesPlace(dynamodb, tables)


def put(place: TablesPlace, *items: dict[str, Any]) -> None:
    for item in items:
        place.client.put_item(TableName=place.tables.users, Item=item)


def item_of(place: TablesPlace, user_id: str) -> Any:
    found = place.client.get_item(TableName=place.tables.users, Key={"user_id": {"S": user_id}}, ConsistentRead=True)
    return found.get("Item")


def look(place: Place) -> AddressReport:
    with place.store(PLAIN) as store:
        return Migration(store, PLAIN).look()


def named(report: AddressReport) -> dict[str, str]:
    return {problem.user_id: problem.reason for problem in report.problems}


def assert_the_others_became_one(place: TablesPlace, report: AddressReport) -> None:
    merges = [(merge.merged, merge.kept, merge.links) for merge in report.merges]
    assert merges == [("younger", "older", 1)]
    assert item_of(place, "younger") is None
    assert item_of(place, "older")["email"] == {"S": "bob@example.com"}
    link = place.client.get_item(TableName=place.tables.urls, Key={"short_code": {"S": LINK.short_code}})["Item"]
    assert link["created_by_user"] == {"S": "older"}


def test_a_reservation_of_another_kind_is_named_and_kept_and_everything_else_is_done(place: TablesPlace) -> None:
    odd = {
        f"o{number}": value
        for number, value in enumerate(EXTREMES)
        if set(value) - {"S", "NULL"} or value.get("S") == ""
    }
    for name, value in odd.items():
        put(
            place,
            user_item(a_user(user_id=name, email=f"{name.upper()}@example.com")),
            {"user_id": {"S": reservation_key(f"{name}@example.com")}, "reserved_for": value},
        )
    before = {key: item_of(place, key) for name in odd for key in (name, reservation_key(f"{name}@example.com"))}
    assert len(odd) > 15
    looked = look(place)

    report = run(place, PLAIN)

    assert_the_others_became_one(place, report)
    assert named(report).keys() == named(looked).keys() == before.keys()
    assert all("again and again" not in reason for reason in named(report).values())
    assert "delete it or correct it" in named(report)["email#o0@example.com"]
    assert "email#o0@example.com is corrected" in named(report)["o0"]
    assert {key: item_of(place, key) for key in before} == before
    assert (report.counts["readdressed"], looked.counts["readdressed"]) == (1, 1)


@pytest.mark.parametrize("attributes", NOBODY, ids=str)
def test_a_reservation_for_nobody_is_given_to_the_user_and_keeps_what_else_it_has(
    place: TablesPlace, attributes: dict[str, Any]
) -> None:
    key = reservation_key("bob@example.com")
    put(place, {"user_id": {"S": key}, "note": {"S": "of other code"}, **attributes})

    assert run(place, PLAIN).passed

    assert item_of(place, key) == {
        "user_id": {"S": key},
        "note": {"S": "of other code"},
        "reserved_for": {"S": "older"},
    }


@pytest.mark.parametrize("attributes", [{}, {"reserved_for": {"S": "eve"}}], ids=str)
def test_a_user_whose_id_is_that_of_a_reservation_is_named_and_not_written_over(
    place: TablesPlace, attributes: dict[str, Any]
) -> None:
    key = reservation_key("eve@example.com")
    odd = user_item(a_user(user_id=key, email="Eve@Example.com")) | attributes
    put(place, odd, user_item(a_user(user_id="eve", email="EVE@example.com")))

    report = run(place, PLAIN)

    assert_the_others_became_one(place, report)
    assert named(report).keys() == {key, "eve"}
    assert "give the user another id" in named(report)[key]
    assert item_of(place, key) == odd


@pytest.mark.parametrize("full", ["first", "second"])
def test_a_user_without_room_is_named_and_those_after_are_done(place: TablesPlace, full: str) -> None:
    first = a_user(user_id="first", email="ADA@example.com", created_at=EARLIER)
    second = a_user(user_id="second", email="Ada@Example.com", trial_used=True, token_hash=None)
    for user in (first, second):
        item = user_item(user)
        del item["updated_at"]
        put(place, item)
        if user.user_id == full:
            filled(place.client, place.tables.users, item)

    report = run(place, PLAIN)

    assert_the_others_became_one(place, report)
    assert "has no room" in named(report)[full]
    assert named(report).keys() == {"first", "second"}
    assert f"{full} is corrected" in named(report)[{"first": "second", "second": "first"}[full]]
    assert all(item_of(place, user_id)["email"]["S"].lower() == "ada@example.com" for user_id in ("first", "second"))


def test_a_link_without_room_is_named_and_its_owner_remembered_for_the_next_run(place: TablesPlace) -> None:
    stuck = link_item(a_link("younger"))
    place.client.put_item(TableName=place.tables.users, Item=user_item(OLDER) | {"user_id": {"S": "o" * 40}})
    place.client.delete_item(TableName=place.tables.users, Key={"user_id": {"S": "older"}})
    filled(place.client, place.tables.urls, stuck)

    report = run(place, PLAIN)

    assert [(merge.merged, merge.links) for merge in report.merges] == [("younger", 1)]
    assert "has no room" in named(report)["younger"]
    assert stuck["short_code"]["S"] in named(report)["younger"]
    place.client.put_item(TableName=place.tables.urls, Item=stuck)
    again = run(place, PLAIN)
    assert (again.passed, [(merge.merged, merge.links) for merge in again.merges]) == (True, [("younger", 1)])
    assert item_of(place, "younger") is None


def test_a_file_that_refuses_one_address_gets_all_others(tmp_path: Path) -> None:
    place = FilePlace(tmp_path / "fileshare.sqlite3")
    with closing(sqlite3.connect(place.path)) as connection, connection:
        connection.executescript(SCHEMA)
        insert = "INSERT INTO users VALUES (?, ?, 'free', 0, NULL, NULL, '', '', NULL)"
        # The id of the second is bytes, so nobody can look it up.
        rows: list[tuple[Any, str]] = [("a", "Ada@example.com"), (b"\xff", "ada@example.com")]
        connection.executemany(insert, [*rows, ("b", "Bob@example.com"), ("c", "BOB@example.com")])

    report = run(place, PLAIN)

    assert named(report).keys() == {"a", "b'\\xff'"}
    assert "UNIQUE" in named(report)["a"]
    with closing(sqlite3.connect(place.path)) as connection:
        left = connection.execute("SELECT user_id, email FROM users").fetchall()
    assert sorted(left, key=repr) == sorted([*rows, ("b", "bob@example.com")], key=repr)


def test_a_space_that_is_not_ascii_makes_no_address_of_anybody_else(place: TablesPlace) -> None:
    odd: list[User] = [
        a_user(user_id=f"u{number}", email=f"{character}bob@example.com", created_at="2020-01-01")
        for number, character in enumerate(["\N{NO-BREAK SPACE}", "\x1f", "\u2003"])
    ]
    put(place, *map(user_item, odd))

    report = run(place, PLAIN)

    assert_the_others_became_one(place, report)
    assert named(report).keys() == {user.user_id for user in odd}
