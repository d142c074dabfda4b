"""A migration of addresses goes on after kill -9, and no request meanwhile is lost or gets a second trial."""

import asyncio
import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import pytest
from aws_lambda_powertools import Logger

from fileshare.addresses import Addresses
from fileshare.app import open_database
from fileshare.auth import Authenticator
from fileshare.database import Database
from fileshare.links import LinkService
from fileshare.models import NewLink, NewUser
from fileshare.records import TRIAL
from fileshare.settings import Settings, Tables
from fileshare.stored import Caller
from fileshare.tokens import new_token
from fileshare.users import UserService
from shared.api_errors import ApiError
from shared.times import system_clock
from tests.apps.fileshare.ops.address_support import (
    KELVIN,
    MERGING,
    PLAIN,
    Contents,
    FilePlace,
    Place,
    TablesPlace,
    model,
    run,
)
from tests.apps.fileshare.support import LATER, START, a_link, a_user
from tests.children import started
from tests.projects import REPOSITORY

EARLIER = "2025-06-01T00:00:00.000000Z"
USED: dict[str, Any] = {"trial_used": True, "trial_started_at": START, "trial_expires_at": LATER, "user_tier": TRIAL}
WORKERS = 4


@pytest.fixture(params=["dynamodb", "sqlite"])
def place(request: pytest.FixtureRequest, dynamodb: Any, tables: Tables, tmp_path: Path) -> Place:
    if request.param == "dynamodb":
        return TablesPlace(dynamodb, tables)
    return FilePlace(tmp_path / "fileshare.sqlite3")


@dataclass
class Person:
    """Somebody with two users, and what happened to this person's requests."""

    address: str
    tokens: dict[str, str]
    used: bool
    started: list[str] = field(default_factory=list)
    clicks: Counter[str] = field(default_factory=Counter)
    attempts: Counter[str] = field(default_factory=Counter)


def people_in(place: Place, number: int) -> list[Person]:
    """Store people with two spellings of one address each; a third have used a trial with one of their users."""
    contents, people = Contents(), []
    for one in range(number):
        address = f"person{one}@example.com"
        older = a_user(email=address.title(), created_at=EARLIER, **(USED if one % 3 == 0 else {}))
        younger = a_user(email=address.upper(), **(USED if one % 3 == 1 and one % 2 else {}))
        tokens = {user.user_id: new_token(user.user_id) for user in (older, younger)}
        for user in (older, younger):
            contents.users[user.user_id] = replace(user, token_hash=tokens[user.user_id].hashed)
        clear = {user_id: token.clear for user_id, token in tokens.items()}
        people.append(Person(address, clear, older.trial_used or younger.trial_used))
    place.fill(contents)
    return people


class Requests:
    """Threads that send requests as they come, until they are told to stop."""

    def __init__(self, database: Database, people: list[Person], seed: int) -> None:
        self.people = people
        self.seed = seed
        self.users = UserService(database=database, clock=system_clock, addresses=PLAIN)
        self.links = LinkService(database=database, clock=system_clock)
        self.authenticator = Authenticator(database)
        self.lock = threading.Lock()
        self.stopped = threading.Event()
        self.done = [0] * WORKERS
        self.unexpected: list[BaseException] = []
        self.threads = [threading.Thread(target=self._work, args=(number,)) for number in range(WORKERS)]

    def __enter__(self) -> Self:
        for thread in self.threads:
            thread.start()
        self.wait_for_all()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        for thread in self.threads:
            thread.join(60)

    def wait_for_all(self, _seconds: float = 0) -> None:
        """Wait until every request that is under way now has ended: what the migration waits 35 seconds for."""
        before = list(self.done)
        deadline = time.monotonic() + 60
        while any(now <= then for now, then in zip(self.done, before, strict=True)) and time.monotonic() < deadline:
            time.sleep(0.01)

    def _work(self, number: int) -> None:
        chance = random.Random(f"{self.seed} {number}")  # noqa: S311 - no secrets
        while not self.stopped.is_set():
            person = chance.choice(self.people)
            kind = chance.choice([self._sign_up, self._start_trial, self._shorten, self._shorten, self._follow])
            try:
                asyncio.run(kind(person, chance))
            except ApiError as error:
                with self.lock:
                    person.attempts[error.code] += 1
            except BaseException as error:  # noqa: BLE001 - the test shows it
                self.unexpected.append(error)
            self.done[number] += 1

    async def _user(self, person: Person, chance: random.Random) -> Caller:
        with self.lock:
            token = chance.choice(list(person.tokens.values()))
        return await self.authenticator.authenticate(token)

    async def _sign_up(self, person: Person, _: random.Random) -> None:
        created = await self.users.sign_up(NewUser(email=person.address))
        with self.lock:
            person.tokens[created.user_id] = created.token

    async def _start_trial(self, person: Person, chance: random.Random) -> None:
        user = await self._user(person, chance)
        await self.users.start_trial(user)
        with self.lock:
            person.started.append(user.user_id)

    async def _shorten(self, person: Person, chance: random.Random) -> None:
        user = await self._user(person, chance)
        link = await self.links.shorten(NewLink(full_url="https://example.com/a.pdf"), user)
        with self.lock:
            person.clicks[link.short_code] += 0

    async def _follow(self, person: Person, chance: random.Random) -> None:
        with self.lock:
            codes = list(person.clicks)
        if codes:
            code = chance.choice(codes)
            await self.links.follow(code)
            with self.lock:
                person.clicks[code] += 1


@pytest.mark.drill(short=1)
def test_requests_that_arrive_meanwhile_lose_nothing_and_get_no_second_trial(
    place: Place, tables: Tables, dynamodb: Any, logger_of: Callable[[str], Logger], moments: random.Random
) -> None:
    people = people_in(place, 24)
    settings = Settings(database=tables if isinstance(place, TablesPlace) else place.path)  # type: ignore[attr-defined]
    logger = logger_of("fileshare")
    logger.setLevel("ERROR")
    database = open_database(settings, client=dynamodb, logger=logger)
    try:
        with Requests(database, people, moments.randint(0, 10**6)) as requests:
            report = run(place, PLAIN, at=requests.wait_for_all)
            requests.wait_for_all()
        assert requests.unexpected == []
        assert report.passed, report.problems
        contents = place.contents()
        check_people(contents, people)
        check_refusals(contents, people, requests)
    finally:
        database.close()


SPELLED = ("Ada@Example.com", "ada@example.com", "ADA+x@example.com", f"{KELVIN}@example.com")


@pytest.mark.parametrize(("rule", "users_left"), [(PLAIN, 3), (MERGING, 2)], ids=["plus apart", "plus merged"])
def test_signing_up_before_while_and_after_addresses_come_into_one_form(  # noqa: PLR0913, PLR0917 - what it needs
    place: Place,
    tables: Tables,
    dynamodb: Any,
    logger_of: Callable[[str], Logger],
    rule: Addresses,
    users_left: int,
) -> None:
    older = a_user(email=SPELLED[0], created_at=EARLIER, **USED)
    place.fill(Contents({user.user_id: user for user in (older, a_user(email=SPELLED[2]), a_user(email=SPELLED[3]))}))
    settings = Settings(database=tables if isinstance(place, TablesPlace) else place.path)  # type: ignore[attr-defined]
    database = open_database(settings, client=dynamodb, logger=logger_of("fileshare"))
    users = UserService(database=database, clock=system_clock, addresses=rule)
    tokens: list[str] = []

    def sign_up(email: str) -> int:
        try:
            tokens.append(asyncio.run(users.sign_up(NewUser(email=email))).token)
        except ApiError as error:
            return error.status
        return 201

    def trials() -> list[int]:
        """Let everybody who has signed up start the trial."""
        return [status_of(start_trial(users, Authenticator(database), token)) for token in tokens]

    shown = {"before": [sign_up(email) for email in SPELLED]}
    started: list[list[int]] = []

    def meanwhile(_: float) -> None:
        shown["while"] = [sign_up(email) for email in SPELLED]
        started.append(trials())

    try:
        run(place, rule, at=meanwhile)
        shown["after"] = [sign_up(email) for email in SPELLED]
        started.append(trials())
    finally:
        database.close()
    plus = 409 if rule is MERGING else 201
    assert shown == {"before": [201, 409, plus, 422], "while": [409, 409, 409, 422], "after": [409, 409, 409, 422]}
    assert {status for statuses in started for status in statuses} == {401}
    left = place.contents().users
    assert len(left) == users_left
    assert (left[older.user_id].email, left[older.user_id].trial_used) == ("ada@example.com", True)


async def start_trial(users: UserService, authenticator: Authenticator, token: str) -> None:
    await users.start_trial(await authenticator.authenticate(token))


def status_of(work: Coroutine[Any, Any, Any]) -> int:
    try:
        asyncio.run(work)
    except ApiError as error:
        return error.status
    return 200


def check_people(contents: Contents, people: list[Person]) -> None:
    """Every person is one user, whose trial is used if any was; every link and click is there, and that user's."""
    by_address = {user.email: user for user in contents.users.values()}
    assert sorted(by_address) == sorted(person.address for person in people)
    assert len(contents.users) == len(people)
    clicks: Counter[str] = Counter()
    for person in people:
        user = by_address[person.address]
        assert user.created_at == EARLIER
        assert user.trial_used is (person.used or bool(person.started)), person
        assert max(Counter(person.started).values(), default=0) <= 1
        assert {contents.links[code].created_by_user for code in person.clicks} <= {user.user_id}
        clicks += person.clicks
    assert {code: link.click_count for code, link in contents.links.items() if link.click_count} == dict(+clicks)
    assert len(contents.links) == sum(len(person.clicks) for person in people)


def check_refusals(contents: Contents, people: list[Person], requests: Requests) -> None:
    """Nobody signs up again, a used trial does not start again, and no token of a merged user opens."""

    def refused(work: Coroutine[Any, Any, Any]) -> str:
        with pytest.raises(ApiError) as raised:
            asyncio.run(work)
        return raised.value.code

    def start(token: str) -> Coroutine[Any, Any, None]:
        return start_trial(requests.users, requests.authenticator, token)

    for person in people:
        assert refused(requests.users.sign_up(NewUser(email=person.address))) == "email_taken"
        for user_id, token in person.tokens.items():
            if user_id not in contents.users:
                assert refused(start(token)) == "unauthorized"
            elif contents.users[user_id].trial_used:
                assert refused(start(token)) == "trial_not_available"


def command_of(place: Place, client: Any) -> tuple[list[str], dict[str, str]]:
    """Say how to migrate a place in a process of its own."""
    command = [sys.executable, "-m", "tests.apps.fileshare.ops.address_process"]
    if isinstance(place, FilePlace):
        return [*command, str(place.path)], {}
    assert isinstance(place, TablesPlace)
    keys = client._request_signer._credentials
    credentials = {"AWS_ACCESS_KEY_ID": keys.access_key, "AWS_SECRET_ACCESS_KEY": keys.secret_key}
    if keys.token:
        credentials["AWS_SESSION_TOKEN"] = keys.token
    where = [place.tables.users, place.tables.urls, client.meta.region_name, client.meta.endpoint_url]
    return [*command, *where], credentials


def many(number: int) -> Contents:
    """Make users of three spellings each, with links; one in four is a KELVIN SIGN away from a `k`."""
    contents = Contents()
    for one in range(number):
        spellings = [f"K{one}@Example.com", f"k{one}@example.com", f"K{one}@EXAMPLE.com", f"\N{KELVIN SIGN}{one}@b.com"]
        for place, email in enumerate(spellings[: 4 if one % 4 == 0 else 3]):
            user = a_user(email=email, created_at=f"2025-0{place + 1}-01T00:00:00.000000Z")
            used = {**USED, "trial_started_at": user.created_at} if (one + place) % 3 == 0 else {}
            contents.users[user.user_id] = replace(user, **used)
            link = a_link(user.user_id, click_count=one)
            contents.links[link.short_code] = link
    return contents


def killed_again_and_again(place: Place, client: Any, moments: random.Random, *, times: int) -> int:
    """Kill the migration at a moment each time, let the last run end, and compare; say how often it was in its work."""
    contents = many(60)
    place.fill(contents)
    command, credentials = command_of(place, client)
    killed = 0
    for _ in range(times):
        with started(
            command, cwd=REPOSITORY, env={**os.environ, **credentials}, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process:
            assert process.stdout
            assert process.stdout.readline() == "started\n", process.communicate()
            time.sleep(moments.uniform(0, 0.25 if isinstance(place, TablesPlace) else 0.03))
            process.kill()
            _, errors = process.communicate(timeout=60)
            assert "Traceback" not in errors
            killed += process.returncode != 0
    run(place, PLAIN)
    left, expected = place.contents(), model(contents, PLAIN)
    assert left.comparable() == expected.comparable()
    assert isinstance(place, FilePlace) or left.reserved == expected.reserved
    return killed


@pytest.mark.drill(short=1)
def test_a_migration_that_is_killed_goes_on_where_it_stopped(
    place: Place, dynamodb: Any, moments: random.Random
) -> None:
    assert killed_again_and_again(place, dynamodb, moments, times=2) > 0


@pytest.mark.drill(short=0)
def test_a_migration_that_is_killed_ten_times_ends_as_one_that_was_not(
    place: Place, dynamodb: Any, moments: random.Random
) -> None:
    assert killed_again_and_again(place, dynamodb, moments, times=10) > 0
