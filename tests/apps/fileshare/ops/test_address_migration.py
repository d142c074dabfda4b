"""Users who have one address become one, in both databases alike, wherever the migration is stopped."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aws_lambda_powertools import Logger
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fileshare.addresses import Addresses
from fileshare.app import open_database
from fileshare.ops.migration import target
from fileshare.ops.migration.address_file import open_file
from fileshare.ops.migration.addresses import REQUEST_SECONDS, AddressReport, Migration
from fileshare.ops.migration.merging import merged, shown
from fileshare.records import FREE, TRIAL, Link, User
from fileshare.settings import Settings, Tables
from sawhorse.errors import BadConfiguration, Interrupted
from tests.apps.fileshare.ops.address_support import (
    KELVIN,
    MERGING,
    PLAIN,
    Contents,
    FilePlace,
    Kill,
    Killed,
    Place,
    TablesPlace,
    model,
    run,
)
from tests.apps.fileshare.support import LATER, START, a_link, a_user
from tests.unit.support import Interrupting, Refusing, client_error

EARLIER, EARLIEST = "2025-06-01T00:00:00.000000Z", "2025-01-01T00:00:00.000000Z"
USED: dict[str, Any] = {"trial_used": True, "trial_started_at": START, "trial_expires_at": LATER, "user_tier": TRIAL}


@pytest.fixture
def places(dynamodb: Any, tables: Tables, tmp_path: Path) -> list[Place]:
    return [TablesPlace(dynamodb, tables), FilePlace(tmp_path / "fileshare.sqlite3", loose=True)]


@pytest.fixture(params=[0, 1], ids=["dynamodb", "sqlite"])
def place(request: pytest.FixtureRequest, places: list[Place]) -> Place:
    chosen: Place = places[request.param]
    return chosen


def contents_of(*records: User | Link, **reserved: str) -> Contents:
    return Contents(
        {record.user_id: record for record in records if isinstance(record, User)},
        {record.short_code: record for record in records if isinstance(record, Link)},
        dict(reserved),
    )


def test_two_spellings_become_the_older_user_with_the_trial_and_the_links_of_both(place: Place) -> None:
    older = a_user(email="Ada@Example.com", created_at=EARLIER, token_hash=None)
    younger = a_user(email="ada@example.com", **USED)
    links = [a_link(older.user_id, click_count=2), a_link(younger.user_id, click_count=7), a_link("gone")]
    place.fill(contents_of(older, younger, *links))
    report = run(place, PLAIN)
    assert report.passed
    assert [(merge.kept, merge.merged, merge.email, merge.links) for merge in report.merges] == [
        (older.user_id, younger.user_id, "ada@example.com", 1)
    ]
    left = place.contents()
    expected = replace(older, email="ada@example.com", **USED, updated_at=left.users[older.user_id].updated_at)
    assert left.users == {older.user_id: expected}
    assert left.users[older.user_id].updated_at > older.updated_at
    owners = {links[0].short_code: older.user_id, links[1].short_code: older.user_id, links[2].short_code: "gone"}
    assert left.links == {link.short_code: replace(link, created_by_user=owners[link.short_code]) for link in links}
    if isinstance(place, TablesPlace):
        assert left.reserved == {"ada@example.com": older.user_id}


def test_a_second_run_finds_nothing_to_do(place: Place) -> None:
    place.fill(contents_of(a_user(email="Ada@Example.com"), a_user(email="ADA@example.com"), a_link()))
    run(place, PLAIN)
    before = place.contents()
    report = run(place, PLAIN)
    assert (report.merges, report.problems) == ([], [])
    assert {name: count for name, count in report.counts.items() if count} == {"users": 1}
    assert place.contents() == before


def test_a_kelvin_sign_does_not_become_a_k(place: Place) -> None:
    strange = a_user(email=f"{KELVIN}@example.com", created_at=EARLIEST, **USED)
    plain = a_user(email="k@example.com")
    place.fill(contents_of(strange, plain))
    report = run(place, MERGING)
    assert [problem.user_id for problem in report.problems] == [strange.user_id]
    assert "in ASCII" in report.problems[0].reason
    assert report.merges == []
    assert place.contents().users == {strange.user_id: strange, plain.user_id: plain}


@pytest.mark.parametrize(("rule", "left"), [(PLAIN, 2), (MERGING, 1)], ids=["apart", "merged"])
def test_whether_plus_addresses_are_one_user_is_the_setting(place: Place, rule: Addresses, left: int) -> None:
    place.fill(contents_of(a_user(email="ADA+x@example.com"), a_user(email="ada@example.com", created_at=EARLIER)))
    run(place, rule)
    emails = sorted(user.email for user in place.contents().users.values())
    assert emails == ["ada+x@example.com", "ada@example.com"][-left if left == 1 else 0 :]


def test_looking_changes_nothing_and_names_what_would_be_done(place: Place) -> None:
    older, younger = a_user(email="Ada@Example.com", created_at=EARLIER), a_user(email="ada@example.com")
    strange = a_user(email="ad\ta@example.com")
    place.fill(contents_of(older, younger, strange, a_link(younger.user_id)))
    before = place.contents()
    with place.store(PLAIN) as store:
        report = Migration(store, PLAIN).look()
    assert place.contents() == before
    assert [(merge.address, merge.kept, merge.merged) for merge in report.merges] == [
        ("ada@example.com", older.user_id, younger.user_id)
    ]
    assert [problem.user_id for problem in report.problems] == [strange.user_id]
    assert (report.counts["merged"], report.counts["readdressed"]) == (1, 1)


EARLIER_TRIAL = USED | {"trial_started_at": EARLIER, "trial_expires_at": START}


@pytest.mark.parametrize(
    ("who", "of_the_younger"),
    [("older", {}), ("younger", {}), ("older", EARLIER_TRIAL)],
    ids=["the older's", "the younger's", "the older's, while the younger has had one"],
)
def test_a_trial_that_starts_just_before_the_merge_is_not_forgotten(
    dynamodb: Any, tables: Tables, logger_of: Callable[[str], Logger], who: str, of_the_younger: dict[str, Any]
) -> None:
    place = TablesPlace(dynamodb, tables)
    older = a_user(email="ada@example.com", created_at=EARLIER)
    younger = a_user(email="Ada@Example.com", **of_the_younger)
    place.fill(replace(contents_of(older, younger), reserved={"ada@example.com": older.user_id}))
    database = open_database(Settings(database=tables), client=dynamodb, logger=logger_of("fileshare"))
    user_id = {"older": older, "younger": younger}[who].user_id

    def start() -> None:
        assert asyncio.run(database.start_trial(user_id, started_at=START, expires_at=LATER))

    run(TablesPlace(Interrupting(dynamodb, "transact_write_items", start), tables), PLAIN)
    left = place.contents().users[older.user_id]
    trial = (left.user_tier, left.trial_used, left.trial_started_at, left.trial_expires_at)
    assert trial == (TRIAL, True, START, LATER)
    # The response to a click that was under way comes too late as well.
    assert asyncio.run(database.start_trial(younger.user_id, started_at=LATER, expires_at=LATER)) is None
    database.close()


def test_a_link_that_is_written_for_a_user_who_is_gone_still_reaches_the_older_one(place: Place) -> None:
    """A request that was authenticated before the merge can write its link after it."""
    older, younger = a_user(email="Ada@Example.com", created_at=EARLIER), a_user(email="ada@example.com")
    late = a_link(younger.user_id, click_count=4)
    place.fill(contents_of(older, younger))
    waited: list[float] = []

    def write(seconds: float) -> None:
        waited.append(seconds)
        place.fill(contents_of(late))

    run(place, PLAIN, at=write)
    assert len(waited) == 1
    assert REQUEST_SECONDS - 10 < waited[0] <= REQUEST_SECONDS
    assert place.contents().links == {late.short_code: replace(late, created_by_user=older.user_id)}


def test_nobody_waits_where_nobody_was_merged(place: Place) -> None:
    place.fill(contents_of(a_user(email="Ada@Example.com")))
    waited: list[float] = []

    run(place, PLAIN, at=waited.append)

    assert waited == []


def test_ctrl_c_says_how_to_go_on_and_the_next_run_names_both(place: Place) -> None:
    older, younger = a_user(email="Ada@Example.com", created_at=EARLIER), a_user(email="ada@example.com")
    place.fill(contents_of(older, younger))

    def stop(_: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(Interrupted, match="run it again to go on"):
        run(place, PLAIN, at=stop)
    report = run(place, PLAIN)
    assert [(merge.kept, merge.merged, merge.email) for merge in report.merges] == [
        (older.user_id, younger.user_id, "ada@example.com")
    ]


def test_a_user_who_was_merged_twice_over_two_runs_goes_to_the_one_who_stays(place: Place) -> None:
    """The setting can change between a run that was stopped and the next one."""
    first = a_user(email="ada@example.com", created_at=EARLIEST)
    second = a_user(email="ada+x@example.com", created_at=EARLIER)
    third = a_user(email="ADA+X@example.com")
    link = a_link(third.user_id)
    place.fill(contents_of(first, second, third, link))

    def stop(_: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(Interrupted):
        run(place, PLAIN, at=stop)
    report = run(place, MERGING)
    assert {merge.merged: merge.kept for merge in report.merges} == {
        second.user_id: first.user_id,
        third.user_id: first.user_id,
    }
    left = place.contents()
    assert list(left.users) == [first.user_id]
    assert left.links[link.short_code].created_by_user == first.user_id


@pytest.mark.parametrize("holder", ["nobody", "another"])
def test_a_reservation_for_somebody_who_has_another_address_or_is_gone_is_taken_over(
    dynamodb: Any, tables: Tables, holder: str
) -> None:
    place = TablesPlace(dynamodb, tables)
    user = a_user(email="Ada@Example.com")
    another = a_user(user_id="another", email="eve@example.com")
    place.fill(replace(contents_of(user, another), reserved={"ada@example.com": holder}))
    assert run(place, PLAIN).passed
    assert place.contents().reserved == {"ada@example.com": user.user_id, "eve@example.com": "another"}


@pytest.mark.parametrize(
    "attributes",
    [
        {"trial_used": {"N": "1e100"}},
        {"trial_used": {"N": "1"}},
        {"created_at": {"N": "1e100"}, "trial_used": {"BOOL": True}},
        {"user_tier": {"L": []}, "trial_used": {"BOOL": True}, "color": {"N": "1e120"}},
        {"updated_at": {"NULL": True}, "trial_started_at": {"B": b"x"}, "trial_used": {"BOOL": True}},
    ],
    ids=str,
)
def test_attributes_of_any_form_do_not_stop_it_and_a_used_trial_stays_used(
    dynamodb: Any, tables: Tables, attributes: dict[str, Any]
) -> None:
    place = TablesPlace(dynamodb, tables)
    place.fill(contents_of(a_user(user_id="old", email="Ada@Example.com", created_at=EARLIEST)))
    for email in ("ada@example.com", "ADA@example.com"):
        item = {"user_id": {"S": email}, "email": {"S": email}, "created_at": {"S": START}, **attributes}
        dynamodb.put_item(TableName=tables.users, Item=item)
    assert run(place, PLAIN).passed
    (left,) = [item for item in place._items(tables.users) if "email" in item]
    assert left["trial_used"] == {"BOOL": True}


def test_rows_that_a_file_should_not_have_are_named_and_left_alone(tmp_path: Path) -> None:
    place = FilePlace(tmp_path / "fileshare.sqlite3")
    with closing(sqlite3.connect(place.path)) as connection, connection:
        connection.executescript(
            "CREATE TABLE users (user_id, email, user_tier, trial_used, created_at, updated_at);"
            "CREATE TABLE urls (short_code, created_by_user, full_url, created_at, click_count);"
        )
        rows: list[tuple[Any, ...]] = [
            ("twice", "Ada@example.com"),
            ("twice", "ada@example.com"),
            (b"\xff", "eve@example.com"),
            (None, "bob@example.com"),
            ("blob", b"\xff"),
            ("null", None),
            ("whole", "EVE@example.com"),
        ]
        connection.executemany("INSERT INTO users VALUES (?, ?, 'free', 0, '', '')", rows)
        connection.execute("INSERT INTO users VALUES ('bad', CAST(X'FF40' AS TEXT), 'free', 0, '', '')")
    reports: list[AddressReport] = []
    with place.store(PLAIN) as store:
        Migration(store, PLAIN, sleep=lambda _: None).run(reports.append)
    assert {problem.user_id: problem.reason[:25] for problem in reports[0].problems} == {
        "twice": "the key stands in the fil",
        "b'\\xff'": "its user_id is not text t",
        "(missing)": "its user_id is not text t",
        "blob": "the address must be an ad",
        "null": "the address must be an ad",
        "bad": "the address must be an ad",
    }
    with closing(sqlite3.connect(place.path)) as connection:
        left = connection.execute("SELECT user_id, CAST(email AS BLOB) FROM users").fetchall()
    expected = [(key, email.encode() if isinstance(email, str) else email) for key, email in rows[:-1]]
    assert left == [*expected, ("whole", b"eve@example.com"), ("bad", b"\xff@")]


def test_a_file_that_is_none_of_fileshares_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadConfiguration, match="does not exist; name the SQLite file"), open_file(tmp_path / "none"):
        pass
    other = tmp_path / "other"
    other.write_text("this is not a database, only some words that are long enough to be read as a header")
    with pytest.raises(BadConfiguration, match="cannot be read"), open_file(other):
        pass


def test_throttling_is_waited_for(dynamodb: Any, tables: Tables, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(target, "backoff_seconds", lambda _attempt: 0.001)
    place = TablesPlace(dynamodb, tables)
    place.fill(contents_of(a_user(email="Ada@example.com"), a_user(email="ada@example.com")))
    throttled = client_error("ProvisionedThroughputExceededException")
    throttling = Refusing(dynamodb, throttled, "scan", "transact_write_items", "batch_get_item", times=5)
    assert run(TablesPlace(throttling, tables), PLAIN).passed
    assert len(place.contents().users) == 1


FORMS = [(FREE, False), (TRIAL, True), (FREE, True), ("premium", True), ("premium", False)]


@pytest.mark.parametrize("older", [*FORMS, (TRIAL, False)])
@pytest.mark.parametrize("younger", [*FORMS, (TRIAL, False)])
def test_no_merge_gives_anybody_a_second_trial(older: tuple[str, bool], younger: tuple[str, bool]) -> None:
    one, other = (
        a_user(user_tier=tier, trial_used=used, trial_expires_at=end if used else None)
        for (tier, used), end in ((older, EARLIER), (younger, LATER))
    )
    left = merged(one, other)
    assert left.trial_used is (one.trial_used or other.trial_used or TRIAL in (one.user_tier, other.user_tier))
    if one.trial_used:
        assert left.trial_expires_at == EARLIER
    elif other.trial_used and one.user_tier != TRIAL:
        assert left.trial_expires_at == LATER
    assert ("premium" in (one.user_tier, other.user_tier)) is (left.user_tier == "premium")
    assert (left.user_id, left.email, left.token_hash) == (one.user_id, one.email, one.token_hash)


def test_what_could_look_like_something_else_is_shown_by_its_number() -> None:
    assert shown("ada@example.com") == "ada@example.com"
    assert shown(f"{KELVIN}@example.com\x1b[2J") == "\\u212a@example.com\\x1b[2J"
    assert len(shown("x" * 1000)) == 254


SPELLED = st.builds(
    "{}{}@{}{}".format,
    st.sampled_from(["", "", " "]),
    st.sampled_from(["ada", "Ada", "ADA+x", "ada+x", "ada+", "+x", "k", "K", KELVIN, "no@address"]),
    st.sampled_from(["example.com", "Example.COM"]),
    st.sampled_from(["", "\n"]),
)
TRIALS = st.sampled_from(FORMS)
MOMENTS = st.sampled_from([EARLIEST, EARLIER, START])


@st.composite
def stored(draw: st.DrawFn) -> Contents:
    """Users as they can have come about, with and without reservations, and links of theirs and of nobody's."""
    contents = Contents()
    for number in range(draw(st.integers(1, 6))):
        (tier, used), created = draw(TRIALS), draw(MOMENTS)
        user = a_user(
            user_id=f"u{number}",
            email=draw(SPELLED),
            created_at=created,
            updated_at=created,
            user_tier=tier,
            trial_used=used,
            trial_started_at=created if used else None,
            trial_expires_at=LATER.replace("15:02", f"15:{number:02}") if used else None,
            token_hash=f"{number:064}",
        )
        contents.users[user.user_id] = user
        if draw(st.booleans()):
            contents.reserved.setdefault(user.email, user.user_id)
        for _ in range(draw(st.integers(0, 2))):
            code = f"c{len(contents.links)}"
            contents.links[code] = a_link(user.user_id, short_code=code, click_count=draw(st.integers(0, 9)))
    if draw(st.booleans()):
        contents.reserved.setdefault("ada@example.com", "gone")
    contents.links["lost"] = a_link("gone", short_code="lost")
    return contents


KILLS = st.lists(st.builds(Kill, st.integers(1, 40), st.booleans()), max_size=4)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(contents=stored(), rule=st.sampled_from([PLAIN, MERGING]), kills=KILLS)
def test_wherever_it_is_killed_both_databases_end_as_the_model_does(
    places: list[Place], contents: Contents, rule: Addresses, kills: list[Kill]
) -> None:
    check_against_model(places, contents, rule, kills)


def check_against_model(places: list[Place], contents: Contents, rule: Addresses, kills: list[Kill]) -> None:
    expected = model(contents, rule)
    for place in places:
        place.clear()
        place.fill(contents)
        for kill in kills:
            with suppress(Killed):
                run(place, rule, replace(kill))
        run(place, rule)
        left = place.contents()
        assert left.comparable() == expected.comparable()
        if isinstance(place, TablesPlace):
            unread = {user.email for user in contents.users.values() if user.email in left_alone(contents, expected)}
            kept = {
                address: user_id
                for address, user_id in contents.reserved.items()
                if address in unread or (user_id == "gone" and address not in expected.reserved)
            }
            assert left.reserved == expected.reserved | kept


def left_alone(contents: Contents, expected: Contents) -> set[str]:
    """Name the addresses that are none, so that they stay as they are."""
    return {
        user.email
        for key, user in contents.users.items()
        if key in expected.users and expected.users[key] == user and key not in expected.reserved.values()
    }
