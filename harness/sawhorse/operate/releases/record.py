"""What was released of a root: one object beside its state, written under the condition that nobody wrote meanwhile."""

from __future__ import annotations

import datetime as dt
import json
import os
import random
import socket
import threading
import time
from collections.abc import Callable, Mapping
from typing import Annotated, Literal, Self

import psutil
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

from sawhorse.errors import SawhorseError, Unreadable
from sawhorse.printable import one_line
from sawhorse.terraform.state_store import RELEASES, StateStore, Stored, WrittenMeanwhile

# What this reads and writes.
FORMAT: Literal[1] = 1
# How often a write is tried again on top of what somebody else has written meanwhile, and the longest first wait.
ATTEMPTS = 8
BACKOFF = 0.02
# By how much the same process may seem to have started earlier or later.
CLOCK_SECONDS = 5.0
# The command that goes back; whoever finds another one cut off goes to where all was before it.
ROLLBACK = "rollback"
# What people, apps and AWS wrote, kept so that no command that prints it later prints a line of theirs.
Line = Annotated[str, AfterValidator(one_line)]


class Part(BaseModel):
    """A part of the record, which is never changed in place."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Code(Part):
    """What a version of a function is made of.

    `content_sha256` is the manifest's, None for an image and where nobody knows it; `code_sha256` Lambda's own, of the
    zip. `layers` has the content of each layer by its ARN, empty text where no state knew it.
    """

    version: Line
    content_sha256: Line | None
    code_sha256: Line
    layers: Mapping[Line, Line] = {}


class Verdict(Part):
    """What the smoke checks said of a release: how many ran, and those that did not pass, each with its finding."""

    passed: bool
    checks: int
    failed: Mapping[Line, Line] = {}
    at: Line


class Ending(Part):
    """What ended a release, and why."""

    how: Literal["replaced", "put back", "rolled back", "refused", "pruned", "destroyed"]
    why: Line
    at: Line


class Release(Part):
    """One root's set of function versions.

    `smoke` is None until they were checked, `live_since` until `live` was moved to them, `ended` until something did.
    """

    id: int
    functions: Mapping[Line, Code]
    commit: Line | None
    dirty: bool
    at: Line
    by: Line
    smoke: Verdict | None = None
    live_since: Line | None = None
    ended: Ending | None = None

    @property
    def versions(self) -> dict[str, str]:
        return {name: code.version for name, code in self.functions.items()}

    @property
    def is_gone(self) -> bool:
        """Whether its versions were deleted."""
        return self.ended is not None and self.ended.how in ("pruned", "destroyed")

    @property
    def is_good(self) -> bool:
        return self.smoke is not None and self.smoke.passed

    @property
    def was_taken_back(self) -> bool:
        """Whether somebody or a check decided against it, or its versions were deleted."""
        return self.ended is not None and self.ended.how != "replaced"


class Decision(Part):
    """What somebody decided about `live`: a pin to a release, or a freeze (`release` is None)."""

    release: int | None = None
    why: Line
    at: Line
    by: Line


class Applied(Part):
    """The commit that a root was applied from last, None outside of git; `dirty` says that its tree differed."""

    commit: Line | None
    dirty: bool
    at: Line
    by: Line


class Process(Part):
    """A process of a machine; `started` is the system's, since a number is given again.

    `thread` tells commands of one process from each other.
    """

    host: Line
    # As a system gives them: no other number is asked after.
    pid: int = Field(gt=0, lt=2**31)
    started: FiniteFloat
    thread: int = 0

    @classmethod
    def this(cls) -> Process:
        return cls(
            host=socket.gethostname(),
            pid=os.getpid(),
            started=psutil.Process().create_time(),
            thread=threading.get_ident(),
        )

    @property
    def is_here(self) -> bool:
        """Whether it was started on this machine."""
        return self.host == socket.gethostname()

    @property
    def is_over(self) -> bool:
        """Whether its process is known to have ended; another machine's never is."""
        if not self.is_here:
            return False
        try:
            # When it started is reckoned from the clock, which is set now and then.
            return abs(psutil.Process(self.pid).create_time() - self.started) > CLOCK_SECONDS
        except psutil.NoSuchProcess:
            return True


class Moving(Part):
    """A command that is about to move `live`, or was killed while it did.

    `before` has the version of each function that `live` was at, and `pins` what its parameter held.
    """

    command: Line
    release: int | None
    before: Mapping[Line, Line]
    pins: Mapping[Line, Line]
    at: Line
    by: Line
    process: Process

    @property
    def is_ours(self) -> bool:
        """Whether this very process entered it, in an earlier step of the same command."""
        return self.process == Process.this()


class Record(Part):
    """All releases of a root, oldest first, and what is decided about `live`.

    `history` has the releases that `live` was moved to, one after the other, and `uploading` the code (CodeSha256) that
    applies which began and did not end well may have uploaded.
    """

    format: Literal[1] = FORMAT
    root: Line
    releases: tuple[Release, ...] = ()
    live: int | None = None
    history: tuple[int, ...] = ()
    pinned: Decision | None = None
    frozen: Decision | None = None
    moving: Moving | None = None
    applied: Applied | None = None
    uploading: tuple[Line, ...] = ()

    def release(self, number: int) -> Release | None:
        return next((release for release in self.releases if release.id == number), None)

    @property
    def last(self) -> Release | None:
        return self.releases[-1] if self.releases else None

    def at(self, versions: Mapping[str, str]) -> Release | None:
        """Return the newest release of just these versions; else the newest whose functions are all at these."""
        there = [one for one in self.releases if one.functions and not one.is_gone]
        alike = [one for one in there if one.versions.items() <= dict(versions).items()]
        whole = [one for one in alike if one.versions == dict(versions)]
        return next(reversed(whole or alike), None)

    def having_live(self, release: Release, ending: Ending) -> Record:
        """Return the record with a release as the live one, and the one that was live ended."""
        record, before = self, self.release(self.live) if self.live else None
        if before and before.id != release.id:
            record = record.having(before.model_copy(update={"ended": ending}))
        now_live = (record.release(release.id) or release).model_copy(update={"ended": None, "live_since": now()})
        history = self.history if self.history[-1:] == (release.id,) else (*self.history, release.id)
        return record.having(now_live).but(live=release.id, history=history)

    def gone_back_to(self, release: Release, why: str) -> Record:
        """Return the record with an earlier release as the live one.

        A newer one that was live is taken back. Whoever goes forward again to a newer one has decided nothing against
        the older one, which stays a place to go back to.
        """
        how: Literal["replaced", "rolled back"] = (
            "replaced" if self.live is not None and self.live < release.id else "rolled back"
        )
        return self.having_live(release, Ending(how=how, why=why, at=now()))

    def before_live(self) -> list[Release]:
        """Return what was live before what is, the last one first, each once; what was taken back is no place to be.

        From a release that a rollback went to it goes on backwards.
        """
        went_back = self.pinned is not None and self.pinned.release == self.live and self.live in self.history
        history = self.history[: self.history.index(self.live)] if went_back and self.live else self.history
        found: dict[int, Release] = {}
        for number in reversed(history):
            release = self.release(number)
            if release and number != self.live and not release.was_taken_back:
                found.setdefault(number, release)
        return list(found.values())

    def having(self, release: Release) -> Record:
        """Return the record with a release in the place of the one with its id, or as the newest."""
        others = [other for other in self.releases if other.id != release.id]
        return self.but(releases=tuple(sorted([*others, release], key=lambda one: one.id)))

    def destroyed(self) -> Record:
        """Return the record of a root that does not stand any more: what there was, and nothing live."""
        ending = Ending(how="destroyed", why="the root was destroyed", at=now())
        ended = [one.model_copy(update={"ended": ending}) if not one.is_gone else one for one in self.releases]
        return self.but(
            releases=tuple(ended), live=None, history=(), pinned=None, moving=None, applied=None, uploading=()
        )

    def but(self, **changes: object) -> Self:
        return self.model_copy(update=changes)


class Kept:
    """The record of a root where it lies: read whole, changed by functions, written under a condition."""

    def __init__(self, store: StateStore, root: str) -> None:
        self.store = store
        self.root = root

    @property
    def place(self) -> str:
        return self.store.place(RELEASES)

    def read(self) -> Record:
        return self.read_stored()[0]

    def read_stored(self) -> tuple[Record, Stored | None]:
        """Read the record. Raises Unreadable for one that this did not write, or that is another root's."""
        stored = self.store.read(RELEASES)
        if stored is None:
            return Record(root=self.root), None
        try:
            record = Record.model_validate_json(stored.content)
        except ValidationError as error:
            raise Unreadable(self.unreadable(stored, error)) from error
        if record.root != self.root:
            raise Unreadable(f"{self.place} is the record of {record.root}, not of {self.root}; move it away.")
        return record, stored

    def unreadable(self, stored: Stored, error: ValidationError) -> str:
        """Say what is wrong with a record: a newer one is good and stays; a damaged one has versions or copies."""
        written = format_of(stored.content)
        if written is not None and written > FORMAT:
            return (
                f"{self.place} was written by a newer Sawhorse (format {written}; this one reads {FORMAT}). It is "
                "good: leave it there, check out a newer Sawhorse, and run this again."
            )
        return (
            f"{self.place} is damaged ({error.errors()[0]['msg']}). {self.store.way_back(RELEASES)} Only if "
            "there is no good one left, move it away: live stays where it is and a new record begins with that, and "
            "releases, pins, freezes and what can be gone back to are forgotten. To go back meanwhile, write the "
            "version into the parameter /FUNCTION/live (aws ssm put-parameter --overwrite) and point the alias at it "
            "(aws lambda update-alias --name live --function-version)."
        )

    def change(self, change: Callable[[Record], Record]) -> Record:
        """Read, change and write, again from what there is when somebody else wrote meanwhile.

        What `change` raises is raised, and nothing is written. Raises SawhorseError where others write all the time.
        """
        for attempt in range(ATTEMPTS):
            if attempt:
                time.sleep(random.uniform(0, BACKOFF * 2**attempt))  # noqa: S311 # keeps no secret
            record, stored = self.read_stored()
            changed = change(record)
            if changed == record:
                return record
            try:
                self.store.write(RELEASES, (changed.model_dump_json(indent=2) + "\n").encode(), based_on=stored)
            except WrittenMeanwhile:
                continue
            return changed
        raise SawhorseError(f"Others write {self.place} all the time; run it again when they are done.")


def format_of(content: bytes) -> int | None:
    """Return the format that a record says it has; None where it says none."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return None
    written = found.get("format") if isinstance(found, dict) else None
    return written if type(written) is int else None


def now() -> str:
    """Return the time as the record has it, in UTC."""
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
