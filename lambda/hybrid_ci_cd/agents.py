"""Keep agents in DynamoDB: register them, know them by their tokens, hear their heartbeats, and tell who is lost."""

import hmac
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import islice
from typing import Any, cast

from aws_lambda_powertools import Logger

from hybrid_ci_cd.listing import Index, KeyRange, Listing, Page
from hybrid_ci_cd.models import ACTIVITIES, Activity, Agent, AgentScope, AgentStatus, NewAgent
from hybrid_ci_cd.settings import Settings
from hybrid_ci_cd.statuses import public_status, stored_status
from hybrid_ci_cd.stored_agents import StoredAgent, StoredAgents, scopes_of
from hybrid_ci_cd.tokens import agent_id_of, logout_key, new_agent_token
from shared.api_keys import hash_key
from shared.dynamodb import ConditionFailed, DynamoDB, Item, ItemTooLarge
from shared.housekeeping import Housekeeping
from shared.ids import is_id, new_id
from shared.items import to_item
from shared.times import Clock, is_timestamp, timestamp

INDEX = "status-last_heartbeat_at-index"
# What the table says of a removed agent, whose item stays without its token while jobs of it may be about.
REMOVED = "removed"
# How many agents of each status are looked at for jobs that they left behind, those last heard first.
GONE_AT_MOST = 1000
# A claim that was under way when its agent was removed, and the index that shows it, have long come to rest by then.
FORGOTTEN_AFTER = timedelta(hours=1)
FORGOTTEN_AT_ONCE = 10
# What ending all agents of a user removes itself; the tokens of the others have ended all the same.
REMOVED_AT_ONCE = 200


@dataclass(frozen=True, kw_only=True)
class KnownAgent:
    """An agent that has shown its token, and whose jobs it runs; `item` is what the table has of it."""

    agent_id: str
    user_id: str
    is_lost: bool
    scopes: frozenset[AgentScope]
    item: Item = field(default_factory=dict, repr=False)


@dataclass(frozen=True, kw_only=True)
class Gone:
    """A user's agents that seem lost or removed, and those that were removed so long ago that they may be forgotten."""

    agent_ids: frozenset[str]
    forgettable: tuple[str, ...]


class AgentStore:
    """Keep agents, each under its id; an agent is lost when its last heartbeat says so, and nothing has to sweep.

    A user's agents belong to a generation, as sessions do: ending them all starts another one in a single write, so
    that no token survives because the index did not show its agent yet.
    """

    def __init__(
        self, *, settings: Settings, dynamodb: DynamoDB, clock: Clock, housekeeping: Housekeeping, logger: Logger
    ) -> None:
        self._table = settings.agents_table
        self._stored = StoredAgents(table=self._table, logger=logger)
        self._housekeeping = housekeeping
        self._lost_after = settings.agent_lost_after
        self._dynamodb = dynamodb
        self._clock = clock
        index = Index(
            table=self._table,
            name=INDEX,
            hash="status",
            range="last_heartbeat_at",
            range_type="S",
            key="agent_id",
            is_range=is_timestamp,
            is_key=is_id,
        )
        self._listing = Listing(dynamodb=dynamodb, index=index)

    def register(self, new: NewAgent, *, user_id: str) -> tuple[str, Agent]:
        """Register an agent and return its token, of which only the hash is kept; this is its first heartbeat."""
        agent_id = new_id()
        token = new_agent_token(agent_id)
        now = timestamp(self._clock())
        made = StoredAgent(
            agent_id=agent_id,
            name=new.name,
            runs_on=new.runs_on,
            status=stored_status("idle", user_id),
            registered_at=now,
            last_heartbeat_at=now,
        )
        of_token = {"user_id": user_id, "token_hash": hash_key(token), "generation": self._generation(user_id)}
        scopes = {"SS": sorted(set(new.scopes))}
        self._dynamodb.put_item(self._table, Item=to_item(dict(made) | of_token) | {"scopes": scopes})
        return token, self._public(made)

    def authenticate(self, token: str) -> KnownAgent | None:
        """Find the agent that has this token."""
        agent_id = agent_id_of(token)
        if agent_id is None:
            return None
        item = self._read(agent_id)
        stored = self._stored.token(item)
        if item is None or stored is None or not hmac.compare_digest(stored.token_hash, hash_key(token)):
            return None
        if self._generation(stored.user_id) not in (None, stored.generation):
            return None
        return KnownAgent(
            agent_id=agent_id,
            user_id=stored.user_id,
            is_lost=self._is_silent(stored.last_heard),
            scopes=scopes_of(item),
            item=item,
        )

    def heartbeat(self, agent: KnownAgent, activity: Activity) -> Agent | None:
        """Note that an agent lives and what it does; None when it has been removed in the meantime.

        The response is what was read with what is written here, so one that could not be made leaves the item as it is.
        """
        written = to_item(
            {"status": stored_status(activity, agent.user_id), "last_heartbeat_at": timestamp(self._clock())}
        )
        noted = self._stored.noted(agent.item | written)
        try:
            self._dynamodb.update_item(
                self._table,
                Key={"agent_id": {"S": agent.agent_id}},
                UpdateExpression="SET #status = :status, #last_heartbeat_at = :last_heartbeat_at",
                ConditionExpression="#token_hash = :token_hash",
                ExpressionAttributeNames={f"#{name}": name for name in (*written, "token_hash")},
                ExpressionAttributeValues={f":{name}": value for name, value in written.items()}
                | {":token_hash": agent.item["token_hash"]},
            )
        except ConditionFailed:
            return None
        return self._public(noted)

    def page(self, user_id: str, *, status: AgentStatus | None, after: str | None, limit: int) -> Page[Agent]:
        """Read a page of a user's agents: all of them or those of one status, lost ones from the longest silent on."""
        silent_since = self._silent_since()

        def is_lost(item: Item) -> bool:
            return bool(item["last_heartbeat_at"]["S"] <= silent_since)

        def is_live(item: Item) -> bool:
            return not is_lost(item)

        def key_range(activity: Activity, **options: Any) -> KeyRange:
            return KeyRange(partition=stored_status(activity, user_id), **options)

        if status is None:
            ranges = [key_range(activity, newest_first=True) for activity in ACTIVITIES]
        elif status == "lost":
            ranges = [key_range(activity, newest_first=False, holds=is_lost) for activity in ACTIVITIES]
        else:
            ranges = [key_range(status, newest_first=True, holds=is_live)]
        return self._listing.page(ranges, after=after, limit=limit, read=self._shown)

    def remove(self, user_id: str, agent_id: str) -> bool:
        """Remove an agent of this user, and say whether there was one; its token stops at once.

        Its item stays under another status, so that `gone` names it for as long as it can have jobs. Whatever else it
        has may be unreadable: what a list shows can be removed.
        """
        return self._retire(user_id, agent_id)

    def take_back(self, user_id: str, agent_id: str) -> None:
        """Remove an agent whose token nobody has been sent, so that it is in no list."""
        with self._housekeeping.task("take back an agent"):
            self.remove(user_id, agent_id)

    def end_all(self, user_id: str) -> None:
        """End the token of every agent that the user has at this moment: one write does it."""
        # It never expires, for tokens do not either.
        record = {"agent_id": logout_key(user_id), "generation": new_id()}
        self._dynamodb.put_item(self._table, Item=to_item(record))

    def remove_ended(self, user_id: str) -> None:
        """Take agents whose tokens have been ended out of the lists; any that are left over there are lost soon."""
        with self._housekeeping.task("remove ended agents"):
            for activity in ACTIVITIES:
                for item in list(self._last_heard(activity, user_id))[:REMOVED_AT_ONCE]:
                    # The index has no generation. One that registered since has to stay.
                    agent_id = item["agent_id"]["S"]
                    stored = self._stored.token(self._read(agent_id))
                    if stored and self._generation(user_id) != stored.generation:
                        with suppress(ItemTooLarge):
                            self._retire(user_id, agent_id)

    def is_lost(self, agent_id: str) -> bool:
        """Tell whether an agent is lost or removed, by what the table says at this moment."""
        # An item that does not fit is not an agent's that could ever be heard.
        stored = self._stored.token(self._read(agent_id)) if is_id(agent_id) else None
        return stored is None or self._is_silent(stored.last_heard)

    def gone(self, user_id: str) -> Gone:
        """Name the user's agents that seem lost or removed; `is_lost` is who knows."""
        silent_since = self._silent_since()
        lost = [item for activity in ACTIVITIES for item in self._last_heard(activity, user_id, up_to=silent_since)]
        removed = list(self._last_heard(REMOVED, user_id))
        long_ago = timestamp(self._clock() - FORGOTTEN_AFTER)
        return Gone(
            agent_ids=frozenset(item["agent_id"]["S"] for item in (*lost, *removed)),
            forgettable=tuple(
                left.agent_id
                for item in removed
                if (left := self._stored.removed(item)) is not None and left.last_heartbeat_at <= long_ago
            ),
        )

    def forget(self, agent_ids: Sequence[str]) -> None:
        """Delete what is left of some removed agents, which have no jobs any more.

        One with a token is none that was removed, whatever status another program gave it.
        """
        with self._housekeeping.task("forget removed agents"):
            for agent_id in agent_ids[:FORGOTTEN_AT_ONCE]:
                with suppress(ConditionFailed):
                    self._dynamodb.delete_item(
                        self._table,
                        Key={"agent_id": {"S": agent_id}},
                        ConditionExpression="attribute_not_exists(#token_hash)",
                        ExpressionAttributeNames={"#token_hash": "token_hash"},
                    )

    def _retire(self, user_id: str, agent_id: str) -> bool:
        item = self._read(agent_id) if is_id(agent_id) else None
        removed = {"S": stored_status(REMOVED, user_id)}
        if item is None or item.get("user_id") != {"S": user_id} or item.get("status") == removed:
            return False
        # Two at once both remove it, and so does a write that botocore sends again because its response got lost.
        self._dynamodb.update_item(
            self._table,
            Key={"agent_id": {"S": agent_id}},
            UpdateExpression="SET #status = :removed, #last_heartbeat_at = :now REMOVE #token_hash",
            ExpressionAttributeNames={
                "#status": "status",
                "#last_heartbeat_at": "last_heartbeat_at",
                "#token_hash": "token_hash",
            },
            ExpressionAttributeValues={":removed": removed, ":now": {"S": timestamp(self._clock())}},
        )
        return True

    def _last_heard(self, status: str, user_id: str, *, up_to: str | None = None) -> Iterator[Item]:
        key_range = KeyRange(partition=stored_status(status, user_id), newest_first=True, up_to=up_to)
        return islice(self._listing.walk(key_range, size=GONE_AT_MOST), GONE_AT_MOST)

    def _generation(self, user_id: str) -> str | None:
        """Read the generation of a user's agents; None when nobody has ever ended them all, so that any will do."""
        return self._stored.generation(self._read(logout_key(user_id)))

    def _read(self, agent_id: str) -> Item | None:
        found = self._dynamodb.get_item(self._table, Key={"agent_id": {"S": agent_id}}, ConsistentRead=True)
        item: Item | None = found.get("Item")
        return item

    def _shown(self, item: Item) -> Agent | None:
        """Read what a user sees of an agent; None when its item does not fit."""
        found = self._stored.agent(item)
        return self._public(found) if found else None

    def _public(self, agent: StoredAgent) -> Agent:
        activity = cast("Activity", public_status(agent.status))
        return Agent(
            agent_id=agent.agent_id,
            name=agent.name,
            runs_on=agent.runs_on,
            status="lost" if self._is_silent(agent.last_heartbeat_at) else activity,
            registered_at=agent.registered_at,
            last_heartbeat_at=agent.last_heartbeat_at,
            lost_after_seconds=int(self._lost_after.total_seconds()),
        )

    def _is_silent(self, last_heard: str | None) -> bool:
        """Tell whether an agent that was last heard then is lost."""
        return last_heard is None or last_heard <= self._silent_since()

    def _silent_since(self) -> str:
        """Write the moment at or before which the last heartbeat of a lost agent lies."""
        return timestamp(self._clock() - self._lost_after)
