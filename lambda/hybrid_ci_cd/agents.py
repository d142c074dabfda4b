"""Keep agents in DynamoDB: register them, know them by their tokens, hear their heartbeats, and tell who is lost."""

import hmac
from collections.abc import Collection
from typing import Any, cast

from hybrid_ci_cd.listing import Index, Listing, Page, Stretch, is_timestamp
from hybrid_ci_cd.models import Activity, Agent, AgentStatus, NewAgent
from hybrid_ci_cd.settings import Settings
from hybrid_ci_cd.statuses import public_status, stored_status
from hybrid_ci_cd.tokens import agent_id_of, is_id, new_agent_token, new_id
from shared.api_keys import hash_key
from shared.dynamodb import ConditionFailed, DynamoDB, Item
from shared.items import from_item, to_item
from shared.times import Clock, timestamp

INDEX = "status-last_heartbeat_at-index"
ACTIVITIES: tuple[Activity, ...] = ("idle", "busy")


class KnownAgent(Agent):
    """An agent that has shown its token, and whose jobs it runs."""

    user_id: str


class AgentStore:
    """Keep agents, each under its id; an agent is lost when its last heartbeat says so, and nothing has to sweep."""

    def __init__(self, *, settings: Settings, dynamodb: DynamoDB, clock: Clock) -> None:
        self._table = settings.agents_table
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
        item = to_item(
            {
                "agent_id": agent_id,
                "user_id": user_id,
                "name": new.name,
                "runs_on": new.runs_on,
                "status": stored_status("idle", user_id),
                "registered_at": now,
                "last_heartbeat_at": now,
                "token_hash": hash_key(token),
            }
        )
        self._dynamodb.put_item(self._table, Item=item)
        return token, self.public(item)

    def authenticate(self, token: str) -> KnownAgent | None:
        """Find the agent that has this token."""
        agent_id = agent_id_of(token)
        if agent_id is None:
            return None
        found = self._dynamodb.get_item(self._table, Key={"agent_id": {"S": agent_id}}, ConsistentRead=True)
        item = found.get("Item")
        if item is None or not hmac.compare_digest(item["token_hash"]["S"], hash_key(token)):
            return None
        return KnownAgent(user_id=item["user_id"]["S"], **self.public(item).model_dump())

    def heartbeat(self, agent: KnownAgent, activity: Activity) -> Agent | None:
        """Note that an agent lives and what it does; None when it has been removed in the meantime."""
        try:
            answer = self._dynamodb.update_item(
                self._table,
                Key={"agent_id": {"S": agent.agent_id}},
                UpdateExpression="SET #status = :status, #last_heartbeat_at = :now",
                ConditionExpression="attribute_exists(#agent_id)",
                ExpressionAttributeNames={
                    "#agent_id": "agent_id",
                    "#status": "status",
                    "#last_heartbeat_at": "last_heartbeat_at",
                },
                ExpressionAttributeValues={
                    ":status": {"S": stored_status(activity, agent.user_id)},
                    ":now": {"S": timestamp(self._clock())},
                },
                ReturnValues="ALL_NEW",
            )
        except ConditionFailed:
            return None
        return self.public(answer["Attributes"])

    def page(self, user_id: str, *, status: AgentStatus | None, after: str | None, limit: int) -> Page:
        """Read a page of a user's agents: all of them or those of one status, lost ones from the longest silent on."""
        silent_since = self._silent_since()

        def is_lost(item: Item) -> bool:
            return bool(item["last_heartbeat_at"]["S"] <= silent_since)

        def is_live(item: Item) -> bool:
            return not is_lost(item)

        def stretch(activity: Activity, **options: Any) -> Stretch:
            return Stretch(partition=stored_status(activity, user_id), **options)

        if status is None:
            stretches = [stretch(activity, newest_first=True) for activity in ACTIVITIES]
        elif status == "lost":
            stretches = [stretch(activity, newest_first=False, holds=is_lost) for activity in ACTIVITIES]
        else:
            stretches = [stretch(status, newest_first=True, holds=is_live)]
        return self._listing.page(stretches, after=after, limit=limit)

    def remove(self, user_id: str, agent_id: str) -> bool:
        """Remove an agent of this user, and say whether there was one; its token stops at once."""
        if not is_id(agent_id):
            return False
        try:
            self._dynamodb.delete_item(
                self._table,
                Key={"agent_id": {"S": agent_id}},
                ConditionExpression="#user_id = :user_id",
                ExpressionAttributeNames={"#user_id": "user_id"},
                ExpressionAttributeValues={":user_id": {"S": user_id}},
            )
        except ConditionFailed:
            return False
        return True

    def is_lost(self, agent_id: str) -> bool:
        """Tell whether an agent is lost or removed, by what the table says at this moment."""
        found = self._dynamodb.get_item(self._table, Key={"agent_id": {"S": agent_id}}, ConsistentRead=True)
        return "Item" not in found or found["Item"]["last_heartbeat_at"]["S"] <= self._silent_since()

    def seem_lost(self, agent_ids: Collection[str]) -> set[str]:
        """Pick those of up to a hundred agents that seem lost or removed; `is_lost` is who knows."""
        if not agent_ids:
            return set()
        answer = self._dynamodb.batch_get_item(
            self._table,
            Keys=[{"agent_id": {"S": agent_id}} for agent_id in sorted(agent_ids)],
            ProjectionExpression="#agent_id, #last_heartbeat_at",
            ExpressionAttributeNames={"#agent_id": "agent_id", "#last_heartbeat_at": "last_heartbeat_at"},
        )
        # Of an agent that DynamoDB has not looked up we know nothing, so it counts as alive.
        left_over = answer.get("UnprocessedKeys", {}).get(self._table, {}).get("Keys", [])
        silent_since = self._silent_since()
        alive = {
            item["agent_id"]["S"]
            for item in answer["Responses"].get(self._table, [])
            if item["last_heartbeat_at"]["S"] > silent_since
        }
        return set(agent_ids) - alive - {key["agent_id"]["S"] for key in left_over}

    def public(self, item: Item) -> Agent:
        """Make of a table's or an index's item what its user may see."""
        values = from_item(item)
        lost = values["last_heartbeat_at"] <= self._silent_since()
        activity = cast("Activity", public_status(values["status"]))
        return Agent(
            agent_id=values["agent_id"],
            name=values["name"],
            runs_on=values["runs_on"],
            status="lost" if lost else activity,
            registered_at=values["registered_at"],
            last_heartbeat_at=values["last_heartbeat_at"],
            lost_after_seconds=int(self._lost_after.total_seconds()),
        )

    def _silent_since(self) -> str:
        """Write the moment at or before which the last heartbeat of a lost agent lies."""
        return timestamp(self._clock() - self._lost_after)
