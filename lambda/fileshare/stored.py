"""Read users and links from what a database keeps, also where other code wrote it: in another form, or only in part."""

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from fileshare.records import FREE, Link, User
from shared.times import timestamp

_logger = logging.getLogger(__name__)


def user_of(values: Mapping[str, Any]) -> User:
    """Make a user; a time that nobody can read counts as one that is not there."""
    return User(
        user_id=values["user_id"],
        email=_text(values, "email") or "",
        created_at=_time(values, "created_at") or "",
        updated_at=_time(values, "updated_at") or "",
        user_tier=_text(values, "user_tier") or FREE,
        trial_used=bool(values.get("trial_used")),
        trial_started_at=_time(values, "trial_started_at"),
        trial_expires_at=_time(values, "trial_expires_at"),
        token_hash=_text(values, "token_hash"),
    )


def link_of(values: Mapping[str, Any]) -> Link:
    """Make a link; a time that nobody can read counts as one that is not there."""
    return Link(
        short_code=values["short_code"],
        created_by_user=_text(values, "created_by_user") or "",
        full_url=_text(values, "full_url") or "",
        created_at=_time(values, "created_at") or "",
        expires_at=_time(values, "expires_at"),
        expires_at_ttl=_number(values, "expires_at_ttl"),
        file_key=_text(values, "file_key"),
        filename=_text(values, "filename"),
        click_count=_number(values, "click_count") or 0,
    )


def _time(values: Mapping[str, Any], name: str) -> str | None:
    """Write a time as `shared.times` does, so that texts sort as times do; without an offset it is UTC."""
    text = _text(values, name)
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text.strip())
        return timestamp(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        _warn_of(name)
        return None


def _text(values: Mapping[str, Any], name: str) -> str | None:
    value = values.get(name)
    if value is None or isinstance(value, str):
        return value
    _warn_of(name)
    return None


def _number(values: Mapping[str, Any], name: str) -> int | None:
    value = values.get(name)
    if value is None or isinstance(value, int):
        return value
    _warn_of(name)
    return None


def _warn_of(name: str) -> None:
    _logger.warning("A field has a value that cannot be read, so it counts as not there.", extra={"field": name})
