"""Say what a place where users are kept must be able to do, for their addresses to be brought into one form."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from harness.migration.merging import Away, Problem, Spelled

# Gives the time as `shared.times` writes it.
Moment = Callable[[], str]


@dataclass(frozen=True)
class Snapshot:
    """Who is there: users with their addresses, and those who were merged and are not forgotten yet.

    `reserved` says for whom an address is kept, None where the database itself keeps addresses unique.
    """

    found: list[Spelled]
    away: dict[str, Away]
    reserved: Mapping[str, str | None] | None = None
    # Users whose id nobody could look up.
    strange: tuple[Problem, ...] = ()

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
        """Leave one user with an address: the oldest of these and of whoever has signed up with it since."""

    def move_links(self, away: Mapping[str, str], /) -> Counter[str]:
        """Give links of users to others, as far as they are found at once; count them by who had them."""

    def move_last_links(self, away: Mapping[str, str], /) -> Counter[str]:
        """Give all links that are left."""

    def forget(self, user_ids: Iterable[str], /) -> None:
        """Delete what is noted of users who were merged."""
