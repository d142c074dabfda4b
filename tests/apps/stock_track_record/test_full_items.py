"""An item that has no room left stays as it is, whatever would make it grow, and callers are told."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shared.items import to_item
from stock_track_record import keys
from tests.apps.stock_track_record.support import PICK, Api, Hands
from tests.hostile import snapshot


def fill(client: Any, table: str, item: dict[str, Any]) -> None:
    """Make an item as large as one may be."""
    fits, too_many = 300 * 1024, 400 * 1024
    while too_many - fits > 1:
        middle = (fits + too_many) // 2
        try:
            client.put_item(TableName=table, Item={**item, "filler": {"S": "x" * middle}})
        except client.exceptions.ClientError:
            too_many = middle
        else:
            fits = middle
    client.put_item(TableName=table, Item={**item, "filler": {"S": "x" * fits}})


def stored(client: Any, table: str, key: dict[str, Any]) -> dict[str, Any]:
    item: dict[str, Any] = client.get_item(TableName=table, Key=key)["Item"]
    return item


@pytest.mark.parametrize(("count", "path"), [("job_count", "process"), ("pick_count", "picks")])
def test_a_full_channel_is_told_and_stays(api: Api, dynamodb: Any, prefix: str, count: str, path: str) -> None:
    channel_id = api.create()
    item = stored(dynamodb, prefix, keys.channel_key(channel_id))
    del item[count]
    fill(dynamodb, prefix, item)
    before = snapshot(dynamodb, prefix)

    response = api.post(f"/api/channels/{channel_id}/{path}", body=json.dumps({"picks": [PICK]}))

    assert (response.status, response.error_code) == (409, "item_full")
    assert snapshot(dynamodb, prefix) == before


def test_a_full_stock_is_told_and_stays(api: Api, dynamodb: Any, prefix: str) -> None:
    table = f"{prefix}-Stocks"
    fill(dynamodb, table, to_item({"ticker": "FULL", "name": "n", "prices": {"2026-01-05": 1}}))
    before = snapshot(dynamodb, table)

    response = api.price("FULL", _2026_01_06=2)

    assert (response.status, response.error_code) == (409, "item_full")
    assert snapshot(dynamodb, table) == before


def test_a_full_job_cannot_be_processed(
    api: Api, worker: Hands, dynamodb: Any, prefix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    job = api.process(api.create())
    fill(dynamodb, prefix, stored(dynamodb, prefix, keys.job_key(job["job_id"])))
    before = snapshot(dynamodb, prefix)

    assert worker() == ["message-0"]

    assert "has no room in its item" in capsys.readouterr().out
    assert snapshot(dynamodb, prefix) == before
