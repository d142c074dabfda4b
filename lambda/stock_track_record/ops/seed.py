"""Put sample channels, stocks and prices into stock_track_record, and ask for their track records."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from decimal import Decimal

from aws_lambda_powertools import Logger

from sawhorse.api import Deployment, Seeded
from shared.api_errors import ApiError
from shared.dynamodb import DynamoDB
from shared.times import system_clock
from stock_track_record.channels import ChannelStore
from stock_track_record.jobs import JobRequests, JobStore
from stock_track_record.models import DayPrice, NewChannel, NewPrices, Pick
from stock_track_record.queue import Queue
from stock_track_record.records import RecordStore
from stock_track_record.stocks import StockStore

# A stock's prices, by day.
STOCKS = {
    "SAMPLE-A": {"2025-01-02": "100", "2025-01-31": "112.5", "2025-02-28": "125"},
    "SAMPLE-B": {"2025-01-02": "40", "2025-01-31": "38", "2025-02-28": "31.2"},
    "SAMPLE-C": {"2025-01-02": "9.75", "2025-01-31": "10.1", "2025-02-28": "9.99"},
}
# Fixed ids, so that a second seed finds what the first one made. SAMPLE-D has no prices, on purpose.
CHANNELS = {
    "5a3e0000-0000-4000-8000-000000000001": (
        "Sample channel one",
        [("SAMPLE-A", "long", "2025-01-02", "100"), ("SAMPLE-B", "short", "2025-01-02", "40")],
    ),
    "5a3e0000-0000-4000-8000-000000000002": (
        "Sample channel two",
        [
            ("SAMPLE-B", "long", "2025-01-10", "39.5"),
            ("SAMPLE-C", "long", "2025-01-31", "10.1"),
            ("SAMPLE-D", "long", "2025-02-03", "7"),
        ],
    ),
}


def seed(deployment: Deployment) -> Seeded:
    """Put the samples in; those that are there stay as they are."""
    logger = Logger(service="seed", level="WARNING")
    dynamodb = DynamoDB(client=deployment.client("dynamodb"), logger=logger)
    table = deployment.output("dynamodb_records_table")
    stocks = StockStore(table=deployment.output("dynamodb_stocks_table"), dynamodb=dynamodb, logger=logger)
    for ticker, prices in STOCKS.items():
        stocks.put_prices(ticker, sample_prices(ticker, prices))
    lines = [f"{len(STOCKS)} sample stocks have prices."]
    channels = ChannelStore(table=table, dynamodb=dynamodb, clock=system_clock, logger=logger)
    jobs = JobStore(table=table, dynamodb=dynamodb, clock=system_clock, logger=logger)
    queue = Queue(client=deployment.client("sqs"), url=deployment.output("sqs_queue_url"))
    requests = JobRequests(jobs=jobs, queue=queue, logger=logger)
    records = RecordStore(table=table, dynamodb=dynamodb, stocks=stocks, jobs=jobs, clock=system_clock, logger=logger)
    for channel_id, (name, picks) in CHANNELS.items():
        channels.create(NewChannel(name=name, description="Made by the seed."), channel_id=channel_id)
        add(channels, channel_id, [sample_pick(*pick) for pick in picks])
        # A seed before this one may have added the picks and not come as far as to ask.
        if has_record(records, channel_id):
            lines.append(f"{name} had its picks and its track record before.")
        else:
            requests.ask(channel_id, request_id="seed")
            lines.append(f"{name} has {len(picks)} picks, and its track record is being made.")
    return Seeded(tuple(lines))


def still_valid(deployment: Deployment, secrets: Mapping[str, str]) -> bool:  # noqa: ARG001 # as every seed is called
    """Say that nothing needs to be made anew: this seed makes no secrets."""
    return not secrets


def calls(deployment: Deployment, secrets: Mapping[str, str]) -> list[str]:  # noqa: ARG001 # as every seed is called
    """Return calls that read a track record, add a pick and process it, and the page that documents them."""
    url = deployment.output("api_endpoint")
    first = next(iter(CHANNELS))
    pick = '{"picks": [{"ticker": "SAMPLE-C", "direction": "long", "date": "2025-01-02", "price": 9.75}]}'
    return [
        f"curl -s {url}/api/channels",
        f"curl -s {url}/api/channels/{first}/track-record",
        f"curl -s {url}/api/channels/{first}/picks -H 'Content-Type: application/json' -d '{pick}'",
        f"curl -s -X POST {url}/api/channels/{first}/process",
        f"API pages: {url}/docs",
    ]


def sample_prices(ticker: str, prices: Mapping[str, str]) -> NewPrices:
    days = [DayPrice(date=day, price=Decimal(price)) for day, price in prices.items()]
    return NewPrices(name=f"Sample company {ticker[-1]}", prices=days)


def sample_pick(ticker: str, direction: str, day: str, price: str) -> Pick:
    return Pick.model_validate({"ticker": ticker, "direction": direction, "date": day, "price": Decimal(price)})


def add(channels: ChannelStore, channel_id: str, picks: list[Pick]) -> None:
    """Add picks, unless they were there before."""
    try:
        asyncio.run(channels.add_picks(channel_id, picks))
    except ApiError as error:
        if error.code != "pick_exists":
            raise


def has_record(records: RecordStore, channel_id: str) -> bool:
    """Say whether a channel has been processed."""
    try:
        records.read(channel_id)
    except ApiError as error:
        if error.code != "not_processed":
            raise
        return False
    return True
