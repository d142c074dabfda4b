"""Keep jobs in DynamoDB: what was asked for, and how it ended."""

from datetime import timedelta
from decimal import Decimal
from http import HTTPStatus
from typing import Annotated, Any, Literal, Self

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError
from pydantic import BeforeValidator, model_validator

from shared.api_errors import RETRY_AFTER_SECONDS, ApiError, Throttled, not_found
from shared.dynamodb import ConditionFailed, DynamoDB, Item
from shared.housekeeping import Housekeeping
from shared.ids import is_id, new_id
from shared.items import to_item
from shared.stored import Readers, Stored, StoredId, StoredTime
from shared.times import Clock, timestamp
from stock_track_record import keys, models
from stock_track_record.channels import (
    EXISTS,
    KEY,
    NEW,
    StoredChannel,
    counts_up_to,
    refuse_uncounted,
    unknown_channel,
)
from stock_track_record.paging import Place, read_page, write_cursor
from stock_track_record.queue import Queue

# A message lives for 14 days at most, in the dead-letter queue; its job outlives it.
LIFETIME = timedelta(days=30)
UNKNOWN_JOB = f"There is no job with this id. Jobs are kept for {LIFETIME.days} days."
# More than any channel has, and few enough that one more is another number.
MOST_JOBS = 10**15
METRICS_NAMESPACE = "stock-track-record"
NOT_SENT = "The queue did not take the job's message, so it may never be worked on. Ask for a new job."


class StoredJob(Stored):
    """A job as the table has it."""

    pk: str
    job_id: StoredId
    channel_id: StoredId
    state: Literal["queued", "done", "failed"]
    detail: str | None = None
    created_at: StoredTime
    finished_at: StoredTime | None = None

    @model_validator(mode="after")
    def _lies_under_its_key(self) -> Self:
        return keys.lies_under(self, self.pk, keys.job_key(self.job_id)["pk"]["S"])


class ListedJob(StoredJob):
    """A job as the index has it: a cursor leads on from where it lies there."""

    gsi1sk: str

    @model_validator(mode="after")
    def _lies_where_a_cursor_leads(self) -> Self:
        key = keys.index_key(keys.jobs_of(self.channel_id), self.created_at, self.job_id)
        return keys.lies_under(self, self.gsi1sk, key["gsi1sk"]["S"])


def _counted(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST_JOBS else None


class NumberedJob(StoredJob):
    """A job with the number that says whose track record is the newer one.

    It fits wherever callers can read it: what is not a number is None, so that the worker can say so in the job itself.
    """

    number: Annotated[int | None, BeforeValidator(_counted)] = None


class JobStore:
    """Read jobs, and say how they ended."""

    def __init__(self, *, table: str, dynamodb: DynamoDB, clock: Clock, logger: Logger) -> None:
        self._table = table
        self._dynamodb = dynamodb
        self._clock = clock
        readers = Readers(table=table, key=KEY, logger=logger)
        self._jobs = readers.of(StoredJob)
        self._listed = readers.of(ListedJob)
        self._numbered = readers.of(NumberedJob)
        self._channels = readers.of(StoredChannel)

    def find(self, job_id: str) -> "NumberedJob | None":
        """Read a job with what a worker needs of it."""
        return self._numbered.find(self._item(job_id))

    def read(self, job_id: str) -> models.Job:
        """Read a job, or say that there is none."""
        job = self._jobs.find(self._item(job_id))
        if job is None:
            raise not_found(UNKNOWN_JOB)
        return job_of(job)

    def _item(self, job_id: str) -> Item | None:
        if not is_id(job_id):
            return None
        found = self._dynamodb.get_item(self._table, Key=keys.job_key(job_id), ConsistentRead=True)
        item: Item | None = found.get("Item")
        return item

    def page(self, channel_id: str, *, after: Place | None, limit: int) -> models.JobPage:
        """List the jobs of a channel that is there, newest first; the index shows a new one a moment later."""
        partition = keys.jobs_of(channel_id)
        request: dict[str, Any] = {}
        if after:
            created_at, job_id = after
            request["ExclusiveStartKey"] = keys.job_key(job_id) | keys.index_key(partition, created_at, job_id)
        jobs, more = read_page(
            self._dynamodb,
            self._table,
            self._listed,
            job_of,
            limit=limit,
            **keys.listed(partition, newest_first=True),
            **request,
        )
        return models.JobPage(
            jobs=jobs, next_cursor=write_cursor(jobs[-1].created_at, jobs[-1].job_id) if more else None
        )

    def create(self, channel_id: str) -> models.Job:
        """Store a new job with the channel's next number, which says later whose track record is the newer one."""
        if not is_id(channel_id):
            raise unknown_channel()
        number = self._next_number(channel_id)
        now = self._clock()
        job = models.Job(job_id=new_id(), channel_id=channel_id, state="queued", created_at=timestamp(now))
        item = (
            keys.job_key(job.job_id)
            | keys.index_key(keys.jobs_of(channel_id), job.created_at, job.job_id)
            | to_item(job.model_dump() | {"number": number, "expires_at": int((now + LIFETIME).timestamp())})
        )
        try:
            self._dynamodb.put_item(
                self._table, Item=item, ConditionExpression=NEW, ExpressionAttributeNames={"#pk": "pk"}
            )
        except ConditionFailed:
            # The id is ours alone, so botocore has sent this same job again after a response got lost.
            return job
        return job

    def fail(self, job_id: str, detail: str) -> None:
        """Say that a job failed; one that is done stays done, and the first failure stays the one that is told."""
        try:
            self._dynamodb.update_item(
                self._table,
                Key=keys.job_key(job_id),
                **self._ending("failed", detail, condition=f"{EXISTS} AND #state = :queued"),
            )
        except ConditionFailed:
            return

    def finish(self, job_id: str, detail: str) -> None:
        """Say that a job is done, unless it was before."""
        try:
            self._dynamodb.update_item(self._table, **self.finishing(job_id, detail))
        except ConditionFailed:
            return

    def finishing(self, job_id: str, detail: str | None = None) -> dict[str, Any]:
        """Make the update that says that a job is done; it fails when the job was done before, or is gone."""
        return {
            "Key": keys.job_key(job_id),
            **self._ending("done", detail, condition=f"{EXISTS} AND #state <> :done"),
        }

    def _ending(self, state: str, detail: str | None, *, condition: str) -> dict[str, Any]:
        names = {"#pk": "pk", "#state": "state", "#detail": "detail", "#finished_at": "finished_at"}
        values = {":state": state, ":finished_at": timestamp(self._clock()), ":detail": detail}
        values |= {name: name[1:] for name in (":queued", ":done") if name in condition}
        detail_part = " REMOVE #detail" if detail is None else ", #detail = :detail"
        return {
            "UpdateExpression": f"SET #state = :state, #finished_at = :finished_at{detail_part}",
            "ConditionExpression": condition,
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": to_item(values),
        }

    def _next_number(self, channel_id: str) -> int:
        try:
            response = self._dynamodb.update_item(
                self._table,
                Key=keys.channel_key(channel_id),
                # One that is not there is 0.
                UpdateExpression="SET #count = if_not_exists(#count, :none) + :one",
                ConditionExpression=f"{EXISTS} AND {counts_up_to(':last')}",
                ExpressionAttributeNames={"#pk": "pk", "#count": "job_count"},
                ExpressionAttributeValues=to_item({":none": 0, ":one": 1, ":last": MOST_JOBS - 1}),
                ReturnValues="UPDATED_NEW",
            )
        except ConditionFailed:
            found = self._dynamodb.get_item(self._table, Key=keys.channel_key(channel_id), ConsistentRead=True)
            refuse_uncounted(self._channels, found.get("Item"), "job_count", most=MOST_JOBS - 1)
            # Somebody has made or corrected the channel since.
            raise Throttled from None
        counted: Item = response["Attributes"]
        return int(Decimal(counted["job_count"]["N"]))


def job_of(stored: StoredJob) -> models.Job:
    """Show a job as callers get it."""
    return models.Job.model_validate(stored.model_dump())


class JobRequests:
    """Ask for a channel to be processed: the job is stored first, then its message is sent."""

    def __init__(self, *, jobs: JobStore, queue: Queue, logger: Logger) -> None:
        self._jobs = jobs
        self._queue = queue
        self._logger = logger
        self._housekeeping = Housekeeping(logger=logger, namespace=METRICS_NAMESPACE)

    def ask(self, channel_id: str, *, request_id: str) -> models.Job:
        """Store a job and send its message; when that fails the job says so, and so does the response."""
        job = self._jobs.create(channel_id)
        try:
            self._queue.send(channel_id=channel_id, job_id=job.job_id, request_id=request_id)
        except (BotoCoreError, ClientError):
            self._logger.exception("The queue did not take a message.", extra={"job_id": job.job_id})
            # The caller hears of the failure all the same; only the job goes on saying that it is queued.
            with self._housekeeping.task("mark a job that was not sent", job_id=job.job_id):
                self._jobs.fail(job.job_id, NOT_SENT)
            raise ApiError(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "queue_unavailable",
                f"The queue did not take job {job.job_id}. Ask again in a moment.",
                headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
            ) from None
        return job
