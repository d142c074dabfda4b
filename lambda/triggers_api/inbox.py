"""Read the inbox page by page, oldest first, and write each page as JSON."""

import json
from collections.abc import Iterator, Mapping
from functools import partial

from shared.dynamodb import DynamoDB, Item
from triggers_api import cursor, sharding
from triggers_api.cursor import Position
from triggers_api.settings import Settings

INDEX = "status-created_at-index"
# Lambda refuses an answer over 6 MB, in which the page is a JSON string inside of JSON.
MAX_PAGE_BYTES = 5 * 1024 * 1024


class Inbox:
    """Read the events that wait, from all shards of the index."""

    def __init__(self, *, settings: Settings, dynamodb: DynamoDB, max_page_bytes: int = MAX_PAGE_BYTES) -> None:
        self._table = settings.events_table
        self._shards = settings.inbox_read_shards
        self._dynamodb = dynamodb
        self._max_page_bytes = max_page_bytes

    def page(self, *, after: Mapping[int, Position], limit: int) -> str:
        """Write the page that follows the given positions; it is shorter than `limit` when events are large."""
        size = sharding.query_size(limit, self._shards)
        streams = {shard: self._shard(shard, after.get(shard), size) for shard in range(self._shards)}
        positions = {shard: position for shard, position in after.items() if shard < self._shards}
        texts: list[str] = []
        page_bytes = 0
        for shard, item in sharding.merge(streams, created_at=lambda item: str(item["created_at"]["S"])):
            text = _event_json(item)
            page_bytes += _bytes_in_answer(text)
            if texts and (len(texts) == limit or page_bytes > self._max_page_bytes):
                return _page_json(texts, cursor.encode(positions))
            texts.append(text)
            positions[shard] = Position(item["created_at"]["S"], item["event_id"]["S"])
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
            Limit=size,
        )
        start = None
        if after is not None:
            start = {"status": status, "created_at": {"S": after.created_at}, "event_id": {"S": after.event_id}}
        while True:
            answer = query(ExclusiveStartKey=start) if start else query()
            yield from answer["Items"]
            start = answer.get("LastEvaluatedKey")
            if not start:
                return


def _event_json(item: Item) -> str:
    event = {
        "event_id": item["event_id"]["S"],
        "created_at": item["created_at"]["S"],
        "status": sharding.public_status(item["status"]["S"]),
        "source": item["source"]["S"],
        "event_type": item["event_type"]["S"],
    }
    # The payload is JSON already, and stays what its sender wrote: to read and write it again would round its numbers.
    return f'{json.dumps(event, ensure_ascii=False)[:-1]}, "payload": {item["payload"]["S"]}}}'


def _bytes_in_answer(text: str) -> int:
    """Count an event as Lambda may send it in the worst case: escaped, and everything in ASCII."""
    return len(json.dumps(text)) + 1


def _page_json(events: list[str], next_cursor: str | None) -> str:
    return f'{{"events": [{", ".join(events)}], "next_cursor": {json.dumps(next_cursor)}}}'
