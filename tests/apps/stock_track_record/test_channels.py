"""Channels and their picks."""

import asyncio
import json
from contextlib import nullcontext
from decimal import Decimal
from typing import Any

import pytest
from aws_lambda_powertools import Logger

from shared.api_errors import Throttled
from shared.dynamodb import DynamoDB
from stock_track_record import channels, keys
from stock_track_record.models import NewChannel, Pick
from tests.apps.stock_track_record.support import PICK, UNKNOWN, Api, Hands, MakeApi
from tests.unit.support import Clock, Interrupting, Refusing, client_error


def picks_on(days: int, ticker: str = "ACME") -> list[dict[str, Any]]:
    return [PICK | {"ticker": ticker, "date": f"2025-{1 + day // 28:02}-{1 + day % 28:02}"} for day in range(days)]


def test_a_channel_comes_back_as_it_was_written(api: Api) -> None:
    response = api.post("/api/channels", body=json.dumps({"name": "Früh & spät ☀", "description": "Two\nlines"}))

    assert response.status == 201
    channel = response.json()
    assert channel == {
        "channel_id": channel["channel_id"],
        "name": "Früh & spät ☀",
        "description": "Two\nlines",
        "created_at": "2026-01-31T09:15:03.104233Z",
    }
    assert api.get(f"/api/channels/{channel['channel_id']}").json() == channel


def test_channels_are_listed_page_by_page_oldest_first(api: Api) -> None:
    created = [api.create(f"Channel {number}") for number in range(5)]
    seen: list[str] = []
    cursor: str | None = None
    pages = 0
    while True:
        query = {"limit": ["2"]} | ({"cursor": [cursor]} if cursor else {})
        page = api.get("/api/channels", query=query).json()
        seen += [channel["channel_id"] for channel in page["channels"]]
        pages += 1
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert (seen, pages) == (created, 3)


def test_the_last_page_says_so_even_when_it_is_full(api: Api) -> None:
    for number in range(4):
        api.create(f"Channel {number}")

    first = api.get("/api/channels", query={"limit": ["2"]}).json()
    second = api.get("/api/channels", query={"limit": ["2"], "cursor": [first["next_cursor"]]}).json()

    assert len(second["channels"]) == 2
    assert second["next_cursor"] is None


def test_a_channel_that_botocore_sent_twice_is_one(make_api: MakeApi, dynamodb: Any) -> None:
    class Twice:
        def __getattr__(self, operation: str) -> Any:
            def call(**request: Any) -> Any:
                if operation == "put_item":
                    dynamodb.put_item(**request)
                return getattr(dynamodb, operation)(**request)

            return call

    api = make_api(client=Twice())
    channel_id = api.create()

    assert [channel["channel_id"] for channel in api.get("/api/channels").json()["channels"]] == [channel_id]


def test_a_channel_whose_id_is_there_comes_back_as_it_is_stored(
    dynamodb: Any, prefix: str, logger: Logger, clock: Clock
) -> None:
    store = channels.ChannelStore(
        table=prefix, dynamodb=DynamoDB(client=dynamodb, logger=logger), clock=clock, logger=logger
    )
    first = store.create(NewChannel(name="First"), channel_id=UNKNOWN)

    assert store.create(NewChannel(name="Second"), channel_id=UNKNOWN) == first == store.read(UNKNOWN)


def test_picks_are_listed_by_day_and_ticker(api: Api) -> None:
    channel_id = api.create()
    later, other, first = PICK | {"date": "2026-01-06"}, PICK | {"ticker": "ZETA"}, PICK

    assert api.add(channel_id, later).status == 201
    assert api.add(channel_id, other, first).json() == {"picks": [other | {"price": 10}, first]}
    page = api.get(f"/api/channels/{channel_id}/picks", query={"limit": ["2"]}).json()
    rest = api.get(f"/api/channels/{channel_id}/picks", query={"cursor": [page["next_cursor"]]}).json()

    assert page["picks"] == [first, other]
    assert rest == {"picks": [later], "next_cursor": None}


@pytest.mark.parametrize("price", [0.1, 12.5, 0.000001, 999999999, 123456789.123456, 1e3, 100])
def test_a_price_comes_back_exactly(api: Api, price: float) -> None:
    channel_id = api.create()
    api.add(channel_id, PICK | {"price": price})

    assert api.get(f"/api/channels/{channel_id}/picks").json()["picks"][0]["price"] == price


def test_a_pick_that_is_there_keeps_all_of_them_out(api: Api) -> None:
    channel_id = api.create()
    api.add(channel_id, PICK)

    response = api.add(channel_id, PICK | {"ticker": "NEW"}, PICK | {"direction": "short"})

    assert (response.status, response.error_code) == (409, "pick_exists")
    assert "ACME on 2026-01-05" in response.json()["error"]["message"]
    assert api.get(f"/api/channels/{channel_id}/picks").json()["picks"] == [PICK]


def test_a_channel_takes_a_limited_number_of_picks(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channels, "MAX_PICKS", 60)
    channel_id = api.create()
    assert api.add(channel_id, *picks_on(50)).status == 201

    full = api.add(channel_id, *picks_on(11, "ZETA"))

    assert (full.status, full.error_code) == (409, "channel_full")
    assert api.add(channel_id, *picks_on(10, "ZETA")).status == 201


def test_a_refused_pick_does_not_count(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channels, "MAX_PICKS", 2)
    channel_id = api.create()
    api.add(channel_id, PICK)

    assert api.add(channel_id, PICK).error_code == "pick_exists"
    assert api.add(channel_id, PICK | {"ticker": "ZETA"}).status == 201


@pytest.mark.parametrize("times", [2, 99])
def test_somebody_else_at_the_same_moment_is_waited_for(
    dynamodb: Any, prefix: str, logger: Logger, clock: Clock, times: int
) -> None:
    waited: list[float] = []

    async def wait(seconds: float) -> None:
        waited.append(seconds)

    conflict = client_error("TransactionCanceledException", reasons=["TransactionConflict", "None"])
    client = Refusing(dynamodb, conflict, "transact_write_items", times=times)
    store = channels.ChannelStore(
        table=prefix, dynamodb=DynamoDB(client=client, logger=logger), clock=clock, logger=logger, sleep=wait
    )
    channel_id = store.create(NewChannel(name="Sample channel")).channel_id
    adding = store.add_picks(channel_id, [Pick(ticker="ACME", direction="long", date="2026-01-05", price=Decimal(1))])

    with nullcontext() if times == 2 else pytest.raises(Throttled):
        asyncio.run(adding)
    assert len(waited) == min(times, channels.ATTEMPTS)
    assert waited == sorted(waited)


def test_picks_for_a_channel_that_is_deleted_meanwhile_are_refused(
    make_api: MakeApi, dynamodb: Any, prefix: str
) -> None:
    channel_id = make_api().create()

    def delete() -> None:
        key = {"pk": {"S": f"CHANNEL#{channel_id}"}, "sk": {"S": "CHANNEL"}}
        dynamodb.delete_item(TableName=prefix, Key=key)

    response = make_api(client=Interrupting(dynamodb, "transact_write_items", delete)).add(channel_id, PICK)

    assert (response.status, response.error_code) == (404, "not_found")


@pytest.mark.parametrize("channel_id", [UNKNOWN, "x", "7F3D9F0E-5C1B-4C7E-9D53-0A4A1F4C2B11", "a" * 3000, "ä", "%00"])
@pytest.mark.parametrize(
    ("method", "rest"),
    [
        ("GET", ""),
        ("GET", "/picks"),
        ("POST", "/picks"),
        ("POST", "/process"),
        ("GET", "/jobs"),
        ("GET", "/track-record"),
    ],
)
def test_a_channel_that_is_not_there_is_not_found(api: Api, channel_id: str, method: str, rest: str) -> None:
    response = api.send(method, f"/api/channels/{channel_id}{rest}", body=json.dumps({"picks": [PICK]}))

    assert (response.status, response.error_code) == (404, "not_found")
    assert api.queue.sent == []


def test_texts_of_before_there_was_a_rule_are_shown_without_what_nobody_sees(
    api: Api, dynamodb: Any, prefix: str
) -> None:
    channel_id = api.create()
    api.price("ACME", _2026_01_05=1)
    for table, key in (
        (prefix, {"pk": {"S": f"CHANNEL#{channel_id}"}, "sk": {"S": "CHANNEL"}}),
        (f"{prefix}-Stocks", {"ticker": {"S": "ACME"}}),
    ):
        dynamodb.update_item(
            TableName=table,
            Key=key,
            UpdateExpression="SET #n = :n, description = :d",
            ExpressionAttributeNames={"#n": "name"},
            ExpressionAttributeValues={":n": {"S": "a\u202eb\u2800\n"}, ":d": {"S": "one\u200b\ntwo"}},
        )

    [listed] = api.get("/api/channels").json()["channels"]
    assert (listed["name"], listed["description"]) == ("ab", "one\ntwo")
    assert api.get(f"/api/channels/{channel_id}").json() == listed
    assert api.get("/api/stocks/ACME").json()["name"] == "ab"


def test_what_belongs_to_a_channel_that_does_not_fit_is_shown_all_the_same(
    api: Api, worker: Hands, dynamodb: Any, prefix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    channel_id = api.create()
    path = f"/api/channels/{channel_id}"
    dynamodb.update_item(
        TableName=prefix,
        Key=keys.channel_key(channel_id),
        UpdateExpression="SET #name = :number",
        ExpressionAttributeNames={"#name": "name"},
        ExpressionAttributeValues={":number": {"N": "1"}},
    )

    assert api.add(channel_id, PICK).status == 201
    job = api.process(channel_id)
    assert worker() == []

    assert (api.get(path).status, api.get("/api/channels").json()["channels"]) == (404, [])
    assert len(api.get(f"{path}/picks").json()["picks"]) == 1
    assert [one["job_id"] for one in api.get(f"{path}/jobs").json()["jobs"]] == [job["job_id"]]
    assert api.record(channel_id)["count"] == 1
    assert capsys.readouterr().out.count("does not fit") == 1
