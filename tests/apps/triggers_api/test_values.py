"""The rules that need no request: cursors, sizes, times, shards and strict JSON."""

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from itertools import chain
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from shared import cursor as opaque
from shared.cursor import MAX_LENGTH, MalformedCursorError
from shared.strict_json import NotStrictJsonError, read_object, read_texts
from shared.times import timestamp
from tests.apps.triggers_api.support import Tables
from triggers_api import cursor, sharding
from triggers_api.cursor import Position
from triggers_api.item_size import MAX_ITEM_BYTES, item_size
from triggers_api.settings import MAX_SHARDS

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
moments = st.integers(0, 200_000_000_000_000_000).map(lambda passed: EPOCH + timedelta(microseconds=passed))
event_ids = st.from_regex(r"[A-Za-z0-9_-]{1,128}", fullmatch=True)
positions = st.dictionaries(
    st.integers(0, MAX_SHARDS - 1), st.builds(Position, moments.map(timestamp), event_ids), max_size=MAX_SHARDS
)


@given(positions)
def test_a_cursor_is_read_as_it_was_written(value: dict[int, Position]) -> None:
    text = cursor.encode(value)

    assert cursor.positions_of(opaque.decode(text)) == value
    assert set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


@given(st.text(max_size=200))
@example("W10")
def test_any_other_text_is_refused_and_nothing_worse(text: str) -> None:
    with suppress(MalformedCursorError):
        assert isinstance(cursor.positions_of(opaque.decode(text)), dict)


def test_the_longest_cursor_is_within_its_bound() -> None:
    longest = {shard: Position(timestamp(datetime.now(UTC)), "e" * 36) for shard in range(MAX_SHARDS)}

    assert len(cursor.encode(longest)) < MAX_LENGTH


@given(moments, moments)
def test_times_sort_as_texts_and_have_one_width(first: datetime, second: datetime) -> None:
    assert (timestamp(first) < timestamp(second)) == (first < second)
    assert len(timestamp(first)) == 27


def test_a_time_is_written_in_utc_with_its_microseconds() -> None:
    local = datetime(2026, 1, 31, 10, 0, 0, tzinfo=timezone(timedelta(hours=1)))

    assert timestamp(local) == "2026-01-31T09:00:00.000000Z"


@pytest.mark.parametrize(
    ("item", "size"),
    [
        ({}, 0),
        ({"a": ""}, 1),
        ({"event_id": "1234"}, 12),
        ({"é": "€"}, 5),
        ({"p": "😀"}, 5),
        ({"a": "b", "status": "pending"}, 15),
        ({"p": "x" * 409_599}, 409_600),
    ],
)
def test_an_item_takes_the_bytes_of_its_names_and_values(item: dict[str, str], size: int) -> None:
    assert item_size(item) == size


@settings(deadline=None, max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    attributes=st.dictionaries(
        st.text(alphabet="abcé€😀", min_size=1, max_size=8).filter(lambda name: name != "event_id"),
        st.text(alphabet="xé€😀", min_size=1, max_size=50),
        max_size=4,
    ),
    over=st.sampled_from([0, 1]),
)
def test_dynamodb_draws_the_line_where_we_do(
    dynamodb: Any, tables: Tables, attributes: dict[str, str], over: int
) -> None:
    item = attributes | {"event_id": "e", "created_at": "c", "pad": ""}
    item["pad"] = "x" * (MAX_ITEM_BYTES - item_size(item) + over)
    request = {"TableName": tables.events, "Item": {name: {"S": value} for name, value in item.items()}}

    if over:
        with pytest.raises(ClientError, match="Item size"):
            dynamodb.put_item(**request)
    else:
        dynamodb.put_item(**request)


@given(st.dictionaries(st.integers(0, 31), st.lists(st.integers(0, 50)), min_size=1))
def test_merged_shards_are_sorted_and_complete(shards: dict[int, list[int]]) -> None:
    oldest_first = {shard: sorted(values) for shard, values in shards.items()}

    merged = list(sharding.merge(oldest_first, created_at=lambda value: f"{value:02}"))

    assert [value for _, value in merged] == sorted(chain.from_iterable(shards.values()))
    assert {shard: [value for of, value in merged if of == shard] for shard in shards} == oldest_first


@given(st.lists(st.uuids(version=4).map(str), min_size=400, max_size=400, unique=True), st.integers(1, 8))
@settings(max_examples=10, suppress_health_check=[HealthCheck.large_base_example, HealthCheck.data_too_large])
def test_events_spread_over_all_shards(ids: list[str], shards: int) -> None:
    counts = [0] * shards
    for event_id in ids:
        counts[sharding.shard_of(event_id, shards)] += 1

    assert min(counts) > 0.3 * len(ids) / shards


@given(st.sampled_from([sharding.PENDING, sharding.ACKNOWLEDGED]), st.integers(0, 31))
def test_a_stored_status_tells_the_public_one(status: str, shard: int) -> None:
    assert sharding.public_status(sharding.stored_status(status, shard)) == status


@given(st.integers(0, 31))
def test_an_acknowledged_event_stays_in_its_shard(shard: int) -> None:
    pending = sharding.stored_status(sharding.PENDING, shard)

    assert sharding.acknowledged_like(pending) == sharding.stored_status(sharding.ACKNOWLEDGED, shard)


@given(st.integers(1, 100), st.integers(1, 32))
def test_all_shards_together_are_asked_for_more_than_a_page(limit: int, shards: int) -> None:
    assert sharding.query_size(limit, shards) * shards > limit
    assert sharding.query_size(limit, shards) <= limit + 1


def as_numbers_are_read(value: Any) -> Any:
    """All numbers read as 0."""
    match value:
        case bool():
            return value
        case int() | float():
            return 0
        case list():
            return [as_numbers_are_read(item) for item in value]
        case dict():
            return {name: as_numbers_are_read(item) for name, item in value.items()}
        case _:
            return value


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(), children, max_size=4),
    max_leaves=15,
)


@given(
    value=st.dictionaries(st.text(), json_values, max_size=5),
    indent=st.sampled_from([None, 0, 2, "\t"]),
    ascii_only=st.booleans(),
)
def test_an_object_is_read_in_parts_that_are_as_they_were_written(
    value: dict[str, Any], indent: int | str | None, *, ascii_only: bool
) -> None:
    body = json.dumps(value, indent=indent, ensure_ascii=ascii_only).encode()
    read = read_texts(body)

    assert read.values == as_numbers_are_read(value)
    assert read_object(body).texts == read.texts
    assert read_object(body).values == json.loads(body, parse_float=Decimal)
    assert {name: json.loads(text) for name, text in read.texts.items()} == value


@given(st.binary(max_size=60) | st.text(alphabet='{}[]":,.0123eE+-ntfu\\ aNI', max_size=40).map(str.encode))
@example(b'{"a":1,}')
@example(b'{"a" 1}')
@example(b"{,}")
@example(b'{"a":1,"a":1}')
@example(b'{"a":{"b":1,"b":1}}')
@example(b'{"a":1 "b":2}')
@example(b"\xef\xbb\xbf{}")
@example(b'{"a":1e1000000}')
def test_what_the_standard_library_refuses_is_refused_here(body: bytes) -> None:
    try:
        expected = json.loads(body.decode("utf-8"), parse_constant=lambda _: 1 / 0)
    except (ValueError, ZeroDivisionError):
        expected = None
    try:
        read = read_texts(body)
    except NotStrictJsonError as error:
        stricter = "surrogate" in str(error) or "same name" in str(error)
        assert stricter or not isinstance(expected, dict)
        with pytest.raises(NotStrictJsonError):
            read_object(body)
    else:
        assert read.values == as_numbers_are_read(expected)
        with suppress(NotStrictJsonError):
            # Only an exponent that nothing keeps is refused in addition.
            assert read_object(body).texts == read.texts


@pytest.mark.parametrize(("depth", "accepted"), [(1, True), (99, True), (100, False), (5_000, False), (300_000, False)])
def test_the_depth_is_bounded(depth: int, *, accepted: bool) -> None:
    body = b'{"a":' + b"[" * depth + b"]" * depth + b"}"

    if accepted:
        assert read_object(body).texts["a"] == "[" * depth + "]" * depth
    else:
        with pytest.raises(NotStrictJsonError, match="nested more than 100 levels"):
            read_object(body)
