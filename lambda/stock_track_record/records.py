"""Make track records and keep them in DynamoDB: one item a channel, written with the job that it came from."""

import time
from collections.abc import Callable, Iterator
from functools import partial
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools import Logger

from shared.api_errors import ApiError, Throttled
from shared.dynamodb import CONDITION_FAILED, CONFLICT, DynamoDB, Item, TransactionCanceled, every_item
from shared.items import to_item
from shared.retries import backoff_seconds
from shared.stored import Readers
from shared.times import Clock, timestamp
from stock_track_record import keys, models
from stock_track_record.channels import KEY, StoredPick, channel_exists
from stock_track_record.jobs import MOST_JOBS, JobStore, NumberedJob
from stock_track_record.returns import Pick, track_record
from stock_track_record.stocks import StockStore
from stock_track_record.stored_returns import StoredRecord, values

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
        logger: Logger,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._table = table
        self._dynamodb = dynamodb
        self._stocks = stocks
        self._jobs = jobs
        self._clock = clock
        self._sleep = sleep
        readers = Readers(table=table, key=KEY, logger=logger)
        self._records = readers.of(StoredRecord, value=values)
        self._stored_picks = readers.of(StoredPick)

    def channel_exists(self, channel_id: str) -> bool:
        """Tell whether a channel is there."""
        return channel_exists(self._dynamodb, self._table, channel_id)

    def read(self, channel_id: str) -> models.TrackRecord:
        """Read the record of a channel that is there."""
        found = self._dynamodb.get_item(self._table, Key=keys.record_key(channel_id), ConsistentRead=True)
        record = self._records.find(found.get("Item"))
        if record is None:
            raise ApiError(
                HTTPStatus.NOT_FOUND,
                "not_processed",
                "The channel has no track record yet. POST to its /process, and read the job until it is done.",
            )
        return models.TrackRecord.model_validate(record, from_attributes=True)

    def make(self, job: NumberedJob) -> str:
        """Make the record that a job asks for, and say what was done.

        The record and the end of the job are one transaction. A job that is done, or one older than the record that is
        there, changes nothing: the same message twice, or late, leaves every byte as it was.
        """
        channel_id = job.channel_id
        picks = list(self._picks(channel_id))
        figures = track_record(picks, self._stocks.latest(pick.ticker for pick in picks))
        values = figures | {
            "channel_id": channel_id,
            "job_id": job.job_id,
            "number": job.number,
            "computed_at": timestamp(self._clock()),
        }
        item = keys.record_key(channel_id) | to_item(values)
        for attempt in range(ATTEMPTS):
            try:
                self._dynamodb.transact_write(
                    [self._put(item), {"Update": {"TableName": self._table, **self._jobs.finishing(job.job_id)}}]
                )
            except TransactionCanceled as canceled:
                of_record, of_job = canceled.reasons
                if of_job == CONDITION_FAILED:
                    return "done before"
                if of_record == CONDITION_FAILED:
                    self._jobs.finish(job.job_id, SUPERSEDED)
                    return "superseded"
                if CONFLICT not in canceled.reasons:
                    raise
                # The same message is being worked on somewhere else at this very moment.
                self._sleep(backoff_seconds(attempt))
            else:
                return "done"
        raise Throttled

    def _put(self, item: Item) -> dict[str, Any]:
        return {
            "Put": {
                "TableName": self._table,
                "Item": item,
                # A number that no job can have is no newer one.
                "ConditionExpression": "attribute_not_exists(#pk) OR #number < :number "
                "OR NOT attribute_type(#number, :type) OR #number > :most",
                "ExpressionAttributeNames": {"#pk": "pk", "#number": "number"},
                "ExpressionAttributeValues": {":number": item["number"]} | to_item({":type": "N", ":most": MOST_JOBS}),
            }
        }

    def _picks(self, channel_id: str) -> Iterator[Pick]:
        items = every_item(partial(self._dynamodb.query, self._table, **keys.picks_of(channel_id)))
        for pick in self._stored_picks.each(items):
            yield Pick(ticker=pick.ticker, direction=pick.direction, day=pick.date, price=pick.price)
