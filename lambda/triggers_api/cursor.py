"""Write the place where a page of the inbox ended, one position for each shard, and read it back."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from shared import cursor, times
from shared.cursor import MalformedCursorError
from triggers_api.event_ids import is_event_id
from triggers_api.settings import MAX_SHARDS


class Position(NamedTuple):
    """The last event of a shard that a caller has seen."""

    created_at: str
    event_id: str


def encode(positions: Mapping[int, Position]) -> str:
    """Write one position for each shard that has been read from."""
    return cursor.encode({str(shard): positions[shard] for shard in sorted(positions)})


def positions_of(decoded: Any) -> dict[int, Position]:
    """Check what a cursor holds; whatever passes is safe to give to DynamoDB as a key."""
    if not isinstance(decoded, dict):
        raise MalformedCursorError
    return {_shard(name): _position(value) for name, value in decoded.items()}


def _shard(name: str) -> int:
    if not re.fullmatch(r"0|[1-9][0-9]?", name) or int(name) >= MAX_SHARDS:
        raise MalformedCursorError
    return int(name)


def _position(value: object) -> Position:
    match value:
        case [str(created_at), str(event_id)] if re.fullmatch(
            times.PATTERN, created_at, flags=re.ASCII
        ) and is_event_id(event_id):
            return Position(created_at, event_id)
        case _:
            raise MalformedCursorError
