"""Say what a place where users are kept must be able to do, for their addresses to be brought into one form."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from fileshare.ops.migration.merging import Away, Problem, Spelled

# Gives the time as `shared.times` writes it.
Moment = Callable[[], str]
CHANGED = "it was changed while this ran; run it again"


class Unsettled(Exception):
    """An address could not be left with one user; `reasons` says why, by the ids of the items that stand in the way."""

    def __init__(self, reasons: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{key}: {reason}" for key, reason in reasons.items()))
        self.reasons = reasons


@dataclass(frozen=True)
class Moved:
    """How many links were given away, by who had them; `stuck` has why others could not be, by their owner and code."""

    counts: Counter[str]
    stuck: Mapping[tuple[str, str], str] = field(default_factory=dict)


@dataclass(frozen=True)
class Snapshot:
    """Who is there: users with their addresses, and those who were merged and are not forgotten yet.

    `reserved` says for whom an address is kept, None where the database itself keeps addresses unique.
    """

    found: list[Spelled]
    away: dict[str, Away]
    reserved: Mapping[str, str | None] | None = None
    # Users whose id nobody could look up, and reservations that do not fit.
    strange: tuple[Problem, ...] = ()
    # Addresses that can be reserved for nobody, because something else stands where they are reserved.
    blocked: frozenset[str] = frozenset()

    def settled(self, address: str, group: list[Spelled]) -> bool:
        """Tell whether an address is in its one form, and has one user, for whom it is reserved."""
        return len(group) == 1 and group[0].email == address and self.is_reserved(address, group[0])

    def is_reserved(self, address: str, user: Spelled) -> bool:
        """Tell whether nobody but this user can sign up with an address."""
        return self.reserved is None or self.reserved.get(address) == user.user_id


class Store(Protocol):
    """A place where users and links are kept; each call can be stopped anywhere and made again."""

    def snapshot(self) -> Snapshot:
        """Read everybody's address."""

    def settle(self, address: str, user_ids: Iterable[str], /) -> None:
        """Leave one user with an address: the oldest of these and of whoever has signed up with it since.

        Raises Unsettled where that cannot be done; as much of it as can be is done then.
        """

    def move_links(self, away: Mapping[str, str], /) -> Moved:
        """Give links of users to others, as far as they are found at once; count them by who had them."""

    def move_last_links(self, away: Mapping[str, str], /) -> Moved:
        """Give all links that are left."""

    def forget(self, user_ids: Iterable[str], /) -> None:
        """Delete what is noted of users who were merged."""
