"""Say what the attributes of items have to be to be read: each has one reading, and others are not looked at.

Other people's scripts write the tables, too. What a model of `models` shows is made of these and of nothing else.
"""

from typing import Annotated

from pydantic import BeforeValidator, Field

from shared.stored import Stored, StoredId, StoredTime
from turbotech_portal.models import Value

# Every number that JavaScript and DynamoDB hold exactly alike fits into fifteen digits.
MAX_ID = 10**15 - 1


def _text_or_none(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _texts(value: object) -> object:
    """Keep the texts of a list: nobody can have read anything under another id."""
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else value


# An id that no path can name is in no list either.
NumberId = Annotated[int, Field(ge=1, le=MAX_ID)]
# What nothing hangs on: no item is left out for it.
Decoration = Annotated[str | None, BeforeValidator(_text_or_none)]


class StoredDeliverable(Stored):
    """A deliverable as the table and the index of months have it."""

    id: NumberId
    name: str
    status: str
    completion_percentage: Value
    month: int


class StoredMetric(Stored):
    """A metric as the table has it."""

    id: NumberId
    name: str
    target: Value
    current_value: Value


class StoredAuthor(Stored):
    """Who wrote an update, as they were called then."""

    id: str
    name: str


class StoredUpdate(Stored):
    """An update as the table and the index of the feed have it; `updates.UNREAD` asks DynamoDB for the same."""

    id: StoredId
    title: str
    message: str
    author: StoredAuthor
    created_at: StoredTime
    read_by: Annotated[list[str], BeforeValidator(_texts)] = Field(default_factory=list)


class StoredUser(Stored):
    """A user as the table has one."""

    id: str
    name: str
    email: Decoration = None
    first_seen_at: Decoration = None
