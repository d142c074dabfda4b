"""Keep stocks and their prices by day in DynamoDB."""

import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from http import HTTPStatus
from typing import Any

from shared.api_errors import ApiError, Throttled
from shared.dynamodb import ConditionFailed, DynamoDB, Item
from shared.items import from_item, to_item
from stock_track_record import keys, models
from stock_track_record.returns import Price

# Sixteen years of trading days: an item may have 400 KB, and the worker reads the whole of it.
MAX_DAYS = 4000
# A hundred items is the most that DynamoDB takes at once; so few stay well under its 16 MB.
BATCH = 25
ATTEMPTS = 5


class StockStore:
    """Store prices, and find the latest ones."""

    def __init__(self, *, table: str, dynamodb: DynamoDB, sleep: Callable[[float], None] = time.sleep) -> None:
        self._table = table
        self._dynamodb = dynamodb
        self._sleep = sleep

    def put_prices(self, ticker: str, new: models.NewPrices) -> None:
        """Set the days that are named and leave all others as they are; a stock that is new is made."""
        for _ in range(ATTEMPTS):
            if self._add_days(ticker, new) or self._create(ticker, new):
                return
            self._refuse_too_many(ticker, new)
            # The stock has just been made by somebody else.
        raise Throttled

    def read(self, ticker: str) -> models.Stock:
        """Read a stock, or say that there is none."""
        if keys.is_ticker(ticker):
            found = self._dynamodb.get_item(self._table, Key=_key(ticker), ConsistentRead=True)
            if "Item" in found:
                stock = from_item(found["Item"])
                days = sorted(stock["prices"].items())
                return models.Stock(
                    ticker=ticker,
                    name=stock["name"],
                    prices=[models.DayPrice(date=day, price=price) for day, price in days],
                )
        raise ApiError(HTTPStatus.NOT_FOUND, "not_found", "There is no stock with this ticker. PUT its prices first.")

    def latest(self, tickers: Iterable[str]) -> dict[str, Price]:
        """Find the latest price of each stock; what is unknown or has no price is left out."""
        wanted = sorted(set(tickers))
        found: dict[str, Price] = {}
        for start in range(0, len(wanted), BATCH):
            for item in self._items(wanted[start : start + BATCH]):
                prices = from_item(item)["prices"]
                if prices:
                    day = max(prices)
                    found[item["ticker"]["S"]] = Price(day=day, amount=prices[day])
        return found

    def _items(self, tickers: Sequence[str]) -> Iterator[Item]:
        request: dict[str, Any] = {
            "Keys": [_key(ticker) for ticker in tickers],
            "ConsistentRead": True,
            "ProjectionExpression": "#ticker, #prices",
            "ExpressionAttributeNames": {"#ticker": "ticker", "#prices": "prices"},
        }
        for attempt in range(ATTEMPTS):
            answer = self._dynamodb.batch_get_item(self._table, **request)
            yield from answer["Responses"].get(self._table, [])
            left = answer.get("UnprocessedKeys", {}).get(self._table)
            if not left:
                return
            request["Keys"] = left["Keys"]
            self._sleep(random.uniform(0.5, 1) * 0.1 * 2**attempt)  # noqa: S311 - only spreads the retries
        raise Throttled

    def _add_days(self, ticker: str, new: models.NewPrices) -> bool:
        # Short names, because an expression may have 4 KB.
        days = {f"#{number}": price.date for number, price in enumerate(new.prices)}
        amounts = {f":{number}": price.price for number, price in enumerate(new.prices)}
        sets = [f"#p.{day}={amount}" for day, amount in zip(days, amounts, strict=True)]
        return self._update(
            ticker,
            UpdateExpression=f"SET #n=:n,{','.join(sets)}",
            ConditionExpression="attribute_exists(#t) AND size(#p) <= :room",
            ExpressionAttributeNames={"#t": "ticker", "#n": "name", "#p": "prices", **days},
            ExpressionAttributeValues=to_item({":n": new.name, ":room": MAX_DAYS - len(days), **amounts}),
        )

    def _create(self, ticker: str, new: models.NewPrices) -> bool:
        prices = {price.date: price.price for price in new.prices}
        return self._update(
            ticker,
            UpdateExpression="SET #name = :name, #prices = :prices",
            ConditionExpression="attribute_not_exists(#ticker)",
            ExpressionAttributeNames={"#ticker": "ticker", "#name": "name", "#prices": "prices"},
            ExpressionAttributeValues=to_item({":name": new.name, ":prices": prices}),
        )

    def _update(self, ticker: str, **request: Any) -> bool:
        try:
            self._dynamodb.update_item(self._table, Key=_key(ticker), **request)
        except ConditionFailed:
            return False
        return True

    def _refuse_too_many(self, ticker: str, new: models.NewPrices) -> None:
        if len(self.read(ticker).prices) > MAX_DAYS - len(new.prices):
            raise ApiError(
                HTTPStatus.CONFLICT,
                "stock_full",
                f"A stock has prices of at most {MAX_DAYS} days, and with these it might have more. None was set.",
            )


def _key(ticker: str) -> Item:
    return {"ticker": {"S": ticker}}
