"""Work on a batch of messages, and report the ones that could not be done so that only they come again."""

import re
from collections.abc import Callable
from typing import Any

from aws_lambda_powertools import Logger

from shared import request_ids
from shared.dynamodb import ItemTooLarge
from shared.housekeeping import Housekeeping
from stock_track_record.jobs import METRICS_NAMESPACE, JobStore, NumberedJob
from stock_track_record.messages import JobMessage, MalformedMessageError, read_message
from stock_track_record.queue import Queue
from stock_track_record.records import RecordStore

NO_NUMBER = "The job has no number that says whether its track record is the newest. Ask for a new job."
NO_ROOM = "The track record, or the end of the job, has no room in its item: one has at most 400 KB."
CHANNEL_GONE = "The channel is not there any more."
TRIED = "It was tried {receives} times. The log says what went wrong."
NOT_TRIED = "The worker had no time left for it when it came for the last time. Send it back with a redrive."
# Milliseconds for one message: the largest channel takes about a second, and a call without a response twelve.
ENOUGH_TIME = 20_000

_COUNT = re.compile(r"[0-9]{1,9}")

# A message as Lambda hands it over.
Record = dict[str, Any]
Handler = Callable[[dict[str, Any], Any], dict[str, Any]]


class UnprocessableMessageError(Exception):
    """A message that fails however often it is tried, until somebody fixes what it speaks of."""


class Worker:
    """Make the track records that messages ask for."""

    def __init__(
        self, *, jobs: JobStore, records: RecordStore, queue: Queue | None, logger: Logger, max_receives: int
    ) -> None:
        self._jobs = jobs
        self._records = records
        self._queue = queue
        self._logger = logger
        self._max_receives = max_receives
        self._housekeeping = Housekeeping(logger=logger, namespace=METRICS_NAMESPACE)

    def handle(self, event: Any, context: Any) -> dict[str, Any]:
        """Work on the messages of an event, one after the other, and give back what there is no time left for.

        The response names those that failed, so that only they come again
        (https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-batchfailurereporting).
        What is not a batch of a queue, such as an event that keeps the function warm, has none that could fail.
        """
        given_back: list[str | None] = []
        failed: list[str] = []
        found = event.get("Records") if isinstance(event, dict) else None
        if not isinstance(found, list) or not all(isinstance(record, dict) for record in found):
            request_id = getattr(context, "aws_request_id", "")
            self._logger.warning("An event without messages was let pass.", extra={"function_request_id": request_id})
            return {"batchItemFailures": []}
        # What has come most often is next: what was given back for want of time is not given back again.
        records = sorted(found, key=lambda record: -_receives(record))
        for number, record in enumerate(records):
            with self._logger.append_context_keys(
                function_request_id=getattr(context, "aws_request_id", ""), **_names(record)
            ):
                # One is tried in any case: a worker with a short timeout would else never try any.
                if number > 0 and context.get_remaining_time_in_millis() < ENOUGH_TIME:
                    self._logger.warning("no time left")
                    failed.append(_message_id(record))
                    given_back.append(record.get("receiptHandle"))
                    self._give_up_at_last(record, NOT_TRIED)
                    continue
                try:
                    self._work(record)
                # An item without room has none the next time either.
                except (UnprocessableMessageError, ItemTooLarge) as error:
                    self._logger.warning("A message cannot be processed.", extra={"reason": str(error)})
                    failed.append(_message_id(record))
                    given_back.append(record.get("receiptHandle"))
                except Exception:  # whatever it is, the message comes again, and its stack belongs into the log
                    self._logger.exception("A message could not be worked on.")
                    self._give_up_at_last(record, TRIED.format(receives=self._max_receives))
                    failed.append(_message_id(record))
        self._give_back(given_back)
        return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}

    def _work(self, record: Record) -> None:
        message = self._message(record)
        job = self._jobs.find(message.job_id)
        if job is None:
            raise UnprocessableMessageError("There is no job with this id.")
        if job.channel_id != message.channel_id:
            raise UnprocessableMessageError("The job belongs to another channel.")
        if job.state == "done":
            outcome = "done before"
        elif job.number is None:
            raise self._failed(job.job_id, NO_NUMBER)
        elif self._records.channel_exists(message.channel_id):
            outcome = self._make(job)
        else:
            raise self._failed(job.job_id, CHANNEL_GONE)
        self._logger.info("job", extra={**message.model_dump(), "outcome": outcome})

    def _make(self, job: NumberedJob) -> str:
        try:
            return self._records.make(job)
        except ItemTooLarge:
            # It may be the job's own item that has no room.
            with self._housekeeping.task("mark a job that failed"):
                self._jobs.fail(job.job_id, NO_ROOM)
            raise UnprocessableMessageError(NO_ROOM) from None

    def _failed(self, job_id: str, reason: str) -> UnprocessableMessageError:
        """Mark a job that no try can do, and make the error that says why."""
        self._jobs.fail(job_id, reason)
        return UnprocessableMessageError(reason)

    @staticmethod
    def _message(record: Record) -> JobMessage:
        try:
            return read_message(record["body"])
        except MalformedMessageError as error:
            raise UnprocessableMessageError(str(error)) from None

    def _give_up_at_last(self, record: Record, detail: str) -> None:
        """Mark the job when this was the message's last chance; the dead-letter queue keeps the message."""
        if _receives(record) < self._max_receives:
            return
        # The fault that is logged above may well be that of the table.
        with self._housekeeping.task("mark a job that failed"):
            message = read_message(record["body"])
            self._jobs.fail(message.job_id, detail)

    def _give_back(self, receipt_handles: list[str | None]) -> None:
        if self._queue is None:
            return
        # They come back by themselves when their visibility timeout is over.
        with self._housekeeping.task("give messages back early"):
            for receipt_handle in filter(None, receipt_handles):
                self._queue.give_back(receipt_handle)


def _message_id(record: Record) -> str:
    """Return what names a message to its queue; an empty name stands for the whole batch."""
    found = record.get("messageId")
    return found if isinstance(found, str) else ""


def _receives(record: Record) -> int:
    attributes = record.get("attributes")
    count = attributes.get("ApproximateReceiveCount") if isinstance(attributes, dict) else None
    return int(count) if isinstance(count, str) and _COUNT.fullmatch(count) else 1


def _names(record: Record) -> dict[str, str]:
    """Name the message, and the request that it came from when the API sent it."""
    attributes = record.get("messageAttributes")
    attribute = attributes.get("request_id") if isinstance(attributes, dict) else None
    request_id = (attribute.get("stringValue") if isinstance(attribute, dict) else None) or ""
    return {"message_id": _message_id(record)} | (
        {"request_id": request_id} if isinstance(request_id, str) and request_ids.is_well_formed(request_id) else {}
    )
