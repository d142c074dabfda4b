"""Read agents as their table has them: what a list shows, what a token opens, and what is left of a removed one."""

from typing import Annotated, Any

from aws_lambda_powertools import Logger
from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from hybrid_ci_cd.models import ACTIVITIES, AGENT_SCOPES, AgentScope, RunsOn
from hybrid_ci_cd.statuses import public_status
from hybrid_ci_cd.stored_values import StoredGeneration, StoredHash, StoredName, generation_of
from shared import times
from shared.dynamodb import Item
from shared.stored import Readers, Stored, StoredId, StoredTime

KEY = ("agent_id",)


def _activity(text: str) -> str:
    if public_status(text) not in ACTIVITIES:
        raise PydanticCustomError("status", "is not a status of an agent")
    return text


class StoredAgent(Stored):
    """An agent as its user sees it; the index has all of this."""

    agent_id: StoredId
    name: StoredName
    runs_on: RunsOn
    status: Annotated[str, AfterValidator(_activity)]
    registered_at: StoredTime
    last_heartbeat_at: StoredTime


class StoredToken(Stored):
    """What an agent's token opens, and whose it is; the index has nothing of it."""

    agent_id: StoredId
    user_id: StoredName
    token_hash: StoredHash
    generation: str | None = None
    # One that cannot be read is none: the agent is lost until its next heartbeat.
    last_heartbeat_at: Any = None

    @property
    def last_heard(self) -> str | None:
        return self.last_heartbeat_at if times.is_timestamp(self.last_heartbeat_at) else None


class StoredRemoved(Stored):
    """What is left of a removed agent."""

    agent_id: StoredId
    last_heartbeat_at: StoredTime


class StoredAgents:
    """Read items of the table and entries of its index, whatever else they have; log once what does not fit."""

    def __init__(self, *, table: str, logger: Logger) -> None:
        readers = Readers(table=table, key=KEY, logger=logger)
        self._agents = readers.of(StoredAgent)
        self._tokens = readers.of(StoredToken)
        self._removed = readers.of(StoredRemoved)
        self._generations = readers.of(StoredGeneration)

    def agent(self, item: Item) -> StoredAgent | None:
        """Read what a user sees of an agent, from an item or an entry of the index."""
        return self._agents.find(item)

    def noted(self, item: Item) -> StoredAgent:
        """Read what a user sees of an agent that is to be changed, or refuse."""
        return self._agents.need(item, "agent")

    def token(self, item: Item | None) -> StoredToken | None:
        """Read what an agent's token opens. What is left of a removed one has no token, which is nothing to log."""
        return self._tokens.find(item) if item and "token_hash" in item else None

    def removed(self, item: Item) -> StoredRemoved | None:
        """Read what is left of a removed agent."""
        return self._removed.find(item)

    def generation(self, item: Item | None) -> str | None:
        """Read the record of when all agents of a user were ended."""
        return generation_of(self._generations, item)


def scopes_of(item: Item) -> frozenset[AgentScope]:
    """Read what an agent may do: everything if it is older than scopes, nothing if it is not a set of them."""
    if "scopes" not in item:
        return frozenset(AGENT_SCOPES)
    told = item["scopes"].get("SS", [])
    return frozenset(scope for scope in AGENT_SCOPES if scope in told)
