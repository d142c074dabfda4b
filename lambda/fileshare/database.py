"""Say what the application asks of its database, whichever it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from fileshare.records import Link, User
from fileshare.stored import ShownLink, Target, Trial
from shared.stored import Found


class EmailTaken(Exception):
    """A user with this address is there already."""


class CodeTaken(Exception):
    """A link with this short code is there already."""


class NoRoom(Exception):
    """An item has no room for what a write would add; nothing was written."""


@dataclass(frozen=True, kw_only=True)
class Page:
    """Some links of a user, and the short code after which the rest begins, None when there is no more."""

    links: Sequence[ShownLink]
    after: str | None


class Database(Protocol):
    """Users and links. Where requests race, the database decides, never a look before a write.

    Other code may have written them: a write asks for the same as `fileshare.stored` reads. Times are texts of
    `shared.times`, which sort as the times do.
    """

    async def create_user(self, user: User) -> None:
        """Store a new user, or raise EmailTaken."""

    async def user(self, user_id: str) -> Found | None:
        """Find a user as last written."""

    async def start_trial(self, user_id: str, *, started_at: str, expires_at: str) -> Trial | None:
        """Start a user's trial and give it as it is now, or None when it cannot be started; or raise NoRoom."""

    async def create_link(self, link: Link) -> None:
        """Store a new link, or raise CodeTaken."""

    async def link(self, short_code: str) -> Found | None:
        """Find a link, also one that has expired, as last written."""

    async def follow(self, short_code: str, *, now: str) -> Target | None:
        """Count a click and say where the link goes, or None when there is none that may be followed."""

    async def links_of(self, user_id: str, *, after: str | None, limit: int, now: str) -> Page:
        """List links of a user that have not expired, at most `limit`."""

    async def delete_link(self, short_code: str, *, owner: str) -> bool:
        """Delete a link of its owner, and say whether there was one."""

    def close(self) -> None:
        """Give back what is open."""
