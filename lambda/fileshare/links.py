"""Shorten, follow, show and delete links."""

import logging
from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from math import ceil
from typing import Protocol

from fileshare import openapi
from fileshare.auth import forbidden
from fileshare.checks import (
    MAX_FILE_KEY_LENGTH,
    MAX_FILENAME_LENGTH,
    DoesNotFitError,
    checked_expiry,
    checked_key,
    checked_name,
    checked_url,
    is_short_code,
    is_target,
)
from fileshare.database import CodeTaken, Database, Page
from fileshare.models import NewLink
from fileshare.records import Link
from fileshare.short_codes import new_short_code
from fileshare.stored import Owned, ShownLink, Target
from shared.api_errors import ApiError, Throttled, invalid, not_found
from shared.times import Clock, timestamp

CODE_ATTEMPTS = 5
UNKNOWN = openapi.ERRORS[HTTPStatus.NOT_FOUND][1]

_logger = logging.getLogger(__name__)


class Owner(Protocol):
    """Whose links they are."""

    @property
    def user_id(self) -> str:
        """Name the user."""


class LinkService:
    """What can be done with links; the database decides between requests at the same moment."""

    def __init__(self, *, database: Database, clock: Clock, draw: Callable[[], str] = new_short_code) -> None:
        self._database = database
        self._clock = clock
        self._draw = draw

    async def shorten(self, wanted: NewLink, owner: Owner) -> Link:
        """Store a link under a code that nobody has, or refuse what does not fit."""
        now = self._clock()
        checked = _checked(wanted, now)
        for _ in range(CODE_ATTEMPTS):
            link = Link(
                short_code=self._draw(),
                created_by_user=owner.user_id,
                full_url=checked.full_url,
                created_at=timestamp(now),
                expires_at=timestamp(checked.expires_at) if checked.expires_at else None,
                # DynamoDB may sweep from this second on, so never before the link's own end.
                expires_at_ttl=ceil(checked.expires_at.timestamp()) if checked.expires_at else None,
                file_key=checked.file_key,
                filename=checked.filename,
            )
            try:
                await self._database.create_link(link)
            except CodeTaken:
                continue
            return link
        raise Throttled

    async def follow(self, short_code: str) -> str:
        """Count a click and say where the link goes."""
        if not is_short_code(short_code):
            raise not_found(UNKNOWN)
        now = timestamp(self._clock())
        found = await self._database.follow(short_code, now=now)
        if found is not None:
            return found.full_url
        link = await self._database.link(short_code)
        target = None if link is None else link.read(Target)
        if target is None:
            raise not_found(UNKNOWN)
        if target.has_expired(now):
            raise expired()
        if is_target(target.full_url):
            # Other code has changed the link at this very moment.
            raise Throttled
        _logger.warning(
            "A link has a target that nobody may be sent to, so it was not followed.", extra={"short_code": short_code}
        )
        raise not_found(UNKNOWN)

    async def show(self, short_code: str, owner: Owner) -> ShownLink:
        """Find a link of its owner."""
        found = await self._database.link(short_code) if is_short_code(short_code) else None
        link = None if found is None else found.read(ShownLink)
        if link is None:
            raise not_found(UNKNOWN)
        if link.created_by_user != owner.user_id:
            raise forbidden("This link belongs to another user.")
        if link.has_expired(timestamp(self._clock())):
            raise expired()
        return link

    async def of(self, owner: Owner, *, after: str | None, limit: int) -> Page:
        """List links of their owner."""
        now = timestamp(self._clock())
        return await self._database.links_of(owner.user_id, after=after, limit=limit, now=now)

    async def delete(self, short_code: str, owner: Owner) -> None:
        """Delete a link of its owner, also one that has expired."""
        if not is_short_code(short_code):
            raise not_found(UNKNOWN)
        if await self._database.delete_link(short_code, owner=owner.user_id):
            return
        found = await self._database.link(short_code)
        owned = None if found is None else found.read(Owned)
        raise not_found(UNKNOWN) if owned is None else forbidden("This link belongs to another user.")


def expired() -> ApiError:
    """Say that there was a link, and that its time is over."""
    return ApiError(HTTPStatus.GONE, *openapi.ERRORS[HTTPStatus.GONE])


def _checked(wanted: NewLink, now: datetime) -> NewLink:
    place = "full_url"
    try:
        checked_url(wanted.full_url)
        place = "file_key"
        if wanted.file_key is not None:
            checked_key(wanted.file_key, MAX_FILE_KEY_LENGTH)
        place = "filename"
        filename = None if wanted.filename is None else checked_name(wanted.filename, MAX_FILENAME_LENGTH)
        place = "expires_at"
        end = checked_expiry(wanted.expires_at, now) if wanted.expires_at else None
    except DoesNotFitError as error:
        raise invalid(f"The link does not fit: {place} {error}.") from None
    return wanted.model_copy(update={"filename": filename, "expires_at": end})
