"""Bring stored addresses into their one form: users who are one become one, while the service goes on."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from fileshare.addresses import Addresses
from fileshare.checks import DoesNotFitError
from harness.errors import Interrupted
from harness.migration.merging import Away, Merge, Problem, Spelled, grouped
from harness.migration.progress import progress_of
from harness.migration.snapshot import Snapshot, Store
from shared.times import timestamp

# A request that knew a user before the merge can write a link for that user until it ends: the function's own limit is
# 30 seconds (`lambda.timeout` of modules/apps/fileshare), and a process waits no longer for a database.
REQUEST_SECONDS = 35
# How often everything is read again: whoever writes meanwhile without the application needs more than one.
ROUNDS = 3
CHANGED = "it was changed while this ran; run it again"

Sleep = Callable[[float], None]


@dataclass
class AddressReport:
    """What was done, or is to be done: how many users there are, whose address changes, and who becomes one."""

    counts: Counter[str] = field(default_factory=Counter)
    merges: list[Merge] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Tell whether every address is in its one form."""
        return not self.problems


@dataclass(frozen=True)
class Work:
    """What is to be done with a snapshot."""

    snapshot: Snapshot
    groups: dict[str, list[Spelled]]
    problems: list[Problem]

    @property
    def open(self) -> dict[str, list[Spelled]]:
        """Those addresses that are not as they should be."""
        return {address: group for address, group in self.groups.items() if not self.snapshot.settled(address, group)}


class Migration:
    """The migration of one store. Whatever it is stopped at, a new run goes on from what the store says."""

    def __init__(
        self,
        store: Store,
        addresses: Addresses,
        *,
        sleep: Sleep = time.sleep,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.store = store
        self.addresses = addresses
        self.sleep = sleep
        self.clock = clock

    def look(self) -> AddressReport:
        """Say what is to be done, and change nothing."""
        work = self._work()
        report = self._report(work)
        report.counts["merged"] = len(report.merges)
        report.counts["readdressed"] = len(spelled_otherwise(work))
        report.counts["reserved"] = len(unreserved(work))
        return report

    def run(self, announce: Callable[[AddressReport], None]) -> AddressReport:
        """Do it; `announce` gets the report before the last note of who was merged is deleted."""
        try:
            return self._run(announce)
        except KeyboardInterrupt:
            raise Interrupted("Stopped. What was done stays; run it again to go on where it stopped.") from None

    def _run(self, announce: Callable[[AddressReport], None]) -> AddressReport:
        readdressed: set[str] = set()
        reserved: set[str] = set()
        for _ in range(ROUNDS):
            work = self._work()
            readdressed |= spelled_otherwise(work)
            reserved |= unreserved(work)
            if not work.open:
                break
            with progress_of("Settling addresses", len(work.open)) as advance:
                for address, group in work.open.items():
                    self.store.settle(address, [one.user_id for one in group])
                    advance(1)
        away = self.store.snapshot().away
        moved = self._move_links(away)
        work = self._work()
        report = self._report(work)
        report.merges = [self._merge(user_id, one, away, moved[user_id]) for user_id, one in sorted(away.items())]
        report.problems += [Problem(one.user_id, one.email, CHANGED) for group in work.open.values() for one in group]
        report.counts["merged"] = len(away)
        report.counts["readdressed"] = len(readdressed)
        report.counts["reserved"] = len(reserved)
        report.counts["links_moved"] = moved.total()
        announce(report)
        self.store.forget(sorted(away))
        return report

    def _move_links(self, away: dict[str, Away]) -> Counter[str]:
        """Give the links of those who were merged to those who stay, at once and again when no request is left."""
        if not away:
            return Counter()
        into = {user_id: end_of(user_id, away) for user_id in away}
        moved = self.store.move_links(into)
        last = max(when(one.at) for one in away.values())
        left = (last + timedelta(seconds=REQUEST_SECONDS) - self.clock()).total_seconds()
        if left > 0:
            self.sleep(min(left, REQUEST_SECONDS))
        return moved + self.store.move_last_links(into)

    def _work(self) -> Work:
        snapshot = self.store.snapshot()
        found = grouped(snapshot.found, self.addresses)
        return Work(snapshot, found.groups, [*found.problems, *snapshot.strange])

    def _report(self, work: Work) -> AddressReport:
        report = AddressReport(problems=list(work.problems))
        report.counts["users"] = len(work.snapshot.found)
        report.merges = [
            Merge(address, group[0].user_id, other.user_id, other.email)
            for address, group in sorted(work.groups.items())
            for other in group[1:]
        ]
        away = work.snapshot.away
        report.merges += [self._merge(user_id, one, away, 0) for user_id, one in sorted(away.items())]
        return report

    def _merge(self, user_id: str, one: Away, away: dict[str, Away], links: int) -> Merge:
        try:
            address = self.addresses.canonical(one.email)
        except DoesNotFitError:
            address = one.email
        return Merge(address, end_of(user_id, away), user_id, one.email, links)


def spelled_otherwise(work: Work) -> set[str]:
    """Name the users who stay and whose address is written anew."""
    return {group[0].user_id for address, group in work.groups.items() if group[0].email != address}


def unreserved(work: Work) -> set[str]:
    """Name the addresses that somebody else could still sign up with, or that are reserved for another one."""
    return {address for address, group in work.groups.items() if not work.snapshot.is_reserved(address, group[0])}


def end_of(user_id: str, away: dict[str, Away]) -> str:
    """Follow a user who was merged, perhaps more than once, to the one who stays."""
    seen = set()
    while user_id in away and user_id not in seen:
        seen.add(user_id)
        user_id = away[user_id].into
    return user_id


def when(text: str) -> datetime:
    """Read a note's time; one that nobody can read counts as this moment."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return datetime.now(UTC)


def now() -> str:
    """Give the time as the databases keep it."""
    return timestamp(datetime.now(UTC))
