"""Read the inbox page by page, oldest first, and write each page as JSON."""

import json
from collections.abc import Iterator, Mapping
from functools import partial

from aws_lambda_powertools import Logger

from shared.dynamodb import DynamoDB, Item, items_in_steps
from shared.page_size import MAX_PAGE_BYTES, PageSize
from shared.stored import Reader, Stored, StoredJson, StoredTime
from triggers_api import cursor, sharding
from triggers_api.cursor import Position
from triggers_api.event_ids import StoredEventId
from triggers_api.settings import Settings

INDEX = "status-created_at-index"


class WaitingEvent(Stored):
    """An event as the table has it."""

    event_id: StoredEventId
    created_at: StoredTime
    status: str
    source: str
    event_type: str
    payload: StoredJson


class Inbox:
    """Read the events that wait, from all shards of the index."""

    def __init__(
        self, *, settings: Settings, dynamodb: DynamoDB, logger: Logger, max_page_bytes: int = MAX_PAGE_BYTES
    ) -> None:
        self._table = settings.events_table
        self._shards = settings.inbox_read_shards
        self._dynamodb = dynamodb
        self._max_page_bytes = max_page_bytes
        self._reader = Reader(WaitingEvent, table=self._table, key=("event_id", "created_at"), logger=logger)

    def page(self, *, after: Mapping[int, Position], limit: int) -> str:
        """Write the page that follows the given positions; it is shorter than `limit` when events are large."""
        size = sharding.query_size(limit, self._shards)
        streams = {shard: self._shard(shard, after.get(shard), size) for shard in range(self._shards)}
        positions = {shard: position for shard, position in after.items() if shard < self._shards}
        texts: list[str] = []
        page_size = PageSize(limit, max_bytes=self._max_page_bytes)
        for shard, item in sharding.merge(streams, created_at=lambda item: str(item["created_at"]["S"])):
            event = self._reader.find(item)
            if event is None:
                continue
            text = _event_json(event)
            if not page_size.takes(text):
                return _page_json(texts, cursor.encode(positions))
            texts.append(text)
            positions[shard] = Position(event.created_at, event.event_id)
        return _page_json(texts, None)

    def _shard(self, shard: int, after: Position | None, size: int) -> Iterator[Item]:
        status = {"S": sharding.stored_status(sharding.PENDING, shard)}
        query = partial(
            self._dynamodb.query,
            self._table,
            IndexName=INDEX,
            KeyConditionExpression="#status = :status",
            ExpressionAttributeNames={"#status": "status"},
            ExpressionAttributeValues={":status": status},
        )
        start = None
        if after is not None:
            start = {"status": status, "created_at": {"S": after.created_at}, "event_id": {"S": after.event_id}}
        return items_in_steps(query, size=size, start=start)


def _event_json(event: WaitingEvent) -> str:
    values = event.model_dump(exclude={"payload"}) | {"status": sharding.public_status(event.status)}
    # The payload is JSON already, and stays what its sender wrote: to read and write it again would round its numbers.
    return f'{json.dumps(values, ensure_ascii=False)[:-1]}, "payload": {event.payload}}}'


def _page_json(events: list[str], next_cursor: str | None) -> str:
    return f'{{"events": [{", ".join(events)}], "next_cursor": {json.dumps(next_cursor)}}}'
