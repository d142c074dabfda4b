"""A migration names what other code has put into the tables, or brings it up to date, whatever it is."""

from __future__ import annotations

from typing import Any

import pytest
from aws_lambda_powertools import Logger
from hypothesis import given

from fileshare.dynamodb_database import link_item, user_item
from fileshare.ops.migration.merging import had_trial, stored_user
from fileshare.records import Link
from fileshare.stored import Trial
from shared.items import from_item
from shared.stored import Readers
from tests.apps.fileshare.ops.migration_support import NEVER, NEWER, Migration, reasons
from tests.apps.fileshare.support import LATER, START, a_link, a_user
from tests.hostile import EXTREMES, hostile
from tests.unit.support import filled

USER_ATTRIBUTES = ("updated_at", "created_at", "trial_used", "user_tier", "trial_expires_at", "token_hash")
LINK_ATTRIBUTES = ("click_count", "full_url", "created_at", "expires_at", "filename")


@pytest.mark.parametrize("name", [*USER_ATTRIBUTES, *LINK_ATTRIBUTES])
def test_whatever_stands_in_dynamodb_is_named_or_brought_up_to_date(
    migration: Migration, dynamodb: Any, name: str
) -> None:
    of_links = name in LINK_ATTRIBUTES
    old = [a_link(**NEVER, click_count=5) if of_links else a_user() for _ in EXTREMES]
    migration.fill(*old)
    migration.run()
    table = migration.tables.urls if of_links else migration.tables.users
    for record, value in zip(old, EXTREMES, strict=True):
        item = link_item(record) if isinstance(record, Link) else user_item(record)
        dynamodb.put_item(TableName=table, Item={**item, name: value})
    migration.sql("UPDATE users SET updated_at = ?, user_tier = 'premium'", NEWER)
    report = migration.run()
    counts = report.counts["urls" if of_links else "users"]
    assert counts["verified"] + len(reasons(report)) == counts["rows"] == len(EXTREMES)


@pytest.mark.parametrize("count", [None, {"NULL": True}], ids=["missing", "null"])
def test_clicks_of_the_file_are_lifted_over_a_count_that_is_none(
    migration: Migration, dynamodb: Any, count: dict[str, Any] | None
) -> None:
    link = a_link(click_count=5)
    item = {name: value for name, value in link_item(link).items() if name != "click_count"}
    dynamodb.put_item(TableName=migration.tables.urls, Item=item if count is None else {**item, "click_count": count})
    migration.fill(link)
    assert migration.run().passed
    assert migration.link(link.short_code) == link


def test_a_link_that_is_full_in_dynamodb_is_named_and_the_others_are_copied(
    migration: Migration, dynamodb: Any
) -> None:
    full, other = a_link(click_count=500), a_link(click_count=7)
    filled(dynamodb, migration.tables.urls, link_item(full) | {"click_count": {"NULL": True}})
    migration.fill(full, other)

    report = migration.run()

    assert [problem.key for problem in report.problems] == [full.short_code]
    assert "has no room" in report.problems[0].reason
    assert migration.link(other.short_code) == other


USER = user_item(a_user(trial_started_at=START, trial_expires_at=LATER))


@given(hostile(USER, frozenset({"user_id", "email"})))
def test_users_are_merged_by_the_trial_that_the_service_reads(item: dict[str, Any]) -> None:
    readers = Readers(table="users", key=("user_id",), logger=Logger(service="old", level="CRITICAL"))
    trial = readers.of(Trial).find(item)
    user = stored_user(from_item(item))
    if trial is None:
        # The service starts none either.
        assert had_trial(user)
    else:
        assert {name: getattr(user, name) for name in Trial.model_fields} == trial.model_dump()
