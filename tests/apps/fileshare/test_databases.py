"""DynamoDB and SQLite keep the same promises."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fileshare.app import open_database
from fileshare.database import CodeTaken, Database, EmailTaken
from fileshare.records import FREE, TRIAL, Link
from fileshare.settings import Settings
from fileshare.stored import Holder, Trial
from tests.apps.fileshare.support import LATER, START, ModelDatabase, a_link, a_user, link_in, user_in

BEFORE, AT, AFTER = "2026-01-31T10:00:00.000000Z", "2026-01-31T11:00:00.000000Z", "2026-01-31T12:00:00.000000Z"
ENDING: dict[str, Any] = {"expires_at": AT, "expires_at_ttl": 1769857200}


async def together(work: Callable[[], Awaitable[Any]], times: int) -> list[Any]:
    return await asyncio.gather(*(work() for _ in range(times)), return_exceptions=True)


async def every_link(database: Database, owner: str, *, limit: int, now: str = START) -> list[Link]:
    links: list[Link] = []
    after = None
    while True:
        page = await database.links_of(owner, after=after, limit=limit, now=now)
        assert len(page.links) <= limit
        links += [one for link in page.links if (one := await link_in(database, link.short_code)) is not None]
        after = page.after
        if after is None:
            return links


def test_a_user_comes_back_field_for_field(database: Database) -> None:
    async def check() -> None:
        plain, complete = (
            a_user(token_hash=None),
            a_user(user_tier=TRIAL, trial_used=True, trial_started_at=START, trial_expires_at=LATER),
        )
        for user in (plain, complete):
            await database.create_user(user)
            assert await user_in(database, user.user_id) == user
        assert await user_in(database, "absent") is None

    asyncio.run(check())


def test_an_address_belongs_to_one_user(database: Database) -> None:
    async def check() -> None:
        first = a_user()
        await database.create_user(first)
        with pytest.raises(EmailTaken):
            await database.create_user(a_user(email=first.email))
        assert await user_in(database, first.user_id) == first

    asyncio.run(check())


@pytest.mark.drill(short=1)
def test_of_many_who_sign_up_at_once_with_one_address_one_gets_in(database: Database) -> None:
    email = f"{uuid.uuid4()}@example.com"
    users = [a_user(email=email) for _ in range(10)]

    async def check() -> list[bool]:
        await asyncio.gather(*map(database.create_user, users), return_exceptions=True)
        return [await user_in(database, user.user_id) is not None for user in users]

    assert asyncio.run(check()).count(True) == 1


def test_a_trial_starts_once(database: Database) -> None:
    async def check() -> None:
        user = a_user()
        await database.create_user(user)
        started = await database.start_trial(user.user_id, started_at=START, expires_at=LATER)
        expected = replace(
            user, user_tier=TRIAL, trial_used=True, trial_started_at=START, trial_expires_at=LATER, updated_at=START
        )
        assert started is not None
        assert started.model_dump() == {name: getattr(expected, name) for name in Trial.model_fields}
        assert await user_in(database, user.user_id) == expected
        assert await database.start_trial(user.user_id, started_at=BEFORE, expires_at=AFTER) is None
        assert await user_in(database, user.user_id) == expected

    asyncio.run(check())


@pytest.mark.drill(short=1)
def test_of_twenty_clicks_at_once_one_starts_the_trial(database: Database) -> None:
    async def check() -> list[Any]:
        user = a_user()
        await database.create_user(user)
        moments = iter(f"2026-01-31T10:00:{second:02}.000000Z" for second in range(20))
        return await together(
            lambda: database.start_trial(user.user_id, started_at=next(moments), expires_at=LATER), 20
        )

    responses = asyncio.run(check())
    assert not [response for response in responses if isinstance(response, BaseException)]
    assert len([response for response in responses if response is not None]) == 1


@pytest.mark.parametrize("changes", [{"trial_used": True}, {"user_tier": "premium"}], ids=str)
def test_no_trial_starts_for_whoever_had_one_or_pays(database: Database, changes: dict[str, Any]) -> None:
    async def check() -> None:
        user = a_user(**changes)
        await database.create_user(user)
        assert await database.start_trial(user.user_id, started_at=START, expires_at=LATER) is None
        assert await database.start_trial("absent", started_at=START, expires_at=LATER) is None
        assert await user_in(database, user.user_id) == user
        assert await user_in(database, "absent") is None

    asyncio.run(check())


def test_a_link_comes_back_field_for_field_and_its_code_is_taken(database: Database) -> None:
    async def check() -> None:
        bare = a_link(file_key=None, filename=None)
        full = a_link(**ENDING, click_count=7)
        for link in (bare, full):
            await database.create_link(link)
            assert await link_in(database, link.short_code) == link
            with pytest.raises(CodeTaken):
                await database.create_link(replace(link, full_url="https://example.com/other"))
            assert await link_in(database, link.short_code) == link
        assert await link_in(database, "absent") is None

    asyncio.run(check())


@pytest.mark.drill(short=1)
def test_no_click_is_lost_when_many_follow_a_link_at_once(database: Database) -> None:
    async def check() -> None:
        link = a_link()
        await database.create_link(link)
        responses = await together(lambda: database.follow(link.short_code, now=START), 200)
        assert sorted(response.click_count for response in responses) == list(range(1, 201))
        assert await link_in(database, link.short_code) == replace(link, click_count=200)

    asyncio.run(check())


def test_a_link_is_gone_at_its_very_moment(database: Database) -> None:
    async def check() -> None:
        link = a_link(**ENDING)
        await database.create_link(link)
        just_before = "2026-01-31T10:59:59.999999Z"
        followed = await database.follow(link.short_code, now=just_before)
        assert followed is not None
        assert (followed.full_url, followed.click_count) == (link.full_url, 1)
        assert await database.follow(link.short_code, now=AT) is None
        assert await database.follow(link.short_code, now=AFTER) is None
        assert await database.follow("absent", now=START) is None
        assert await link_in(database, "absent") is None
        assert await link_in(database, link.short_code) == replace(link, click_count=1)

    asyncio.run(check())


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
def test_a_user_lists_all_live_links_once_and_nobody_elses(database: Database, limit: int) -> None:
    async def check() -> None:
        owner = a_user().user_id
        mine = [a_link(owner) for _ in range(7)]
        expired = [a_link(owner, **ENDING) for _ in range(5)]
        for link in (*mine, *expired, a_link("another")):
            await database.create_link(link)
        listed = await every_link(database, owner, limit=limit, now=AT)
        assert sorted(listed, key=lambda link: link.short_code) == sorted(mine, key=lambda link: link.short_code)
        assert len(await every_link(database, owner, limit=limit, now=BEFORE)) == 12

    asyncio.run(check())


def test_only_its_owner_deletes_a_link_and_only_once(database: Database) -> None:
    async def check() -> None:
        link = a_link("owner", **ENDING)
        await database.create_link(link)
        assert not await database.delete_link(link.short_code, owner="another")
        assert await link_in(database, link.short_code) == link
        assert await database.delete_link(link.short_code, owner="owner")
        assert not await database.delete_link(link.short_code, owner="owner")
        assert await link_in(database, link.short_code) is None
        assert await database.follow(link.short_code, now=START) is None

    asyncio.run(check())


Step = Callable[[Database, str, int], Awaitable[object]]

MOMENTS = st.sampled_from([BEFORE, AT, AFTER])
PEOPLE = st.integers(0, 2)
CODES = st.integers(0, 3)


def sign_up(person: int, address: int) -> Step:
    async def step(database: Database, run: str, _number: int) -> object:
        user = a_user(user_id=f"{run}-{person}", email=f"{run}-{address}@example.com", token_hash=None)
        await database.create_user(user)
        return user

    return step


def start_trial(person: int, moment: str) -> Step:
    async def step(database: Database, run: str, number: int) -> object:
        # Each attempt at a moment of its own, as in life.
        started_at = moment.replace("000000Z", f"{number:06}Z")
        return await database.start_trial(f"{run}-{person}", started_at=started_at, expires_at=LATER)

    return step


def shorten(code: int, person: int, ending: dict[str, Any]) -> Step:
    async def step(database: Database, run: str, number: int) -> object:
        link = a_link(
            f"{run}-{person}", short_code=f"{run}-{code}", created_at=START.replace("104233", f"{number:06}"), **ending
        )
        await database.create_link(link)
        return link

    return step


def follow(code: int, moment: str) -> Step:
    return lambda database, run, _: database.follow(f"{run}-{code}", now=moment)


def list_links(person: int, moment: str) -> Step:
    async def step(database: Database, run: str, _number: int) -> object:
        links = await every_link(database, f"{run}-{person}", limit=2, now=moment)
        return sorted(links, key=lambda link: link.short_code)

    return step


def delete(code: int, person: int) -> Step:
    return lambda database, run, _: database.delete_link(f"{run}-{code}", owner=f"{run}-{person}")


STEPS = st.one_of(
    st.builds(sign_up, PEOPLE, PEOPLE),
    st.builds(start_trial, PEOPLE, MOMENTS),
    st.builds(shorten, CODES, PEOPLE, st.sampled_from([{}, ENDING])),
    st.builds(follow, CODES, MOMENTS),
    st.builds(list_links, PEOPLE, MOMENTS),
    st.builds(delete, CODES, PEOPLE),
)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=st.lists(STEPS, max_size=25))
def test_whatever_is_done_in_whatever_order_the_database_responds_as_the_model_does(
    database: Database, steps: list[Step]
) -> None:
    run = uuid.uuid4().hex[:8]

    async def outcome(one: Database, step: Step, number: int) -> object:
        try:
            return await step(one, run, number)
        except (EmailTaken, CodeTaken) as refusal:
            return type(refusal)

    async def check() -> None:
        model = ModelDatabase()
        for number, step in enumerate(steps):
            assert await outcome(database, step, number) == await outcome(model, step, number)
        for user in model.users.values():
            assert await user_in(database, user.user_id) == user
        for link in model.links.values():
            assert await link_in(database, link.short_code) == link

    asyncio.run(check())


def test_a_user_that_other_code_wrote_is_read_and_has_its_address(dynamodb: Any, tables: Any, logger: Any) -> None:
    """Items without a reservation, a token or a tier are as good as ours."""
    database = open_database(Settings(database=tables), client=dynamodb, logger=logger)
    dynamodb.put_item(
        TableName=tables.users,
        Item={"user_id": {"S": "42"}, "email": {"S": "old@example.com"}, "created_at": {"S": START}},
    )

    async def check() -> None:
        found = await database.user("42")
        assert found
        assert found.read(Holder) == Holder(user_id="42", token_hash=None)
        assert found.read(Trial) == Trial(user_id="42", email="old@example.com", user_tier=FREE, trial_used=False)
        with pytest.raises(EmailTaken):
            await database.create_user(a_user(email="old@example.com"))
        started = await database.start_trial("42", started_at=START, expires_at=LATER)
        assert started
        assert started.trial_used

    asyncio.run(check())


def test_a_link_that_botocore_sends_again_after_a_lost_response_counts_as_stored(
    dynamodb: Any, tables: Any, logger: Any
) -> None:
    database = open_database(Settings(database=tables), client=dynamodb, logger=logger)
    link = a_link()

    async def check() -> None:
        for _ in range(2):
            await database.create_link(link)
        assert await link_in(database, link.short_code) == link

    asyncio.run(check())
