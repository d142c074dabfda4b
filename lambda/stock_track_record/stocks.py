"""Keep stocks and their prices by day in DynamoDB."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from http import HTTPStatus
from typing import Any, TypeVar

from aws_lambda_powertools import Logger

from shared.api_errors import ApiError, Throttled, not_found
from shared.dynamodb import ConditionFailed, DynamoDB, Item
from shared.items import to_item
from shared.retries import backoff_seconds
from shared.stored import Readers, Stored
from stock_track_record import keys, models
from stock_track_record.returns import Price

# Sixteen years of trading days: an item may have 400 KB, and every read of it is paid for as a whole.
MAX_DAYS = 4000
# A hundred items is the most that DynamoDB takes at once; so few stay well under its 16 MB.
BATCH = 25
WRITE_ATTEMPTS = 5
# The last of their waits is two seconds long: what DynamoDB leaves over, it has no capacity for.
BATCH_ATTEMPTS = 7

UNKNOWN_STOCK = "There is no stock with this ticker. PUT its prices first."
LATEST = {"#d": "latest_day", "#a": "latest_price"}

Prices = Mapping[str, int | Decimal]


class PricedStock(Stored):
    """The prices of a stock by day."""

    ticker: str
    prices: dict[models.Day, models.Price]


class StoredStock(PricedStock):
    """A stock as the table has it."""

    name: str


class LatestOfStock(Stored):
    """What a stock says of its latest day."""

    ticker: str
    latest_day: models.Day | None = None
    latest_price: models.Price | None = None


OfStock = TypeVar("OfStock", bound=Stored)


class StockStore:
    """Store prices, and find the latest ones.

    A stock says which of its days is the latest and what it cost then, so that nobody reads all days for that one.
    """

    def __init__(
        self, *, table: str, dynamodb: DynamoDB, logger: Logger, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._table = table
        self._dynamodb = dynamodb
        self._sleep = sleep
        self._readers = Readers(table=table, key=("ticker",), logger=logger)

    def put_prices(self, ticker: str, new: models.NewPrices) -> models.Stock:
        """Set the days that are named and leave all others as they are; a stock that is new is made."""
        named = {price.date: price.price for price in new.prices}
        for attempt in range(WRITE_ATTEMPTS):
            item = self._item(ticker)
            there = None if item is None else self._readers.of(PricedStock).need(item, "stock")
            written = (
                self._create(ticker, new.name, named)
                if there is None
                else self._set(ticker, new.name, named, there.prices)
            )
            if written is not None:
                return _stock(self._readers.of(StoredStock).need(written, "stock"))
            # Somebody else has just written the stock: look again.
            self._sleep(backoff_seconds(attempt))
        raise Throttled

    def read(self, ticker: str) -> models.Stock:
        """Read a stock, or say that there is none."""
        stock = self._readers.of(StoredStock).find(self._item(ticker)) if keys.is_ticker(ticker) else None
        if stock is None:
            raise not_found(UNKNOWN_STOCK)
        return _stock(stock)

    def latest(self, tickers: Iterable[str]) -> dict[str, Price]:
        """Find the latest price of each stock; what is unknown or has no price is left out."""
        found: dict[str, Price] = {}
        silent: list[str] = []
        for stock in self._stocks(LatestOfStock, sorted(set(tickers)), "latest_day", "latest_price"):
            if stock.latest_day is not None and stock.latest_price is not None:
                found[stock.ticker] = Price(day=stock.latest_day, amount=stock.latest_price)
            else:
                silent.append(stock.ticker)
        # Those were written before stocks said which day is their latest; the next prices that are put will say it.
        for priced in self._stocks(PricedStock, silent, "prices"):
            if priced.prices:
                day = max(priced.prices)
                found[priced.ticker] = Price(day=day, amount=priced.prices[day])
        return found

    def _item(self, ticker: str) -> Item | None:
        found: Item | None = self._dynamodb.get_item(self._table, Key=_key(ticker), ConsistentRead=True).get("Item")
        return found

    def _stocks(self, shape: type[OfStock], tickers: Sequence[str], *attributes: str) -> Iterator[OfStock]:
        for start in range(0, len(tickers), BATCH):
            yield from self._readers.of(shape).each(
                self._items(tickers[start : start + BATCH], ("ticker", *attributes))
            )

    def _items(self, tickers: Sequence[str], attributes: Sequence[str]) -> Iterator[Item]:
        request: dict[str, Any] = {
            "Keys": [_key(ticker) for ticker in tickers],
            "ConsistentRead": True,
            "ProjectionExpression": ", ".join(f"#{name}" for name in attributes),
            "ExpressionAttributeNames": {f"#{name}": name for name in attributes},
        }
        for attempt in range(BATCH_ATTEMPTS):
            response = self._dynamodb.batch_get_item(self._table, **request)
            yield from response["Responses"].get(self._table, [])
            left = response.get("UnprocessedKeys", {}).get(self._table)
            if not left:
                return
            request["Keys"] = left["Keys"]
            self._sleep(backoff_seconds(attempt))
        raise Throttled

    def _create(self, ticker: str, name: str, named: Prices) -> Item | None:
        day = max(named)
        return self._update(
            ticker,
            UpdateExpression="SET #n = :n, #p = :p, #d = :d, #a = :a",
            ConditionExpression="attribute_not_exists(#t)",
            ExpressionAttributeNames={"#t": "ticker", "#n": "name", "#p": "prices", **LATEST},
            ExpressionAttributeValues=to_item({":n": name, ":p": named, ":d": day, ":a": named[day]}),
        )

    def _set(self, ticker: str, name: str, named: Prices, there: Prices) -> Item | None:
        """Set days of a stock that was read just now; None when it has changed since.

        Days are never taken away, so as many days are the same days, and with the price of the latest one also the
        same latest price.
        """
        after = {**there, **named}
        if len(after) > MAX_DAYS:
            raise ApiError(
                HTTPStatus.CONFLICT,
                "stock_full",
                f"A stock has prices of at most {MAX_DAYS} days, and with these it would have more. None was set.",
            )
        # Short names, because an expression may have 4 KB.
        days = {f"#{number}": day for number, day in enumerate(named)}
        amounts = {f":{number}": amount for number, amount in enumerate(named.values())}
        sets = [f"#p.{day}={amount}" for day, amount in zip(days, amounts, strict=True)]
        day = max(after)
        day_before = max(there, default="")
        same = "size(#p) = :size AND #p.#before = :before" if there else "size(#p) = :size"
        return self._update(
            ticker,
            UpdateExpression=f"SET #n=:n,#d=:d,#a=:a,{','.join(sets)}",
            ConditionExpression=same,
            ExpressionAttributeNames={
                "#n": "name",
                "#p": "prices",
                **({"#before": day_before} if there else {}),
                **LATEST,
                **days,
            },
            ExpressionAttributeValues=to_item(
                {
                    ":n": name,
                    ":d": day,
                    ":a": after[day],
                    ":size": len(there),
                    **({":before": there[day_before]} if there else {}),
                    **amounts,
                }
            ),
        )

    def _update(self, ticker: str, **request: Any) -> Item | None:
        try:
            response = self._dynamodb.update_item(self._table, Key=_key(ticker), ReturnValues="ALL_NEW", **request)
        except ConditionFailed:
            return None
        written: Item = response["Attributes"]
        return written


def _key(ticker: str) -> Item:
    return {"ticker": {"S": ticker}}


def _stock(stored: StoredStock) -> models.Stock:
    return models.Stock(
        ticker=stored.ticker,
        name=stored.name,
        prices=[models.DayPrice(date=day, price=price) for day, price in sorted(stored.prices.items())],
    )
