"""Keep jobs in DynamoDB: each attempt has one agent, whoever else wants the job at the same moment."""

import random
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools import Logger

from hybrid_ci_cd.agents import AgentStore, KnownAgent
from hybrid_ci_cd.claiming import NoRoom, OneClaim
from hybrid_ci_cd.listing import Index, KeyRange, Listing
from hybrid_ci_cd.models import MAX_ATTEMPT, FinishedJob, Job, JobPage, JobStatus, NewJob, json_text
from hybrid_ci_cd.next_job import Choice, Line
from hybrid_ci_cd.openapi import UNKNOWN_JOB
from hybrid_ci_cd.settings import Settings
from hybrid_ci_cd.statuses import stored_status
from hybrid_ci_cd.stored_jobs import StoredJobs
from shared.api_errors import ApiError, Throttled, not_found
from shared.dynamodb import ConditionFailed, DynamoDB, Item, ItemTooLarge
from shared.ids import is_id, new_id
from shared.items import to_item
from shared.times import Clock, is_timestamp, timestamp

INDEX = "status-created_at-index"
# Looks at jobs that were left behind before the queue is looked at: where agents compete for those, it has others.
LEFT_BEHIND_LOOKS = 2


@dataclass(frozen=True, kw_only=True)
class Done:
    """A job as it stands after a call, and whether this call changed it."""

    job: Job
    changed: bool


class JobStore:
    """Keep jobs. The index only says where to look: a condition on the job itself decides who gets it.

    Every claim has an attempt's number and an id of its own. The number fences off an agent that was taken for lost;
    the id tells a claim that botocore sent twice, because its response got lost, from somebody else's.
    """

    def __init__(  # noqa: PLR0913 - the parts that it is made of
        self,
        *,
        settings: Settings,
        dynamodb: DynamoDB,
        clock: Clock,
        agents: AgentStore,
        logger: Logger,
        chance: random.Random | None = None,
    ) -> None:
        self._table = settings.jobs_table
        self._dynamodb = dynamodb
        self._clock = clock
        self._agents = agents
        index = Index(
            table=self._table,
            name=INDEX,
            hash="status",
            range="created_at",
            range_type="S",
            key="job_id",
            is_range=is_timestamp,
            is_key=is_id,
        )
        self._listing = Listing(dynamodb=dynamodb, index=index)
        self._stored = StoredJobs(table=self._table, logger=logger)
        self._chance = chance or random.Random()  # noqa: S311 - only keeps agents apart

    def create(self, new: NewJob, *, user_id: str) -> Job:
        """Put a job into the user's queue."""
        job = Job(
            job_id=new_id(),
            name=new.name,
            status="queued",
            attempt=0,
            agent_id=None,
            created_at=timestamp(self._clock()),
            claimed_at=None,
            finished_at=None,
            payload=new.payload,
            result=None,
        )
        item = to_item(
            {
                "job_id": job.job_id,
                "user_id": user_id,
                "name": job.name,
                "payload": json_text(job.payload),
                "status": stored_status(job.status, user_id),
                "attempt": job.attempt,
                "created_at": job.created_at,
            }
        )
        # The id is ours alone, so a job that is there already is this one, sent twice by botocore.
        with suppress(ConditionFailed):
            self._dynamodb.put_item(
                self._table,
                Item=item,
                ConditionExpression="attribute_not_exists(#job_id)",
                ExpressionAttributeNames={"#job_id": "job_id"},
            )
        return job

    def get(self, job_id: str, *, user_id: str) -> Job:
        """Read one of the user's jobs."""
        return self._find(job_id, user_id)

    def page(self, user_id: str, *, status: JobStatus, after: str | None, limit: int) -> JobPage:
        """Read a page of the user's jobs of one status, oldest first."""
        key_range = KeyRange(partition=stored_status(status, user_id), newest_first=False)
        page = self._listing.page([key_range], after=after, limit=limit, read=self._stored.entry)
        return JobPage(jobs=page.entries, next_cursor=page.next_cursor)

    def claim(self, job_id: str, agent: KnownAgent) -> Done:
        """Give this job to the agent, unless another one has it."""
        _refuse_lost(agent)
        job = self._find(job_id, agent.user_id)
        if _is_held_by(job, agent):
            return Done(job=job, changed=False)
        _refuse_finished(job)
        if job.status == "running" and not self._agents.is_lost(str(job.agent_id)):
            raise _taken()
        try:
            return Done(job=self._take(job, agent, new_id()), changed=True)
        except ConditionFailed as failed:
            if failed.item is None:
                raise _not_found() from None
            there = self._stored.job(failed.item)
            if there is not None and _is_held_by(there, agent):
                return Done(job=there, changed=False)
            if there is not None:
                _refuse_finished(there)
            raise _taken() from None
        except NoRoom as full:
            self._stored.leave_out(job_id, {full.member})
            raise (ItemTooLarge() if full.of_item else _not_found()) from None

    def claim_next(self, agent: KnownAgent) -> Job | None:
        """Give the agent a job that a lost agent left behind, else one of the queue, else nothing."""
        _refuse_lost(agent)
        gone = self._agents.gone(agent.user_id)
        claim_id = new_id()
        claim = OneClaim(
            agent,
            gone,
            agents=self._agents,
            listing=self._listing,
            stored=self._stored,
            read=self._read,
            take=lambda job: self._take(job, agent, claim_id),
        )
        choice = Choice(claim, chance=self._chance)
        left_behind = Line(claim.left_behind())
        left_behind.read_page()
        taken = (
            choice.among_waiting(left_behind, looks=LEFT_BEHIND_LOOKS)
            or choice.among_all(Line(claim.queued()))
            or choice.among_all(left_behind)
        )
        if taken is None:
            claim.must_be_at_the_end_of_the_queue()
            self._agents.forget(claim.without_jobs(gone.forgettable))
        return taken

    def finish(self, job_id: str, agent: KnownAgent, finished: FinishedJob) -> Done:
        """End the agent's attempt with a result; the same once more changes nothing."""
        job = self._find(job_id, agent.user_id)
        if not _is_held_by(job, agent) or job.attempt != finished.attempt:
            return Done(job=_finished_before(job, agent, finished), changed=False)
        now = timestamp(self._clock())
        try:
            self._write(
                job,
                UpdateExpression="SET #status = :finished, #finished_at = :now, #result = :result",
                ConditionExpression="#status = :running AND #agent_id = :agent_id AND #attempt = :attempt",
                ExpressionAttributeNames=_names("status", "finished_at", "result", "agent_id", "attempt"),
                ExpressionAttributeValues={
                    ":finished": {"S": stored_status(finished.status, agent.user_id)},
                    ":now": {"S": now},
                    ":result": {"S": json_text(finished.result)},
                    ":running": {"S": stored_status("running", agent.user_id)},
                    ":agent_id": {"S": agent.agent_id},
                    ":attempt": {"N": str(finished.attempt)},
                },
            )
        except ConditionFailed as failed:
            there = self._stored.job(failed.item) if failed.item else None
            if there is None:
                raise _not_found() from None
            found = _finished_before(there, agent, finished)
            # The time is this call's own when botocore sent the write twice because its response got lost.
            return Done(job=found, changed=found.finished_at == now)
        except NoRoom:
            raise ApiError(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                "request_too_large",
                "The job and this result do not fit into one item. Put large data elsewhere and send a link to it.",
            ) from None
        written = {"status": finished.status, "finished_at": now, "result": finished.result}
        return Done(job=job.model_copy(update=written), changed=True)

    def _take(self, job: Job, agent: KnownAgent, claim_id: str) -> Job:
        """Claim a job that was read and is free: the one write of a claim, which fails when the job has changed."""
        if job.attempt >= MAX_ATTEMPT:
            raise NoRoom("attempt", of_item=False)
        now = timestamp(self._clock())
        try:
            self._write(
                job,
                UpdateExpression=(
                    "SET #status = :running, #agent_id = :agent_id, #claim_id = :claim_id, #claimed_at = :now, "
                    "#attempt = :next"
                ),
                ConditionExpression="#status = :from AND #attempt = :attempt",
                ExpressionAttributeNames=_names("status", "agent_id", "claim_id", "claimed_at", "attempt"),
                ExpressionAttributeValues={
                    ":from": {"S": stored_status(job.status, agent.user_id)},
                    ":running": {"S": stored_status("running", agent.user_id)},
                    ":agent_id": {"S": agent.agent_id},
                    ":claim_id": {"S": claim_id},
                    ":now": {"S": now},
                    ":attempt": {"N": str(job.attempt)},
                    ":next": {"N": str(job.attempt + 1)},
                },
            )
        except ConditionFailed as failed:
            # One that this very call wrote, and whose response got lost, has its id.
            if not failed.item or failed.item.get("claim_id") != {"S": claim_id}:
                raise
        written = {"status": "running", "agent_id": agent.agent_id, "claimed_at": now, "attempt": job.attempt + 1}
        return job.model_copy(update=written)

    def _write(self, job: Job, **request: Any) -> None:
        """Change a job under a condition. What a refused write was refused by comes with its error, without a read."""
        try:
            self._dynamodb.update_item(
                self._table,
                Key={"job_id": {"S": job.job_id}},
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
                **request,
            )
        except ItemTooLarge:
            raise NoRoom("payload", of_item=True) from None

    def _read(self, job_ids: Sequence[str]) -> tuple[list[Item], frozenset[str]]:
        """Read several jobs in one call, and name those that DynamoDB did not get to."""
        keys = [{"job_id": {"S": job_id}} for job_id in job_ids]
        response = self._dynamodb.batch_get_item(self._table, Keys=keys, ConsistentRead=True)
        left = response.get("UnprocessedKeys", {}).get(self._table, {}).get("Keys", [])
        if len(left) == len(keys):
            raise Throttled
        return response["Responses"].get(self._table, []), frozenset(key["job_id"]["S"] for key in left)

    def _find(self, job_id: str, user_id: str) -> Job:
        """Read a job of the user that fits, or say that there is none."""
        found = (
            self._dynamodb.get_item(self._table, Key={"job_id": {"S": job_id}}, ConsistentRead=True)
            if is_id(job_id)
            else {}
        )
        item = found.get("Item", {})
        job = self._stored.job(item) if item.get("user_id") == {"S": user_id} else None
        if job is None:
            raise _not_found()
        return job


def _finished_before(job: Job, agent: KnownAgent, finished: FinishedJob) -> Job:
    """Return a job that the same call has ended before, or say why this one cannot."""
    if (job.agent_id, job.attempt) != (agent.agent_id, finished.attempt):
        raise _conflict(
            "claim_lost",
            "This attempt is not this agent's: it was not claimed, or the job was given to another one.",
        )
    if job.status != finished.status or json_text(job.result) != json_text(finished.result):
        raise _conflict("job_finished", "The job is finished with another result, which stays.")
    return job


def _names(*attributes: str) -> dict[str, str]:
    return {f"#{attribute}": attribute for attribute in attributes}


def _is_held_by(job: Job, agent: KnownAgent) -> bool:
    """An agent whose response got lost claims again and gets the claim that it has."""
    return job.status == "running" and job.agent_id == agent.agent_id


def _refuse_lost(agent: KnownAgent) -> None:
    if agent.is_lost:
        raise _conflict("agent_lost", "This agent counts as lost. Send a heartbeat, then claim.")


def _refuse_finished(job: Job) -> None:
    if job.status not in ("queued", "running"):
        raise _conflict("job_finished", "The job is finished. Claim another one.")


def _taken() -> ApiError:
    return _conflict("job_taken", "Another agent has this job. Claim another one.")


def _not_found() -> ApiError:
    return not_found(UNKNOWN_JOB)


def _conflict(code: str, message: str) -> ApiError:
    return ApiError(HTTPStatus.CONFLICT, code, message)
