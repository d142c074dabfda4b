"""What the tests of the migration of addresses use: places with users of all kinds, and a plain model."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from fileshare.addresses import Addresses
from fileshare.dynamodb_database import link_item, user_item
from fileshare.ops.migration.address_file import AddressFile, open_file
from fileshare.ops.migration.address_tables import AddressTables
from fileshare.ops.migration.addresses import AddressReport, Migration
from fileshare.ops.migration.snapshot import Store
from fileshare.records import FREE, TRIAL, Link, User
from fileshare.settings import Tables
from fileshare.sqlite_database import SCHEMA
from shared.times import timestamp
from tests.apps.fileshare.support import read_link, read_user

KELVIN = "\N{KELVIN SIGN}"
PLAIN, MERGING = Addresses(), Addresses(merge_plus=True)


class Killed(BaseException):
    """The process is gone: nothing of it runs any more."""


@dataclass
class Kill:
    """Ends the migration at its nth step, before or after what it does there; never when there is no such step."""

    step: int
    after: bool = False

    def around(self, call: Callable[[], Any]) -> Any:
        self.step -= 1
        if self.step == 0 and not self.after:
            raise Killed
        result = call()
        if self.step == 0 and self.after:
            raise Killed
        return result


NEVER = Kill(0)


@dataclass
class Contents:
    """What is stored: users and links by key, and for whom an address is reserved."""

    users: dict[str, User] = field(default_factory=dict)
    links: dict[str, Link] = field(default_factory=dict)
    reserved: dict[str, str] = field(default_factory=dict)

    def comparable(self) -> tuple[dict[str, User], dict[str, Link]]:
        """Leave out when something was written: the model has no clock."""
        return {key: replace(user, updated_at="") for key, user in self.users.items()}, self.links


class Place(Protocol):
    """A database that other code has written into."""

    def fill(self, contents: Contents) -> None: ...
    def contents(self) -> Contents: ...
    def clear(self) -> None: ...
    def store(self, rule: Addresses, kill: Kill = NEVER) -> Any: ...


class DyingClient:
    """A client that takes its process with it at one of its calls."""

    def __init__(self, client: Any, kill: Kill) -> None:
        self._client = client
        self._kill = kill

    def __getattr__(self, operation: str) -> Any:
        return lambda **request: self._kill.around(lambda: getattr(self._client, operation)(**request))


@dataclass
class TablesPlace:
    """The two tables."""

    client: Any
    tables: Tables

    def fill(self, contents: Contents) -> None:
        for user in contents.users.values():
            self.client.put_item(TableName=self.tables.users, Item=user_item(user))
        for address, user_id in contents.reserved.items():
            item = {"user_id": {"S": f"email#{address}"}, "reserved_for": {"S": user_id}}
            self.client.put_item(TableName=self.tables.users, Item=item)
        for link in contents.links.values():
            self.client.put_item(TableName=self.tables.urls, Item=link_item(link))

    def contents(self) -> Contents:
        found = Contents()
        for item in self._items(self.tables.users):
            key = item["user_id"]["S"]
            if key.startswith("email#"):
                found.reserved[key.removeprefix("email#")] = item["reserved_for"]["S"]
            else:
                assert "merged_into" not in item, item
                found.users[key] = read_user(item)
        found.links = {item["short_code"]["S"]: read_link(item) for item in self._items(self.tables.urls)}
        return found

    def clear(self) -> None:
        for table, key in ((self.tables.users, "user_id"), (self.tables.urls, "short_code")):
            for item in self._items(table):
                self.client.delete_item(TableName=table, Key={key: item[key]})

    @contextmanager
    def store(self, rule: Addresses, kill: Kill = NEVER) -> Iterator[Store]:
        names = {"users": self.tables.users, "urls": self.tables.urls}
        yield AddressTables(DyingClient(self.client, kill), **names, addresses=rule, now=now)

    def _items(self, table: str) -> Iterator[dict[str, Any]]:
        for page in self.client.get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
            yield from page["Items"]


@dataclass
class FilePlace:
    """The file; a loose one was made by hand, without what keeps addresses unique."""

    path: Path
    loose: bool = False

    def fill(self, contents: Contents) -> None:
        with closing(sqlite3.connect(self.path)) as connection, connection:
            connection.executescript(SCHEMA.replace(" UNIQUE", "") if self.loose else SCHEMA)
            for table, records in (("users", contents.users.values()), ("urls", contents.links.values())):
                for record in records:
                    names = [one.name for one in fields(record)]
                    connection.execute(
                        f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' for _ in names)})",  # noqa: S608 - names of ours
                        [getattr(record, name) for name in names],
                    )

    def contents(self) -> Contents:
        with closing(sqlite3.connect(self.path)) as connection:
            connection.row_factory = sqlite3.Row
            assert not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'merged_users'").fetchall()
            users = [dict(row) for row in connection.execute("SELECT * FROM users")]
            links = [dict(row) for row in connection.execute("SELECT * FROM urls")]
        return Contents(
            {row["user_id"]: User(**row | {"trial_used": bool(row["trial_used"])}) for row in users},
            {row["short_code"]: Link(**row) for row in links},
        )

    def clear(self) -> None:
        for path in self.path.parent.glob(f"{self.path.name}*"):
            path.unlink()

    @contextmanager
    def store(self, rule: Addresses, kill: Kill = NEVER) -> Iterator[Store]:
        class Dying(sqlite3.Connection):
            def execute(self, *words: Any) -> sqlite3.Cursor:
                cursor: sqlite3.Cursor = kill.around(lambda: super(Dying, self).execute(*words))
                return cursor

        with open_file(self.path, factory=Dying) as connection:
            yield AddressFile(connection, addresses=rule, now=now)


def now() -> str:
    return timestamp(datetime.now(UTC))


def run(place: Place, rule: Addresses, kill: Kill = NEVER, *, at: Callable[[float], None] = lambda _: None) -> Any:
    """Migrate a place; `at` is what happens while requests of before the merge may still be under way."""
    reports: list[AddressReport] = []
    with place.store(rule, kill) as store:
        Migration(store, rule, sleep=at).run(reports.append)
    return reports[-1]


def model(contents: Contents, rule: Addresses) -> Contents:
    """Say what must come out, in the plainest way."""
    groups: dict[str, list[User]] = {}
    left = Contents(links=dict(contents.links))
    for user in contents.users.values():
        address = one_form(user.email, rule)
        if address is None:
            left.users[user.user_id] = user
        else:
            groups.setdefault(address, []).append(user)
    for address, group in groups.items():
        oldest, *others = sorted(group, key=lambda user: (user.created_at, user.user_id))
        left.users[oldest.user_id] = replace(with_what_they_had(oldest, others), email=address)
        left.reserved[address] = oldest.user_id
        for code, link in contents.links.items():
            if link.created_by_user in {other.user_id for other in others}:
                left.links[code] = replace(link, created_by_user=oldest.user_id)
    return left


def one_form(email: str, rule: Addresses) -> str | None:
    """Those of the tests are addresses unless they have a letter that is not ASCII, or no @."""
    if not email.isascii() or email.count("@") != 1:
        return None
    local, domain = email.strip(" \t\r\n").lower().split("@")
    return f"{local.split('+')[0] if rule.merge_plus and local.split('+')[0] else local}@{domain}"


def with_what_they_had(oldest: User, others: Iterable[User]) -> User:
    others = list(others)
    if not others:
        return oldest
    trials = [user for user in (oldest, *others) if user.trial_used]
    paid = [user.user_tier for user in (oldest, *others) if user.user_tier not in (FREE, TRIAL)]
    changes: dict[str, Any] = {"trial_used": bool(trials)}
    if trials:
        changes |= {"trial_started_at": trials[0].trial_started_at, "trial_expires_at": trials[0].trial_expires_at}
        changes |= {"user_tier": trials[0].user_tier}
    return replace(oldest, **changes | ({"user_tier": paid[0]} if paid else {}))


def by_owner(links: Mapping[str, Link]) -> dict[str, Sequence[str]]:
    owners: dict[str, list[str]] = {}
    for link in links.values():
        owners.setdefault(link.created_by_user, []).append(link.short_code)
    return {owner: sorted(codes) for owner, codes in owners.items()}
