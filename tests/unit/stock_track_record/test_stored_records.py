"""A track record is shown where it is what the worker writes, and else there is none."""

from __future__ import annotations

from typing import Any

import pytest

from shared.ids import new_id
from stock_track_record import keys
from tests.unit.stock_track_record.support import Api, Hands

NAMELESS = "\u202e"
WRONG: list[tuple[str, Any]] = [
    ("channel_id", {"S": new_id()}),
    ("job_id", {"S": "j"}),
    ("computed_at", {"S": "2026-01-31T09:15:02.104233Z" + NAMELESS}),
    ("computed_at", {"S": NAMELESS}),
    ("count", {"S": "3"}),
    ("count", {"BOOL": True}),
    ("count", {"N": "-1"}),
    ("count", {"N": "4"}),
    ("count", {"N": "1e100"}),
    ("priced", {"N": "4"}),
    ("priced", {"BOOL": True}),
    ("hit_rate", {"S": "0.5"}),
    ("hit_rate", {"BOOL": True}),
    ("hit_rate", {"N": "0.1234567"}),
    ("mean_return", {"N": "1e100"}),
    ("best_pick", {"S": "{}"}),
    ("picks", {"M": {}}),
    ("picks", None),
]
WRONG_IN_A_PICK: list[tuple[str, Any]] = [
    ("price", {"S": "12"}),
    ("price", {"BOOL": True}),
    ("price", {"N": "0"}),
    ("ticker", {"S": "ACME\n"}),
    ("direction", {"S": "up"}),
    ("date", {"S": "2026-02-30"}),
    ("latest_date", {"S": "junk" + NAMELESS}),
    ("latest_price", {"S": "12"}),
    ("return_to_date", {"S": "0.5"}),
]


@pytest.fixture
def record(api: Api, worker: Hands, dynamodb: Any, prefix: str, channel_id: str) -> dict[str, Any]:
    """A track record as the worker has written it."""
    api.process(channel_id)
    assert worker() == []
    assert api.record(channel_id)["count"] == 3
    item: dict[str, Any] = dynamodb.get_item(TableName=prefix, Key=keys.record_key(channel_id))["Item"]
    return item


def test_a_record_with_what_the_worker_never_writes_is_not_shown_and_is_named(
    api: Api, dynamodb: Any, prefix: str, record: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    channel_id = record["channel_id"]["S"]
    wrong = [record | {name: value} for name, value in WRONG]
    for name, value in WRONG_IN_A_PICK:
        first, *others = record["picks"]["L"]
        changed = {"M": first["M"] | {name: value}}
        wrong += [record | {"picks": {"L": [changed, *others]}}, record | {"best_pick": changed}]

    for item in wrong:
        kept = {name: value for name, value in item.items() if value is not None}
        dynamodb.put_item(TableName=prefix, Item=kept)
        answer = api.get(f"/api/channels/{channel_id}/track-record")
        assert (answer.status, answer.error_code) == (404, "not_processed"), item
    assert "does not fit" in capsys.readouterr().out

    dynamodb.put_item(TableName=prefix, Item=record)
    assert api.record(channel_id)["count"] == 3
