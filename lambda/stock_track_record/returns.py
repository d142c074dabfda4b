"""Work out how picks did: each one's return to date, and the figures of all of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from statistics import mean, median
from typing import Any

# Six digits after the point: a hundredth of a basis point.
PLACES = Decimal("0.000001")
_CONTEXT = Context(prec=50, rounding=ROUND_HALF_EVEN)


@dataclass(frozen=True, kw_only=True)
class Price:
    """What a stock cost on a day."""

    day: str
    amount: Decimal


@dataclass(frozen=True, kw_only=True)
class Pick:
    """What a channel recommended: to buy (`long`) or to bet against (`short`) a stock, on a day, at a price."""

    ticker: str
    direction: str
    day: str
    price: Decimal


def track_record(picks: Sequence[Pick], latest: Mapping[str, Price]) -> dict[str, Any]:
    """Make the track record from picks and the latest price of each stock.

    The same picks and prices, in whatever order, make the same record.
    """
    with localcontext(_CONTEXT):
        ordered = sorted(picks, key=lambda pick: (pick.day, pick.ticker))
        exact = [(pick, return_to_date(pick, latest.get(pick.ticker))) for pick in ordered]
        priced = [(pick, value) for pick, value in exact if value is not None]
        values = [value for _, value in priced]
        shown = {id(pick): _entry(pick, value, latest) for pick, value in exact}
        return {
            "count": len(ordered),
            "priced": len(priced),
            "hit_rate": _rounded(Decimal(sum(value > 0 for value in values)) / len(values)) if values else None,
            "mean_return": _rounded(mean(values)) if values else None,
            "median_return": _rounded(median(values)) if values else None,
            # Of several that did alike the oldest counts.
            "best_pick": shown[id(max(priced, key=lambda pair: pair[1])[0])] if priced else None,
            "worst_pick": shown[id(min(priced, key=lambda pair: pair[1])[0])] if priced else None,
            "picks": [shown[id(pick)] for pick in ordered],
        }


def return_to_date(pick: Pick, latest: Price | None) -> Decimal | None:
    """Say what a pick has gained, 0.1 being ten percent, or None while no price is as new as the pick."""
    if latest is None or latest.day < pick.day:
        return None
    gain = (latest.amount - pick.price) / pick.price
    return gain if pick.direction == "long" else -gain


def _entry(pick: Pick, value: Decimal | None, latest: Mapping[str, Price]) -> dict[str, Any]:
    price = latest[pick.ticker] if value is not None else None
    return {
        "ticker": pick.ticker,
        "direction": pick.direction,
        "date": pick.day,
        "price": pick.price,
        "latest_date": price.day if price else None,
        "latest_price": price.amount if price else None,
        "return_to_date": None if value is None else _rounded(value),
    }


def _rounded(value: Decimal) -> Decimal:
    # The sum takes the sign off a zero that was rounded from below.
    return value.quantize(PLACES) + 0
