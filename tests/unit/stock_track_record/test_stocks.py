"""Stocks and their prices by day."""

import json
from typing import Any

import pytest

from stock_track_record import stocks
from tests.unit.stock_track_record.support import Api, MakeApi
from tests.unit.support import Interrupting


def test_prices_are_kept_by_day_oldest_first(api: Api) -> None:
    answer = api.price("ACME", _2026_01_06=11.25, _2026_01_05=10)

    assert answer.status == 200
    assert answer.json() == {
        "ticker": "ACME",
        "name": "ACME Inc.",
        "prices": [{"date": "2026-01-05", "price": 10}, {"date": "2026-01-06", "price": 11.25}],
    }
    assert api.get("/api/stocks/ACME").json() == answer.json()


def test_a_second_put_sets_its_days_and_leaves_the_others(api: Api) -> None:
    api.price("ACME", _2026_01_05=10, _2026_01_06=11)

    answer = api.put(
        "/api/stocks/ACME",
        body=json.dumps(
            {"name": "Acme", "prices": [{"date": "2026-01-06", "price": 12}, {"date": "2026-01-07", "price": 13}]}
        ),
    ).json()

    assert answer["name"] == "Acme"
    assert [(price["date"], price["price"]) for price in answer["prices"]] == [
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


def test_a_stock_that_somebody_else_makes_meanwhile_gets_both_prices(make_api: MakeApi, dynamodb: Any) -> None:
    other = make_api()

    class BeforeCreation:
        """Let another caller make the stock when the first update has found none."""

        updates = 0

        def __getattr__(self, operation: str) -> Any:
            def call(**request: Any) -> Any:
                if operation == "update_item":
                    self.updates += 1
                    if self.updates == 2:
                        other.send_aside(
                            "PUT",
                            "/api/stocks/ACME",
                            body=json.dumps({"name": "Theirs", "prices": [{"date": "2026-01-06", "price": 2}]}),
                        )
                return getattr(dynamodb, operation)(**request)

            return call

    answer = make_api(client=BeforeCreation()).price("ACME", _2026_01_05=1)

    assert [price["date"] for price in answer.json()["prices"]] == ["2026-01-05", "2026-01-06"]


def test_a_price_that_is_put_while_another_is_stays(make_api: MakeApi, dynamodb: Any) -> None:
    other = make_api()
    other.price("ACME", _2026_01_01=1)
    body = json.dumps({"name": "Theirs", "prices": [{"date": "2026-01-06", "price": 2}]})

    api = make_api(
        client=Interrupting(dynamodb, "update_item", lambda: other.send_aside("PUT", "/api/stocks/ACME", body=body))
    )
    answer = api.price("ACME", _2026_01_05=1)

    assert [price["date"] for price in answer.json()["prices"]] == ["2026-01-01", "2026-01-05", "2026-01-06"]


@pytest.mark.parametrize("ticker", ["ACME", "acme", "A" * 11, "1A", "A" * 3000, "Ä", "A B"])
def test_a_stock_that_is_not_there_is_not_found(api: Api, ticker: str) -> None:
    answer = api.get(f"/api/stocks/{ticker}")

    assert (answer.status, answer.error_code) == (404, "not_found")


@pytest.mark.parametrize("ticker", ["acme", "A" * 11, "1A", "Ä", "A B", "-A"])
def test_a_ticker_that_cannot_be_one_takes_no_prices(api: Api, ticker: str) -> None:
    answer = api.price(ticker, _2026_01_05=10)

    assert (answer.status, answer.error_code) == (422, "invalid_request")


def test_every_form_of_ticker_works(api: Api) -> None:
    for ticker in ("A", "BRK.B", "RDS-A", "ABCDEFGHIJ", "X1"):
        assert api.price(ticker, _2026_01_05=10).status == 200
