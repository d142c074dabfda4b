"""Copy all rows, then read everything back and compare it, field for field."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from fileshare.addresses import Addresses
from fileshare.ops.migration.journal import Journal, open_journal
from fileshare.ops.migration.progress import progress_of
from fileshare.ops.migration.source import BadRow, Source, open_source
from fileshare.ops.migration.target import FULL, LinkTable, Outcome, UserTable
from fileshare.records import Link, User, is_over, values_of
from sawhorse.api import Interrupted
from shared.dynamodb import Item, ItemTooLarge
from shared.times import timestamp

T = TypeVar("T")
Record = TypeVar("Record", User, Link)
Record_contra = TypeVar("Record_contra", User, Link, contravariant=True)

THREADS = 8
# DynamoDB reads 100 items at once, and a user has two.
BATCH = 50
# How a row can end.
ENDS = ("verified", "refused", "different", "missing", "expired", "deleted_since")
MISSING = "it is missing in DynamoDB; run the migration again"


class Target(Protocol[Record_contra]):
    """A table as `fileshare.ops.migration.target` has two."""

    name: str
    key: str

    def identity(self) -> str: ...
    def copy(self, record: Record_contra, /, *, known: bool) -> Outcome | BadRow: ...
    def read(self, records: Sequence[Record_contra], /) -> dict[str, Item]: ...
    def difference(self, record: Record_contra, found: Mapping[str, Item], /) -> str | None: ...


@dataclass(frozen=True)
class Problem:
    """A row that is not in DynamoDB as it is in the file, and why."""

    table: str
    key: str
    reason: str


@dataclass
class Report:
    """How a migration ended: by table what became of how many rows, and what went wrong.

    Every row was copied now, updated (the file was newer) or kept (it was there, and no older); `verified` of them were
    then read back. Left out are those that have expired, and those that were deleted in DynamoDB since a run before.
    """

    counts: dict[str, Counter[str]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Tell whether every row is where it should be."""
        return not self.problems


def migrate(client: Any, path: Path, *, users: str, urls: str, addresses: Addresses | None = None) -> Report:
    """Copy the file at `path` into the tables, and check what is there afterwards."""
    report = Report()
    with open_source(path, addresses=addresses) as source, open_journal(path) as journal:
        try:
            TableCopy[User](UserTable(client, users), source, journal, report).run(source.users)
            TableCopy[Link](LinkTable(client, urls), source, journal, report).run(source.links)
        except KeyboardInterrupt:
            raise Interrupted("Stopped. What was copied stays; run it again to go on where it stopped.") from None
    return report


class TableCopy(Generic[Record]):
    """The copy of one table."""

    def __init__(self, target: Target[Record], source: Source, journal: Journal, report: Report) -> None:
        self.target: Target[Record] = target
        self.journal = journal
        self.report = report
        self.identity = target.identity()
        # What earlier runs have brought to DynamoDB: when it is not there any more, somebody has deleted it.
        self.known = journal.keys(self.identity)
        self.turned_away: set[str] = set()
        self.counts = report.counts.setdefault(target.name, Counter(rows=source.count(target.name)))

    def run(self, rows: Callable[[], Iterator[Record | BadRow]]) -> None:
        """Copy the rows, and walk them once more to check them."""
        with progress_of(f"Copying {self.target.name}", self.counts["rows"]) as advance:
            for batch in batches(rows()):
                self.copy(batch)
                advance(len(batch))
        with progress_of(f"Checking {self.target.name}", self.counts["rows"]) as advance:
            for batch in batches(rows()):
                self.check([row for row in batch if not isinstance(row, BadRow)])
                advance(len(batch))
        accounted = sum(self.counts[name] for name in ENDS)
        if accounted != self.counts["rows"]:
            self.add_problem("(all)", f"the file has {self.counts['rows']} rows and {accounted} are accounted for")

    def copy(self, batch: Sequence[Record | BadRow]) -> None:
        """Copy a batch, and note what is there for good before the next one begins."""
        for row in batch:
            if isinstance(row, BadRow):
                self.refuse(row)
        records = [row for row in batch if not isinstance(row, BadRow) and not has_expired(row)]
        with ThreadPoolExecutor(THREADS) as pool:
            outcomes = list(pool.map(self.copied, records))
        there = []
        for record, outcome in zip(records, outcomes, strict=True):
            if isinstance(outcome, BadRow):
                self.refuse(outcome)
                self.turned_away.add(self.key(record))
            else:
                self.counts[outcome.value] += 1
                there.append(self.key(record))
        self.journal.add(self.identity, there)

    def copied(self, record: Record) -> Outcome | BadRow:
        """Copy a row; an item in DynamoDB that is full ends nothing but its own."""
        key = self.key(record)
        try:
            return self.target.copy(record, known=key in self.known)
        except ItemTooLarge:
            return BadRow(key, FULL)

    def check(self, records: Sequence[Record]) -> None:
        """Read a batch back and compare it."""
        found = self.target.read(records) if records else {}
        for record in records:
            key = self.key(record)
            if key in self.turned_away:
                continue
            if key in found and not has_expired(record):
                difference = self.target.difference(record, found)
                if difference is None:
                    self.counts["verified"] += 1
                else:
                    self.counts["different"] += 1
                    self.add_problem(key, difference)
            elif has_expired(record):
                self.counts["expired"] += 1
            elif key in self.known:
                self.counts["deleted_since"] += 1
                self.counts["kept"] -= 1
            else:
                self.counts["missing"] += 1
                self.add_problem(key, MISSING)

    def key(self, record: Record) -> str:
        return str(values_of(record)[self.target.key])

    def refuse(self, row: BadRow) -> None:
        self.counts["refused"] += 1
        self.add_problem(row.key, row.reason)

    def add_problem(self, key: str, reason: str) -> None:
        self.report.problems.append(Problem(self.target.name, key, reason))


def has_expired(record: User | Link) -> bool:
    """Tell whether DynamoDB may sweep a record at any moment: it is not copied, since nobody could follow it."""
    return isinstance(record, Link) and is_over(record.expires_at, timestamp(datetime.now(UTC)))


def batches(rows: Iterable[T]) -> Iterator[list[T]]:
    iterator = iter(rows)
    while batch := list(islice(iterator, BATCH)):
        yield batch
