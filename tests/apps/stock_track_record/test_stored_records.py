"""A track record is shown where it is what the worker writes, and else there is none."""

from __future__ import annotations

import json
from decimal import Context, Decimal, localcontext
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.ids import new_id
from shared.logs import make_logger
from shared.stored import Reader
from stock_track_record import keys, models
from stock_track_record.stored_returns import StoredRecord, values
from tests.apps.stock_track_record.support import Api, Hands
from tests.hostile import VALUES

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
    ("latest_date", None),
    ("latest_price", {"NULL": True}),
]
CHANNEL = new_id()
PRICED = {
    "ticker": {"S": "ACME"},
    "direction": {"S": "long"},
    "date": {"S": "2026-01-05"},
    "price": {"N": "10"},
    "latest_date": {"S": "2026-01-30"},
    "latest_price": {"N": "12.5"},
    "return_to_date": {"N": "0.25"},
}
AMOUNTS = ("price", "latest_price", "return_to_date")
OPTIONAL = ("latest_date", "latest_price", "return_to_date")
# The digits of a number in any spelling that a program may have stored, also where DynamoDB does not tidy it.
SPELLINGS = st.from_regex(r"-?[0-9]{1,18}(\.[0-9]{1,8})?([eE][+-]?[0-9]{1,2})?", fullmatch=True)
EXACT = Context(prec=200)


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
        changed = {"M": {key: kept for key, kept in (first["M"] | {name: value}).items() if kept is not None}}
        wrong += [record | {"picks": {"L": [changed, *others]}}, record | {"best_pick": changed}]

    for item in wrong:
        kept = {name: value for name, value in item.items() if value is not None}
        dynamodb.put_item(TableName=prefix, Item=kept)
        response = api.get(f"/api/channels/{channel_id}/track-record")
        assert (response.status, response.error_code) == (404, "not_processed"), item
    assert "does not fit" in capsys.readouterr().out

    dynamodb.put_item(TableName=prefix, Item=record)
    assert api.record(channel_id)["count"] == 3


def shown(*picks: dict[str, Any]) -> list[dict[str, Any]] | None:
    """Read a record of these picks and return what callers get of them, None where no record is shown."""
    item = keys.record_key(CHANNEL) | {
        "channel_id": {"S": CHANNEL},
        "job_id": {"S": CHANNEL},
        "computed_at": {"S": "2026-01-31T09:15:02.104233Z"},
        "count": {"N": str(len(picks))},
        "priced": {"N": "0"},
        "picks": {"L": [{"M": pick} for pick in picks]},
    }
    logger = make_logger("stock_track_record", "ERROR")
    found = Reader(StoredRecord, table="t", key=("pk",), logger=logger, value=values).find(item)
    if found is None:
        return None
    record = models.TrackRecord.model_validate(found, from_attributes=True).model_dump_json()
    read: list[dict[str, Any]] = json.loads(record)["picks"]
    return read


def fits(name: str, digits: str) -> bool:
    """Tell by its value whether a number can be the one of a pick."""
    with localcontext(EXACT):
        number = Decimal(digits)
        whole = (number * 10**6) % 1 == 0
        return whole and (abs(number) < 10**16 if name == "return_to_date" else 0 < number < 10**9)


@given(name=st.sampled_from(AMOUNTS), digits=SPELLINGS)
def test_a_number_of_a_pick_is_read_by_its_value_however_it_is_spelled(name: str, digits: str) -> None:
    read = shown(PRICED | {name: {"N": digits}})

    assert (read is not None) == fits(name, digits)
    if read is not None:
        assert read[0][name] == float(Decimal(digits))


@given(name=st.sampled_from(sorted(PRICED)), value=VALUES)
def test_no_value_of_another_kind_is_shown_in_a_pick(name: str, value: dict[str, Any]) -> None:
    kind = next(iter(PRICED[name]))

    read = shown(PRICED, PRICED | {name: value})

    if kind not in value:
        assert read is None
    elif read is not None:
        shown_as = read[1][name]
        assert shown_as == (float(value["N"]) if kind == "N" else value["S"])
        assert name not in AMOUNTS or fits(name, value["N"])


def test_a_pick_without_a_price_as_new_has_null_for_all_three_figures() -> None:
    unpriced = {name: value for name, value in PRICED.items() if name not in OPTIONAL}
    nulls = {name: {"NULL": True} for name in OPTIONAL}

    for pick in (unpriced, unpriced | nulls):
        read = shown(PRICED, pick)
        assert read is not None
        assert [read[1][name] for name in OPTIONAL] == [None] * 3
    for name in OPTIONAL:
        assert shown(unpriced | nulls | {name: PRICED[name]}) is None
