"""A migration copies what fits, keeps what is newer, says what it could not copy, and goes on where it stopped."""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from io import StringIO
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.console import Console

from fileshare.dynamodb_database import link_item, reservation_item, user_item
from fileshare.ops.migration import target
from fileshare.ops.migration.progress import progress_of
from fileshare.records import TRIAL, values_of
from fileshare.sqlite_database import SCHEMA
from sawhorse.errors import BadConfiguration, Interrupted, SawhorseError
from shared.items import from_item
from tests.apps.fileshare.ops.migration_support import NEVER, NEWER, Migration, reasons
from tests.apps.fileshare.support import LATER, START, a_link, a_user, make_tables
from tests.unit.support import Interrupting, Refusing, client_error

ENDED: dict[str, Any] = {"expires_at": "2020-01-31T11:00:00.000000Z", "expires_at_ttl": 1580468400}


def test_every_row_arrives_field_for_field(migration: Migration) -> None:
    users = [
        a_user(token_hash=None),
        a_user(),
        a_user(user_tier=TRIAL, trial_used=True, trial_started_at=START, trial_expires_at=LATER),
    ]
    links = [
        a_link(users[0].user_id, click_count=2**53 + 1),
        a_link("somebody-else", file_key=None, filename=None),
        a_link(users[1].user_id, **NEVER),
    ]
    migration.fill(*users, *links)
    report = migration.run()
    assert report.passed, report
    assert report.counts == {
        "users": {"rows": 3, "copied": 3, "verified": 3},
        "urls": {"rows": 3, "copied": 3, "verified": 3},
    }
    assert [migration.user(user.user_id) for user in users] == users
    assert [migration.link(link.short_code) for link in links] == links
    stored = [item for item in migration.items(migration.tables.users) if "email" in item]
    wanted = [{name: value for name, value in values_of(user).items() if value is not None} for user in users]
    assert sorted(stored, key=str) == sorted(wanted, key=str)


def test_an_address_that_was_copied_is_taken(migration: Migration) -> None:
    user = a_user()
    migration.fill(user)
    migration.run()
    assert from_item(reservation_item(user)) in migration.items(migration.tables.users)


def test_running_again_changes_nothing_and_keeps_what_happened_since(migration: Migration, dynamodb: Any) -> None:
    started, same = a_user(), a_user()
    clicked, deleted, untouched = a_link(click_count=3), a_link(), a_link()
    migration.fill(started, same, clicked, deleted, untouched)
    assert migration.run().passed
    on_trial = replace(
        started, user_tier=TRIAL, trial_used=True, trial_started_at=NEWER, trial_expires_at=LATER, updated_at=NEWER
    )
    dynamodb.put_item(TableName=migration.tables.users, Item=user_item(on_trial))
    dynamodb.put_item(TableName=migration.tables.urls, Item=link_item(replace(clicked, click_count=9)))
    dynamodb.delete_item(TableName=migration.tables.urls, Key={"short_code": {"S": deleted.short_code}})
    report = migration.run()
    assert report.passed, report
    assert dict(report.counts["users"]) == {"rows": 2, "kept": 2, "verified": 2}
    assert dict(report.counts["urls"]) == {"rows": 3, "kept": 2, "verified": 2, "deleted_since": 1}
    assert migration.user(started.user_id) == on_trial
    assert migration.link(clicked.short_code) == replace(clicked, click_count=9)
    assert migration.link(deleted.short_code) is None
    assert migration.link(untouched.short_code) == untouched


def test_what_went_on_in_the_file_after_a_run_arrives_with_the_next(migration: Migration) -> None:
    user, link = a_user(), a_link(click_count=3)
    migration.fill(user, link)
    migration.run()
    new = a_link()
    migration.fill(new)
    migration.sql("UPDATE urls SET click_count = 8 WHERE short_code = ?", link.short_code)
    migration.sql("UPDATE users SET user_tier = 'premium', updated_at = ?", NEWER)
    report = migration.run()
    assert report.passed, report
    assert dict(report.counts["urls"]) == {"rows": 2, "copied": 1, "updated": 1, "verified": 2}
    assert migration.link(link.short_code) == replace(link, click_count=8)
    assert migration.link(new.short_code) == new
    assert migration.user(user.user_id) == replace(user, user_tier="premium", updated_at=NEWER)


def test_nothing_takes_a_trial_back_that_was_started_in_dynamodb(migration: Migration, dynamodb: Any) -> None:
    user = a_user()
    migration.fill(user)
    migration.run()
    used = replace(user, user_tier=TRIAL, trial_used=True, trial_started_at=START, trial_expires_at=LATER)
    dynamodb.put_item(TableName=migration.tables.users, Item=user_item(used))
    migration.sql("UPDATE users SET updated_at = ?", NEWER)
    report = migration.run()
    assert migration.user(user.user_id) == used
    assert "differ between the file and DynamoDB" in reasons(report)[user.user_id]


def test_links_that_have_expired_are_left_out_and_counted(migration: Migration) -> None:
    gone, live = a_link(**ENDED), a_link(**NEVER)
    migration.fill(gone, live)
    report = migration.run()
    assert report.passed
    assert dict(report.counts["urls"]) == {"rows": 2, "copied": 1, "expired": 1, "verified": 1}
    assert migration.link(gone.short_code) is None


@pytest.mark.parametrize(
    ("table", "column", "value", "reason"),
    [
        ("users", "user_id", "a#b", "user_id must have"),
        ("users", "user_id", "x" * 200, "user_id must have"),
        ("users", "email", "Ada@Example.com", "lower case"),
        ("users", "email", "nonsense", "email must be an address"),
        ("users", "user_tier", "", "user_tier must have"),
        ("users", "trial_used", 2, "trial_used must be 0 or 1"),
        ("users", "trial_used", "yes", "trial_used must be 0 or 1"),
        ("users", "trial_started_at", "yesterday", "trial_started_at must be a time"),
        ("users", "created_at", "2026-02-30T00:00:00.000000Z", "created_at must be a time"),
        ("users", "token_hash", "abc", "token_hash must be"),
        ("urls", "short_code", "a b", "short_code must have"),
        ("urls", "created_by_user", "", "created_by_user must be"),
        ("urls", "full_url", "https://example.com/" + "x" * 500_000, "full_url must have at most"),
        ("urls", "full_url", "javascript:alert(1)", "full_url must begin with"),
        ("urls", "full_url", b"\xff\xfe", "full_url is not text"),
        ("urls", "click_count", -1, "click_count must be"),
        ("urls", "click_count", 1.5, "click_count must be"),
        ("urls", "expires_at", "2100-01-01T00:00:00.000000Z", "expires_at_ttl must be"),
        ("urls", "expires_at_ttl", 12, "expires_at_ttl must be"),
        ("urls", "file_key", "x" * 500_000, "file_key must have"),
        ("urls", "filename", "a\nb", "filename must have"),
    ],
    ids=str,
)
def test_a_row_that_does_not_fit_is_named_and_all_others_are_copied(
    migration: Migration, table: str, column: str, value: object, reason: str
) -> None:
    users, links = [a_user(), a_user()], [a_link(), a_link()]
    migration.fill(*users, *links)
    key, bad = ("user_id", users[0].user_id) if table == "users" else ("short_code", links[0].short_code)
    migration.sql(f"UPDATE {table} SET {column} = ? WHERE {key} = ?", value, bad)  # noqa: S608 # names of ours
    report = migration.run()
    assert not report.passed
    (problem,) = report.problems
    assert problem.table == table
    assert reason in problem.reason
    assert len(problem.key) <= 64
    assert (report.counts[table]["refused"], report.counts[table]["verified"]) == (1, 1)
    assert migration.user(users[1].user_id) == users[1]
    assert migration.link(links[1].short_code) == links[1]


def test_files_without_constraints_can_miss_keys_and_repeat_them(migration: Migration) -> None:
    """Whoever made the file by hand may have left out what keeps rows apart."""
    loose = SCHEMA.replace(" PRIMARY KEY NOT NULL", "").replace(" NOT NULL UNIQUE", "").replace(" NOT NULL", "")
    with closing(sqlite3.connect(migration.path)) as connection:
        connection.executescript(loose)
    user, second, link = a_user(), a_user(), a_link()
    migration.fill(user, replace(second, email=user.email), link)
    migration.fill(replace(link, full_url="https://example.com/other"))
    migration.sql(
        "INSERT INTO urls SELECT NULL, created_by_user, full_url, created_at, NULL, NULL, NULL, NULL, 0 FROM urls"
    )
    report = migration.run()
    assert migration.user(user.user_id) == user
    assert migration.user(second.user_id) is None
    assert migration.link(link.short_code) == link
    assert sorted((problem.key, problem.reason) for problem in report.problems) == sorted(
        [
            (second.user_id, f"the address is that of the user {user.user_id} as well"),
            (link.short_code, "the key stands in the file twice"),
            ("(missing)", "short_code is missing"),
            ("(missing)", "short_code is missing"),
        ]
    )
    assert (report.counts["urls"]["rows"], report.counts["urls"]["verified"]) == (4, 1)


@pytest.mark.parametrize("reserved", [True, False], ids=["reserved", "written by other code"])
def test_an_address_that_somebody_has_in_dynamodb_is_not_taken_away(
    migration: Migration, dynamodb: Any, *, reserved: bool
) -> None:
    theirs = a_user()
    mine = a_user(email=theirs.email)
    dynamodb.put_item(TableName=migration.tables.users, Item=user_item(theirs))
    if reserved:
        dynamodb.put_item(TableName=migration.tables.users, Item=reservation_item(theirs))
    migration.fill(mine)
    report = migration.run()
    assert reasons(report) == {mine.user_id: "the address belongs to another user in DynamoDB"}
    assert migration.user(mine.user_id) is None
    assert migration.user(theirs.user_id) == theirs


def test_a_user_that_other_code_has_copied_gets_the_reservation(migration: Migration, dynamodb: Any) -> None:
    user = a_user()
    dynamodb.put_item(TableName=migration.tables.users, Item=user_item(user))
    migration.fill(user)
    report = migration.run()
    assert report.passed, report
    assert from_item(reservation_item(user)) in migration.items(migration.tables.users)


def test_a_link_that_is_another_one_in_dynamodb_stays_and_is_named(migration: Migration, dynamodb: Any) -> None:
    mine = a_link(click_count=5)
    theirs = replace(mine, full_url="https://example.com/theirs", click_count=1)
    dynamodb.put_item(TableName=migration.tables.urls, Item=link_item(theirs))
    migration.fill(mine)
    report = migration.run()
    assert mine.short_code in reasons(report)
    assert migration.link(mine.short_code) == theirs


def test_tables_that_were_made_anew_get_everything_again(migration: Migration, dynamodb: Any) -> None:
    link = a_link()
    migration.fill(link)
    migration.run()
    fresh = make_tables(dynamodb)
    again = replace(migration, tables=fresh)
    report = again.run()
    assert report.passed
    assert again.link(link.short_code) == link
    dynamodb.delete_table(TableName=fresh.users)
    dynamodb.delete_table(TableName=fresh.urls)


def interrupt() -> None:
    raise KeyboardInterrupt


def test_an_interrupted_run_says_so_and_the_next_one_completes_it(migration: Migration, dynamodb: Any) -> None:
    users, links = [a_user() for _ in range(60)], [a_link() for _ in range(120)]
    migration.fill(*users, *links)
    with pytest.raises(Interrupted, match="run it again to go on"):
        migration.run(Interrupting(dynamodb, "put_item", interrupt))
    assert len(migration.items(migration.tables.users)) == 120
    assert len(migration.items(migration.tables.urls)) < 120
    report = migration.run()
    assert report.passed, report
    assert report.counts["users"]["kept"] == 60
    assert report.counts["urls"]["copied"] + report.counts["urls"]["kept"] == 120
    assert report.counts["urls"]["verified"] == 120


class Losing:
    """A client whose writes of links get lost, or arrive damaged."""

    def __init__(self, client: Any, change: Callable[[dict[str, Any]], dict[str, Any] | None]) -> None:
        self._client = client
        self._change = change

    def __getattr__(self, operation: str) -> Any:
        return getattr(self._client, operation)

    def put_item(self, **request: Any) -> Any:
        changed = self._change(request["Item"])
        return self._client.put_item(**{**request, "Item": changed}) if changed else {}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda _: None, "missing in DynamoDB"),
        (lambda item: {**item, "full_url": {"S": "https://example.com/x"}}, "full_url differ"),
        (lambda item: {**item, "click_count": {"N": "0"}}, "click_count is 0 in DynamoDB and 7 in the file"),
        (lambda item: {name: value for name, value in item.items() if name != "filename"}, "filename differ"),
    ],
    ids=["lost", "another target", "fewer clicks", "a field less"],
)
def test_the_check_at_the_end_finds_what_did_not_arrive(
    migration: Migration, dynamodb: Any, change: Callable[[dict[str, Any]], dict[str, Any] | None], reason: str
) -> None:
    link = a_link(click_count=7)
    migration.fill(link)
    report = migration.run(Losing(dynamodb, change))
    assert not report.passed
    assert reason in reasons(report)[link.short_code]


def test_throttling_is_waited_for(migration: Migration, dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(target, "backoff_seconds", lambda _attempt: 0.001)
    migration.fill(a_user(), a_link())
    throttled = client_error("ProvisionedThroughputExceededException")
    assert migration.run(Refusing(dynamodb, throttled, "put_item", "transact_write_items", times=5)).passed


def test_throttling_that_does_not_end_is_said_in_a_sentence(
    migration: Migration, dynamodb: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(target, "backoff_seconds", lambda _attempt: 0.001)
    migration.fill(a_link())
    with pytest.raises(SawhorseError, match="turns requests away again and again"):
        migration.run(Refusing(dynamodb, client_error("ThrottlingException"), "put_item"))


def test_what_is_no_file_of_fileshare_is_refused(migration: Migration) -> None:
    with pytest.raises(BadConfiguration, match="does not exist"):
        migration.run()
    migration.path.write_text("this is not a database, only some words that are long enough to be read as a header")
    with pytest.raises(BadConfiguration, match="cannot be read"):
        migration.run()
    migration.path.unlink()
    migration.sql("CREATE TABLE urls (short_code TEXT)")
    with pytest.raises(BadConfiguration, match="has no table users"):
        migration.run()
    migration.sql("CREATE TABLE users (user_id TEXT)")
    with pytest.raises(BadConfiguration, match="lacks created_at, email, trial_used"):
        migration.run()


def test_without_a_place_for_the_journal_nothing_is_copied(migration: Migration) -> None:
    migration.fill(a_link())
    migration.path.with_name(f"{migration.path.name}.migration").mkdir()
    with pytest.raises(BadConfiguration, match="would be copied again"):
        migration.run()
    assert migration.items(migration.tables.urls) == []


def test_the_file_stays_as_it_is(migration: Migration) -> None:
    migration.fill(a_user(), a_link())
    before = migration.path.read_bytes()
    migration.run()
    assert migration.path.read_bytes() == before


def test_without_a_terminal_progress_is_a_line_for_each_tenth() -> None:
    written = StringIO()
    with progress_of("Copying urls", 2000, Console(file=written)) as advance:
        for _ in range(40):
            advance(50)
    lines = written.getvalue().splitlines()
    assert len(lines) == 10
    assert (lines[0], lines[-1]) == ("Copying urls: 200 of 2,000", "Copying urls: 2,000 of 2,000")


def test_in_a_terminal_progress_is_a_bar() -> None:
    written = StringIO()
    with progress_of("Copying urls", 100, Console(file=written, force_terminal=True, width=100)) as advance:
        advance(100)
    assert "100/100" in written.getvalue()


TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1, max_size=30)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(
        st.tuples(st.integers(0, 2**63 - 1), st.none() | TEXTS, st.none() | TEXTS, st.sampled_from([{}, NEVER])),
        max_size=8,
    )
)
def test_whatever_the_links_hold_they_arrive_as_they_are(
    migration: Migration, rows: list[tuple[int, str | None, str | None, dict[str, Any]]]
) -> None:
    links = [
        a_link(uuid.uuid4().hex, click_count=clicks, file_key=file_key, filename=filename, **ending)
        for clicks, file_key, filename, ending in rows
    ]
    migration.fill(*links)
    assert migration.run().passed
    assert [migration.link(link.short_code) for link in links] == links
