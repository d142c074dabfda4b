"""Remember the first response to an idempotency key, so that a repeated POST gets it again."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any

from pydantic import StringConstraints

from shared.dynamodb import Item
from shared.stored import Stored, StoredId, StoredTime
from triggers_api.models import CreatedEvent

HEADER = "Idempotency-Key"
PATTERN = r"^[!-~]+$"
MAX_LENGTH = 255
LIFETIME = timedelta(hours=24)
# Records have no `status`, so they are not in the index, and one fixed range key, so they can be read by their id.
RANGE_KEY = "idempotency"


# The types of a record's attributes in DynamoDB.
TYPES = {"first_event_id": "S", "first_created_at": "S", "fingerprint": "S", "expires_at": "N"}


class StoredRecord(Stored):
    """A record as the table has it."""

    first_event_id: StoredId
    first_created_at: StoredTime
    fingerprint: Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]
    expires_at: int | Decimal


@dataclass(frozen=True, kw_only=True)
class Record:
    """The first response, and a fingerprint of the body that it was given to."""

    response: CreatedEvent
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


def put_request(
    name: str, body_fingerprint: str, response: CreatedEvent, now: datetime, *, unfit: Item | None = None
) -> dict[str, Any]:
    """Write the record unless there is one that counts: DynamoDB may take days to sweep an expired one.

    `unfit` is a record that was read and does not fit: while it is still the same, it does not count either.
    """
    seen = {} if unfit is None else {attribute: unfit[attribute] for attribute in TYPES if attribute in unfit}
    same = " AND ".join(f"#{attribute} = :seen_{attribute}" for attribute in seen)
    return {
        "Item": record_key(name)
        | {
            "first_event_id": {"S": response.event_id},
            "first_created_at": {"S": response.created_at},
            "fingerprint": {"S": body_fingerprint},
            "expires_at": {"N": str(int((now + LIFETIME).timestamp()))},
        },
        # One whose attributes are of other types does not fit, which needs no reading.
        "ConditionExpression": "attribute_not_exists(#event_id) OR #expires_at <= :now OR NOT "
        f"({' AND '.join(f'attribute_type(#{name}, :{kind})' for name, kind in TYPES.items())})"
        f"{f' OR ({same})' if same else ''}",
        "ExpressionAttributeNames": {"#event_id": "event_id", **{f"#{name}": name for name in TYPES}},
        "ExpressionAttributeValues": {
            ":now": {"N": str(int(now.timestamp()))},
            **{f":{kind}": {"S": kind} for kind in TYPES.values()},
            **{f":seen_{attribute}": value for attribute, value in seen.items()},
        },
    }


def read_record(stored: StoredRecord | None, now: datetime) -> Record | None:
    """Read a record, unless there is none or it has expired."""
    if stored is None or stored.expires_at <= int(now.timestamp()):
        return None
    return Record(
        response=CreatedEvent(event_id=stored.first_event_id, created_at=stored.first_created_at),
        fingerprint=stored.fingerprint,
    )
