"""Bring the addresses in the DynamoDB tables into their one form, in transactions that a request cannot get between."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from fileshare.addresses import Addresses
from fileshare.dynamodb_database import USER_INDEX, reservation_key
from fileshare.records import User
from harness.errors import SawhorseError
from harness.migration.merging import Away, Spelled, changed, merged, stored_user
from harness.migration.snapshot import Moment, Snapshot
from harness.migration.target import ATTEMPTS, Table, patiently
from shared.dynamodb import CONDITION_FAILED, ConditionFailed, Item, TransactionCanceled, every_item
from shared.items import from_item, to_item
from shared.retries import pause_seconds

THREADS = 8
# DynamoDB reads 100 items at once.
BATCH = 100
RESERVATION = reservation_key("")
# Stays with a user who was merged until nothing can be written for this user any more.
INTO, AT, EMAIL = "merged_into", "merged_at", "merged_email"
TRIAL = ("user_tier", "trial_used", "trial_started_at", "trial_expires_at", "updated_at")
# DynamoDB takes keys of up to 2,048 bytes.
LONGEST_KEY = 2048


class Changed(Exception):
    """Somebody has written what was read a moment ago: it has to be read again."""


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
        away: dict[str, Away] = {}
        for item in self._scan(self._table, names):
            user_id = item["user_id"]["S"]
            if user_id.startswith(RESERVATION):
                reserved[user_id.removeprefix(RESERVATION)] = text_in(item, "reserved_for")
            elif into := text_in(item, INTO):
                away[user_id] = Away(into, text_in(item, AT) or "", text_in(item, EMAIL) or "")
            elif "email" in item:
                user = user_in(item)
                found.append(Spelled(user.created_at, user_id, user.email))
        return Snapshot(found, away, reserved)

    def settle(self, address: str, user_ids: Iterable[str]) -> None:
        """Leave one user with an address, which is reserved for that user; what is written meanwhile is read again."""
        ids = set(user_ids)
        for attempt in range(ATTEMPTS):
            try:
                self._settle(address, ids)
            except Changed:
                time.sleep(pause_seconds(attempt))
            else:
                return
        raise SawhorseError(
            f"Users are being changed again and again, such as {min(ids)}. What was done stays; run it again."
        )

    def move_links(self, away: Mapping[str, str]) -> Counter[str]:
        """Give links that the index knows to those who stay."""
        return self._give(
            ((code, owner) for owner in away for code in self._indexed(owner)),
            away,
        )

    def move_last_links(self, away: Mapping[str, str]) -> Counter[str]:
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
                patiently(partial(self._dynamodb.delete_item, self._table, **write.request()))
            except ConditionFailed:
                continue

    def _settle(self, address: str, ids: set[str]) -> None:
        reserved_for = self._reserved_for(reservation_key(address))
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
        self._claim(address, items[kept.user_id], reserved_for, outsider)
        for other in members[1:]:
            self._merge(address, kept.user_id, other.user_id)

    def _claim(self, address: str, kept: Item, reserved_for: str | None, outsider: tuple[str, Item] | None) -> None:
        """Write the one form over a user's address and reserve it, both or none."""
        user_id, email = kept["user_id"]["S"], kept["email"]["S"]
        writes = []
        if reserved_for != user_id:
            put = Write({"user_id": reservation_key(address)}, condition="")
            put.must_be("reserved_for", None if reserved_for is None else {"S": reserved_for})
            writes.append({"Put": self._in_users(put.put({"reserved_for": user_id}))})
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
        if self._reserved_for(key) != user_id:
            return []
        write = Write({"user_id": key})
        write.must_be("reserved_for", {"S": user_id})
        return [{"Delete": self._in_users(write.request())}]

    def _transact(self, writes: list[dict[str, Any]]) -> None:
        try:
            patiently(lambda: self._dynamodb.transact_write(writes))
        except TransactionCanceled as canceled:
            if CONDITION_FAILED not in canceled.reasons:
                raise
            # botocore sends a write again when its answer was lost, with a token: what was done is not done twice.
            raise Changed from None

    def _has(self, item: Item, address: str) -> bool:
        """Tell whether an item is that of a user with an address."""
        email = text_in(item, "email")
        return email is not None and INTO not in item and self._addresses.same(email, address)

    def _reserved_for(self, key: str) -> str | None:
        return text_in(self._items([key]).get(key, {}), "reserved_for")

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
        return [item["short_code"]["S"] for item in every_item(lambda **place: patiently(partial(query, **place)))]

    def _give(self, links: Iterable[tuple[str, str]], away: Mapping[str, str]) -> Counter[str]:
        moved: Counter[str] = Counter()

        def give(link: tuple[str, str]) -> str | None:
            code, owner = link
            write = Write({"short_code": code})
            write.must_be("created_by_user", {"S": owner})
            write.set(created_by_user=away[owner])
            try:
                patiently(partial(self._dynamodb.update_item, self._urls, **write.request()))
            except ConditionFailed:
                # Deleted since it was read, or given away by a call whose answer was lost.
                return None
            return owner

        with ThreadPoolExecutor(THREADS) as pool:
            moved.update(filter(None, pool.map(give, links)))
        return moved

    def _scan(self, table: str, names: Sequence[str]) -> Iterator[Item]:
        scan = partial(
            self._dynamodb.scan,
            table,
            ConsistentRead=True,
            ProjectionExpression=", ".join(f"#{name}" for name in names),
            ExpressionAttributeNames={f"#{name}": name for name in names},
        )
        return every_item(lambda **place: patiently(partial(scan, **place)))

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

    def put(self, attributes: Mapping[str, object]) -> dict[str, Any]:
        """Give the request that writes a whole item."""
        return {"Item": to_item({**self.item_key, **attributes}), **self._condition()}

    def _condition(self) -> dict[str, Any]:
        return {
            "ConditionExpression": self.condition,
            "ExpressionAttributeNames": self.names,
            **({"ExpressionAttributeValues": self.values} if self.values else {}),
        }


def user_in(item: Item) -> User:
    """Read a user from attributes of any form."""
    return stored_user(from_item(item))


def text_in(item: Item, name: str) -> str | None:
    """Read an attribute that is a text, and nothing of another kind."""
    text = item.get(name, {}).get("S")
    return text if isinstance(text, str) else None
