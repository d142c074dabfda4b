"""Keep events in DynamoDB: store, acknowledge and delete them, each at most once."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Annotated, Any, Self

from aws_lambda_powertools import Logger
from pydantic import StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from shared.api_errors import ApiError, Throttled, not_found
from shared.dynamodb import (
    CONDITION_FAILED,
    CONFLICT,
    ConditionFailed,
    DynamoDB,
    Item,
    ItemTooLarge,
    TransactionCanceled,
    every_item,
)
from shared.ids import new_id
from shared.retries import backoff_seconds
from shared.stored import Reader, Stored
from shared.times import Clock, is_timestamp, timestamp
from triggers_api import idempotency, sharding
from triggers_api.event_ids import StoredEventId, is_event_id
from triggers_api.item_size import MAX_ITEM_BYTES, item_size
from triggers_api.models import AcknowledgedEvent, CreatedEvent, NewEvent
from triggers_api.settings import Settings

UNKNOWN = "There is no event with this id. It may have been deleted."
ACKNOWLEDGE_ATTEMPTS = 3
TRANSACTION_ATTEMPTS = 5

Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, kw_only=True)
class Created:
    """The response to a POST, and whether it is the response to an earlier one."""

    response: CreatedEvent
    replayed: bool


class KeptEvent(Stored):
    """What decides about an event that is there, waiting or not."""

    event_id: StoredEventId
    created_at: str
    status: Annotated[str, StringConstraints(pattern=rf"^(?:{sharding.PENDING}|{sharding.ACKNOWLEDGED})(?:#[0-9]+)?$")]
    # Of one that waits nobody asks.
    acknowledged_at: Any = None

    @property
    def waits(self) -> bool:
        return sharding.public_status(self.status) == sharding.PENDING

    @property
    def key(self) -> Item:
        return {"event_id": {"S": self.event_id}, "created_at": {"S": self.created_at}}

    @model_validator(mode="after")
    def _says_when_it_was_acknowledged(self) -> Self:
        if not self.waits and not is_timestamp(self.acknowledged_at):
            raise PydanticCustomError("acknowledged", "is acknowledged and does not say when")
        return self


@dataclass(frozen=True, kw_only=True)
class TakenOut:
    """An event that a call has taken out of the inbox, when, and what its `acknowledged_at` was until then."""

    event: KeptEvent
    at: str
    before: dict[str, Any] | None


class EventStore:
    """Store, acknowledge and delete events. Condition expressions decide between requests at the same moment."""

    def __init__(
        self,
        *,
        settings: Settings,
        dynamodb: DynamoDB,
        clock: Clock,
        logger: Logger,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._settings = settings
        self._table = settings.events_table
        self._dynamodb = dynamodb
        self._clock = clock
        self._sleep = sleep
        self._reader = Reader(KeptEvent, table=self._table, key=("event_id", "created_at"), logger=logger)
        self._records = Reader(
            idempotency.StoredRecord, table=self._table, key=("event_id", "created_at"), logger=logger
        )

    async def create(
        self, event: NewEvent, payload_text: str, *, caller_key_hash: str, idempotency_key: str | None
    ) -> Created:
        """Store an event, or repeat the response when this idempotency key has stored it before."""
        response = CreatedEvent(event_id=new_id(), created_at=timestamp(self._clock()))
        item = self._event_item(event, payload_text, response)
        if idempotency_key is None:
            self._put(item)
            return Created(response=response, replayed=False)
        name = idempotency.record_id(caller_key_hash, idempotency_key)
        fingerprint = idempotency.fingerprint(event.source, event.event_type, payload_text)
        return await self._put_once(item, response, name, fingerprint)

    def acknowledge(self, event_id: str) -> AcknowledgedEvent:
        """Take an event out of the inbox; a second time changes nothing and returns the same."""
        taken: list[TakenOut] = []
        for _ in range(ACKNOWLEDGE_ATTEMPTS):
            found = self._find(event_id)
            waiting = [event for event in found if event.waits]
            before = [event.acknowledged_at for event in found if not event.waits]
            if not waiting:
                return AcknowledgedEvent(event_id=event_id, acknowledged_at=max(before))
            now = timestamp(self._clock())
            try:
                for event in waiting:
                    # One by one: what was taken out before one that has no room is put back.
                    out = self._take_out(event, now)
                    taken.append(out)
            except ConditionFailed:
                # Someone else acknowledged or deleted the event just now: look again.
                continue
            except ItemTooLarge:
                for out in taken:
                    self._put_back(out)
                raise
            return AcknowledgedEvent(event_id=event_id, acknowledged_at=max([now, *before]))
        raise Throttled

    def delete(self, event_id: str) -> None:
        """Remove an event, whether it is acknowledged or not."""
        removed = [self._remove(event) for event in self._find(event_id)]
        if not any(removed):
            raise not_found(UNKNOWN)

    def _take_out(self, event: KeptEvent, now: str) -> TakenOut:
        response = self._dynamodb.update_item(
            self._table,
            Key=event.key,
            UpdateExpression="SET #status = :acknowledged, #acknowledged_at = :now",
            ConditionExpression="#status = :pending",
            ExpressionAttributeNames={"#status": "status", "#acknowledged_at": "acknowledged_at"},
            ExpressionAttributeValues={
                ":acknowledged": {"S": sharding.acknowledged_like(event.status)},
                ":now": {"S": now},
                ":pending": {"S": event.status},
            },
            ReturnValues="UPDATED_OLD",
        )
        return TakenOut(event=event, at=now, before=response.get("Attributes", {}).get("acknowledged_at"))

    def _put_back(self, out: TakenOut) -> None:
        """Let an event wait again as it did before this call took it out, unless somebody has changed it since."""
        had = out.before is not None
        with suppress(ConditionFailed):
            self._dynamodb.update_item(
                self._table,
                Key=out.event.key,
                UpdateExpression="SET #status = :pending"
                f"{', #acknowledged_at = :before' if had else ' REMOVE #acknowledged_at'}",
                ConditionExpression="#status = :acknowledged AND #acknowledged_at = :at",
                ExpressionAttributeNames={"#status": "status", "#acknowledged_at": "acknowledged_at"},
                ExpressionAttributeValues={
                    ":acknowledged": {"S": sharding.acknowledged_like(out.event.status)},
                    ":at": {"S": out.at},
                    ":pending": {"S": out.event.status},
                    **({":before": out.before} if had else {}),
                },
            )

    def _remove(self, event: KeptEvent) -> bool:
        """Remove an event, and say whether it was still there."""
        try:
            self._dynamodb.delete_item(
                self._table,
                Key=event.key,
                ConditionExpression="attribute_exists(#event_id)",
                ExpressionAttributeNames={"#event_id": "event_id"},
            )
        except ConditionFailed:
            return False
        return True

    def _event_item(self, event: NewEvent, payload_text: str, response: CreatedEvent) -> Item:
        shard = sharding.shard_of(response.event_id, self._settings.inbox_write_shards)
        attributes = {
            "event_id": response.event_id,
            "created_at": response.created_at,
            "status": sharding.stored_status(sharding.PENDING, shard),
            "source": event.source,
            "event_type": event.event_type,
            "payload": payload_text,
        }
        # An event grows when it is acknowledged, and one that could not be would stay in the inbox for ever.
        acknowledged = attributes | {
            "status": sharding.stored_status(sharding.ACKNOWLEDGED, shard),
            "acknowledged_at": response.created_at,
        }
        size = item_size(acknowledged)
        if size > MAX_ITEM_BYTES:
            raise ApiError(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                "event_too_large",
                f"The event takes {size} bytes and may take {MAX_ITEM_BYTES}. "
                "Put large data elsewhere and send a link to it.",
            )
        return {name: {"S": value} for name, value in attributes.items()}

    def _put(self, item: Item) -> None:
        try:
            self._dynamodb.put_item(self._table, **_put_new(item))
        except ConditionFailed:
            # The id is ours alone, so botocore has sent this same event again after a response got lost.
            return

    async def _put_once(self, item: Item, response: CreatedEvent, name: str, fingerprint: str) -> Created:
        unfit: Item | None = None
        for attempt in range(TRANSACTION_ATTEMPTS):
            record = idempotency.put_request(name, fingerprint, response, self._clock(), unfit=unfit)
            try:
                self._dynamodb.transact_write(
                    [{"Put": {"TableName": self._table, **put}} for put in (record, _put_new(item))]
                )
            except TransactionCanceled as canceled:
                if CONDITION_FAILED in canceled.reasons:
                    first, unfit = self._first_response(name, fingerprint)
                    if first is not None:
                        return Created(response=first, replayed=True)
                elif CONFLICT not in canceled.reasons:
                    raise
                # Another request with this key is being written, or its record has just been swept.
                await self._sleep(backoff_seconds(attempt))
            else:
                return Created(response=response, replayed=False)
        raise Throttled

    def _first_response(self, name: str, fingerprint: str) -> tuple[CreatedEvent | None, Item | None]:
        """Find the first response to a key, or the record that holds none because it does not fit."""
        found = self._dynamodb.get_item(self._table, Key=idempotency.record_key(name), ConsistentRead=True)
        item: Item | None = found.get("Item")
        stored = self._records.find(item)
        record = idempotency.read_record(stored, self._clock())
        if record is None:
            return None, item if stored is None else None
        if record.fingerprint != fingerprint:
            raise ApiError(
                HTTPStatus.CONFLICT,
                "idempotency_conflict",
                "This Idempotency-Key was used with another body. Use a new key for a new event.",
            )
        return record.response, None

    def _find(self, event_id: str) -> list[KeptEvent]:
        """Find the event with this id, which is one; other code can have stored several, and the inbox shows each."""
        if not is_event_id(event_id):
            raise not_found(UNKNOWN)
        query = partial(
            self._dynamodb.query,
            self._table,
            KeyConditionExpression="#event_id = :event_id",
            ProjectionExpression="#event_id, #created_at, #status, #acknowledged_at",
            ExpressionAttributeNames={
                "#event_id": "event_id",
                "#created_at": "created_at",
                "#status": "status",
                "#acknowledged_at": "acknowledged_at",
            },
            ExpressionAttributeValues={":event_id": {"S": event_id}},
            ConsistentRead=True,
        )
        found = list(self._reader.each(every_item(query)))
        if not found:
            raise not_found(UNKNOWN)
        return found


def _put_new(item: Item) -> dict[str, object]:
    return {
        "Item": item,
        "ConditionExpression": "attribute_not_exists(#event_id)",
        "ExpressionAttributeNames": {"#event_id": "event_id"},
    }
