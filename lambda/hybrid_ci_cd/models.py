"""Describe what callers send and get."""

import json
from collections.abc import Callable
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainSerializer
from pydantic_core import PydanticCustomError

from hybrid_ci_cd.settings import DEFAULT_LOST_AFTER_SECONDS
from shared.numbers import WholeNumber, as_doubles
from shared.strict_model import StrictModel
from shared.visible_text import ShownLine, VisibleId, VisibleLine, visible

JobStatus = Literal["queued", "running", "succeeded", "failed"]
Outcome = Literal["succeeded", "failed"]
Activity = Literal["idle", "busy"]
AgentStatus = Literal["idle", "busy", "lost"]
RunsOn = Literal["cloud", "customer"]
# What an agent's token may do: read the jobs and agents of its user; claim and finish jobs. Each sends heartbeats.
AgentScope = Literal["read", "run"]
AGENT_SCOPES: tuple[AgentScope, ...] = get_args(AgentScope)
JOB_STATUSES: tuple[JobStatus, ...] = get_args(JobStatus)
ACTIVITIES: tuple[Activity, ...] = get_args(Activity)

# A job with both a payload and a result has to fit into DynamoDB's 400 KB.
MAX_JSON_BYTES = 128 * 1024
MAX_USER_INFO_BYTES = 16 * 1024
MAX_ATTEMPT = 10**9

EXAMPLE_ID = "7f3d9f0e-5c1b-4c7e-9d53-0a4a1f4c2b11"
EXAMPLE_TIME = "2026-01-31T09:15:02.104233Z"
EXAMPLE_SESSION_ID = "kq3vYx0dX1S0Z0Yb6m9m4mJb5q4bqk9v1n8Cw2hXh3A"
EXAMPLE_HANDLE = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


def json_text(value: object) -> str:
    """Write JSON so that equal values are equal texts; a number that JSON cannot hold is a ValueError."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))


def _at_most(most_bytes: int) -> Callable[[dict[str, Any]], dict[str, Any]]:
    def check(value: dict[str, Any]) -> dict[str, Any]:
        try:
            size = len(json_text(value).encode())
        except ValueError:
            raise PydanticCustomError("not_json", "has a number that is too large for JSON") from None
        if size > most_bytes:
            raise PydanticCustomError(
                "too_large", "has {size} bytes as JSON and may have {most}", {"size": size, "most": most_bytes}
            )
        return value

    return check


Name = Annotated[str, Field(min_length=1, max_length=256)]
Id = Annotated[str, Field(examples=[EXAMPLE_ID])]
Time = Annotated[str, Field(description="ISO 8601, UTC, microseconds.", examples=[EXAMPLE_TIME])]
# What callers send, and what they get: tables also hold names from before there was a rule.
SentName = Annotated[Name, VisibleLine]
ShownName = Annotated[Name, PlainSerializer(visible, when_used="json")]
JsonMembers = Annotated[dict[str, Any], AfterValidator(as_doubles), AfterValidator(_at_most(MAX_JSON_BYTES))]
UserInfo = Annotated[dict[str, Any], AfterValidator(as_doubles), AfterValidator(_at_most(MAX_USER_INFO_BYTES))]
NextCursor = Annotated[str | None, Field(description="Send this as `cursor` to go on; null when there was no more.")]


class NewSession(StrictModel):
    """A user who has logged in, as whoever checked that tells it."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "user_id": "user123",
                "provider": "google",
                "oauth_tokens": {},
                "user_info": {"name": "Ada", "email": "ada@example.com"},
            }
        }
    )

    user_id: Annotated[Name, VisibleId] = Field(description="Whose session it is. The caller is believed.")
    provider: str = Field(pattern=r"^[A-Za-z0-9._-]{1,64}$", description="Who checked the user, such as google.")
    oauth_tokens: dict[str, Any] = Field(
        default={}, description="Taken because clients send it; never stored and never logged."
    )
    user_info: UserInfo = Field(default={}, description="What /auth/validate gives back about the user.")


class CreatedSession(BaseModel):
    """The only response that ever holds the session id."""

    session_id: str = Field(description="Keep it secret: whoever has it is the user.", examples=[EXAMPLE_SESSION_ID])
    handle: str = Field(description="The session's public name in the list of devices.", examples=[EXAMPLE_HANDLE])
    user_id: Name
    created_at: Time
    expires_at: Time


class SessionToValidate(StrictModel):
    """A session id that somebody has shown."""

    session_id: str = Field(max_length=1024, examples=[EXAMPLE_SESSION_ID])


class ValidSession(BaseModel):
    """A session that holds at this moment."""

    valid: Literal[True] = True
    user_id: Name
    provider: ShownLine
    user_info: dict[str, Any]
    created_at: Time
    expires_at: Time


class InvalidSession(BaseModel):
    """An id that is unknown, ended or expired; which of them is not told."""

    valid: Literal[False] = False


class Device(BaseModel):
    """A session as its user sees it in the list of active devices."""

    handle: str = Field(description="The name to end it by; it opens nothing.", examples=[EXAMPLE_HANDLE])
    current: bool = Field(description="Whether it is the session that asks.")
    provider: ShownLine
    user_agent: ShownLine | None = Field(description="What the browser called itself when the session was made.")
    created_at: Time
    expires_at: Time


class DevicePage(BaseModel):
    """A part of a user's live sessions, the one that lives longest first."""

    sessions: list[Device]
    next_cursor: NextCursor


class NewJob(StrictModel):
    """Something to run."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"name": "build main", "payload": {"commit": "5ce2b18", "steps": ["make test"]}}}
    )

    name: SentName = Field(description="What people call it.")
    payload: JsonMembers = Field(default={}, description="What an agent needs to run it: any JSON object.")


class JobEntry(BaseModel):
    """A job as it stands in a list."""

    job_id: Id
    name: ShownName
    status: JobStatus
    attempt: int = Field(description="How many times it has been claimed. Finishing names the attempt.")
    agent_id: str | None = Field(description="Who claimed it last.")
    created_at: Time
    claimed_at: str | None
    finished_at: str | None


class Job(JobEntry):
    """A job with what is to be run and what came out."""

    payload: dict[str, Any]
    result: dict[str, Any] | None


class JobPage(BaseModel):
    """A part of the jobs of one status, oldest first."""

    jobs: list[JobEntry]
    next_cursor: NextCursor


class FinishedJob(StrictModel):
    """How an attempt ended."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"attempt": 1, "status": "succeeded", "result": {"tests": 312}}}
    )

    attempt: Annotated[int, WholeNumber] = Field(
        ge=1, le=MAX_ATTEMPT, description="The attempt that the claim responded with."
    )
    status: Outcome
    result: JsonMembers = Field(default={}, description="What came out: any JSON object.")


class NewAgent(StrictModel):
    """A program that runs jobs, in the cloud or on a customer's machine."""

    model_config = ConfigDict(json_schema_extra={"example": {"name": "build-7", "runs_on": "customer"}})

    name: SentName = Field(description="What people call it.")
    runs_on: RunsOn = "customer"
    scopes: list[AgentScope] = Field(
        default=list(AGENT_SCOPES),
        min_length=1,
        max_length=len(AGENT_SCOPES),
        description="What its token may do: `read` its user's jobs and agents, `run` jobs; both when left out.",
    )


class Heartbeat(StrictModel):
    """What an agent says of itself."""

    status: Activity = "idle"


class Agent(BaseModel):
    """An agent as its user sees it."""

    agent_id: Id
    name: ShownName
    runs_on: RunsOn
    status: AgentStatus = Field(description="What it said last, or lost when it has been silent for too long.")
    registered_at: Time
    last_heartbeat_at: Time
    lost_after_seconds: int = Field(
        description="Seconds of silence after which it counts as lost; send a heartbeat three times as often.",
        examples=[DEFAULT_LOST_AFTER_SECONDS],
    )


class RegisteredAgent(Agent):
    """The only response that ever holds the agent's token."""

    agent_token: str = Field(description="Keep it secret: whoever has it claims this user's jobs.")
    scopes: list[AgentScope] = Field(description="What the token may do.")


class AgentPage(BaseModel):
    """A part of a user's agents."""

    agents: list[Agent]
    next_cursor: NextCursor


class Health(BaseModel):
    """The service responds."""

    status: Literal["healthy"] = "healthy"
    version: str
