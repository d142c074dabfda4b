"""The seed makes the sample user once, takes over nobody's account, and does not wait for an index that lags."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from aws_lambda_powertools import Logger

from fileshare.app import open_database
from fileshare.dynamodb_database import reservation_item, reservation_key, user_item
from fileshare.ops.seed import SAMPLE_EMAIL, SAMPLE_ID, issue_token, remove_user, seed, still_valid
from fileshare.records import User
from fileshare.settings import Settings, Tables
from fileshare.tokens import new_token, user_id_of
from sawhorse.environment import Environment
from sawhorse.errors import BadConfiguration, UnknownName
from sawhorse.local.emulators import Running
from sawhorse.project import Project, Root
from sawhorse.workspace import Deployment
from tests.apps.fileshare.support import a_user, make_tables
from tests.hostile import EXTREMES

ENVIRONMENT = Environment(name="dev", account_id="777777777777", region="us-east-2", production=False)


class Lagging:
    """A client whose indexes show nothing yet."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.queries = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def query(self, **_: Any) -> dict[str, Any]:
        self.queries += 1
        return {"Items": [], "Count": 0}


@dataclass(frozen=True)
class Lagged(Deployment):
    """A deployment whose indexes show nothing yet."""

    def client(self, service: str) -> Any:
        return Lagging(super().client(service))


@pytest.fixture
def tables(local_aws: Running, tmp_path: Path) -> Iterator[Tables]:
    client = deployment(local_aws, tmp_path).client("dynamodb")
    made = make_tables(client)
    yield made
    for table in (made.users, made.urls):
        client.delete_table(TableName=table)


@pytest.fixture
def deployed(local_aws: Running, tmp_path: Path, tables: Tables) -> Deployment:
    return deployment(local_aws, tmp_path, dynamodb_users_table=tables.users, dynamodb_urls_table=tables.urls)


def deployment(local_aws: Running, tmp_path: Path, **outputs: Any) -> Deployment:
    return Deployment(Root(Project(tmp_path), "dev", "fileshare"), ENVIRONMENT, outputs, local_aws)


def lagging(deployed: Deployment) -> Deployment:
    return Lagged(deployed.root, deployed.environment, deployed.outputs, deployed.local)


def sign_up(deployed: Deployment, user: User) -> None:
    """Sign a user up as the application does."""
    client = deployed.client("dynamodb")
    tables = Tables(region="us-east-2", users=deployed.outputs["dynamodb_users_table"], urls="none")
    database = open_database(Settings(database=tables), client=client, logger=Logger(service="seed-test"))
    asyncio.run(database.create_user(user))
    database.close()


def put(deployed: Deployment, *items: Any) -> None:
    for item in items:
        deployed.client("dynamodb").put_item(TableName=deployed.outputs["dynamodb_users_table"], Item=item)


def users(deployed: Deployment) -> dict[str, Any]:
    items = deployed.client("dynamodb").scan(TableName=deployed.outputs["dynamodb_users_table"])["Items"]
    return {item["user_id"]["S"]: item for item in items}


def test_the_sample_user_is_made_once_and_its_newest_token_opens(deployed: Deployment) -> None:
    first, second = seed(deployed), seed(deployed)
    assert ["is new" in seeded.lines[0] for seeded in (first, second)] == [True, False]
    assert set(users(deployed)) == {SAMPLE_ID, reservation_key(SAMPLE_EMAIL)}
    assert [still_valid(deployed, seeded.secrets) for seeded in (first, second)] == [False, True]


def test_the_first_seed_needs_no_index(deployed: Deployment) -> None:
    for _ in range(2):
        assert still_valid(deployed, seed(lagging(deployed)).secrets)


@pytest.mark.parametrize("reserved", [True, False], ids=["signed up", "written by other code"])
def test_whoever_has_the_address_keeps_it_and_the_token(deployed: Deployment, *, reserved: bool) -> None:
    stranger = a_user(email=SAMPLE_EMAIL)
    if reserved:
        sign_up(deployed, stranger)
    else:
        put(deployed, user_item(stranger))
    before = users(deployed)
    with pytest.raises(BadConfiguration, match=r"one of them is somebody else's\. Nothing was written: delete"):
        seed(deployed)
    assert users(deployed) == before


def test_an_address_that_is_kept_for_a_sample_user_who_is_not_there_is_used(deployed: Deployment) -> None:
    put(deployed, reservation_item(User(user_id=SAMPLE_ID, email=SAMPLE_EMAIL, created_at="", updated_at="")))
    seeded = seed(deployed)
    assert "is new" in seeded.lines[0]
    assert still_valid(deployed, seeded.secrets)


def test_a_token_is_issued_to_whom_the_address_is_kept_for_before_the_index_shows_it(deployed: Deployment) -> None:
    user = a_user()
    sign_up(deployed, user)
    token = issue_token(lagging(deployed), f" {user.email.upper()} ")
    assert user_id_of(token) == user.user_id
    assert still_valid(deployed, {"token": token})


def test_a_user_that_other_code_wrote_is_found_in_the_index(deployed: Deployment) -> None:
    user = a_user()
    put(deployed, user_item(user))
    assert still_valid(deployed, {"token": issue_token(deployed, user.email)})


@pytest.mark.parametrize("asked", ["Ada@Example.com", "ada@example.com"])
def test_a_user_whose_address_is_not_migrated_is_found_by_its_spelling(deployed: Deployment, asked: str) -> None:
    user = a_user(email="Ada@Example.com")
    put(deployed, user_item(user))
    if asked == user.email:
        assert still_valid(deployed, {"token": issue_token(deployed, asked)})
    else:
        with pytest.raises(UnknownName, match="has no user with the address"):
            issue_token(deployed, asked)


def test_a_plus_address_is_the_user_without_it_where_the_root_says_so(deployed: Deployment) -> None:
    user = a_user(email="ada@example.com")
    sign_up(deployed, user)
    merging = replace(deployed, outputs={**deployed.outputs, "merge_plus_addresses": True})
    assert still_valid(merging, {"token": issue_token(merging, "ADA+x@example.com")})
    with pytest.raises(UnknownName, match="has no user with the address"):
        issue_token(deployed, "ADA+x@example.com")


def test_two_users_with_one_address_get_no_token(deployed: Deployment) -> None:
    put(deployed, *(user_item(a_user(email="ada@example.com")) for _ in range(2)))
    before = users(deployed)
    with pytest.raises(UnknownName, match=r"has 2 users with the address ada@example.com"):
        issue_token(deployed, "ada@example.com")
    assert users(deployed) == before


def test_nobody_gets_a_token_for_an_address_that_is_nobodys(deployed: Deployment) -> None:
    with pytest.raises(UnknownName, match=r"has no user with the address ada@example.com"):
        issue_token(deployed, "ada@example.com")
    gone = a_user()
    put(deployed, reservation_item(gone))
    with pytest.raises(UnknownName, match=r"has no user .* though the address is kept for that user"):
        issue_token(deployed, gone.email)
    assert gone.user_id not in users(deployed)


def test_a_user_is_taken_away_with_the_address(deployed: Deployment) -> None:
    user = a_user(token_hash=new_token("x").hashed)
    sign_up(deployed, user)
    remove_user(deployed, user.user_id, user.email)
    assert users(deployed) == {}


def test_a_reservation_of_any_kind_is_said_to_lead_to_nobody(deployed: Deployment) -> None:
    client, table = deployed.client("dynamodb"), deployed.outputs["dynamodb_users_table"]
    for reserved_for in EXTREMES:
        client.put_item(
            TableName=table,
            Item={"user_id": {"S": reservation_key("ada@example.com")}, "reserved_for": reserved_for},
        )
        with pytest.raises(UnknownName):
            issue_token(deployed, "ada@example.com")
