"""Keep the project's updates in DynamoDB, each with the list of those who have read it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from itertools import takewhile
from typing import Any

from aws_lambda_powertools import Logger

from shared import cursor
from shared.api_errors import ApiError, Throttled
from shared.async_dynamodb import AsyncDynamoDB, every_item_awaited
from shared.cursor import MalformedCursorError
from shared.dynamodb import READ_AT_ONCE, ConditionFailed, Item
from shared.ids import is_id, new_id
from shared.items import to_item
from shared.page_size import PageSize
from shared.times import PATTERN, Clock, is_timestamp, timestamp
from turbotech_portal.models import Author, NewUpdate, Update, UpdateChanges, User
from turbotech_portal.stored import StoredUpdate
from turbotech_portal.tables import Table

NEWEST_INDEX = "FeedIndex"
# All updates stand in one partition of the index, which takes a thousand writes a second.
FEED = "project"
# With ids of 255 bytes the readers take 128 KB of the 400 KB that an item may have.
MAX_READERS = 500
# How often a mark looks again at an update that others change at the same moment.
ATTEMPTS = 5
# What `StoredUpdate` reads, as a filter: all but the forms of id and time, which come back to be looked at.
UNREAD = (
    "attribute_type(#title, :text) AND attribute_type(#message, :text) "
    "AND attribute_type(#author.#id, :text) AND attribute_type(#author.#name, :text) "
    "AND (attribute_not_exists(#read_by) OR attribute_type(#read_by, :null) "
    "OR (attribute_type(#read_by, :list) AND NOT contains(#read_by, :user)))"
)
UNREAD_NAMES = {f"#{name}": name for name in ("title", "message", "author", "id", "name", "read_by", "created_at")}
KINDS = {":text": {"S": "S"}, ":null": {"S": "NULL"}, ":list": {"S": "L"}}


@dataclass(frozen=True, kw_only=True)
class Page:
    """Some updates, newest first, and where to go on, None at the end."""

    updates: list[Update]
    next_cursor: str | None


class UpdateAdapter:
    """Create, read and mark updates."""

    def __init__(self, *, table: str, dynamodb: AsyncDynamoDB, clock: Clock, logger: Logger) -> None:
        self.table = Table(
            name=table, subject="update", shape=StoredUpdate, shown=Update, dynamodb=dynamodb, logger=logger
        )
        self._clock = clock

    async def get_all(self) -> list[Update]:
        """Return every update, newest first."""
        return await self.table.all_of(every_item_awaited(self._query))

    async def page(self, *, limit: int, after: Item | None = None) -> Page:
        """Return up to `limit` updates after a place that `place_of` has read from a cursor."""
        start: dict[str, Any] = {} if after is None else {"ExclusiveStartKey": after}
        found: list[Update] = []
        # One more than is shown says whether there is a next page; DynamoDB ends a page of its own after 1 MB.
        size = limit + 1
        while len(found) <= limit:
            response = await self._query(Limit=size, **start)
            found += [update for item in response["Items"] if (update := self.table.fitting(item)) is not None]
            if "LastEvaluatedKey" not in response:
                break
            size = READ_AT_ONCE
            start = {"ExclusiveStartKey": response["LastEvaluatedKey"]}
        # Scripts write longer updates than the portal takes, so fewer than `limit` may be what one response can carry.
        page_size = PageSize(limit)
        shown = list(takewhile(lambda update: page_size.takes(update.model_dump_json()), found))
        more = len(found) > len(shown)
        return Page(updates=shown, next_cursor=cursor.encode([shown[-1].created_at, shown[-1].id]) if more else None)

    async def get_by_id(self, update_id: str) -> Update:
        """Return an update, or refuse with 404; what cannot be an id of ours is not asked for."""
        if not is_id(update_id):
            raise self.table.not_found()
        return await self.table.get(update_id)

    async def update(self, update_id: str, changes: Mapping[str, Any]) -> Update:
        """Change the words of an update that is there."""
        return await self.table.change(update_id, UpdateChanges.model_validate(dict(changes)).values())

    async def create(self, new: NewUpdate, *, author: User) -> Update:
        """Store an update, which its author has read."""
        update = Update(
            id=new_id(),
            created_at=timestamp(self._clock()),
            author=Author(id=author.id, name=author.name),
            read_by=[author.id],
            **new.model_dump(),
        )
        # The id is new, so a request that botocore sends again writes the same item again.
        await self.table.dynamodb.put_item(self.table.name, Item=to_item({**update.model_dump(), "feed": FEED}))
        return update

    async def mark_read(self, update_id: str, user_id: str) -> Update:
        """Put a user on the list of readers once, whoever else does the same at this moment."""
        if not is_id(update_id):
            raise self.table.not_found()
        for _ in range(ATTEMPTS):
            there = await self.table.item(update_id)
            found = self.table.whole(there)
            if there is None or user_id in found.read_by:
                return found
            try:
                marked = await self._mark(there, user_id)
            except ConditionFailed:
                # Others have marked it or changed it meanwhile, or it is gone.
                continue
            return self.table.fitting(marked) or found.model_copy(update={"read_by": [*found.read_by, user_id]})
        raise Throttled

    async def _mark(self, there: Item, user_id: str) -> Item:
        """Add a reader to an update that was read, if its list of readers is still such a list, or still none."""
        readers = there.get("read_by", {}).get("L")
        if readers is not None and len(readers) >= MAX_READERS:
            raise too_many_readers()
        still = self.table.still_fits(there)
        if readers is None:
            change = "SET #read_by = :reader"
            condition = "(attribute_not_exists(#read_by) OR attribute_type(#read_by, :null))"
            values = {":null": KINDS[":null"]}
        else:
            change = "SET #read_by = list_append(#read_by, :reader)"
            condition = "attribute_type(#read_by, :list) AND NOT contains(#read_by, :user) AND size(#read_by) < :most"
            values = {":list": KINDS[":list"], **to_item({":user": user_id, ":most": MAX_READERS})}
        response = await self.table.dynamodb.update_item(
            self.table.name,
            Key={"id": there["id"]},
            UpdateExpression=change,
            ConditionExpression=f"{still.expression} AND {condition}",
            ExpressionAttributeNames=still.names | {"#read_by": "read_by"},
            ExpressionAttributeValues=still.values | values | to_item({":reader": [user_id]}),
            ReturnValues="ALL_NEW",
        )
        marked: Item = response["Attributes"]
        return marked

    async def count_unread(self, user_id: str) -> int:
        """Count the updates that lists show and that a user has not read; DynamoDB sends no more of them than keys."""
        read = partial(
            self._query,
            KINDS | to_item({":user": user_id}),
            FilterExpression=UNREAD,
            ProjectionExpression="#id, #created_at",
            names=UNREAD_NAMES,
        )
        unread = [item async for item in every_item_awaited(read) if place_fits(item)]
        return len(unread)

    async def _query(
        self, values: Mapping[str, Any] | None = None, *, names: Mapping[str, str] | None = None, **request: Any
    ) -> dict[str, Any]:
        return await self.table.dynamodb.query(
            self.table.name,
            IndexName=NEWEST_INDEX,
            KeyConditionExpression="#feed = :feed",
            ExpressionAttributeNames={"#feed": "feed", **(names or {})},
            ExpressionAttributeValues={":feed": {"S": FEED}, **(values or {})},
            ScanIndexForward=False,
            **request,
        )


def too_many_readers() -> ApiError:
    """Say that an update has no room for another reader."""
    return ApiError(
        HTTPStatus.CONFLICT,
        "too_many_readers",
        f"{MAX_READERS} users have marked this update as read, which is the most that are kept. "
        "Show it as read without marking it.",
    )


def place_fits(item: Item) -> bool:
    """Tell whether an entry of the index has an id and a time as `StoredUpdate` reads them."""
    return is_id(item["id"]["S"]) and is_timestamp(item["created_at"]["S"])


def place_of(value: Any) -> Item:
    """Read where a page begins from what a cursor holds; one that nobody made is refused."""
    match value:
        case [str(created_at), str(update_id)] if re.fullmatch(PATTERN, created_at, flags=re.ASCII) and is_id(
            update_id
        ):
            return to_item({"feed": FEED, "created_at": created_at, "id": update_id})
        case _:
            raise MalformedCursorError
