"""Keep channels and their picks in DynamoDB."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus
from typing import Any, Self

from aws_lambda_powertools import Logger
from pydantic import ConfigDict, model_validator

from shared.api_errors import ApiError, Throttled, not_found
from shared.dynamodb import CONDITION_FAILED, CONFLICT, ConditionFailed, DynamoDB, Item, TransactionCanceled
from shared.ids import is_id, new_id
from shared.items import plain, to_item
from shared.retries import backoff_seconds
from shared.stored import Reader, Readers, Stored, StoredId, StoredTime
from shared.times import Clock, timestamp
from stock_track_record import keys, models
from stock_track_record.paging import Place, read_page, write_cursor

# All returns of a channel's picks stand in one item, the track record, and an item may have 400 KB.
MAX_PICKS = 1000
ATTEMPTS = 5
KEY = ("pk", "sk")
EXISTS = "attribute_exists(#pk)"
NEW = "attribute_not_exists(#pk)"

Sleep = Callable[[float], Awaitable[None]]


class StoredChannel(Stored):
    """A channel as the table has it."""

    pk: str
    channel_id: StoredId
    name: str
    description: str = ""
    created_at: StoredTime

    @model_validator(mode="after")
    def _lies_under_its_key(self) -> Self:
        return keys.lies_under(self, self.pk, keys.channel_key(self.channel_id)["pk"]["S"])


class ListedChannel(StoredChannel):
    """A channel as the index has it: a cursor leads on from where it lies there."""

    gsi1sk: str

    @model_validator(mode="after")
    def _lies_where_a_cursor_leads(self) -> Self:
        key = keys.index_key(keys.CHANNELS, self.created_at, self.channel_id)
        return keys.lies_under(self, self.gsi1sk, key["gsi1sk"]["S"])


class StoredPick(models.Pick):
    """A pick as the table has it."""

    model_config = ConfigDict(extra="ignore")

    sk: str

    @model_validator(mode="after")
    def _lies_under_its_key(self) -> Self:
        return keys.lies_under(self, self.sk, f"{keys.PICK}{self.date}#{self.ticker}")


class ChannelStore:
    """Store channels and picks. Condition expressions decide between requests at the same moment."""

    def __init__(
        self, *, table: str, dynamodb: DynamoDB, clock: Clock, logger: Logger, sleep: Sleep = asyncio.sleep
    ) -> None:
        self._table = table
        self._dynamodb = dynamodb
        self._clock = clock
        self._sleep = sleep
        readers = Readers(table=table, key=KEY, logger=logger)
        self._channels = readers.of(StoredChannel)
        self._listed = readers.of(ListedChannel)
        self._picks = readers.of(StoredPick)

    def create(self, new: models.NewChannel, *, channel_id: str | None = None) -> models.Channel:
        """Store a new channel; one whose id is given and there already stays as it is."""
        channel = models.Channel(
            channel_id=channel_id or new_id(),
            created_at=timestamp(self._clock()),
            name=new.name,
            description=new.description,
        )
        item = (
            keys.channel_key(channel.channel_id)
            | keys.index_key(keys.CHANNELS, channel.created_at, channel.channel_id)
            | to_item(channel.model_dump() | {"pick_count": 0, "job_count": 0})
        )
        try:
            self._dynamodb.put_item(
                self._table, Item=item, ConditionExpression=NEW, ExpressionAttributeNames={"#pk": "pk"}
            )
        except ConditionFailed:
            # Either the id was given, or botocore has sent this same channel again after a response got lost.
            return self.read(channel.channel_id)
        return channel

    def read(self, channel_id: str) -> models.Channel:
        """Read a channel, or say that there is none."""
        if is_id(channel_id):
            found = self._dynamodb.get_item(self._table, Key=keys.channel_key(channel_id), ConsistentRead=True)
            channel = self._channels.find(found.get("Item"))
            if channel is not None:
                return channel_of(channel)
        raise unknown_channel()

    def must_be_there(self, channel_id: str) -> None:
        """Say that there is no such channel unless there is one, whatever its item says: what belongs to it may fit."""
        if not (is_id(channel_id) and channel_exists(self._dynamodb, self._table, channel_id)):
            raise unknown_channel()

    def page(self, *, after: Place | None, limit: int) -> models.ChannelPage:
        """List channels, oldest first; the index shows a new one a moment later."""
        request: dict[str, Any] = {}
        if after:
            created_at, channel_id = after
            request["ExclusiveStartKey"] = keys.channel_key(channel_id) | keys.index_key(
                keys.CHANNELS, created_at, channel_id
            )
        channels, more = read_page(
            self._dynamodb, self._table, self._listed, channel_of, limit=limit, **keys.listed(keys.CHANNELS), **request
        )
        return models.ChannelPage(
            channels=channels,
            next_cursor=write_cursor(channels[-1].created_at, channels[-1].channel_id) if more else None,
        )

    async def add_picks(self, channel_id: str, picks: Sequence[models.Pick]) -> None:
        """Add picks to a channel, all or none."""
        if not is_id(channel_id):
            raise unknown_channel()
        writes = [self._count(channel_id, len(picks)), *(self._put(channel_id, pick) for pick in picks)]
        for attempt in range(ATTEMPTS):
            try:
                self._dynamodb.transact_write(writes)
            except TransactionCanceled as canceled:
                self._explain(channel_id, picks, canceled.reasons)
                if CONFLICT not in canceled.reasons:
                    raise
                # Somebody else adds picks to this channel at this very moment.
                await self._sleep(backoff_seconds(attempt))
            else:
                return
        raise Throttled

    def picks(self, channel_id: str, *, after: Place | None, limit: int) -> models.PickPage:
        """List a channel's picks, oldest first."""
        self.must_be_there(channel_id)
        request = {} if after is None else {"ExclusiveStartKey": keys.pick_key(channel_id, *after)}
        picks, more = read_page(
            self._dynamodb, self._table, self._picks, pick_of, limit=limit, **keys.picks_of(channel_id), **request
        )
        return models.PickPage(
            picks=picks, next_cursor=write_cursor(picks[-1].date, picks[-1].ticker) if more else None
        )

    def _count(self, channel_id: str, more: int) -> dict[str, Any]:
        return {
            "Update": {
                "TableName": self._table,
                "Key": keys.channel_key(channel_id),
                # One that is not there is 0.
                "UpdateExpression": "SET #count = if_not_exists(#count, :none) + :more",
                "ConditionExpression": f"{EXISTS} AND {counts_up_to(':room')}",
                "ExpressionAttributeNames": {"#pk": "pk", "#count": "pick_count"},
                "ExpressionAttributeValues": to_item({":none": 0, ":more": more, ":room": MAX_PICKS - more}),
            }
        }

    def _put(self, channel_id: str, pick: models.Pick) -> dict[str, Any]:
        return {
            "Put": {
                "TableName": self._table,
                "Item": keys.pick_key(channel_id, pick.date, pick.ticker) | to_item(pick.model_dump()),
                "ConditionExpression": NEW,
                "ExpressionAttributeNames": {"#pk": "pk"},
            }
        }

    def _explain(self, channel_id: str, picks: Sequence[models.Pick], reasons: Sequence[str | None]) -> None:
        """Say why nothing was added, when it is for the caller to fix."""
        of_channel, *of_picks = reasons
        if of_channel == CONDITION_FAILED:
            found = self._dynamodb.get_item(self._table, Key=keys.channel_key(channel_id), ConsistentRead=True)
            refuse_uncounted(self._channels, found.get("Item"), "pick_count")
            raise ApiError(
                HTTPStatus.CONFLICT,
                "channel_full",
                f"A channel has at most {MAX_PICKS} picks, and with these it would have more. None was added.",
            )
        there = [pick for pick, reason in zip(picks, of_picks, strict=True) if reason == CONDITION_FAILED]
        if there:
            raise ApiError(
                HTTPStatus.CONFLICT,
                "pick_exists",
                f"The channel has a pick of {there[0].ticker} on {there[0].date} already. None was added: "
                f"leave {'it' if len(there) == 1 else f'that and {len(there) - 1} more'} out.",
            )


def channel_exists(dynamodb: DynamoDB, table: str, channel_id: str) -> bool:
    """Tell whether a channel is there."""
    response = dynamodb.get_item(
        table,
        Key=keys.channel_key(channel_id),
        ConsistentRead=True,
        ProjectionExpression="#pk",
        ExpressionAttributeNames={"#pk": "pk"},
    )
    return "Item" in response


def channel_of(stored: StoredChannel) -> models.Channel:
    """Show a channel as callers get it."""
    return models.Channel.model_validate(stored.model_dump())


def pick_of(stored: StoredPick) -> models.Pick:
    """Show a pick as callers get it."""
    return models.Pick.model_validate(stored.model_dump(exclude={"sk"}))


def counts_up_to(most: str) -> str:
    """Make the condition that `#count` counts, and not above `most`; one that is not there is 0, which is `:none`."""
    return f"(attribute_not_exists(#count) OR (#count >= :none AND #count <= {most}))"


def refuse_uncounted(reader: Reader[StoredChannel], item: Item | None, count: str, *, most: int | None = None) -> None:
    """Refuse to go on where there is no channel, or where what it counts by is not a number from 0 to `most`."""
    if item is None:
        raise unknown_channel()
    counted = plain(item.get(count, {"N": "0"}))
    if "N" not in item.get(count, {"N": "0"}) or counted < 0 or (most is not None and counted > most):
        raise reader.unreadable(item, {count}, "channel")


def unknown_channel() -> ApiError:
    """Say that there is no such channel."""
    return not_found("There is no channel with this id.")
