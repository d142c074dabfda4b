"""A write whose response got lost on the way is sent again by botocore, and counts as what it was: done."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from aws_lambda_powertools import Logger

from fileshare.app import open_database
from fileshare.database import Database
from fileshare.settings import Settings, Tables
from tests.apps.fileshare.support import LATER, START, a_link, a_user, link_in, lost_response, user_in
from tests.unit.support import Interrupting

OTHER = "2026-01-31T10:00:00.000000Z"


@pytest.fixture
def database(dynamodb: Any, tables: Tables, logger: Logger) -> Iterator[Database]:
    made = open_database(Settings(database=tables), client=dynamodb, logger=logger)
    yield made
    made.close()


def test_a_click_that_started_the_trial_is_told_so(dynamodb: Any, database: Database) -> None:
    user = a_user()
    asyncio.run(database.create_user(user))
    with lost_response(dynamodb, "UpdateItem") as lost:
        started = asyncio.run(database.start_trial(user.user_id, started_at=START, expires_at=LATER))
    assert lost == [200]
    assert started is not None
    assert (started.trial_started_at, started.trial_expires_at) == (START, LATER)


def test_a_click_that_came_second_is_refused_though_it_was_sent_twice(dynamodb: Any, database: Database) -> None:
    user = a_user(trial_used=True, trial_started_at=OTHER, trial_expires_at=LATER)
    asyncio.run(database.create_user(user))
    with lost_response(dynamodb, "UpdateItem") as lost:
        assert asyncio.run(database.start_trial(user.user_id, started_at=START, expires_at=LATER)) is None
    assert lost == [400]
    assert asyncio.run(user_in(database, user.user_id)) == user


def test_a_second_click_at_the_same_microsecond_is_refused(database: Database) -> None:
    user = a_user()
    asyncio.run(database.create_user(user))
    responses = [
        asyncio.run(database.start_trial(user.user_id, started_at=START, expires_at=LATER)) is None for _ in range(2)
    ]
    assert responses == [False, True]


def test_a_delete_that_deleted_says_so(dynamodb: Any, database: Database) -> None:
    link = a_link("owner")
    asyncio.run(database.create_link(link))
    with lost_response(dynamodb, "DeleteItem") as lost:
        assert asyncio.run(database.delete_link(link.short_code, owner="owner"))
    assert lost == [200]
    assert asyncio.run(link_in(database, link.short_code)) is None


def test_a_delete_of_anothers_link_is_refused_though_it_was_sent_twice(dynamodb: Any, database: Database) -> None:
    link = a_link("owner")
    asyncio.run(database.create_link(link))
    with lost_response(dynamodb, "DeleteItem") as lost:
        assert not asyncio.run(database.delete_link(link.short_code, owner="another"))
    assert lost == [400]
    assert asyncio.run(link_in(database, link.short_code)) == link


def test_a_link_is_stored_once_and_its_code_is_not_drawn_again(dynamodb: Any, database: Database) -> None:
    link = a_link()
    with lost_response(dynamodb, "PutItem") as lost:
        asyncio.run(database.create_link(link))
    assert lost == [200]
    assert asyncio.run(link_in(database, link.short_code)) == link


def test_a_user_signs_up_once_and_gets_in(dynamodb: Any, database: Database) -> None:
    user = a_user()
    with lost_response(dynamodb, "TransactWriteItems") as lost:
        asyncio.run(database.create_user(user))
    assert lost == [200]
    assert asyncio.run(user_in(database, user.user_id)) == user


def test_a_click_does_not_count_for_a_target_that_was_changed_at_that_moment(
    dynamodb: Any, tables: Tables, logger: Logger
) -> None:
    link = a_link()

    def change() -> None:
        dynamodb.update_item(
            TableName=tables.urls,
            Key={"short_code": {"S": link.short_code}},
            UpdateExpression="SET full_url = :url",
            ExpressionAttributeValues={":url": {"S": "javascript:alert(1)"}},
        )

    database = open_database(
        Settings(database=tables), client=Interrupting(dynamodb, "update_item", change), logger=logger
    )
    asyncio.run(database.create_link(link))
    assert asyncio.run(database.follow(link.short_code, now=START)) is None
    assert asyncio.run(link_in(database, link.short_code)) == replace(link, full_url="javascript:alert(1)")
    database.close()
