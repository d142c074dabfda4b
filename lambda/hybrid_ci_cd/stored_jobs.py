"""Read jobs as their table has them, and leave out, with one line in the log, those that are not jobs of ours."""

from collections.abc import Collection
from typing import Annotated

from aws_lambda_powertools import Logger
from pydantic import AfterValidator, ConfigDict, Field, StringConstraints, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from hybrid_ci_cd.models import JOB_STATUSES, MAX_ATTEMPT, Job, JobEntry
from hybrid_ci_cd.statuses import public_status, stored_status
from hybrid_ci_cd.stored_values import StoredMembers, StoredName
from shared.dynamodb import Item
from shared.stored import Readers, Stored, StoredId, StoredTime

# Texts that nothing hangs on but what a list shows: any, but none that would fill a page.
ShownText = Annotated[str, StringConstraints(max_length=256)]


def _status(text: str) -> str:
    if public_status(text) not in JOB_STATUSES:
        raise PydanticCustomError("status", "is not a status of a job")
    return text


class StoredEntry(Stored):
    """A job as the index has it: neither payload nor result, nor whose it is but by its status."""

    model_config = ConfigDict(validate_default=True)

    job_id: StoredId
    name: StoredName
    status: Annotated[str, AfterValidator(_status)]
    attempt: Annotated[int, Field(ge=0, le=MAX_ATTEMPT)]
    # An agent that other programs named is none that was ever heard.
    agent_id: ShownText | None = None
    created_at: StoredTime
    claimed_at: ShownText | None = None
    finished_at: ShownText | None = None

    @field_validator("attempt")
    @classmethod
    def _can_be_claimed(cls, attempt: int, info: ValidationInfo) -> int:
        if attempt == MAX_ATTEMPT and _is(info, "queued"):
            raise PydanticCustomError("attempt", "leaves no attempt that could be finished")
        return attempt

    @field_validator("agent_id")
    @classmethod
    def _has_an_agent(cls, agent_id: str | None, info: ValidationInfo) -> str | None:
        # Who finishes it, or leaves it behind, would else be nobody.
        if not agent_id and _is(info, "running"):
            raise PydanticCustomError("agent", "runs on no agent")
        return agent_id

    def values(self) -> dict[str, object]:
        """Return the attributes that callers see."""
        return dict(self) | {"status": public_status(self.status)}


class StoredJob(StoredEntry):
    """A job as the table has it."""

    user_id: StoredName
    payload: StoredMembers
    result: StoredMembers | None = None

    @field_validator("user_id")
    @classmethod
    def _is_in_its_users_queue(cls, user_id: str, info: ValidationInfo) -> str:
        status = str(info.data.get("status", ""))
        if status != stored_status(public_status(status), user_id):
            raise PydanticCustomError("user", "is not the user whose queue it stands in")
        return user_id


class StoredJobs:
    """Read items of the table and entries of its index: what a job shows, whatever else they have.

    Other programs write the table, too. What they wrote is not changed, and must not take other jobs along.
    """

    def __init__(self, *, table: str, logger: Logger) -> None:
        readers = Readers(table=table, key=("job_id",), logger=logger)
        self._jobs = readers.of(StoredJob)
        self._entries = readers.of(StoredEntry)

    def job(self, item: Item) -> Job | None:
        """Read an item; None when it does not fit."""
        found = self._jobs.find(item)
        return Job.model_validate(found.values()) if found else None

    def entry(self, item: Item) -> JobEntry | None:
        """Read an entry of the index, which has neither payload nor result; None when it does not fit."""
        found = self._entries.find(item)
        return JobEntry.model_validate(found.values()) if found else None

    def leave_out(self, job_id: str, attributes: Collection[str]) -> None:
        """Log once that an item does not fit, for what was found when it was to be written."""
        self._jobs.leave_out({"job_id": {"S": job_id}}, attributes)


def _is(info: ValidationInfo, status: str) -> bool:
    return public_status(str(info.data.get("status", ""))) == status
