"""Lists whose entries are large, or do not fit, come in few queries and in pages that Lambda can send."""

from __future__ import annotations

import json
from typing import Any

from shared.ids import new_id
from shared.items import to_item
from stock_track_record import keys
from tests.apps.stock_track_record.support import Api, MakeApi
from tests.unit.support import Recording

TIME = "2020-01-01T00:00:00.000000Z"


def store(client: Any, table: str, items: list[dict[str, Any]]) -> None:
    for start in range(0, len(items), 25):
        part = [{"PutRequest": {"Item": item}} for item in items[start : start + 25]]
        client.batch_write_item(RequestItems={table: part})


def test_items_that_do_not_fit_are_passed_over_a_hundred_at_once(make_api: MakeApi, dynamodb: Any, prefix: str) -> None:
    unfit = [keys.channel_key(one) | keys.index_key(keys.CHANNELS, TIME, one) for one in (new_id() for _ in range(320))]
    store(dynamodb, prefix, unfit)
    client = Recording(dynamodb)
    api = make_api(client=client)
    mine = api.create()

    response = api.get("/api/channels", query={"limit": ["1"]})

    assert [channel["channel_id"] for channel in response.json()["channels"]] == [mine]
    limits = [request["Limit"] for operation, request in client.requests if operation == "query"]
    assert limits == [2, 100, 100, 100, 100]


def test_large_entries_come_in_pages_that_lambda_can_send(api: Api, dynamodb: Any, prefix: str) -> None:
    channel_id = api.create()
    ids = [new_id() for _ in range(18)]
    text = '"' * 380_000
    for one in ids:
        job = {"job_id": one, "channel_id": channel_id, "state": "failed", "detail": text, "created_at": TIME}
        channel = {"channel_id": one, "name": "n", "description": text, "created_at": TIME}
        of_job = keys.job_key(one) | keys.index_key(keys.jobs_of(channel_id), TIME, one)
        of_channel = keys.channel_key(one) | keys.index_key(keys.CHANNELS, TIME, one)
        dynamodb.put_item(TableName=prefix, Item=of_job | to_item(job))
        dynamodb.put_item(TableName=prefix, Item=of_channel | to_item(channel))

    for path, name, key in (
        (f"/api/channels/{channel_id}/jobs", "jobs", "job_id"),
        ("/api/channels", "channels", "channel_id"),
    ):
        seen: list[str] = []
        query = {"limit": ["100"]}
        while True:
            response = api.get(path, query=query)
            assert len(json.dumps({"statusCode": 200, "body": response.body})) < 6 * 1024 * 1024
            seen += [entry[key] for entry in response.json()[name]]
            if response.json()["next_cursor"] is None:
                break
            query["cursor"] = [response.json()["next_cursor"]]
        assert sorted(set(seen) - {channel_id}) == sorted(ids)
