"""What the tests of fileshare use: tables as the specification has them, a plain model of the database, callers."""

import asyncio
import json
import uuid
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from botocore.exceptions import ConnectionClosedError
from botocore.httpsession import URLLib3Session

from fileshare.database import CodeTaken, EmailTaken, Page
from fileshare.records import FREE, TRIAL, Link, User
from fileshare.settings import Tables
from fileshare.tokens import new_token
from tests.unit.support import Answer, HttpCaller

T = TypeVar("T")

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


def aside(work: Coroutine[Any, Any, T]) -> T:
    """Wait for a call of the database in a thread of its own, where Mangum's event loop is not disturbed."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


@contextmanager
def lost_answer(client: Any, operation: str) -> Iterator[list[int]]:
    """Let DynamoDB do the first call of an operation and lose its answer on the way, so that botocore sends it again.

    Yields the statuses of the answers that were lost.
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

    async def create_user(self, user: User) -> None:
        if any(found.email == user.email for found in self.users.values()) or user.user_id in self.users:
            raise EmailTaken
        self.users[user.user_id] = user

    async def user(self, user_id: str) -> User | None:
        return self.users.get(user_id)

    async def start_trial(self, user_id: str, *, started_at: str, expires_at: str) -> User | None:
        user = self.users.get(user_id)
        if user is None or user.trial_used or user.user_tier != FREE:
            return None
        self.users[user_id] = replace(
            user,
            user_tier=TRIAL,
            trial_used=True,
            trial_started_at=started_at,
            trial_expires_at=expires_at,
            updated_at=started_at,
        )
        return self.users[user_id]

    async def create_link(self, link: Link) -> None:
        if link.short_code in self.links:
            raise CodeTaken
        self.links[link.short_code] = link

    async def link(self, short_code: str) -> Link | None:
        return self.links.get(short_code)

    async def follow(self, short_code: str, *, now: str) -> Link | None:
        link = self.links.get(short_code)
        if link is None or not link.may_be_followed(now):
            return None
        self.links[short_code] = replace(link, click_count=link.click_count + 1)
        return self.links[short_code]

    async def links_of(self, user_id: str, *, after: str | None, limit: int, now: str) -> Page:
        mine = sorted(
            (link for link in self.links.values() if link.created_by_user == user_id and not link.has_expired(now)),
            key=lambda link: link.short_code,
        )
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


@dataclass
class Api(HttpCaller):
    """A caller of fileshare, with a token or without."""

    token: str | None = None

    def call(self, method: str, path: str, body: object = None, *, token: str | None = None, **request: Any) -> Answer:
        """Send JSON with a token: the caller's own, or another one."""
        token = self.token if token is None else token
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        text = None if body is None else json.dumps(body)
        return self.send(method, path, body=text, headers=headers | request.pop("headers", {}), **request)

    def sign_up(self, email: str | None = None) -> dict[str, Any]:
        """Make a user, and be that user from now on."""
        answer = self.call("POST", "/api/users", {"email": email or f"{uuid.uuid4()}@example.com"})
        assert answer.status == 201, answer
        user: dict[str, Any] = answer.json()
        self.token = user["token"]
        return user

    def shorten(self, full_url: str = "https://example.com/report.pdf", **members: Any) -> dict[str, Any]:
        answer = self.call("POST", "/api/links", {"full_url": full_url, **members})
        assert answer.status == 201, answer
        link: dict[str, Any] = answer.json()
        return link
