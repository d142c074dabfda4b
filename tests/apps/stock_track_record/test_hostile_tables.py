"""Whatever the tables hold, every route responds, what fits is listed, and no error changes anything."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.ids import new_id
from shared.items import to_item
from stock_track_record import keys
from tests.apps.stock_track_record.support import Api, Hands
from tests.hostile import everything, hostile, snapshot

TIME = "2026-01-31T09:15:02.104233Z"
DAY = "2026-01-05"
INDEX_KEYS = frozenset({"pk", "sk", "gsi1pk", "gsi1sk"})
SLOW = settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def channel(channel_id: str) -> dict[str, Any]:
    return (
        keys.channel_key(channel_id)
        | keys.index_key(keys.CHANNELS, TIME, channel_id)
        | to_item(
            {
                "channel_id": channel_id,
                "created_at": TIME,
                "name": "n",
                "description": "d",
                "pick_count": 1,
                "job_count": 1,
            }
        )
    )


def job(channel_id: str, job_id: str) -> dict[str, Any]:
    return (
        keys.job_key(job_id)
        | keys.index_key(keys.jobs_of(channel_id), TIME, job_id)
        | to_item({"job_id": job_id, "channel_id": channel_id, "state": "queued", "created_at": TIME, "number": 1})
    )


def pick(channel_id: str) -> dict[str, Any]:
    return keys.pick_key(channel_id, DAY, "ACME") | to_item(
        {"ticker": "ACME", "direction": "long", "date": DAY, "price": 12}
    )


def record(channel_id: str, job_id: str) -> dict[str, Any]:
    return keys.record_key(channel_id) | to_item(
        {
            "channel_id": channel_id,
            "job_id": job_id,
            "number": 1,
            "computed_at": TIME,
            "count": 0,
            "priced": 0,
            "picks": [],
        }
    )


STOCK = to_item({"ticker": "ACME", "name": "Acme", "prices": {DAY: 1}, "latest_day": DAY, "latest_price": 1})
CHANNEL_ID, JOB_ID = new_id(), new_id()
ITEMS = st.tuples(
    hostile(channel(CHANNEL_ID), INDEX_KEYS),
    hostile(job(CHANNEL_ID, JOB_ID), INDEX_KEYS),
    hostile(pick(CHANNEL_ID), INDEX_KEYS),
    hostile(record(CHANNEL_ID, JOB_ID), INDEX_KEYS),
    hostile(STOCK, frozenset({"ticker"})),
)
ROUTES = (
    ("GET", f"/api/channels/{CHANNEL_ID}", None),
    ("GET", f"/api/channels/{CHANNEL_ID}/picks", None),
    ("GET", f"/api/channels/{CHANNEL_ID}/jobs", None),
    ("GET", f"/api/channels/{CHANNEL_ID}/track-record", None),
    ("GET", f"/api/jobs/{JOB_ID}", None),
    ("GET", "/api/stocks/ACME", None),
    (
        "POST",
        f"/api/channels/{CHANNEL_ID}/picks",
        '{"picks": [{"ticker": "B", "direction": "long", "date": "2026-01-06", "price": 2}]}',
    ),
    ("POST", f"/api/channels/{CHANNEL_ID}/process", None),
    ("PUT", "/api/stocks/ACME", '{"name": "Acme", "prices": [{"date": "2026-01-06", "price": 3}]}'),
)


@SLOW
@given(ITEMS)
def test_every_route_responds_and_an_error_changes_nothing(
    api: Api, dynamodb: Any, prefix: str, items: tuple[dict[str, Any], ...]
) -> None:
    tables = (prefix, f"{prefix}-Stocks")
    for item in everything(dynamodb, prefix):
        dynamodb.delete_item(TableName=prefix, Key={name: item[name] for name in ("pk", "sk")})
    *records, stock = items
    for item in records:
        dynamodb.put_item(TableName=prefix, Item=item)
    dynamodb.put_item(TableName=tables[1], Item=stock)
    mine = api.create("Fits")

    listed = [one["channel_id"] for one in api.get("/api/channels").json()["channels"]]
    assert mine in listed
    for method, path, body in ROUTES:
        before = snapshot(dynamodb, *tables)
        response = api.send(method, path, body=body)
        assert response.status < 500, (method, path, response)
        if response.status >= 400:
            assert snapshot(dynamodb, *tables) == before, (method, path, response)
    # A list and a single one agree.
    assert (CHANNEL_ID in listed) == (api.get(f"/api/channels/{CHANNEL_ID}").status == 200)


@SLOW
@given(ITEMS)
def test_a_worker_loses_no_message_to_an_odd_item(  # noqa: PLR0913, PLR0917 - an API, a worker and what they use
    api: Api, dynamodb: Any, prefix: str, make_worker: Any, queue: Any, items: tuple[dict[str, Any], ...]
) -> None:
    *records, stock = items
    for item in records:
        dynamodb.put_item(TableName=prefix, Item=item)
    dynamodb.put_item(TableName=f"{prefix}-Stocks", Item=stock)
    mine = api.create("Fits")
    asked = api.process(mine)
    hands: Hands = make_worker()

    assert hands(queue.bodies()[-1]) == []
    assert api.job(asked["job_id"])["state"] == "done"
