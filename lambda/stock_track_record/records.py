"""Make track records and keep them in DynamoDB: one item a channel, written with the job that it came from."""

import time
from collections.abc import Callable, Iterator
from functools import partial
from http import HTTPStatus
from typing import Any

from shared.api_errors import ApiError, Throttled
from shared.dynamodb import CONDITION_FAILED, CONFLICT, DynamoDB, Item, TransactionCanceled, every_item
from shared.items import from_item, to_item
from shared.retries import pause_seconds
from shared.times import Clock, timestamp
from stock_track_record import keys, models
from stock_track_record.channels import read_pick
from stock_track_record.jobs import JobStore
from stock_track_record.returns import Pick, track_record
from stock_track_record.stocks import StockStore

ATTEMPTS = 3
SUPERSEDED = "A newer job had made the track record before."


class RecordStore:
    """Make, store and read track records."""

    def __init__(  # noqa: PLR0913 - what a record is made from
        self,
        *,
        table: str,
        dynamodb: DynamoDB,
        stocks: StockStore,
        jobs: JobStore,
        clock: Clock,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._table = table
        self._dynamodb = dynamodb
        self._stocks = stocks
        self._jobs = jobs
        self._clock = clock
        self._sleep = sleep

    def channel_exists(self, channel_id: str) -> bool:
        """Tell whether a channel is there."""
        answer = self._dynamodb.get_item(
            self._table,
            Key=keys.channel_key(channel_id),
            ConsistentRead=True,
            ProjectionExpression="#pk",
            ExpressionAttributeNames={"#pk": "pk"},
        )
        return "Item" in answer

    def read(self, channel_id: str) -> models.TrackRecord:
        """Read the record of a channel that is there."""
        found = self._dynamodb.get_item(self._table, Key=keys.record_key(channel_id), ConsistentRead=True)
        if "Item" not in found:
            raise ApiError(
                HTTPStatus.NOT_FOUND,
                "not_processed",
                "The channel has no track record yet. POST to its /process, and read the job until it is done.",
            )
        return models.TrackRecord.model_validate(from_item(found["Item"]))

    def make(self, job: dict[str, Any]) -> str:
        """Make the record that a job asks for, and say what was done.

        The record and the end of the job are one transaction. A job that is done, or one older than the record that is
        there, changes nothing: the same message twice, or late, leaves every byte as it was.
        """
        channel_id = str(job["channel_id"])
        picks = list(self._picks(channel_id))
        figures = track_record(picks, self._stocks.latest(pick.ticker for pick in picks))
        values = figures | {
            "channel_id": channel_id,
            "job_id": job["job_id"],
            "number": job["number"],
            "computed_at": timestamp(self._clock()),
        }
        item = keys.record_key(channel_id) | to_item(values)
        for attempt in range(ATTEMPTS):
            try:
                self._dynamodb.transact_write(
                    [self._put(item), {"Update": {"TableName": self._table, **self._jobs.finishing(job["job_id"])}}]
                )
            except TransactionCanceled as canceled:
                of_record, of_job = canceled.reasons
                if of_job == CONDITION_FAILED:
                    return "done before"
                if of_record == CONDITION_FAILED:
                    self._jobs.finish(job["job_id"], SUPERSEDED)
                    return "superseded"
                if CONFLICT not in canceled.reasons:
                    raise
                # The same message is being worked on somewhere else at this very moment.
                self._sleep(pause_seconds(attempt))
            else:
                return "done"
        raise Throttled

    def _put(self, item: Item) -> dict[str, Any]:
        return {
            "Put": {
                "TableName": self._table,
                "Item": item,
                "ConditionExpression": "attribute_not_exists(#pk) OR #number < :number",
                "ExpressionAttributeNames": {"#pk": "pk", "#number": "number"},
                "ExpressionAttributeValues": {":number": item["number"]},
            }
        }

    def _picks(self, channel_id: str) -> Iterator[Pick]:
        for item in every_item(partial(self._dynamodb.query, self._table, **keys.picks_of(channel_id))):
            pick = read_pick(item)
            yield Pick(ticker=pick.ticker, direction=pick.direction, day=pick.date, price=pick.price)
