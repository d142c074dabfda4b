"""Bring the addresses in the DynamoDB tables into their one form, in transactions that a request cannot get between."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from fileshare.addresses import Addresses
from fileshare.dynamodb_database import USER_INDEX, reservation_key
from fileshare.ops.migration.merging import Away, Problem, Spelled, changed, merged, stored_user
from fileshare.ops.migration.snapshot import CHANGED, Moment, Moved, Snapshot, Unsettled
from fileshare.ops.migration.target import ATTEMPTS, FULL, Table, with_retries
from fileshare.records import User
from shared.dynamodb import CONDITION_FAILED, ConditionFailed, Item, ItemTooLarge, TransactionCanceled, every_item
from shared.items import from_item, to_item
from shared.retries import backoff_seconds

THREADS = 8
# DynamoDB reads 100 items at once.
BATCH = 100
RESERVATION = reservation_key("")
# Stays with a user who was merged until nothing can be written for this user any more.
INTO, AT, EMAIL = "merged_into", "merged_at", "merged_email"
TRIAL = ("user_tier", "trial_used", "trial_started_at", "trial_expires_at", "updated_at")
# DynamoDB takes keys of up to 2,048 bytes.
LONGEST_KEY = 2048
# The reason of a transaction for a write that no item of its size can take.
REFUSED = "ValidationError"
IS_A_USER = (
    "it is a user, since it has an email, but its user_id begins with email#, as that of items that reserve addresses; "
    "give the user another id, or delete it, and run it again"
)
IS_FOR_NOBODY = (
    "it reserves an address, and its reserved_for is not the id of a user; delete it or correct it, and run it again"
)


class Changed(Exception):
    """Somebody has written what was read a moment ago: it has to be read again."""


class OddReservationError(Exception):
    """What stands where an address is reserved reserves it for nobody, and is not written over; the text says why."""


class AddressTables(Table):
    """Users and their reservations in one table, links in another."""

    key = "user_id"

    def __init__(self, client: Any, *, users: str, urls: str, addresses: Addresses, now: Moment) -> None:
        super().__init__(client, users)
        self._urls = urls
        self._addresses = addresses
        self._now = now

    def snapshot(self) -> Snapshot:
        """Read everybody's address."""
        names = ("user_id", "email", "created_at", "reserved_for", INTO, AT, EMAIL)
        found: list[Spelled] = []
        reserved: dict[str, str | None] = {}
        strange: list[Problem] = []
        blocked: set[str] = set()
        away: dict[str, Away] = {}
        for item in self._scan(self._table, names):
            user_id = item["user_id"]["S"]
            if user_id.startswith(RESERVATION):
                address = user_id.removeprefix(RESERVATION)
                try:
                    reserved[address] = reserved_in(item)
                except OddReservationError as odd:
                    blocked.add(address)
                    strange.append(Problem(user_id, text_in(item, "email") or "", str(odd)))
            elif INTO in item:
                if is_key(into := text_in(item, INTO) or ""):
                    away[user_id] = Away(into, text_in(item, AT) or "", text_in(item, EMAIL) or "")
                else:
                    email = text_in(item, "email") or text_in(item, EMAIL) or ""
                    strange.append(
                        Problem(user_id, email, f"its {INTO} is not the id of a user; correct it or take it away")
                    )
            elif "email" in item:
                user = user_in(item)
                found.append(Spelled(user.created_at, user_id, user.email))
        return Snapshot(found, away, reserved, strange=tuple(strange), blocked=frozenset(blocked))

    def settle(self, address: str, user_ids: Iterable[str]) -> None:
        """Leave one user with an address, which is reserved for that user; what is written meanwhile is read again."""
        ids = set(user_ids)
        for attempt in range(ATTEMPTS):
            try:
                self._settle(address, ids)
            except Changed:
                time.sleep(backoff_seconds(attempt))
            else:
                return
        raise Unsettled(dict.fromkeys(sorted(ids), CHANGED))

    def move_links(self, away: Mapping[str, str]) -> Moved:
        """Give links that the index knows to those who stay."""
        return self._give(
            ((code, owner) for owner in away for code in self._indexed(owner)),
            away,
        )

    def move_last_links(self, away: Mapping[str, str]) -> Moved:
        """Give all links that are left to those who stay: the index can lag behind, the table cannot."""
        owned = (
            (item["short_code"]["S"], text_in(item, "created_by_user") or "")
            for item in self._scan(self._urls, ("short_code", "created_by_user"))
        )
        return self._give(((code, owner) for code, owner in owned if owner in away), away)

    def forget(self, user_ids: Iterable[str]) -> None:
        """Delete what is left of users who were merged."""
        for user_id in user_ids:
            write = Write({"user_id": user_id}, f"attribute_exists(#{INTO})", names={f"#{INTO}": INTO})
            try:
                with_retries(partial(self._dynamodb.delete_item, self._table, **write.request()))
            except ConditionFailed:
                continue

    def _settle(self, address: str, ids: set[str]) -> None:
        key = reservation_key(address)
        reservation = self._items([key]).get(key, {})
        try:
            reserved_for = reserved_in(reservation)
        except OddReservationError as odd:
            raise Unsettled({key: str(odd)}) from None
        if reserved_for is not None:
            # Whoever signs up with this address while the table is read is known by the reservation.
            ids.add(reserved_for)
        items = self._items(sorted(ids))
        members = sorted(
            Spelled(user.created_at, user.user_id, user.email)
            for user in map(user_in, items.values())
            if self._has(items[user.user_id], address)
        )
        if not members:
            return
        kept = members[0]
        known = {member.user_id for member in members}
        if reserved_for is not None and reserved_for not in known:
            outsider = (reserved_for, items.get(reserved_for, {}))
        else:
            outsider = None
        self._claim(address, items[kept.user_id], reservation, outsider)
        reasons: dict[str, str] = {}
        for other in members[1:]:
            try:
                self._merge(address, kept.user_id, other.user_id)
            except Unsettled as unsettled:
                reasons |= unsettled.reasons
        if reasons:
            raise Unsettled(reasons)

    def _claim(self, address: str, kept: Item, reservation: Item, outsider: tuple[str, Item] | None) -> None:
        """Write the one form over a user's address and reserve it, both or none.

        The condition is of the very attribute that was read, whatever its type.
        """
        user_id, email = kept["user_id"]["S"], kept["email"]["S"]
        writes = []
        if reserved_in(reservation) != user_id:
            keep = Write({"user_id": reservation_key(address)})
            keep.must_be_as(reservation, ("reserved_for", "email"))
            keep.set(reserved_for=user_id)
            writes.append({"Update": self._in_users(keep.request())})
        if outsider is not None:
            # The address was reserved for somebody who is gone, or has another one.
            check = Write({"user_id": outsider[0]})
            check.must_be("email", outsider[1].get("email"))
            writes.append({"ConditionCheck": self._in_users(check.request())})
        write = Write({"user_id": user_id})
        write.must_be("email", {"S": email})
        if email != address:
            write.set(email=address, updated_at=self._now())
            writes += [{"Update": self._in_users(write.request())}, *self._released(email, user_id)]
        elif writes:
            writes.append({"ConditionCheck": self._in_users(write.request())})
        if writes:
            self._transact(writes)

    def _merge(self, address: str, kept_id: str, other_id: str) -> None:
        """Give the older user what the younger had, and leave of the younger only a note, both or none."""
        items = self._items([kept_id, other_id])
        kept, other = items.get(kept_id, {}), items.get(other_id, {})
        if text_in(kept, "email") != address or not self._has(other, address):
            raise Changed
        before = user_in(kept)
        changes = changed(before, merged(before, user_in(other)))
        staying = Write({"user_id": kept_id})
        staying.must_be("email", kept["email"])
        if changes:
            staying.must_be_as(kept, TRIAL)
            staying.set(**changes, updated_at=self._now())
        leaving = Write({"user_id": other_id})
        leaving.must_be_as(other, ("email", *TRIAL))
        # No request that is under way can start a trial of this user, and no token opens.
        leaving.set(trial_used=True, email=None, token_hash=None)
        leaving.set(**{INTO: kept_id, AT: self._now(), EMAIL: other["email"]["S"]})
        self._transact(
            [
                {"Update" if changes else "ConditionCheck": self._in_users(staying.request())},
                {"Update": self._in_users(leaving.request())},
                *([] if other["email"] == kept["email"] else self._released(other["email"]["S"], other_id)),
            ]
        )

    def _released(self, email: str, user_id: str) -> list[dict[str, Any]]:
        """Delete the reservation of another spelling, where it is this user's."""
        key = reservation_key(email)
        if len(key.encode()) > LONGEST_KEY:
            return []
        reservation = self._items([key]).get(key, {})
        try:
            if reserved_in(reservation) != user_id:
                return []
        except OddReservationError:
            return []
        write = Write({"user_id": key})
        write.must_be_as(reservation, ("reserved_for", "email"))
        return [{"Delete": self._in_users(write.request())}]

    def _transact(self, writes: list[dict[str, Any]]) -> None:
        try:
            with_retries(lambda: self._dynamodb.transact_write(writes))
        except (ItemTooLarge, TransactionCanceled) as canceled:
            codes = reasons_of(canceled)
            if CONDITION_FAILED in codes:
                # botocore sends a write again when its response was lost, with a token: nothing is done twice.
                raise Changed from None
            full = [key for key, code in zip(keys_of(writes), codes, strict=False) if code == REFUSED]
            if not full:
                raise
            raise Unsettled(dict.fromkeys(full, FULL)) from None

    def _has(self, item: Item, address: str) -> bool:
        """Tell whether an item is that of a user with an address."""
        email = text_in(item, "email")
        if email is None or INTO in item or item["user_id"]["S"].startswith(RESERVATION):
            return False
        return self._addresses.same(email, address)

    def _items(self, keys: Sequence[str]) -> dict[str, Item]:
        found: dict[str, Item] = {}
        for start in range(0, len(keys), BATCH):
            found |= self._read(keys[start : start + BATCH])
        return found

    def _indexed(self, owner: str) -> list[str]:
        query = partial(
            self._dynamodb.query,
            self._urls,
            IndexName=USER_INDEX,
            KeyConditionExpression="#owner = :owner",
            ProjectionExpression="#code",
            ExpressionAttributeNames={"#owner": "created_by_user", "#code": "short_code"},
            ExpressionAttributeValues={":owner": {"S": owner}},
        )
        # All of them first: a link that is given away leaves the index while it is read.
        return [item["short_code"]["S"] for item in every_item(lambda **place: with_retries(partial(query, **place)))]

    def _give(self, links: Iterable[tuple[str, str]], away: Mapping[str, str]) -> Moved:
        moved: Counter[str] = Counter()
        stuck: dict[tuple[str, str], str] = {}

        def give(link: tuple[str, str]) -> str | None:
            code, owner = link
            write = Write({"short_code": code})
            write.must_be("created_by_user", {"S": owner})
            write.set(created_by_user=away[owner])
            try:
                with_retries(partial(self._dynamodb.update_item, self._urls, **write.request()))
            except ConditionFailed:
                # Deleted since it was read, or given away by a call whose response was lost.
                return None
            except ItemTooLarge:
                stuck[owner, code] = FULL
                return None
            return owner

        with ThreadPoolExecutor(THREADS) as pool:
            moved.update(filter(None, pool.map(give, links)))
        return Moved(moved, stuck)

    def _scan(self, table: str, names: Sequence[str]) -> Iterator[Item]:
        scan = partial(
            self._dynamodb.scan,
            table,
            ConsistentRead=True,
            ProjectionExpression=", ".join(f"#{name}" for name in names),
            ExpressionAttributeNames={f"#{name}": name for name in names},
        )
        return every_item(lambda **place: with_retries(partial(scan, **place)))

    def _in_users(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"TableName": self._table, **request}


@dataclass
class Write:
    """One write, under the condition that what was read is still so."""

    item_key: Mapping[str, str]
    condition: str = ""
    names: dict[str, str] = field(default_factory=dict)
    values: dict[str, dict[str, Any]] = field(default_factory=dict)
    update: dict[str, list[str]] = field(default_factory=lambda: {"SET": [], "REMOVE": []})

    def must_be(self, name: str, value: dict[str, Any] | None) -> None:
        """Ask for the value that an attribute had, in DynamoDB's own form; None where there was none."""
        self.names[f"#{name}"] = name
        if value is not None:
            self.values[f":was_{name}"] = value
        term = f"attribute_not_exists(#{name})" if value is None else f"#{name} = :was_{name}"
        self.condition = f"{self.condition} AND {term}" if self.condition else term

    def must_be_as(self, item: Item, names: Sequence[str]) -> None:
        """Ask for all these attributes as they were."""
        for name in names:
            self.must_be(name, item.get(name))

    def set(self, **values: object) -> None:
        """Write attributes; None takes one away."""
        self.values |= {f":{name}": typed for name, typed in to_item(values).items()}
        for name, value in values.items():
            self.names[f"#{name}"] = name
            if value is None:
                self.update["REMOVE"].append(f"#{name}")
            else:
                self.update["SET"].append(f"#{name} = :{name}")

    def request(self) -> dict[str, Any]:
        """Give the request of an update, a deletion or a check."""
        update = " ".join(f"{verb} {', '.join(terms)}" for verb, terms in self.update.items() if terms)
        return {"Key": to_item(self.item_key), **({"UpdateExpression": update} if update else {}), **self._condition()}

    def _condition(self) -> dict[str, Any]:
        return {
            "ConditionExpression": self.condition,
            "ExpressionAttributeNames": self.names,
            **({"ExpressionAttributeValues": self.values} if self.values else {}),
        }


def reserved_in(reservation: Item) -> str | None:
    """Read for whom an address is reserved: nobody where the attribute is NULL or not there, as in all that is read.

    Raises OddReservationError for what is not a reservation of ours: written over, it would be lost.
    """
    if "email" in reservation:
        raise OddReservationError(IS_A_USER)
    if "NULL" in reservation.get("reserved_for", {"NULL": True}):
        return None
    user_id = text_in(reservation, "reserved_for") or ""
    if not is_key(user_id):
        raise OddReservationError(IS_FOR_NOBODY)
    return user_id


def is_key(user_id: str) -> bool:
    """Tell whether DynamoDB can have an item with this key."""
    return 0 < len(user_id.encode()) <= LONGEST_KEY


def reasons_of(canceled: Exception) -> list[str]:
    """Give the code that DynamoDB has for each write of a transaction that it did not do."""
    error = canceled.__cause__
    reasons = error.response.get("CancellationReasons", []) if isinstance(error, ClientError) else []
    return [str(reason.get("Code")) for reason in reasons]


def keys_of(writes: Iterable[Mapping[str, Any]]) -> list[str]:
    """Name the items that the writes of a transaction are about."""
    return [str(request["Key"]["user_id"]["S"]) for write in writes for request in write.values()]


def user_in(item: Item) -> User:
    """Read a user from attributes of any form."""
    return stored_user(from_item(item))


def text_in(item: Item, name: str) -> str | None:
    """Read an attribute that is a text, and nothing of another kind."""
    text = item.get(name, {}).get("S")
    return text if isinstance(text, str) else None
