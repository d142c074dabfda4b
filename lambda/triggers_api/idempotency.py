"""Remember the first answer to an idempotency key, so that a repeated POST gets it again."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shared.dynamodb import Item
from triggers_api.models import CreatedEvent

HEADER = "Idempotency-Key"
PATTERN = r"^[!-~]+$"
MAX_LENGTH = 255
LIFETIME = timedelta(hours=24)
# Records have no `status`, so they are not in the index, and one fixed range key, so they can be read by their id.
RANGE_KEY = "idempotency"


@dataclass(frozen=True, kw_only=True)
class Record:
    """The first answer, and a fingerprint of the body that it was given to."""

    answer: CreatedEvent
    fingerprint: str


def fingerprint(source: str, event_type: str, payload_text: str) -> str:
    """Tell bodies apart by their members as they were written."""
    return hashlib.sha256(json.dumps([source, event_type, payload_text]).encode()).hexdigest()


def record_id(caller_key_hash: str, idempotency_key: str) -> str:
    """Name the record of one caller's key; nothing can be told from the name, and no event can have it."""
    digest = hashlib.sha256(f"{caller_key_hash}\n{idempotency_key}".encode()).hexdigest()
    return f"idempotency#{digest}"


def record_key(name: str) -> Item:
    """Give the primary key of a record."""
    return {"event_id": {"S": name}, "created_at": {"S": RANGE_KEY}}


def put_request(name: str, body_fingerprint: str, answer: CreatedEvent, now: datetime) -> dict[str, Any]:
    """Write the record unless there is one that counts: DynamoDB may take days to sweep an expired one."""
    return {
        "Item": record_key(name)
        | {
            "first_event_id": {"S": answer.event_id},
            "first_created_at": {"S": answer.created_at},
            "fingerprint": {"S": body_fingerprint},
            "expires_at": {"N": str(int((now + LIFETIME).timestamp()))},
        },
        "ConditionExpression": "attribute_not_exists(#event_id) OR #expires_at <= :now",
        "ExpressionAttributeNames": {"#event_id": "event_id", "#expires_at": "expires_at"},
        "ExpressionAttributeValues": {":now": {"N": str(int(now.timestamp()))}},
    }


def read_record(item: Item | None, now: datetime) -> Record | None:
    """Read a record, unless there is none or it has expired."""
    if item is None or int(item["expires_at"]["N"]) <= int(now.timestamp()):
        return None
    return Record(
        answer=CreatedEvent(event_id=item["first_event_id"]["S"], created_at=item["first_created_at"]["S"]),
        fingerprint=item["fingerprint"]["S"],
    )
