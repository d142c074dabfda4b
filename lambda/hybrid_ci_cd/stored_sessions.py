"""Read sessions as their table has them, whatever else their items have; log once what does not fit."""

from datetime import UTC, datetime
from typing import Annotated, Any

from aws_lambda_powertools import Logger
from pydantic import BeforeValidator, Field, StringConstraints

from hybrid_ci_cd.stored_values import StoredGeneration, StoredHash, StoredMembers, StoredName, generation_of
from shared.dynamodb import Item
from shared.stored import Readers, Stored, StoredTime

KEY = ("session_id",)
MAX_USER_AGENT_LENGTH = 256
MAX_PROVIDER_LENGTH = 64
# The last second that a time can be written for.
LAST_SECOND = int(datetime.max.replace(tzinfo=UTC, microsecond=0).timestamp())


def _user_agent(value: object) -> str | None:
    """Read what only decorates a list: a text, as long as this service keeps one, or nothing."""
    return value[:MAX_USER_AGENT_LENGTH] if isinstance(value, str) else None


class StoredSession(Stored):
    """A session as its user sees it; the index has all of this, and so a list shows what opens something."""

    session_id: StoredHash
    user_id: StoredName
    provider: Annotated[str, StringConstraints(max_length=MAX_PROVIDER_LENGTH)]
    created_at: StoredTime
    expires_at: Annotated[int, Field(ge=0, le=LAST_SECOND)]
    generation: str | None = None
    user_agent: Annotated[str | None, BeforeValidator(_user_agent)] = None


class StoredUserInfo(Stored):
    """What a provider told of the user."""

    user_info: StoredMembers


class StoredSessions:
    """Read items of the table and entries of its index."""

    def __init__(self, *, table: str, logger: Logger) -> None:
        readers = Readers(table=table, key=KEY, logger=logger)
        self._sessions = readers.of(StoredSession)
        self._user_infos = readers.of(StoredUserInfo)
        self._generations = readers.of(StoredGeneration)

    def session(self, item: Item | None) -> StoredSession | None:
        """Read a session; None where there is none that fits."""
        return self._sessions.find(item)

    def user_info(self, item: Item) -> dict[str, Any]:
        """Read what the provider told of the user; what cannot be read is nothing: the session holds all the same."""
        found = self._user_infos.find(item)
        return found.user_info if found else {}

    def generation(self, item: Item | None) -> str | None:
        """Read the record of a user's last log-out everywhere."""
        return generation_of(self._generations, item)
