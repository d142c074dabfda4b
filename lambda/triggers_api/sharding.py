"""Spread the inbox over partitions of the index, and read them as one inbox again."""

import hashlib
import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

PENDING = "pending"
ACKNOWLEDGED = "acknowledged"

Entry = TypeVar("Entry")


def shard_of(event_id: str, shards: int) -> int:
    """Choose the shard that an event is written to."""
    return int.from_bytes(hashlib.sha256(event_id.encode()).digest()[:8]) % shards


def stored_status(status: str, shard: int) -> str:
    """Write a status for the index: shard 0 is the bare word, shard 3 of pending is `pending#3`."""
    return f"{status}#{shard}" if shard else status


def public_status(stored: str) -> str:
    """Read the status that callers know."""
    return stored.partition("#")[0]


def acknowledged_like(stored_pending: str) -> str:
    """Keep an event in its shard when it is acknowledged."""
    return ACKNOWLEDGED + stored_pending.removeprefix(PENDING)


def query_size(limit: int, shards: int) -> int:
    """Say how many entries to ask one shard for: one more than a page, or about twice its part of the page.

    The hash spreads events evenly, so twice its part is nearly always enough, and a shard that has more than its part
    is simply asked again.
    """
    return min(limit + 1, 2 * -(-limit // shards) + 1)


def merge(shards: Mapping[int, Iterable[Entry]], created_at: Callable[[Entry], str]) -> Iterator[tuple[int, Entry]]:
    """Merge shards that are each oldest first into one stream, oldest first, reading each only as far as needed."""
    streams = [_with_shard(shard, entries) for shard, entries in shards.items()]
    return heapq.merge(*streams, key=lambda pair: created_at(pair[1]))


def _with_shard(shard: int, entries: Iterable[Entry]) -> Iterator[tuple[int, Entry]]:
    return ((shard, entry) for entry in entries)
