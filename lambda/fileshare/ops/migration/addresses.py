"""Bring stored addresses into their one form: users who are one become one, while the service goes on."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from fileshare.addresses import Addresses
from fileshare.checks import DoesNotFitError
from fileshare.dynamodb_database import reservation_key
from fileshare.ops.migration.merging import Away, Merge, Problem, Spelled, grouped, shown
from fileshare.ops.migration.progress import progress_of
from fileshare.ops.migration.snapshot import CHANGED, Moved, Snapshot, Store, Unsettled
from sawhorse.api import Interrupted
from shared.times import timestamp

# A request that knew a user before the merge can write a link for that user until it ends: the function's own limit is
# 30 seconds (`lambda.timeout` of modules/apps/fileshare), and a process waits no longer for a database.
REQUEST_SECONDS = 35
# How often everything is read again: whoever writes meanwhile without the application needs more than one.
ROUNDS = 3

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
        unsettled: dict[str, Unsettled] = {}
        for _ in range(ROUNDS):
            work = self._work()
            readdressed |= spelled_otherwise(work)
            reserved |= unreserved(work)
            if not work.open.keys() - unsettled:
                break
            unsettled |= self._settle(
                {address: group for address, group in work.open.items() if address not in unsettled}
            )
        away = self.store.snapshot().away
        moved = self._move_links(away)
        work = self._work()
        report = self._report(work)
        report.merges = [
            self._merge(user_id, one, away, moved.counts[user_id]) for user_id, one in sorted(away.items())
        ]
        for address, group in work.open.items():
            report.problems += left_open(group, unsettled.get(address))
        report.problems += [
            Problem(owner, away[owner].email, f"its link {shown(code)} is still this user's: {reason}")
            for (owner, code), reason in sorted(moved.stuck.items())
        ]
        report.counts["merged"] = len(away)
        report.counts["readdressed"] = len(readdressed - spelled_otherwise(work))
        report.counts["reserved"] = len(reserved - unreserved(work))
        report.counts["links_moved"] = moved.counts.total()
        announce(report)
        # Who still has a link is remembered, for the next run to give it away.
        self.store.forget(sorted(away.keys() - {owner for owner, _ in moved.stuck}))
        return report

    def _settle(self, groups: Mapping[str, list[Spelled]]) -> dict[str, Unsettled]:
        """Settle addresses one by one, and tell which cannot be: one that does not fit holds no other up."""
        unsettled = {}
        with progress_of("Settling addresses", len(groups)) as advance:
            for address, group in groups.items():
                try:
                    self.store.settle(address, [one.user_id for one in group])
                except Unsettled as reason:
                    unsettled[address] = reason
                advance(1)
        return unsettled

    def _move_links(self, away: dict[str, Away]) -> Moved:
        """Give the links of those who were merged to those who stay, at once and again when no request is left."""
        if not away:
            return Moved(Counter())
        into = {user_id: end_of(user_id, away) for user_id in away}
        moved = self.store.move_links(into)
        last = max(when(one.at) for one in away.values())
        left = (last + timedelta(seconds=REQUEST_SECONDS) - self.clock()).total_seconds()
        if left > 0:
            self.sleep(min(left, REQUEST_SECONDS))
        # What could not be given away at once is met again.
        last_moved = self.store.move_last_links(into)
        return Moved(moved.counts + last_moved.counts, last_moved.stuck)

    def _work(self) -> Work:
        snapshot = self.store.snapshot()
        found = grouped(snapshot.found, self.addresses)
        problems = [*found.problems, *snapshot.strange]
        for address in sorted(snapshot.blocked & found.groups.keys()):
            problems += [
                Problem(one.user_id, one.email, waits_for([reservation_key(address)])) for one in found.groups[address]
            ]
        groups = {address: group for address, group in found.groups.items() if address not in snapshot.blocked}
        return Work(snapshot, groups, problems)

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


def left_open(group: list[Spelled], unsettled: Unsettled | None) -> list[Problem]:
    """Name the users whose address is not settled, and what stands in its way, with why."""
    if unsettled is None:
        return [Problem(one.user_id, one.email, CHANGED) for one in group]
    waiting = waits_for(unsettled.reasons)
    users = [Problem(one.user_id, one.email, unsettled.reasons.get(one.user_id, waiting)) for one in group]
    others = unsettled.reasons.keys() - {one.user_id for one in group}
    return [*users, *(Problem(key, "", unsettled.reasons[key]) for key in sorted(others))]


def waits_for(keys: Iterable[str]) -> str:
    """Say why a user is left alone whose own item fits."""
    return f"its address is not settled before {', '.join(shown(key) for key in sorted(keys))} is corrected"


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
