"""Keep sessions in DynamoDB: make, check, list and end them. What is stored opens nothing."""

import math
import re
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import islice
from typing import Any

from aws_lambda_powertools import Logger

from hybrid_ci_cd.listing import Index, KeyRange, Listing, Page
from hybrid_ci_cd.models import NewSession, json_text
from hybrid_ci_cd.settings import MAX_LIFETIME_SECONDS, Settings
from hybrid_ci_cd.stored_sessions import MAX_USER_AGENT_LENGTH, StoredSession, StoredSessions
from hybrid_ci_cd.tokens import is_handle, is_session_id, logout_key, new_session_id
from shared.api_keys import hash_key
from shared.dynamodb import ConditionFailed, DynamoDB, Item
from shared.housekeeping import Housekeeping
from shared.ids import new_id
from shared.items import to_item
from shared.times import Clock, timestamp

INDEX = "user_id-expires_at-index"
# The generation of a user who has never logged out everywhere.
FIRST_GENERATION = "first"
# What one log-out everywhere deletes itself; the rest counts as ended all the same, until DynamoDB's sweep takes it.
DELETED_AT_ONCE = 200


@dataclass(frozen=True, kw_only=True)
class Session:
    """A session that holds.

    `handle` is the hash of its id. `user_generation` is the one that the user's sessions have to be of, or None when
    no log-out everywhere is remembered, so that any will do. `item` is what the table has of it.
    """

    handle: str
    user_id: str
    provider: str
    created_at: str
    expires_at: int
    user_generation: str | None
    item: Item = field(default_factory=dict, repr=False)


class SessionStore:
    """Keep sessions under the hash of their id.

    A user's sessions belong to a generation. Logging out everywhere starts another one in a single write, so that no
    session survives because the index did not show it yet.
    """

    def __init__(
        self, *, settings: Settings, dynamodb: DynamoDB, clock: Clock, housekeeping: Housekeeping, logger: Logger
    ) -> None:
        self._settings = settings
        self._housekeeping = housekeeping
        self._table = settings.sessions_table
        self._stored = StoredSessions(table=self._table, logger=logger)
        self._dynamodb = dynamodb
        self._clock = clock
        index = Index(
            table=self._table,
            name=INDEX,
            hash="user_id",
            range="expires_at",
            range_type="N",
            key="session_id",
            is_range=lambda text: re.fullmatch(r"[0-9]{1,12}", text) is not None,
            is_key=is_handle,
        )
        self._listing = Listing(dynamodb=dynamodb, index=index)

    def create(self, new: NewSession, *, user_agent: str | None) -> tuple[str, Session]:
        """Make a session and return its id, which is kept nowhere. No OAuth token is stored at all."""
        session_id = new_session_id()
        now = self._clock()
        session = Session(
            handle=hash_key(session_id),
            user_id=new.user_id,
            provider=new.provider,
            created_at=timestamp(now),
            expires_at=_second_after(now + self._settings.session_lifetime),
            user_generation=self._generation(new.user_id),
        )
        item = {
            "session_id": session.handle,
            "user_id": session.user_id,
            "provider": session.provider,
            "user_info": json_text(new.user_info),
            "user_agent": user_agent[:MAX_USER_AGENT_LENGTH] if user_agent else None,
            "created_at": session.created_at,
            "expires_at": session.expires_at,
            "generation": FIRST_GENERATION if session.user_generation is None else session.user_generation,
        }
        self._dynamodb.put_item(self._table, Item=to_item(item))
        return session_id, session

    def find(self, session_id: str) -> Session | None:
        """Find the session with this id if it holds at this moment, swept or not."""
        return self._find(hash_key(session_id)) if is_session_id(session_id) else None

    def still_holds(self, session: Session) -> bool:
        """Tell whether a session that was found holds at this moment."""
        return self._find(session.handle) is not None

    def _find(self, handle: str) -> Session | None:
        found = self._dynamodb.get_item(self._table, Key={"session_id": {"S": handle}}, ConsistentRead=True)
        stored = self._stored.session(found.get("Item"))
        if stored is None:
            return None
        user_generation = self._generation(stored.user_id)
        if not self._holds(stored, user_generation):
            return None
        return Session(
            handle=handle,
            user_id=stored.user_id,
            provider=stored.provider,
            created_at=stored.created_at,
            expires_at=stored.expires_at,
            user_generation=user_generation,
            item=found["Item"],
        )

    def user_info(self, session: Session) -> dict[str, Any]:
        """Read what the provider told of the user of a session that was found."""
        return self._stored.user_info(session.item)

    def page(self, asking: Session, *, after: str | None, limit: int) -> Page[StoredSession]:
        """Read a page of the live sessions of the user who asks, the one that lives longest first."""
        # To the second, as `_holds` has it: a number that is none of ours is only told apart when it is read.
        now = math.floor(self._clock().timestamp())

        def lives(item: Item) -> bool:
            return Decimal(item["expires_at"]["N"]) > now

        def read(item: Item) -> StoredSession | None:
            found = self._stored.session(item)
            return found if found and asking.user_generation in (None, found.generation) else None

        key_range = KeyRange(partition=asking.user_id, newest_first=True, holds=lives)
        return self._listing.page([key_range], after=after, limit=limit, read=read)

    def end(self, asking: Session, handle: str) -> bool:
        """End one live session of the user who asks, and say whether there was one."""
        if not is_handle(handle):
            return False
        key = {"session_id": {"S": handle}}
        found = self._dynamodb.get_item(self._table, Key=key, ConsistentRead=True)
        stored = self._stored.session(found.get("Item"))
        if stored is None or stored.user_id != asking.user_id or not self._holds(stored, asking.user_generation):
            return False
        # Without a condition: botocore sends a deletion again when its response got lost, and then nothing is there.
        self._dynamodb.delete_item(self._table, Key=key)
        return True

    def end_all(self, asking: Session) -> None:
        """End every session that the user has at this moment: the first write does it, the rest tidies up."""
        # It can go when the last session of an earlier generation has expired.
        expires_at = _second_after(self._clock() + timedelta(seconds=MAX_LIFETIME_SECONDS))
        record = {"session_id": logout_key(asking.user_id), "generation": new_id(), "expires_at": expires_at}
        names = {"#session_id": "session_id", "#generation": "generation"}
        # One that cannot be read has ended every session that was made before, and is replaced by one that can be.
        replaceable = "attribute_not_exists(#session_id) OR NOT attribute_type(#generation, :text)"
        values = {":text": {"S": "S"}}
        if asking.user_generation is not None:
            replaceable += " OR #generation = :generation"
            values[":generation"] = {"S": asking.user_generation}
        # A generation that is another one by now has ended all that there was when this call began. It is this call's
        # own, written before its response got lost, or another log-out's, and sessions made since then are to stay.
        with suppress(ConditionFailed):
            self._dynamodb.put_item(
                self._table,
                Item=to_item(record),
                ConditionExpression=replaceable,
                ExpressionAttributeNames=names,
                ExpressionAttributeValues=values,
            )
        with self._housekeeping.task("delete ended sessions"):
            self._tidy(asking.user_id)

    def _tidy(self, user_id: str) -> None:
        """Delete sessions of earlier generations."""
        everything = KeyRange(partition=user_id, newest_first=True)
        listed = list(islice(self._listing.walk(everything, size=DELETED_AT_ONCE), DELETED_AT_ONCE))
        # Read after the list, it is no older than any session in it: what is of another generation has ended.
        generation = self._generation(user_id)
        for item in listed:
            stored = self._stored.session(item)
            if stored and generation not in (None, stored.generation):
                self._dynamodb.delete_item(self._table, Key={"session_id": item["session_id"]})

    def _holds(self, stored: StoredSession, user_generation: str | None) -> bool:
        """Tell whether a session has neither expired nor been ended by a log-out everywhere."""
        return self._clock() < moment_of(stored.expires_at) and user_generation in (None, stored.generation)

    def _generation(self, user_id: str) -> str | None:
        """Read the user's generation; None when no log-out everywhere is remembered, so that any will do."""
        found = self._dynamodb.get_item(
            self._table,
            Key={"session_id": {"S": logout_key(user_id)}},
            ConsistentRead=True,
            ProjectionExpression="#session_id, #generation",
            ExpressionAttributeNames={"#session_id": "session_id", "#generation": "generation"},
        )
        return self._stored.generation(found.get("Item"))


def moment_of(expires_at: int) -> datetime:
    """Say when a session ends: at the beginning of that second."""
    return datetime.fromtimestamp(expires_at, UTC)


def _second_after(moment: datetime) -> int:
    """Round up to a second of the epoch: rounding down would end a session before its time."""
    return math.ceil(moment.timestamp())
