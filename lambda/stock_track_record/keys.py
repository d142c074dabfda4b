"""Write the keys of the single table; README.md lists the access patterns that they come from."""

import re
from typing import Any, TypeVar

from pydantic_core import PydanticCustomError

from shared.dynamodb import Item

Shape = TypeVar("Shape")

INDEX = "gsi1"
CHANNELS = "CHANNELS"
PICK = "PICK#"
TICKER_PATTERN = r"^[A-Z][A-Z0-9.-]{0,9}$"
DAY_PATTERN = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"


def is_ticker(text: str) -> bool:
    """Tell whether a stock can have this ticker."""
    return re.fullmatch(TICKER_PATTERN, text) is not None


def channel_key(channel_id: str) -> Item:
    """Give the key of a channel."""
    return _key(f"CHANNEL#{channel_id}", "CHANNEL")


def pick_key(channel_id: str, day: str, ticker: str) -> Item:
    """Give the key of a pick: one for each channel, day and stock."""
    return _key(f"CHANNEL#{channel_id}", f"{PICK}{day}#{ticker}")


def record_key(channel_id: str) -> Item:
    """Give the key of a channel's track record."""
    return _key(f"CHANNEL#{channel_id}", "RECORD")


def job_key(job_id: str) -> Item:
    """Give the key of a job."""
    return _key(f"JOB#{job_id}", "JOB")


def jobs_of(channel_id: str) -> str:
    """Name the partition of the index that lists a channel's jobs."""
    return f"CHANNEL#{channel_id}#JOBS"


def index_key(partition: str, created_at: str, entity_id: str) -> Item:
    """Give the index's key of a channel or a job: its list, and its place there by age."""
    return {"gsi1pk": {"S": partition}, "gsi1sk": {"S": f"{created_at}#{entity_id}"}}


def listed(partition: str, *, newest_first: bool = False) -> dict[str, Any]:
    """Make the query of a list in the index."""
    return {
        "IndexName": INDEX,
        "KeyConditionExpression": "#gsi1pk = :partition",
        "ExpressionAttributeNames": {"#gsi1pk": "gsi1pk"},
        "ExpressionAttributeValues": {":partition": {"S": partition}},
        "ScanIndexForward": not newest_first,
    }


def picks_of(channel_id: str) -> dict[str, Any]:
    """Make the query of a channel's picks, oldest first."""
    return {
        "KeyConditionExpression": "#pk = :channel AND begins_with(#sk, :pick)",
        "ExpressionAttributeNames": {"#pk": "pk", "#sk": "sk"},
        "ExpressionAttributeValues": {":channel": {"S": f"CHANNEL#{channel_id}"}, ":pick": {"S": PICK}},
        "ConsistentRead": True,
    }


def lies_under(found: Shape, there: str, key: str) -> Shape:
    """Refuse an item that lies under another key than its attributes say: a cursor would lead elsewhere."""
    if there != key:
        raise PydanticCustomError("key", "lies under another key than its attributes say")
    return found


def _key(partition: str, place: str) -> Item:
    return {"pk": {"S": partition}, "sk": {"S": place}}
