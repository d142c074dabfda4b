"""What the tests of fileshare use: tables as the specification has them, a plain model of the database, callers."""

import asyncio
import json
import uuid
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from aws_lambda_powertools import Logger
from botocore.exceptions import ConnectionClosedError
from botocore.httpsession import URLLib3Session

from fileshare.database import CodeTaken, Database, EmailTaken, Page
from fileshare.records import TRIAL, Link, User, values_of
from fileshare.settings import Tables
from fileshare.stored import Holder, ShownLink, Target, Trial
from fileshare.tokens import new_token
from shared.dynamodb import Item
from shared.items import from_item
from shared.stored import Found, Readers, Stored
from tests.unit.support import HttpCaller, Response

T = TypeVar("T")
Shape = TypeVar("Shape", bound=Stored)

REGION = "us-east-1"
START = "2026-01-31T09:15:02.104233Z"
LATER = "2026-03-02T09:15:02.104233Z"


def make_tables(client: Any) -> Tables:
    """Make the two tables as the specification has them."""
    suffix = uuid.uuid4().hex[:12]
    tables = Tables(region=REGION, users=f"file-sharing-app-{suffix}-users", urls=f"file-sharing-app-{suffix}-urls")
    for table, key, index, index_key in (
        (tables.users, "user_id", "email-index", "email"),
        (tables.urls, "short_code", "user-index", "created_by_user"),
    ):
        client.create_table(
            TableName=table,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in (key, index_key)],
            KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
            GlobalSecondaryIndexes=[
                {
                    "IndexName": index,
                    "KeySchema": [{"AttributeName": index_key, "KeyType": "HASH"}],
                    "Projection": {"ProjectionType": "ALL"},
                }
            ],
        )
    return tables


def a_user(name: str = "ada", **changes: Any) -> User:
    """Make a user nobody else has."""
    user_id = str(uuid.uuid4())
    user = User(
        user_id=user_id,
        email=f"{name}-{user_id}@example.com",
        created_at=START,
        updated_at=START,
        token_hash=new_token(user_id).hashed,
    )
    return replace(user, **changes)


def a_link(owner: str = "nobody", **changes: Any) -> Link:
    """Make a link nobody else has."""
    link = Link(
        short_code=uuid.uuid4().hex[:10],
        created_by_user=owner,
        full_url="https://example.com/report.pdf?a=1#top",
        created_at=START,
        file_key="uploads/2026/report.pdf",
        filename="Überblick 報告.pdf",
    )
    return replace(link, **changes)


class WholeUser(Holder, Trial):
    """A user with every attribute."""

    created_at: str
    updated_at: str


class WholeLink(ShownLink):
    """A link with every attribute."""

    expires_at_ttl: int | None = None


async def user_in(database: Database, user_id: str) -> User | None:
    """Read a user from a database, field for field."""
    found = await database.user(user_id)
    whole = None if found is None else found.read(WholeUser)
    return None if whole is None else User(**whole.model_dump())


async def link_in(database: Database, short_code: str) -> Link | None:
    """Read a link from a database, field for field."""
    found = await database.link(short_code)
    whole = None if found is None else found.read(WholeLink)
    return None if whole is None else Link(**whole.model_dump())


def read_user(item: Item) -> User:
    """Read a user of ours."""
    return User(**from_item(item))


def read_link(item: Item) -> Link:
    """Read a link of ours."""
    return Link(**from_item(item))


def in_a_thread(work: Coroutine[Any, Any, T]) -> T:
    """Wait for a call of the database in a thread of its own, where Mangum's event loop is not disturbed."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


@contextmanager
def lost_response(client: Any, operation: str) -> Iterator[list[int]]:
    """Let DynamoDB do the first call of an operation and lose its response on the way, so that botocore sends it again.

    Yields the statuses of the responses that were lost.
    """
    lost: list[int] = []

    def lose(request: Any, **_: Any) -> None:
        if not lost:
            lost.append(URLLib3Session().send(request).status_code)
            raise ConnectionClosedError(endpoint_url=request.url)

    event = f"before-send.dynamodb.{operation}"
    client.meta.events.register(event, lose)
    try:
        yield lost
    finally:
        client.meta.events.unregister(event, lose)


@dataclass
class ModelDatabase:
    """The database interface over two dictionaries: what the real ones are compared with."""

    users: dict[str, User] = field(default_factory=dict)
    links: dict[str, Link] = field(default_factory=dict)
    readers: Readers = field(
        default_factory=lambda: Readers(
            table="model", key=(), logger=Logger(service="model", level="CRITICAL"), value=lambda value: value
        )
    )

    async def create_user(self, user: User) -> None:
        if any(found.email == user.email for found in self.users.values()) or user.user_id in self.users:
            raise EmailTaken
        self.users[user.user_id] = user

    async def user(self, user_id: str) -> Found | None:
        return self._found(self.users.get(user_id))

    async def start_trial(self, user_id: str, *, started_at: str, expires_at: str) -> Trial | None:
        found = self._found(self.users.get(user_id))
        trial = None if found is None else found.read(Trial)
        if trial is None or not trial.can_start:
            return None
        changes = {"trial_started_at": started_at, "trial_expires_at": expires_at}
        user = replace(self.users[user_id], user_tier=TRIAL, trial_used=True, updated_at=started_at, **changes)
        self.users[user_id] = user
        return Trial(user_id=user_id, email=user.email, user_tier=TRIAL, trial_used=True, **changes)

    async def create_link(self, link: Link) -> None:
        if link.short_code in self.links:
            raise CodeTaken
        self.links[link.short_code] = link

    async def link(self, short_code: str) -> Found | None:
        return self._found(self.links.get(short_code))

    async def follow(self, short_code: str, *, now: str) -> Target | None:
        target = self._read(Target, short_code)
        if target is None or not target.may_be_followed(now):
            return None
        link = self.links[short_code]
        self.links[short_code] = replace(link, click_count=link.click_count + 1)
        return self._read(Target, short_code)

    async def links_of(self, user_id: str, *, after: str | None, limit: int, now: str) -> Page:
        every = (link for code in sorted(self.links) if (link := self._read(ShownLink, code)) is not None)
        mine = [link for link in every if link.created_by_user == user_id and not link.has_expired(now)]
        rest = [link for link in mine if after is None or link.short_code > after]
        return Page(links=rest[:limit], after=rest[limit - 1].short_code if len(rest) > limit else None)

    async def delete_link(self, short_code: str, *, owner: str) -> bool:
        link = self.links.get(short_code)
        if link is None or link.created_by_user != owner:
            return False
        del self.links[short_code]
        return True

    def close(self) -> None:
        """Nothing is open."""

    def _found(self, record: User | Link | None) -> Found | None:
        return None if record is None else Found(item=values_of(record), readers=self.readers)

    def _read(self, shape: type[Shape], short_code: str) -> Shape | None:
        found = self._found(self.links.get(short_code))
        return None if found is None else found.read(shape)


@dataclass
class Api(HttpCaller):
    """A caller of fileshare, with a token or without."""

    token: str | None = None

    def call(
        self, method: str, path: str, body: object = None, *, token: str | None = None, **request: Any
    ) -> Response:
        """Send JSON with a token: the caller's own, or another one."""
        token = self.token if token is None else token
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        text = None if body is None else json.dumps(body)
        return self.send(method, path, body=text, headers=headers | request.pop("headers", {}), **request)

    def sign_up(self, email: str | None = None) -> dict[str, Any]:
        """Make a user, and be that user from now on."""
        response = self.call("POST", "/api/users", {"email": email or f"{uuid.uuid4()}@example.com"})
        assert response.status == 201, response
        user: dict[str, Any] = response.json()
        self.token = user["token"]
        return user

    def shorten(self, full_url: str = "https://example.com/report.pdf", **members: Any) -> dict[str, Any]:
        response = self.call("POST", "/api/links", {"full_url": full_url, **members})
        assert response.status == 201, response
        link: dict[str, Any] = response.json()
        return link
