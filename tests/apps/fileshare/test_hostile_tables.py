"""Whatever the databases hold, every route responds, no two responses contradict, and no error changes anything."""

import asyncio
import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from aws_lambda_powertools import Logger
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fileshare.settings import Tables
from fileshare.stored import Target
from tests.apps.fileshare.hostile_support import (
    COLUMNS,
    GRACE,
    LINK,
    LOOSE_SCHEMA,
    USER,
    FileWorld,
    TablesWorld,
    Typed,
    Visit,
    World,
    columns_of,
    odd_values,
)
from tests.apps.fileshare.support import LATER, START, in_a_thread
from tests.hostile import EXTREMES, hostile

SLOW = settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
# Beside those of every app, what other readings of an attribute there could be.
VALUES: tuple[Typed, ...] = (
    *EXTREMES,
    {"N": "1"},
    {"N": "1.50"},
    {"N": "-1"},
    {"N": "9223372036854775806"},
    {"N": "9223372036854775807"},
    {"N": "9223372036854775808"},
    {"S": "0"},
    {"S": "false"},
    {"S": "free"},
    {"S": "trial"},
    {"S": "premium"},
    {"S": "https://example.com/other"},
    {"S": "javascript:alert(1)"},
    {"S": "é"},
    {"S": "2025-01-01 00:00"},
    {"S": "2027-01-01T00:00:00+02:00"},
    {"S": "0001-01-01T00:00:00+14:00"},
)
Put = Callable[[], bool]
USER_ATTRIBUTES = sorted(USER.keys() - {"user_id"})
LINK_ATTRIBUTES = sorted(LINK.keys() - {"short_code"})


@pytest.fixture
def dynamodb_world(
    dynamodb: Any, tables: Tables, logger: Logger, event_loop: asyncio.AbstractEventLoop
) -> Iterator[TablesWorld]:
    made = TablesWorld(dynamodb, tables, logger)
    yield made
    made.close()


@pytest.fixture(params=["ours", "loose"])
def file_world(
    request: pytest.FixtureRequest, tmp_path: Path, logger: Logger, event_loop: asyncio.AbstractEventLoop
) -> Iterator[FileWorld]:
    """A file with this service's own tables, and one with those that other code makes."""
    schema = {"schema": LOOSE_SCHEMA} if request.param == "loose" else {}
    made = FileWorld(tmp_path / "old.sqlite3", logger, **schema)
    yield made
    made.close()


@pytest.fixture
def loose_world(tmp_path: Path, logger: Logger, event_loop: asyncio.AbstractEventLoop) -> Iterator[FileWorld]:
    made = FileWorld(tmp_path / "loose.sqlite3", logger, schema=LOOSE_SCHEMA)
    yield made
    made.close()


@pytest.fixture(params=["dynamodb_world", "loose_world"])
def either_world(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(request.param)


def visit_users(world: World, users: Iterable[Put]) -> Visit:
    """Store one user after the other, and call everything as that user."""
    visit = Visit(world)
    for put in users:
        world.clear()
        visit.forget()
        world.put("users", GRACE)
        world.put("urls", LINK)
        if put():
            visit.trial()
            visit.listed(100)
            visit.call("POST", "/api/links", body={"full_url": "https://example.com/new"})
    return visit


def visit_links(world: World, links: Mapping[str, Put]) -> Visit:
    """Store links of a user beside each other, by their codes, and call everything of each."""
    world.clear()
    world.put("users", USER)
    world.put("users", GRACE)
    world.put("urls", of_code("fits", LINK))
    codes = [code for code, put in links.items() if put()]
    visit = Visit(world)
    if "fits" not in visit.listed(7):
        visit.find("a list is given", "what fits is not there")
    visit.links(codes)
    return visit


def changed(item: Typed, name: str, value: Typed | None) -> Typed:
    rest = {other: typed for other, typed in item.items() if other != name}
    return rest if value is None else {**rest, name: value}


def of_code(code: str, link: Typed) -> Typed:
    return {**link, "short_code": {"S": code}}


def rows(row: Mapping[str, Any], name: str) -> Iterator[tuple[Mapping[str, Any], str | None]]:
    """Give rows with everything that SQLite can keep in a column, and the name of one that is to be no UTF-8."""
    yield from (({**row, name: value}, None) for value in COLUMNS)
    yield row, name


@pytest.mark.parametrize("name", USER_ATTRIBUTES)
def test_whatever_stands_in_an_attribute_of_a_user_in_dynamodb(dynamodb_world: World, name: str) -> None:
    users = [partial(dynamodb_world.put, "users", changed(USER, name, value)) for value in odd_values(name, VALUES)]
    assert visit_users(dynamodb_world, users).findings == []


@pytest.mark.parametrize("name", LINK_ATTRIBUTES)
def test_whatever_stands_in_an_attribute_of_a_link_in_dynamodb(dynamodb_world: World, name: str) -> None:
    items = {f"code{number}": changed(LINK, name, value) for number, value in enumerate(odd_values(name, VALUES))}
    links = {code: partial(dynamodb_world.put, "urls", of_code(code, item)) for code, item in items.items()}
    assert visit_links(dynamodb_world, links).findings == []


@pytest.mark.parametrize("name", USER_ATTRIBUTES)
def test_whatever_stands_in_a_column_of_a_user_in_sqlite(file_world: FileWorld, name: str) -> None:
    users = [partial(file_world.put_row, "users", row, broken=broken) for row, broken in rows(columns_of(USER), name)]
    assert visit_users(file_world, users).findings == []


@pytest.mark.parametrize("name", LINK_ATTRIBUTES)
def test_whatever_stands_in_a_column_of_a_link_in_sqlite(file_world: FileWorld, name: str) -> None:
    links = {
        f"code{number}": partial(file_world.put_row, "urls", {**row, "short_code": f"code{number}"}, broken=broken)
        for number, (row, broken) in enumerate(rows(columns_of(LINK), name))
    }
    assert visit_links(file_world, links).findings == []


@pytest.mark.drill(short=1)
@pytest.mark.usefixtures("dynamodb")
@pytest.mark.parametrize("count", [None, {"NULL": True}, {"N": "0"}], ids=["missing", "null", "zero"])
def test_no_click_is_lost_on_a_count_that_was_none(either_world: World, count: Typed | None) -> None:
    world = either_world
    world.put("urls", changed(LINK, "click_count", count))

    async def follow_at_once() -> list[Any]:
        return await asyncio.gather(*(world.database.follow("code", now=START) for _ in range(20)))

    followed = in_a_thread(follow_at_once())
    assert sorted(target.click_count for target in followed if target is not None) == list(range(1, 21))
    found = in_a_thread(world.database.link("code"))
    assert found is not None
    counted = found.read(Target)
    assert counted is not None
    assert counted.click_count == 20


@pytest.mark.drill(short=1)
@pytest.mark.usefixtures("dynamodb")
@pytest.mark.parametrize("used", [None, {"NULL": True}, {"N": "0"}, {"BOOL": False}], ids=str)
def test_of_twenty_at_once_one_starts_a_trial_that_was_not_used(either_world: World, used: Typed | None) -> None:
    world = either_world
    world.put("users", changed(changed(USER, "trial_used", used), "user_tier", {"NULL": True}))

    async def start_at_once() -> list[Any]:
        moments = (f"2026-01-31T10:00:{second:02}.000000Z" for second in range(20))
        return await asyncio.gather(
            *(world.database.start_trial("ada", started_at=moment, expires_at=LATER) for moment in moments)
        )

    assert len([trial for trial in in_a_thread(start_at_once()) if trial is not None]) == 1


KEYS = ("é" * 1024, "\x01" * 2048, " ", "a b", "x" * 65, "x" * 2048, "ada@example.com", "\U0001f600", "a/b", "%2e", "'")


def test_whatever_the_code_of_a_link_is_its_owners_list_is_walked_to_the_end(dynamodb_world: World) -> None:
    world = dynamodb_world
    world.put("users", USER)
    codes = [*KEYS, *(f"{key}{number}" for key, number in itertools.product(("ü", " "), range(15))), "fits", "fits-too"]
    for code in codes:
        world.put("urls", {**LINK, "short_code": {"S": code}})
    visit = Visit(world)
    for limit in (1, 3, 100):
        assert sorted(visit.listed(limit)) == ["fits", "fits-too"]
    assert visit.findings == []


# What fills an item, and in how many pages seven of them have to come.
@pytest.mark.parametrize(
    ("content", "pages"),
    [("x" * 380_000, 1), ("\x00" * 380_000, 4), ("\U0001f600" * 95_000, 2)],
    ids=["x", "nul", "emoji"],
)
def test_links_that_are_huge_come_in_no_more_pages_than_lambda_needs(
    dynamodb_world: World, content: str, pages: int
) -> None:
    world = dynamodb_world
    world.put("users", USER)
    codes = [f"code{number}" for number in range(7)]
    for code in codes:
        world.put("urls", {**LINK, "file_key": {"S": content}, "short_code": {"S": code}})
    found: list[str] = []
    query: dict[str, list[str]] = {}
    for number in itertools.count(1):  # noqa: B007 - it is looked at behind the loop
        response = world.api.call("GET", "/api/links", query=query)
        # As Lambda sends it, with the body as a text of JSON.
        assert len(json.dumps(response.body)) < 6_000_000
        page = response.json()
        found += [link["short_code"] for link in page["links"]]
        if page["next_cursor"] is None:
            break
        query = {"cursor": [page["next_cursor"]]}
    assert (sorted(found), number) == (codes, pages)


ANY_KEYS = [None, 5, 0.5, b"code", float("inf"), "é", "", "x" * 5000, " "]


@pytest.mark.parametrize("key", ANY_KEYS, ids=lambda key: str(key)[:9])
def test_a_key_of_any_storage_class_harms_no_other_row(file_world: FileWorld, key: Any) -> None:
    file_world.put("users", USER)
    file_world.put_row("users", columns_of(USER) | {"user_id": key, "email": "somebody@example.com"})
    file_world.put_row("urls", columns_of(LINK) | {"short_code": "fits"})
    file_world.put_row("urls", columns_of(LINK) | {"short_code": key})
    visit = Visit(file_world)
    for limit in (1, 100):
        assert set(visit.listed(limit)) == file_world.codes() >= {"fits"}
    visit.trial()
    visit.links(sorted(file_world.codes()))
    assert visit.findings == []


@SLOW
@given(
    user=hostile(USER, frozenset({"user_id", "email", "token_hash"})),
    links=st.lists(hostile(LINK, frozenset({"short_code", "created_by_user"})), min_size=1, max_size=3),
)
def test_both_databases_respond_alike(
    dynamodb_world: World, loose_world: World, user: Typed, links: list[Typed]
) -> None:
    histories = []
    for world in (dynamodb_world, loose_world):
        world.clear()
        world.put("users", GRACE)
        world.put("users", {name: user[name] for name in USER if name in user})
        items = {
            f"code{number}": {name: link[name] for name in LINK if name in link} for number, link in enumerate(links)
        }
        for code, item in items.items():
            world.put("urls", of_code(code, item))
        visit = Visit(world)
        visit.trial()
        visit.links(sorted(items))
        assert visit.findings == []
        histories.append(visit.history)
    assert histories[0] == histories[1]
