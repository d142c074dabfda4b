"""Write users and links into the DynamoDB tables, never over what is newer there."""

from __future__ import annotations

import enum
import time
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Any, TypeVar

from aws_lambda_powertools import Logger

from fileshare.dynamodb_database import (
    EMAIL_INDEX,
    UNUSED,
    UNUSED_VALUES,
    absent,
    link_item,
    reservation_item,
    reservation_key,
    user_item,
)
from fileshare.ops.migration.source import BadRow
from fileshare.records import Link, User, values_of
from sawhorse.api import SawhorseError
from shared.api_errors import Throttled
from shared.dynamodb import CONDITION_FAILED, ConditionFailed, DynamoDB, Item, TransactionCanceled, every_item
from shared.items import from_item, to_item
from shared.retries import backoff_seconds

T = TypeVar("T")

ATTEMPTS = 8
FULL = (
    "its item in DynamoDB has no room for what has to be written, since 400 KB is the most; take something out of it "
    "and run it again"
)
TAKEN = "the address belongs to another user in DynamoDB"


class Outcome(enum.Enum):
    """What became of a row that fits."""

    COPIED = "copied"
    UPDATED = "updated"
    KEPT = "kept"


class Table:
    """A table that is copied to: `name` is what the file calls it."""

    name: str
    key: str

    def __init__(self, client: Any, table: str) -> None:
        # Its lines are for Lambda's log: at INFO it writes none.
        self._dynamodb = DynamoDB(client=client, logger=Logger(service="migration", level="INFO"))
        self._client = client
        self._table = table

    def identity(self) -> str:
        """Name the table for good, by its ARN and the moment when it was made: one made anew is another one."""
        found = self._client.describe_table(TableName=self._table)["Table"]
        return f"{found['TableArn']} of {found['CreationDateTime'].isoformat()}"

    def _read(self, values: Sequence[str]) -> dict[str, Item]:
        wanted = {"Keys": [{self.key: {"S": value}} for value in values], "ConsistentRead": True}
        found: dict[str, Item] = {}
        for attempt in range(ATTEMPTS):
            response = with_retries(partial(self._dynamodb.batch_get_item, self._table, **wanted))
            found |= {item[self.key]["S"]: item for item in response["Responses"].get(self._table, [])}
            wanted = response.get("UnprocessedKeys", {}).get(self._table, {})
            if not wanted:
                return found
            time.sleep(backoff_seconds(attempt))
        raise SawhorseError(TOO_BUSY)


class UserTable(Table):
    """The table of users, with an item that reserves the address of each."""

    name = "users"
    key = "user_id"

    def copy(self, user: User, *, known: bool) -> Outcome | BadRow:
        """Copy a user with the reservation of the address, or bring one that is there up to date.

        What was known before and is not there any more was deleted, and stays so.
        """
        if not known:
            if self._address_taken(user):
                return BadRow(user.user_id, TAKEN)
            try:
                with_retries(lambda: self._dynamodb.transact_write(self._puts(user)))
            except TransactionCanceled as canceled:
                if canceled.reasons[0] == CONDITION_FAILED:
                    return BadRow(user.user_id, TAKEN)
                if canceled.reasons[1] != CONDITION_FAILED:
                    raise
                # Other code wrote this user, or an earlier run that was stopped before it could note it.
                with_retries(lambda: self._dynamodb.transact_write(self._puts(user)[:1]))
            else:
                return Outcome.COPIED
        return self._update_user(user)

    def read(self, users: Sequence[User]) -> dict[str, Item]:
        """Read users and their reservations as last written, by id."""
        return self._read([key for user in users for key in (user.user_id, reservation_key(user.email))])

    def difference(self, user: User, found: Mapping[str, Item]) -> str | None:
        """Say how what was read differs from the file, unless it was changed in DynamoDB since."""
        reservation = from_item(found.get(reservation_key(user.email), {}))
        if reservation.get("reserved_for") != user.user_id:
            return "the address is not reserved for this user in DynamoDB"
        item = from_item(found[user.user_id])
        updated_at = item.get("updated_at")
        if isinstance(updated_at, str) and updated_at > user.updated_at:
            return None
        return differing(values_of(user), item)

    def _address_taken(self, user: User) -> bool:
        """Ask the index: users that other code wrote have no reservation."""
        query = partial(
            self._dynamodb.query,
            self._table,
            IndexName=EMAIL_INDEX,
            KeyConditionExpression="#email = :email",
            ExpressionAttributeNames={"#email": "email"},
            ExpressionAttributeValues={":email": {"S": user.email}},
        )
        found = every_item(lambda **place: with_retries(partial(query, **place)))
        return any(item["user_id"]["S"] != user.user_id for item in found)

    def _puts(self, user: User) -> list[dict[str, Any]]:
        return [
            {
                "Put": {
                    "TableName": self._table,
                    "Item": reservation_item(user),
                    "ConditionExpression": "attribute_not_exists(#key) OR #reserved_for = :user_id",
                    "ExpressionAttributeNames": {"#key": "user_id", "#reserved_for": "reserved_for"},
                    "ExpressionAttributeValues": {":user_id": {"S": user.user_id}},
                }
            },
            {"Put": {"TableName": self._table, "Item": user_item(user), **if_absent("user_id")}},
        ]

    def _update_user(self, user: User) -> Outcome:
        """Write a user over an older one; nothing takes back a trial that was started in DynamoDB."""
        condition = "attribute_exists(#user_id) AND #updated_at < :updated_at AND #email = :email"
        if not user.trial_used:
            condition += f" AND {UNUSED}"
        try:
            with_retries(
                lambda: self._dynamodb.put_item(
                    self._table,
                    Item=user_item(user),
                    ConditionExpression=condition,
                    ExpressionAttributeNames={
                        f"#{name}": name
                        for name in ("user_id", "updated_at", "email", *(() if user.trial_used else ("trial_used",)))
                    },
                    ExpressionAttributeValues={
                        ":updated_at": {"S": user.updated_at},
                        ":email": {"S": user.email},
                        **({} if user.trial_used else to_item(UNUSED_VALUES)),
                    },
                )
            )
        except ConditionFailed:
            return Outcome.KEPT
        return Outcome.UPDATED


class LinkTable(Table):
    """The table of links."""

    name = "urls"
    key = "short_code"

    def copy(self, link: Link, *, known: bool) -> Outcome:
        """Copy a link, or lift the clicks of one that is there to those of the file; they never go down."""
        if not known:
            try:
                with_retries(
                    lambda: self._dynamodb.put_item(self._table, Item=link_item(link), **if_absent("short_code"))
                )
            except ConditionFailed:
                pass
            else:
                return Outcome.COPIED
        names = {"#short_code": "short_code", "#click_count": "click_count", "#full_url": "full_url"}
        try:
            with_retries(
                lambda: self._dynamodb.update_item(
                    self._table,
                    Key={"short_code": {"S": link.short_code}},
                    UpdateExpression="SET #click_count = :clicks",
                    ConditionExpression=f"attribute_exists(#short_code) AND (#click_count < :clicks OR "
                    f"{absent('click_count')}) AND #full_url = :full_url",
                    ExpressionAttributeNames=names,
                    ExpressionAttributeValues={
                        ":clicks": {"N": str(link.click_count)},
                        ":full_url": {"S": link.full_url},
                        ":null": {"S": "NULL"},
                    },
                )
            )
        except ConditionFailed:
            return Outcome.KEPT
        return Outcome.UPDATED

    def read(self, links: Sequence[Link]) -> dict[str, Item]:
        """Read links as last written, by short code."""
        return self._read([link.short_code for link in links])

    def difference(self, link: Link, found: Mapping[str, Item]) -> str | None:
        """Say how what was read differs from the file; clicks may have been counted since."""
        item = from_item(found[link.short_code])
        clicks = item.get("click_count")
        if not isinstance(clicks, int | Decimal | None):
            return "click_count is not a number in DynamoDB; correct it there"
        if (clicks or 0) < link.click_count:
            return f"click_count is {clicks or 0} in DynamoDB and {link.click_count} in the file"
        return differing(values_of(link), item | {"click_count": link.click_count})


TOO_BUSY = "DynamoDB turns requests away again and again. Run the migration again in some minutes."


def with_retries(call: Callable[[], T]) -> T:
    """Call again, later and later, while DynamoDB asks for fewer requests or two writes meet."""
    for attempt in range(ATTEMPTS):
        try:
            return call()
        except Throttled:
            pass
        except TransactionCanceled as canceled:
            if CONDITION_FAILED in canceled.reasons or "TransactionConflict" not in canceled.reasons:
                raise
        time.sleep(backoff_seconds(attempt))
    raise SawhorseError(TOO_BUSY)


def differing(wanted: Mapping[str, Any], item: Mapping[str, Any]) -> str | None:
    names = [name for name, value in wanted.items() if item.get(name) != value]
    return f"{', '.join(names)} differ between the file and DynamoDB; look at both and correct one" if names else None


def if_absent(key: str) -> dict[str, Any]:
    return {"ConditionExpression": "attribute_not_exists(#key)", "ExpressionAttributeNames": {"#key": key}}
