"""Keep the project's updates in DynamoDB, each with the list of those who have read it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools import Logger

from shared import cursor
from shared.api_errors import ApiError
from shared.cursor import MalformedCursorError
from shared.dynamodb import ConditionFailed, Item
from shared.ids import is_id, new_id
from shared.items import to_item
from shared.times import PATTERN, Clock, timestamp
from shared.waiting import AsyncDynamoDB, every_item_awaited
from turbotech_portal.models import Author, NewUpdate, Update, UpdateChanges, User
from turbotech_portal.tables import Table

NEWEST_INDEX = "FeedIndex"
# All updates stand in one partition of the index, which takes a thousand writes a second.
FEED = "project"
# With ids of 255 bytes the readers take 128 KB of the 400 KB that an item may have.
MAX_READERS = 500
# Without these an update is left out of lists; keys of the index cannot be asked for in a filter.
SHOWN = ("author", "message", "title")


@dataclass(frozen=True, kw_only=True)
class Page:
    """Some updates, newest first, and where to go on, None at the end."""

    updates: list[Update]
    next_cursor: str | None


class UpdateAdapter:
    """Create, read and mark updates."""

    def __init__(self, *, table: str, dynamodb: AsyncDynamoDB, clock: Clock, logger: Logger) -> None:
        self.table = Table(name=table, subject="update", shape=Update, dynamodb=dynamodb, logger=logger)
        self._clock = clock

    async def get_all(self) -> list[Update]:
        """Return every update, newest first."""
        return await self.table.all_of(every_item_awaited(self._query))

    async def page(self, *, limit: int, after: Item | None = None) -> Page:
        """Return up to `limit` updates after a place that `place_of` has read from a cursor."""
        start: dict[str, Any] = {} if after is None else {"ExclusiveStartKey": after}
        found: list[Update] = []
        # One more than is shown says whether there is a next page; DynamoDB ends a page of its own after 1 MB.
        while len(found) <= limit:
            answer = await self._query(Limit=limit + 1 - len(found), **start)
            found += [update for item in answer["Items"] if (update := self.table.fitting(item)) is not None]
            if "LastEvaluatedKey" not in answer:
                break
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}
        shown = found[:limit]
        more = len(found) > limit
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
        try:
            answer = await self.table.dynamodb.update_item(
                self.table.name,
                Key=to_item({"id": update_id}),
                UpdateExpression="SET #read_by = list_append(if_not_exists(#read_by, :nobody), :reader)",
                ConditionExpression=(
                    "attribute_exists(#id) AND NOT contains(#read_by, :user) "
                    "AND (attribute_not_exists(#read_by) OR size(#read_by) < :most)"
                ),
                ExpressionAttributeNames={"#id": "id", "#read_by": "read_by"},
                ExpressionAttributeValues=to_item(
                    {":nobody": [], ":reader": [user_id], ":user": user_id, ":most": MAX_READERS}
                ),
                ReturnValues="ALL_NEW",
            )
        except ConditionFailed:
            return await self._read_before(update_id, user_id)
        return self.table.whole(answer["Attributes"])

    async def count_unread(self, user_id: str) -> int:
        """Count the updates that a user has not read; DynamoDB counts, and sends only the number."""
        shown = " AND ".join(f"attribute_exists(#{name})" for name in SHOWN)
        read = partial(
            self._query,
            {":user": user_id},
            Select="COUNT",
            FilterExpression=f"NOT contains(#read_by, :user) AND {shown}",
            names={f"#{name}": name for name in ("read_by", *SHOWN)},
        )
        answer = await read()
        counted = int(answer["Count"])
        while "LastEvaluatedKey" in answer:
            answer = await read(ExclusiveStartKey=answer["LastEvaluatedKey"])
            counted += int(answer["Count"])
        return counted

    async def _read_before(self, update_id: str, user_id: str) -> Update:
        found = await self.get_by_id(update_id)
        if user_id in found.read_by:
            return found
        raise ApiError(
            HTTPStatus.CONFLICT,
            "too_many_readers",
            f"{MAX_READERS} users have marked this update as read, which is the most that are kept. "
            "Show it as read without marking it.",
        )

    async def _query(
        self, values: Mapping[str, Any] | None = None, *, names: Mapping[str, str] | None = None, **request: Any
    ) -> dict[str, Any]:
        return await self.table.dynamodb.query(
            self.table.name,
            IndexName=NEWEST_INDEX,
            KeyConditionExpression="#feed = :feed",
            ExpressionAttributeNames={"#feed": "feed", **(names or {})},
            ExpressionAttributeValues=to_item({":feed": FEED, **(values or {})}),
            ScanIndexForward=False,
            **request,
        )


def place_of(value: Any) -> Item:
    """Read where a page begins from what a cursor holds; one that nobody made is refused."""
    match value:
        case [str(created_at), str(update_id)] if re.fullmatch(PATTERN, created_at, flags=re.ASCII) and is_id(
            update_id
        ):
            return to_item({"feed": FEED, "created_at": created_at, "id": update_id})
        case _:
            raise MalformedCursorError
