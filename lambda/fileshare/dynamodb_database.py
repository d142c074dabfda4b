"""Keep users and links in DynamoDB: conditions and transactions decide between requests at the same moment."""

from typing import Any

from botocore.exceptions import ClientError

from fileshare.database import CodeTaken, EmailTaken, Page
from fileshare.records import FREE, TRIAL, Link, User, values_of
from fileshare.settings import Tables
from fileshare.stored import link_of, user_of
from shared.api_errors import Throttled
from shared.dynamodb import CONDITION_FAILED, CONFLICT, ConditionFailed, Item, TransactionCanceled
from shared.items import from_item, to_item
from shared.waiting import AsyncDynamoDB

EMAIL_INDEX = "email-index"
USER_INDEX = "user-index"
# A page of a user who has many expired links, which DynamoDB has not swept yet, ends early.
QUERIES_A_PAGE = 10


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


def read_user(item: Item) -> User:
    """Read a user, also one that other code wrote without all of its attributes."""
    return user_of(from_item(item))


def read_link(item: Item) -> Link:
    """Read a link, also one that other code wrote without all of its attributes."""
    return link_of(from_item(item))


class DynamoDBDatabase:
    """The database interface over two tables."""

    def __init__(self, *, dynamodb: AsyncDynamoDB, tables: Tables) -> None:
        self._dynamodb = dynamodb
        self._users = tables.users
        self._urls = tables.urls

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

    async def user(self, user_id: str) -> User | None:
        """Find a user as last written."""
        answer = await self._dynamodb.get_item(self._users, Key={"user_id": {"S": user_id}}, ConsistentRead=True)
        return read_user(answer["Item"]) if "Item" in answer else None

    async def start_trial(self, user_id: str, *, started_at: str, expires_at: str) -> User | None:
        """Start the trial under the condition that none ever was.

        A write that botocore sent again after a lost answer has met itself: then the trial that runs is this one.
        """
        names = ("user_id", "user_tier", "trial_used", "trial_started_at", "trial_expires_at", "updated_at")
        try:
            answer = await self._dynamodb.update_item(
                self._users,
                Key={"user_id": {"S": user_id}},
                UpdateExpression="SET #user_tier = :trial, #trial_used = :yes, #trial_started_at = :start, "
                "#trial_expires_at = :end, #updated_at = :start",
                ConditionExpression="attribute_exists(#user_id) AND (attribute_not_exists(#trial_used) "
                "OR #trial_used = :no) AND (attribute_not_exists(#user_tier) OR #user_tier = :free)",
                ExpressionAttributeNames={f"#{name}": name for name in names},
                ExpressionAttributeValues=to_item(
                    {
                        ":trial": TRIAL,
                        ":free": FREE,
                        ":yes": True,
                        ":no": False,
                        ":start": started_at,
                        ":end": expires_at,
                    }
                ),
                ReturnValues="ALL_NEW",
            )
        except ConditionFailed as failed:
            user = await self.user(user_id) if _was_sent_again(failed) else None
            return user if user is not None and user.trial_started_at == started_at else None
        return read_user(answer["Attributes"])

    async def create_link(self, link: Link) -> None:
        """Store a link unless its code is taken."""
        try:
            await self._dynamodb.put_item(self._urls, Item=link_item(link), **_unless_there("short_code"))
        except ConditionFailed:
            # An answer that got lost makes botocore ask again: then the link that is there is ours.
            if await self.link(link.short_code) != link:
                raise CodeTaken from None

    async def link(self, short_code: str) -> Link | None:
        """Find a link as last written."""
        answer = await self._dynamodb.get_item(self._urls, Key={"short_code": {"S": short_code}}, ConsistentRead=True)
        return read_link(answer["Item"]) if "Item" in answer else None

    async def follow(self, short_code: str, *, now: str) -> Link | None:
        """Look at the link, then add the click if it still leads there.

        Conditions cannot check a target, or read all the forms of a time. The database adds, so no click is lost.
        """
        link = await self.link(short_code)
        if link is None or not link.may_be_followed(now):
            return None
        try:
            answer = await self._dynamodb.update_item(
                self._urls,
                Key={"short_code": {"S": short_code}},
                UpdateExpression="ADD #click_count :one",
                ConditionExpression="#full_url = :full_url",
                ExpressionAttributeNames={"#full_url": "full_url", "#click_count": "click_count"},
                ExpressionAttributeValues={":one": {"N": "1"}, ":full_url": {"S": link.full_url}},
                ReturnValues="ALL_NEW",
            )
        except ConditionFailed:
            return None
        return read_link(answer["Attributes"])

    async def links_of(self, user_id: str, *, after: str | None, limit: int, now: str) -> Page:
        """Ask the index until the page is full, since expired links fall out of what it gives."""
        links: list[Link] = []
        for _ in range(QUERIES_A_PAGE):
            answer = await self._dynamodb.query(self._urls, **_links_after(user_id, after, limit - len(links)))
            links += [link for link in map(read_link, answer["Items"]) if not link.has_expired(now)]
            last = answer.get("LastEvaluatedKey")
            after = last["short_code"]["S"] if last else None
            if after is None or len(links) == limit:
                break
        return Page(links=links, after=after)

    async def delete_link(self, short_code: str, *, owner: str) -> bool:
        """Delete a link under the condition that it is the owner's.

        A delete that botocore sent again after a lost answer finds nothing any more: it has deleted the link itself.
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


def _was_sent_again(failed: ConditionFailed) -> bool:
    """Tell whether botocore had sent the write before, so that it may have met its own earlier self."""
    error = failed.__cause__
    return isinstance(error, ClientError) and error.response.get("ResponseMetadata", {}).get("RetryAttempts", 0) > 0


def _unless_there(key: str) -> dict[str, Any]:
    return {"ConditionExpression": "attribute_not_exists(#key)", "ExpressionAttributeNames": {"#key": key}}
