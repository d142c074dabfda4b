"""Say which users have one address, which of them stays, and what it takes over from the others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, NamedTuple

from pydantic import ValidationError

from fileshare.addresses import Addresses
from fileshare.checks import DoesNotFitError
from fileshare.records import FREE, TRIAL, User
from fileshare.stored import AnyTime, Holder, Trial

SHOWN_LENGTH = 254


class Spelled(NamedTuple):
    """A user's address as it is stored; the order of these is that of the users' age.

    An item of other code can lack the time, which ours always writes: such a user counts as there from the beginning.
    """

    created_at: str
    user_id: str
    email: str


class Away(NamedTuple):
    """What is noted of a user who was merged, until no request can be under way that knows this user still."""

    into: str
    at: str
    email: str


@dataclass(frozen=True)
class Merge:
    """Two users who are one: `merged`, who was spelled `email`, is gone into `kept`, whose address is `address`."""

    address: str
    kept: str
    merged: str
    email: str
    links: int = 0


@dataclass(frozen=True)
class Problem:
    """A user who was left alone, and why."""

    user_id: str
    email: str
    reason: str


@dataclass(frozen=True)
class Grouped:
    """All users by their one address, oldest first, and those whose address is none."""

    groups: dict[str, list[Spelled]]
    problems: list[Problem]


class AnyUser(Holder, Trial):
    """A user as any code has stored it, each attribute read as the service reads it."""

    created_at: AnyTime = ""
    updated_at: AnyTime = ""


def stored_user(values: Mapping[str, Any]) -> User:
    """Read a user of whom something may not fit: it counts as not there, and makes a trial one that was used.

    The service starts no such trial either.
    """
    known = {one.name: values[one.name] for one in fields(User) if values.get(one.name) is not None}
    try:
        found = AnyUser.model_validate(known)
    except ValidationError as error:
        unfit = {str(fault["loc"][0]) for fault in error.errors(include_url=False, include_input=False)}
        fitting = {name: value for name, value in known.items() if name not in unfit}
        used = {"trial_used": True} if unfit & Trial.model_fields.keys() else {}
        found = AnyUser.model_validate(fitting | used)
    return User(**found.model_dump())


def grouped(found: Iterable[Spelled], addresses: Addresses) -> Grouped:
    """Bring users who have one address together."""
    groups: dict[str, list[Spelled]] = {}
    problems = []
    for one in found:
        try:
            groups.setdefault(addresses.canonical(one.email), []).append(one)
        except DoesNotFitError as error:
            problems.append(Problem(one.user_id, one.email, f"the address {error}"))
    for group in groups.values():
        group.sort()
    return Grouped(groups, sorted(problems, key=lambda problem: problem.user_id))


def merged(kept: User, other: User) -> User:
    """Give the older of two users what the younger had: a trial that was used, and a tier that is paid for.

    Of two trials the older user's own counts: nobody gets a second one by being merged.
    """
    used = had_trial(kept) or had_trial(other)
    if had_trial(other) and not had_trial(kept):
        tier = TRIAL if (kept.user_tier, other.user_tier) == (FREE, TRIAL) else kept.user_tier
        kept = replace(
            kept,
            user_tier=tier,
            trial_started_at=other.trial_started_at,
            trial_expires_at=other.trial_expires_at,
        )
    if kept.user_tier in (FREE, TRIAL) and other.user_tier not in (FREE, TRIAL) and other.user_tier.isprintable():
        kept = replace(kept, user_tier=other.user_tier)
    return replace(kept, trial_used=used)


def had_trial(user: User) -> bool:
    """Tell whether a user has had the one trial; other code may have written the tier alone."""
    return user.trial_used or user.user_tier == TRIAL


def changed(before: User, after: User) -> dict[str, object]:
    """Name the attributes of the trial that differ, with what they become."""
    names = ("user_tier", "trial_used", "trial_started_at", "trial_expires_at")
    return {name: getattr(after, name) for name in names if getattr(after, name) != getattr(before, name)}


def shown(text: str) -> str:
    """Write a stored text for a terminal: what nobody sees or could look like another letter by its number."""
    written = text if text.isascii() and text.isprintable() else ascii(text)[1:-1]
    return written if len(written) <= SHOWN_LENGTH else f"{written[: SHOWN_LENGTH - 3]}..."
