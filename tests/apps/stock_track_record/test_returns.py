"""How returns and the figures of all picks are worked out."""

import statistics
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stock_track_record.returns import Pick, Price, return_to_date, track_record

AMOUNTS = st.decimals(min_value=Decimal("0.000001"), max_value=Decimal(999_999_999), places=6)
DAYS = st.dates().map(lambda day: day.isoformat())
PICKS = st.lists(
    st.builds(
        Pick, ticker=st.sampled_from("ABCDE"), direction=st.sampled_from(["long", "short"]), day=DAYS, price=AMOUNTS
    ),
    max_size=12,
    unique_by=lambda pick: (pick.day, pick.ticker),
)
PRICES = st.dictionaries(st.sampled_from("ABCDE"), st.builds(Price, day=DAYS, amount=AMOUNTS))


def pick(ticker: str = "ACME", direction: str = "long", day: str = "2026-01-05", price: str = "10") -> Pick:
    return Pick(ticker=ticker, direction=direction, day=day, price=Decimal(price))


def price(amount: str, day: str = "2026-01-30") -> Price:
    return Price(day=day, amount=Decimal(amount))


@pytest.mark.parametrize(
    ("direction", "latest", "expected"),
    [("long", "12.5", "0.25"), ("long", "7.5", "-0.25"), ("short", "12.5", "-0.25"), ("short", "7.5", "0.25")],
)
def test_a_long_pick_wins_when_the_price_rises_and_a_short_one_when_it_falls(
    direction: str, latest: str, expected: str
) -> None:
    assert return_to_date(pick(direction=direction), price(latest)) == Decimal(expected)


def test_a_price_from_before_the_pick_says_nothing_about_it() -> None:
    assert return_to_date(pick(), price("12", day="2026-01-04")) is None
    assert return_to_date(pick(), price("12", day="2026-01-05")) == Decimal("0.2")
    assert return_to_date(pick(), None) is None


def test_the_figures_are_of_the_picks_that_have_a_price() -> None:
    picks = [pick("A"), pick("B", day="2026-01-06"), pick("C", "short"), pick("NONE"), pick("D")]
    latest = {"A": price("11"), "B": price("13"), "C": price("11"), "D": price("10")}

    record = track_record(picks, latest)

    assert {name: record[name] for name in ("count", "priced", "hit_rate", "mean_return", "median_return")} == {
        "count": 5,
        "priced": 4,
        # A pick that stands where it stood has gained nothing, so it is not a hit.
        "hit_rate": Decimal("0.5"),
        "mean_return": Decimal("0.075"),
        "median_return": Decimal("0.05"),
    }
    assert (record["best_pick"]["ticker"], record["worst_pick"]["ticker"]) == ("B", "C")
    assert [entry["ticker"] for entry in record["picks"]] == ["A", "C", "D", "NONE", "B"]
    assert record["picks"][3] == {
        "ticker": "NONE",
        "direction": "long",
        "date": "2026-01-05",
        "price": Decimal(10),
        "latest_date": None,
        "latest_price": None,
        "return_to_date": None,
    }


def test_without_picks_or_prices_there_are_no_figures() -> None:
    for record in (track_record([], {}), track_record([pick()], {})):
        names = ("hit_rate", "mean_return", "median_return", "best_pick", "worst_pick")
        assert {name: record[name] for name in names} == dict.fromkeys(names)
        assert record["priced"] == 0


def test_of_several_that_did_alike_the_oldest_is_the_best_and_the_worst() -> None:
    record = track_record([pick("B"), pick("A", day="2026-01-06"), pick("C")], dict.fromkeys("ABC", price("11")))

    assert record["best_pick"] == record["worst_pick"] == record["picks"][0]
    assert record["best_pick"]["ticker"] == "B"


@given(picks=PICKS, latest=PRICES, data=st.data())
def test_the_figures_agree_with_the_returns_of_the_picks(
    picks: list[Pick], latest: dict[str, Price], data: st.DataObject
) -> None:
    record = track_record(picks, latest)

    assert track_record(data.draw(st.permutations(picks)), latest) == record
    values = [entry["return_to_date"] for entry in record["picks"] if entry["return_to_date"] is not None]
    assert (record["count"], record["priced"]) == (len(picks), len(values))
    if values:
        small = Decimal("0.000002")
        assert record["best_pick"]["return_to_date"] == max(values)
        assert record["worst_pick"]["return_to_date"] == min(values)
        assert abs(record["mean_return"] - statistics.mean(values)) <= small
        assert abs(record["median_return"] - statistics.median(values)) <= small
        assert 0 <= record["hit_rate"] <= 1
    for entry in record["picks"]:
        amount = entry["return_to_date"]
        assert amount is None or amount == amount.quantize(Decimal("0.000001"))
