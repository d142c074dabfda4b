"""Keep jobs in DynamoDB: each attempt has one agent, whoever else wants the job at the same moment."""

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from itertools import islice
from typing import Any

from hybrid_ci_cd.agents import AgentStore, Gone, KnownAgent
from hybrid_ci_cd.listing import Index, Listing, Page, Stretch, is_timestamp
from hybrid_ci_cd.models import FinishedJob, Job, JobEntry, JobStatus, NewJob, json_text
from hybrid_ci_cd.settings import Settings
from hybrid_ci_cd.statuses import public_status, stored_status
from shared.api_errors import ApiError, not_found
from shared.dynamodb import ConditionFailed, DynamoDB, Item
from shared.ids import is_id, new_id
from shared.items import from_item, to_item
from shared.times import Clock, timestamp

INDEX = "status-created_at-index"
# How many of the oldest running jobs are looked at, for a lost agent, before the queue is.
FIRST_LOOK = 10
# How many of them one call looks at in all, and reads at once.
RUNNING_AT_MOST = 1000
RUNNING_PAGE = 100
QUEUE_PAGE = 10


@dataclass(frozen=True, kw_only=True)
class Done:
    """A job as it stands after a call, and whether this call changed it."""

    job: Job
    changed: bool


class JobStore:
    """Keep jobs. The index only says where to look: a condition on the job itself decides who gets it.

    Every claim has an attempt's number and an id of its own. The number fences off an agent that was taken for lost;
    the id tells a claim that botocore sent twice, because its answer got lost, from somebody else's.
    """

    def __init__(self, *, settings: Settings, dynamodb: DynamoDB, clock: Clock, agents: AgentStore) -> None:
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

    def create(self, new: NewJob, *, user_id: str) -> Job:
        """Put a job into the user's queue."""
        item = to_item(
            {
                "job_id": new_id(),
                "user_id": user_id,
                "name": new.name,
                "payload": json_text(new.payload),
                "status": stored_status("queued", user_id),
                "attempt": 0,
                "created_at": timestamp(self._clock()),
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
        return _job(item)

    def get(self, job_id: str, *, user_id: str) -> Job:
        """Read one of the user's jobs."""
        return _job(self._find(job_id, user_id))

    def page(self, user_id: str, *, status: JobStatus, after: str | None, limit: int) -> Page:
        """Read a page of the user's jobs of one status, oldest first."""
        stretch = Stretch(partition=stored_status(status, user_id), newest_first=False)
        return self._listing.page([stretch], after=after, limit=limit)

    def claim(self, job_id: str, agent: KnownAgent) -> Done:
        """Give this job to the agent, unless another one has it."""
        _refuse_lost(agent)
        claim_id = new_id()
        taken = self._take(job_id, agent, claim_id, status="queued") if is_id(job_id) else None
        if taken:
            return Done(job=_job(taken), changed=True)
        found = self._find(job_id, agent.user_id)
        if _is_claim(found, claim_id) or _is_held_by(found, agent):
            return Done(job=_job(found), changed=_is_claim(found, claim_id))
        if public_status(found["status"]["S"]) not in ("queued", "running"):
            raise _conflict("job_finished", "The job is finished. Claim another one.")
        if public_status(found["status"]["S"]) == "running" and self._agents.is_lost(found["agent_id"]["S"]):
            taken = self._take(job_id, agent, claim_id, status="running", attempt=int(found["attempt"]["N"]))
            taken = taken or self._taken_before(job_id, claim_id)
        if not taken:
            raise _conflict("job_taken", "Another agent has this job. Claim another one.")
        return Done(job=_job(taken), changed=True)

    def claim_next(self, agent: KnownAgent) -> Job | None:
        """Give the agent a job that a lost agent left behind, else the oldest one in the queue, else nothing."""
        _refuse_lost(agent)
        claim_id = new_id()
        gone = self._agents.gone(agent.user_id)
        # Where no agent is missing, none of its jobs can be.
        all_running = self._running(agent.user_id) if gone.agent_ids else iter(())
        running = islice(all_running, RUNNING_AT_MOST)
        for candidates in (
            self._left_behind(islice(running, FIRST_LOOK), gone),
            self._queued(agent.user_id),
            self._left_behind(running, gone),
        ):
            for status, job_id, attempt in candidates:
                taken = self._take(job_id, agent, claim_id, status=status, attempt=attempt)
                taken = taken or self._taken_before(job_id, claim_id)
                if taken:
                    return _job(taken)
        if next(all_running, None) is None:
            self._agents.forget(gone.forgettable)
        return None

    def finish(self, job_id: str, agent: KnownAgent, finished: FinishedJob) -> Done:
        """End the agent's attempt with a result; the same once more changes nothing."""
        if not is_id(job_id):
            raise _not_found()
        now = timestamp(self._clock())
        try:
            answer = self._dynamodb.update_item(
                self._table,
                Key={"job_id": {"S": job_id}},
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
                ReturnValues="ALL_NEW",
            )
        except ConditionFailed:
            found = self._finished_before(job_id, agent, finished)
            # The time is this call's own when botocore sent the write twice because its answer got lost.
            return Done(job=found, changed=found.finished_at == now)
        return Done(job=_job(answer["Attributes"]), changed=True)

    def _finished_before(self, job_id: str, agent: KnownAgent, finished: FinishedJob) -> Job:
        found = _job(self._find(job_id, agent.user_id))
        if (found.agent_id, found.attempt) != (agent.agent_id, finished.attempt):
            raise _conflict(
                "claim_lost",
                "This attempt is not this agent's: it was not claimed, or the job was given to another one.",
            )
        if found.status != finished.status or json_text(found.result) != json_text(finished.result):
            raise _conflict("job_finished", "The job is finished with another result, which stays.")
        return found

    def _take(
        self, job_id: str, agent: KnownAgent, claim_id: str, *, status: JobStatus, attempt: int | None = None
    ) -> Item | None:
        """Take a job that is in this status and, when one is named, still in this attempt: the one write of a claim."""
        values = {
            ":from": {"S": stored_status(status, agent.user_id)},
            ":running": {"S": stored_status("running", agent.user_id)},
            ":agent_id": {"S": agent.agent_id},
            ":claim_id": {"S": claim_id},
            ":now": {"S": timestamp(self._clock())},
            ":one": {"N": "1"},
        }
        condition = "#status = :from"
        if attempt is not None:
            condition += " AND #attempt = :attempt"
            values[":attempt"] = {"N": str(attempt)}
        try:
            answer = self._dynamodb.update_item(
                self._table,
                Key={"job_id": {"S": job_id}},
                UpdateExpression=(
                    "SET #status = :running, #agent_id = :agent_id, #claim_id = :claim_id, #claimed_at = :now "
                    "ADD #attempt :one"
                ),
                ConditionExpression=condition,
                ExpressionAttributeNames=_names("status", "agent_id", "claim_id", "claimed_at", "attempt"),
                ExpressionAttributeValues=values,
                ReturnValues="ALL_NEW",
            )
        except ConditionFailed:
            return None
        taken: Item = answer["Attributes"]
        return taken

    def _taken_before(self, job_id: str, claim_id: str) -> Item | None:
        """Look whether the write that was refused had been done by the same call, whose answer got lost."""
        item = self._read(job_id)
        return item if item and _is_claim(item, claim_id) else None

    def _queued(self, user_id: str) -> Iterator[tuple[JobStatus, str, int | None]]:
        stretch = Stretch(partition=stored_status("queued", user_id), newest_first=False)
        for item in self._listing.walk(stretch, size=QUEUE_PAGE):
            yield "queued", item["job_id"]["S"], None

    def _running(self, user_id: str) -> Iterator[Item]:
        stretch = Stretch(partition=stored_status("running", user_id), newest_first=False)
        return self._listing.walk(stretch, size=RUNNING_PAGE)

    def _left_behind(self, running: Iterator[Item], gone: Gone) -> Iterator[tuple[JobStatus, str, int | None]]:
        """Pick the jobs whose agent is lost. What the index says is checked again on the job, by its attempt."""
        for item in running:
            if item["agent_id"]["S"] in gone.agent_ids and self._agents.is_lost(item["agent_id"]["S"]):
                yield "running", item["job_id"]["S"], int(item["attempt"]["N"])

    def _find(self, job_id: str, user_id: str) -> Item:
        item = self._read(job_id) if is_id(job_id) else None
        if item is None or item["user_id"]["S"] != user_id:
            raise _not_found()
        return item

    def _read(self, job_id: str) -> Item | None:
        found = self._dynamodb.get_item(self._table, Key={"job_id": {"S": job_id}}, ConsistentRead=True)
        item: Item | None = found.get("Item")
        return item


def entry_of(item: Item) -> JobEntry:
    """Make of an entry of the index what its user may see."""
    return JobEntry(**_public(item))


def _job(item: Item) -> Job:
    values = from_item(item)
    result = values.get("result")
    return Job(
        **_public(item),
        payload=json.loads(values["payload"]),
        result=None if result is None else json.loads(result),
    )


def _public(item: Item) -> dict[str, Any]:
    values = from_item(item)
    return {
        "job_id": values["job_id"],
        "name": values["name"],
        "status": public_status(values["status"]),
        "attempt": values["attempt"],
        "created_at": values["created_at"],
        **{name: values.get(name) for name in ("agent_id", "claimed_at", "finished_at")},
    }


def _names(*attributes: str) -> dict[str, str]:
    return {f"#{attribute}": attribute for attribute in attributes}


def _is_claim(item: Item, claim_id: str) -> bool:
    return bool(item.get("claim_id", {}).get("S") == claim_id)


def _is_held_by(item: Item, agent: KnownAgent) -> bool:
    """An agent whose answer got lost claims again and gets the claim that it has."""
    return public_status(item["status"]["S"]) == "running" and item["agent_id"]["S"] == agent.agent_id


def _refuse_lost(agent: KnownAgent) -> None:
    if agent.is_lost:
        raise _conflict("agent_lost", "This agent counts as lost. Send a heartbeat, then claim.")


def _not_found() -> ApiError:
    return not_found("There is no job of yours with this id.")


def _conflict(code: str, message: str) -> ApiError:
    return ApiError(HTTPStatus.CONFLICT, code, message)
