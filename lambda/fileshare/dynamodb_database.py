"""Keep users and links in DynamoDB: conditions and transactions decide between requests at the same moment."""

from typing import Any

from aws_lambda_powertools import Logger
from botocore.exceptions import ClientError

from fileshare.database import CodeTaken, EmailTaken, NoRoom, Page
from fileshare.records import FREE, TRIAL, Link, User, values_of
from fileshare.settings import Tables
from fileshare.stored import MOST_CLICKS, ShownLink, Target, Trial
from shared.api_errors import Throttled
from shared.async_dynamodb import AsyncDynamoDB
from shared.dynamodb import CONDITION_FAILED, CONFLICT, ConditionFailed, Item, ItemTooLarge, TransactionCanceled
from shared.items import to_item
from shared.personal import public_id
from shared.stored import Found, Readers

EMAIL_INDEX = "email-index"
USER_INDEX = "user-index"
# A page of a user who has many expired links, which DynamoDB has not swept yet, ends early.
QUERIES_A_PAGE = 10
# A count that is NULL is written anew by the first of those who follow the link at once; the others add to it then.
FOLLOW_ATTEMPTS = 3
NULL = {"NULL": True}


def absent(name: str) -> str:
    """Ask for an attribute that is not there, or NULL, which is read as the same; `:null` is the type's name."""
    return f"attribute_not_exists(#{name}) OR attribute_type(#{name}, :null)"


# What `Trial.trial_used` reads as false, as a condition and its values.
UNUSED = f"(#trial_used = :no OR #trial_used = :zero OR {absent('trial_used')})"
UNUSED_VALUES = {":no": False, ":zero": 0, ":null": "NULL"}


def reservation_key(email: str) -> str:
    """Name the item that reserves an address; no user has such an id, since theirs have no `#`."""
    return f"email#{email}"


def user_item(user: User) -> Item:
    """Write a user as the table of users has it."""
    return to_item(values_of(user))


def reservation_item(user: User) -> Item:
    """Write the item that makes an address unique: `email-index` cannot, and does not show it without an `email`."""
    return to_item({"user_id": reservation_key(user.email), "reserved_for": user.user_id})


def link_item(link: Link) -> Item:
    """Write a link as the table of links has it."""
    return to_item(values_of(link))


class DynamoDBDatabase:
    """The database interface over two tables."""

    def __init__(self, *, dynamodb: AsyncDynamoDB, tables: Tables, logger: Logger) -> None:
        self._dynamodb = dynamodb
        self._users = tables.users
        self._urls = tables.urls
        # Ids of users who came from elsewhere can be addresses.
        self._read_users = Readers(table=tables.users, key=("user_id",), logger=logger, shown=public_id)
        self._read_urls = Readers(table=tables.urls, key=("short_code",), logger=logger, shown=public_id)

    async def create_user(self, user: User) -> None:
        """Store a new user and reserve the address, both or none.

        Users that other code wrote have no reservation, so the index is asked as well.
        """
        found = await self._dynamodb.query(
            self._users,
            IndexName=EMAIL_INDEX,
            KeyConditionExpression="#email = :email",
            ExpressionAttributeNames={"#email": "email"},
            ExpressionAttributeValues={":email": {"S": user.email}},
            Limit=1,
        )
        if found["Items"]:
            raise EmailTaken
        try:
            await self._dynamodb.transact_write(
                [
                    {"Put": {"TableName": self._users, "Item": item, **_unless_there("user_id")}}
                    for item in (reservation_item(user), user_item(user))
                ]
            )
        except TransactionCanceled as canceled:
            if CONDITION_FAILED in canceled.reasons:
                raise EmailTaken from None
            if CONFLICT in canceled.reasons:
                # Two at once with one address: which of them it will be is known in a moment.
                raise Throttled from None
            raise

    async def user(self, user_id: str) -> Found | None:
        """Find a user as last written."""
        item = await self._item(self._users, {"user_id": {"S": user_id}})
        return None if item is None else Found(item=item, readers=self._read_users)

    async def start_trial(self, user_id: str, *, started_at: str, expires_at: str) -> Trial | None:
        """Start the trial under the condition that `Trial.can_start` is true of what is stored.

        A write that botocore sent again after a lost response has met itself: then the trial that runs is this one.
        """
        names = ("user_id", "user_tier", "trial_used", "trial_started_at", "trial_expires_at", "updated_at")
        try:
            response = await self._dynamodb.update_item(
                self._users,
                Key={"user_id": {"S": user_id}},
                UpdateExpression="SET #user_tier = :trial, #trial_used = :yes, #trial_started_at = :start, "
                "#trial_expires_at = :end, #updated_at = :start",
                ConditionExpression=f"attribute_exists(#user_id) AND {UNUSED} "
                f"AND (#user_tier = :free OR {absent('user_tier')})",
                ExpressionAttributeNames={f"#{name}": name for name in names},
                ExpressionAttributeValues=to_item(
                    {
                        ":trial": TRIAL,
                        ":free": FREE,
                        ":yes": True,
                        ":start": started_at,
                        ":end": expires_at,
                        **UNUSED_VALUES,
                    }
                ),
                ReturnValues="ALL_NEW",
            )
        except ConditionFailed as failed:
            found = await self.user(user_id) if _was_sent_again(failed) else None
            trial = None if found is None else found.read(Trial)
            return trial if trial is not None and trial.trial_started_at == started_at else None
        except ItemTooLarge:
            raise NoRoom from None
        return self._read_users.of(Trial).find(response["Attributes"])

    async def create_link(self, link: Link) -> None:
        """Store a link unless its code is taken."""
        item = link_item(link)
        try:
            await self._dynamodb.put_item(self._urls, Item=item, **_unless_there("short_code"))
        except ConditionFailed:
            # A response that got lost makes botocore ask again: then the link that is there is ours.
            if await self._item(self._urls, {"short_code": item["short_code"]}) != item:
                raise CodeTaken from None

    async def link(self, short_code: str) -> Found | None:
        """Find a link as last written."""
        item = await self._item(self._urls, {"short_code": {"S": short_code}})
        return None if item is None else Found(item=item, readers=self._read_urls)

    async def follow(self, short_code: str, *, now: str) -> Target | None:
        """Look at the link, then add the click if it still leads there.

        Conditions cannot check a target, or read all the forms of a time. The database adds, so no click is lost.
        """
        for _ in range(FOLLOW_ATTEMPTS):
            found = await self.link(short_code)
            target = None if found is None else found.read(Target)
            if found is None or target is None or not target.may_be_followed(now):
                return None
            if target.click_count == MOST_CLICKS:
                return target
            click = _click_on_none if found.item.get("click_count") == NULL else _click
            try:
                response = await self._dynamodb.update_item(
                    self._urls, Key={"short_code": {"S": short_code}}, ReturnValues="ALL_NEW", **click(target)
                )
            except ConditionFailed:
                continue
            except ItemTooLarge:
                # A count grows by a byte now and then, and the first one takes more. The link leads where it leads.
                return target
            # It is followed whatever somebody else wrote at that moment: the condition held, and the click counts.
            return self._read_urls.of(Target).find(response["Attributes"]) or target.followed()
        return None

    async def links_of(self, user_id: str, *, after: str | None, limit: int, now: str) -> Page:
        """Ask the index until the page is full, since links fall out that have expired or do not fit."""
        links: list[ShownLink] = []
        reader = self._read_urls.of(ShownLink)
        for _ in range(QUERIES_A_PAGE):
            response = await self._dynamodb.query(self._urls, **_links_after(user_id, after, limit - len(links)))
            links += [link for link in reader.each(response["Items"]) if not link.has_expired(now)]
            last = response.get("LastEvaluatedKey")
            after = last["short_code"]["S"] if last else None
            if after is None or len(links) == limit:
                break
        return Page(links=links, after=after)

    async def delete_link(self, short_code: str, *, owner: str) -> bool:
        """Delete a link under the condition that it is the owner's.

        A delete that botocore sent again after a lost response finds nothing any more: it has deleted the link itself.
        """
        try:
            await self._dynamodb.delete_item(
                self._urls,
                Key={"short_code": {"S": short_code}},
                ConditionExpression="#created_by_user = :owner",
                ExpressionAttributeNames={"#created_by_user": "created_by_user"},
                ExpressionAttributeValues={":owner": {"S": owner}},
            )
        except ConditionFailed as failed:
            return _was_sent_again(failed) and await self.link(short_code) is None
        return True

    def close(self) -> None:
        """Let the threads end."""
        self._dynamodb.close()

    async def _item(self, table: str, key: Item) -> Item | None:
        response = await self._dynamodb.get_item(table, Key=key, ConsistentRead=True)
        item: Item | None = response.get("Item")
        return item


def _links_after(user_id: str, after: str | None, limit: int) -> dict[str, Any]:
    owner = {"S": user_id}
    start = {"ExclusiveStartKey": {"created_by_user": owner, "short_code": {"S": after}}} if after else {}
    return {
        "IndexName": USER_INDEX,
        "KeyConditionExpression": "#created_by_user = :owner",
        "ExpressionAttributeNames": {"#created_by_user": "created_by_user"},
        "ExpressionAttributeValues": {":owner": owner},
        "Limit": limit,
        **start,
    }


def _click(target: Target) -> dict[str, Any]:
    """Add a click to a count that can be read, or to none."""
    return {
        "UpdateExpression": "ADD #click_count :one",
        "ConditionExpression": "#full_url = :full_url AND (#click_count BETWEEN :none AND :last "
        "OR attribute_not_exists(#click_count))",
        "ExpressionAttributeNames": {"#full_url": "full_url", "#click_count": "click_count"},
        "ExpressionAttributeValues": to_item(
            {":one": 1, ":none": 0, ":last": MOST_CLICKS - 1, ":full_url": target.full_url}
        ),
    }


def _click_on_none(target: Target) -> dict[str, Any]:
    """Write the first click over a NULL, to which nothing can be added."""
    return {
        "UpdateExpression": "SET #click_count = :one",
        "ConditionExpression": "#full_url = :full_url AND attribute_type(#click_count, :null)",
        "ExpressionAttributeNames": {"#full_url": "full_url", "#click_count": "click_count"},
        "ExpressionAttributeValues": to_item({":one": 1, ":null": "NULL", ":full_url": target.full_url}),
    }


def _was_sent_again(failed: ConditionFailed) -> bool:
    """Tell whether botocore had sent the write before, so that it may have met its own earlier self."""
    error = failed.__cause__
    return isinstance(error, ClientError) and error.response.get("ResponseMetadata", {}).get("RetryAttempts", 0) > 0


def _unless_there(key: str) -> dict[str, Any]:
    return {"ConditionExpression": "attribute_not_exists(#key)", "ExpressionAttributeNames": {"#key": key}}
