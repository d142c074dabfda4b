"""Stocks and their prices by day."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from aws_lambda_powertools import Logger

from shared.api_errors import Throttled
from shared.dynamodb import DynamoDB
from stock_track_record import stocks
from stock_track_record.models import DayPrice, NewPrices
from stock_track_record.returns import Price
from tests.apps.stock_track_record.support import Api, MakeApi
from tests.unit.support import Interrupting, Recording, Refusing, client_error

StoreOn = Callable[..., stocks.StockStore]


@pytest.fixture
def store_on(prefix: str, logger: Logger) -> StoreOn:
    def make(client: Any, sleep: Callable[[float], None] = lambda _: None) -> stocks.StockStore:
        return stocks.StockStore(
            table=f"{prefix}-Stocks", dynamodb=DynamoDB(client=client, logger=logger), logger=logger, sleep=sleep
        )

    return make


@pytest.fixture
def latest_of(dynamodb: Any, prefix: str) -> Callable[[str], Price]:
    """Read what a stock itself says of its latest price."""

    def read(ticker: str) -> Price:
        item = dynamodb.get_item(TableName=f"{prefix}-Stocks", Key={"ticker": {"S": ticker}})["Item"]
        return Price(day=item["latest_day"]["S"], amount=Decimal(item["latest_price"]["N"]))

    return read


def meanwhile(dynamodb: Any, other: Api, day: str) -> Any:
    """Let somebody else put a price of 2 between the first look at ACME and the write that follows from it."""
    body = json.dumps({"name": "Theirs", "prices": [{"date": day, "price": 2}]})
    return Interrupting(dynamodb, "update_item", lambda: other.send_concurrently("PUT", "/api/stocks/ACME", body=body))


def test_prices_are_kept_by_day_oldest_first(api: Api) -> None:
    response = api.price("ACME", _2026_01_06=11.25, _2026_01_05=10)

    assert response.status == 200
    assert response.json() == {
        "ticker": "ACME",
        "name": "ACME Inc.",
        "prices": [{"date": "2026-01-05", "price": 10}, {"date": "2026-01-06", "price": 11.25}],
    }
    assert api.get("/api/stocks/ACME").json() == response.json()


def test_a_second_put_sets_its_days_and_leaves_the_others(api: Api) -> None:
    api.price("ACME", _2026_01_05=10, _2026_01_06=11)

    response = api.put(
        "/api/stocks/ACME",
        body=json.dumps(
            {"name": "Acme", "prices": [{"date": "2026-01-06", "price": 12}, {"date": "2026-01-07", "price": 13}]}
        ),
    ).json()

    assert response["name"] == "Acme"
    assert [(price["date"], price["price"]) for price in response["prices"]] == [
        ("2026-01-05", 10),
        ("2026-01-06", 12),
        ("2026-01-07", 13),
    ]


def test_the_same_put_again_changes_nothing(api: Api) -> None:
    assert api.price("ACME", _2026_01_05=10).json() == api.price("ACME", _2026_01_05=10).json()


def test_as_many_days_as_are_taken_at_once_fit_into_one_update(api: Api) -> None:
    days = {f"_{2024 + day // 336}_{1 + day // 28 % 12:02}_{1 + day % 28:02}": 1 + day for day in range(250)}

    assert len(api.price("ACME", **days).json()["prices"]) == 250
    assert len(api.price("ACME", **days).json()["prices"]) == 250


def test_a_stock_has_a_limited_number_of_days(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stocks, "MAX_DAYS", 2)
    api.price("ACME", _2026_01_05=10)
    assert api.price("ACME", _2026_01_06=11).status == 200

    full = api.price("ACME", _2026_01_07=12)

    assert (full.status, full.error_code) == (409, "stock_full")
    assert len(api.get("/api/stocks/ACME").json()["prices"]) == 2


@pytest.mark.parametrize("days", [{"_2026_01_05": 10, "_2026_01_06": 11}, {"_2026_01_05": 99}, {"_2026_01_06": 99}])
def test_a_stock_that_is_full_takes_the_days_that_it_has(
    api: Api, monkeypatch: pytest.MonkeyPatch, days: dict[str, float]
) -> None:
    monkeypatch.setattr(stocks, "MAX_DAYS", 2)
    before = api.price("ACME", _2026_01_05=10, _2026_01_06=11).json()

    response = api.price("ACME", **days)

    assert response.status == 200, response
    changed = {day.strip("_").replace("_", "-"): price for day, price in days.items()}
    assert {price["date"]: price["price"] for price in response.json()["prices"]} == {
        price["date"]: price["price"] for price in before["prices"]
    } | changed
    assert api.price("ACME", **days, _2026_01_07=1).error_code == "stock_full"
    assert api.get("/api/stocks/ACME").json() == response.json()


def test_a_stock_that_grows_full_meanwhile_takes_no_more(
    make_api: MakeApi, dynamodb: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stocks, "MAX_DAYS", 2)
    other = make_api()
    other.price("ACME", _2026_01_05=1)

    response = make_api(client=meanwhile(dynamodb, other, "2026-01-06")).price("ACME", _2026_01_07=1)

    assert response.error_code == "stock_full"
    assert [price["date"] for price in other.get("/api/stocks/ACME").json()["prices"]] == ["2026-01-05", "2026-01-06"]


def test_a_stock_says_which_day_is_its_latest(api: Api, latest_of: Callable[[str], Price]) -> None:
    api.price("ACME", _2026_01_05=10, _2026_01_06=11.5, _2026_01_04=9)
    assert latest_of("ACME") == Price(day="2026-01-06", amount=Decimal("11.5"))
    # An older day comes later; the latest one is corrected; a newer one comes, beside an older one.
    api.price("ACME", _2026_01_01=1)
    assert latest_of("ACME") == Price(day="2026-01-06", amount=Decimal("11.5"))
    api.price("ACME", _2026_01_06=12)
    assert latest_of("ACME") == Price(day="2026-01-06", amount=Decimal(12))
    api.price("ACME", _2026_01_07=13, _2026_01_02=2)
    assert latest_of("ACME") == Price(day="2026-01-07", amount=Decimal(13))


def test_the_latest_price_is_found_without_all_the_others(api: Api, store_on: StoreOn, dynamodb: Any) -> None:
    api.price("ACME", _2026_01_05=10, _2026_01_06=11)
    recording = Recording(dynamodb)

    assert store_on(recording).latest(["ACME", "NONE"]) == {"ACME": Price(day="2026-01-06", amount=Decimal(11))}
    ((operation, request),) = recording.requests
    ((wanted),) = request["RequestItems"].values()
    assert operation == "batch_get_item"
    assert set(wanted["ExpressionAttributeNames"].values()) == {"ticker", "latest_day", "latest_price"}


def test_a_stock_that_does_not_say_its_latest_day_is_read_until_it_does(
    api: Api, latest_of: Callable[[str], Price], store_on: StoreOn, dynamodb: Any, prefix: str
) -> None:
    for ticker in ("ACME", "ZETA"):
        api.price(ticker, _2026_01_05=10, _2026_01_06=11)
    dynamodb.update_item(
        TableName=f"{prefix}-Stocks", Key={"ticker": {"S": "ACME"}}, UpdateExpression="REMOVE latest_day, latest_price"
    )
    both = dict.fromkeys(("ACME", "ZETA"), Price(day="2026-01-06", amount=Decimal(11)))
    assert store_on(dynamodb).latest(both) == both

    # A day that is older than its latest one.
    api.price("ACME", _2026_01_01=1)

    assert latest_of("ACME") == both["ACME"]


def test_a_latest_price_that_is_corrected_meanwhile_stays_corrected(
    make_api: MakeApi, latest_of: Callable[[str], Price], dynamodb: Any
) -> None:
    other = make_api()
    other.price("ACME", _2026_01_06=1)

    make_api(client=meanwhile(dynamodb, other, "2026-01-06")).price("ACME", _2026_01_05=1)

    assert latest_of("ACME") == Price(day="2026-01-06", amount=Decimal(2))


def test_a_stock_that_is_always_written_by_somebody_else_is_left_to_later(store_on: StoreOn, dynamodb: Any) -> None:
    waited: list[float] = []
    store = store_on(Refusing(dynamodb, client_error("ConditionalCheckFailedException"), "update_item"), waited.append)

    with pytest.raises(Throttled):
        store.put_prices("ACME", NewPrices(name="Acme", prices=[DayPrice(date="2026-01-05", price=Decimal(1))]))
    assert len(waited) == stocks.WRITE_ATTEMPTS
    assert waited == sorted(waited)


def test_a_stock_that_somebody_else_makes_meanwhile_gets_both_prices(make_api: MakeApi, dynamodb: Any) -> None:
    response = make_api(client=meanwhile(dynamodb, make_api(), "2026-01-06")).price("ACME", _2026_01_05=1)

    assert [price["date"] for price in response.json()["prices"]] == ["2026-01-05", "2026-01-06"]


def test_a_price_that_is_put_while_another_is_stays(make_api: MakeApi, dynamodb: Any) -> None:
    other = make_api()
    other.price("ACME", _2026_01_01=1)

    response = make_api(client=meanwhile(dynamodb, other, "2026-01-06")).price("ACME", _2026_01_05=1)

    assert [price["date"] for price in response.json()["prices"]] == ["2026-01-01", "2026-01-05", "2026-01-06"]


@pytest.mark.parametrize("ticker", ["ACME", "acme", "A" * 11, "1A", "A" * 3000, "Ä", "A B"])
def test_a_stock_that_is_not_there_is_not_found(api: Api, ticker: str) -> None:
    response = api.get(f"/api/stocks/{ticker}")

    assert (response.status, response.error_code) == (404, "not_found")


@pytest.mark.parametrize("ticker", ["acme", "A" * 11, "1A", "Ä", "A B", "-A"])
def test_a_ticker_that_cannot_be_one_takes_no_prices(api: Api, ticker: str) -> None:
    response = api.price(ticker, _2026_01_05=10)

    assert (response.status, response.error_code) == (422, "invalid_request")


def test_every_form_of_ticker_works(api: Api) -> None:
    for ticker in ("A", "BRK.B", "RDS-A", "ABCDEFGHIJ", "X1"):
        assert api.price(ticker, _2026_01_05=10).status == 200


def test_a_stock_that_does_not_fit_is_named_once_whoever_reads_it(
    api: Api, dynamodb: Any, prefix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    dynamodb.put_item(
        TableName=f"{prefix}-Stocks", Item={"ticker": {"S": "ACME"}, "name": {"S": "Acme"}, "prices": {"S": "12"}}
    )

    assert api.get("/api/stocks/ACME").status == 404
    assert api.price("ACME", _2026_01_05=10).error_code == "unreadable"
    assert capsys.readouterr().out.count("does not fit") == 1
