"""What channels and jobs are numbered by is read in one way, by what writes and by what reads."""

from __future__ import annotations

import json
from typing import Any

import pytest

from stock_track_record import keys
from tests.apps.stock_track_record.support import PICK, Api, Hands
from tests.hostile import snapshot

NO_COUNTS: list[dict[str, Any]] = [
    {"N": "-1"},
    {"N": "-0.5"},
    {"N": "-1e100"},
    {"N": "-1e38"},
    {"S": "1"},
    {"BOOL": True},
    {"L": []},
]
NO_NUMBERS: list[dict[str, Any] | None] = [
    {"N": "1e100"},
    {"N": "-1"},
    {"N": "0.5"},
    {"S": "1"},
    {"NULL": True},
    {"BOOL": True},
    None,
]


def set_attribute(client: Any, table: str, key: dict[str, Any], name: str, value: dict[str, Any] | None) -> None:
    values = {} if value is None else {"ExpressionAttributeValues": {":v": value}}
    client.update_item(
        TableName=table,
        Key=key,
        UpdateExpression="REMOVE #n" if value is None else "SET #n = :v",
        ExpressionAttributeNames={"#n": name},
        **values,
    )


@pytest.mark.parametrize(("name", "path"), [("job_count", "process"), ("pick_count", "picks")])
def test_a_channel_that_does_not_count_is_refused_named_and_left(  # noqa: PLR0913, PLR0917 - an API and its table
    api: Api, dynamodb: Any, prefix: str, name: str, path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    too_large: list[dict[str, Any]] = [{"N": "1e100"}, {"N": "1e38"}] if name == "job_count" else []
    for value in [*NO_COUNTS, *too_large]:
        channel_id = api.create()
        set_attribute(dynamodb, prefix, keys.channel_key(channel_id), name, value)
        before = snapshot(dynamodb, prefix)

        response = api.post(f"/api/channels/{channel_id}/{path}", body=json.dumps({"picks": [PICK]}))

        assert (response.status, response.error_code) == (409, "unreadable"), value
        assert snapshot(dynamodb, prefix) == before
        [line] = [line for line in capsys.readouterr().out.splitlines() if "does not fit" in line]
        assert channel_id in line
        assert name in line


def test_a_job_without_a_number_is_failed_for_callers_and_unprocessable_for_the_queue(
    api: Api, worker: Hands, dynamodb: Any, prefix: str
) -> None:
    for value in NO_NUMBERS:
        channel_id = api.create()
        job = api.process(channel_id)
        set_attribute(dynamodb, prefix, keys.job_key(job["job_id"]), "number", value)

        assert worker() == ["message-0"]

        shown = api.job(job["job_id"])
        assert shown["state"] == "failed", value
        assert "number" in shown["detail"]
        assert api.get(f"/api/channels/{channel_id}/jobs").json()["jobs"] == [shown]


def test_a_record_with_a_number_that_no_job_has_gives_way(
    api: Api, worker: Hands, dynamodb: Any, prefix: str, channel_id: str
) -> None:
    for value in ({"N": "1e100"}, {"N": "-1e100"}, {"S": "9"}):
        api.process(channel_id)
        assert worker() == []
        set_attribute(dynamodb, prefix, keys.record_key(channel_id), "number", value)
        job = api.process(channel_id)

        assert worker() == []

        assert api.record(channel_id)["job_id"] == job["job_id"], value
