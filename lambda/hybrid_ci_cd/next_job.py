"""Choose the next job for an agent: the oldest that is free, or, where agents compete, another free one by chance.

Agents that ask at once read the same entries of the index. If each tried them in order, all would meet at every job,
and the cost of a claim would grow with the number of agents. So the first write that another agent was faster with
shows that there is competition, and from then on an agent picks at random among all the entries that it has read. The
index also shows jobs that were taken a moment ago: one read of several jobs tells which of them are still free.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from hybrid_ci_cd.models import Job, JobStatus
from shared.api_errors import Throttled

# How many entries of the queue are read at once, and so among how many jobs an agent that meets others picks.
WINDOW = 50
# How many of the oldest are looked at first, which is free unless agents compete, and how many later on. A look costs
# read units for payloads.
FIRST_LOOK = 1
LATER_LOOK = 10
# How many others, by chance, are looked at beside the oldest, in case that another agent is faster with that one.
SPARE = 2
# After as many lost writes of one look the others will have taken more of it, so it is time for another look.
LOST_PER_LOOK = 3
# Looks and lost writes of one call. An agent that needs more is asked to wait, which also thins the crowd out.
MAX_TRIES = 16


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A job that can be claimed, as the index has it."""

    job_id: str
    status: JobStatus


@dataclass(frozen=True, kw_only=True)
class Look:
    """What a look at some candidates found: `unread` are the ids that DynamoDB did not get to."""

    free: list[Job]
    unread: frozenset[str]
    any_unfit: bool


class Claim(Protocol):
    """What the choice needs: to read jobs, and to claim one for the agent."""

    def look(self, candidates: Sequence[Candidate]) -> Look:
        """Read candidates, and return those that are as the index has them, in this order."""

    def is_free(self, job: Job) -> bool:
        """Tell whether nobody works on a job that was read."""

    def take(self, job: Job) -> Job | None:
        """Claim the job; None when another agent was faster."""


class Line:
    """Candidates in the order of the index, read page by page."""

    def __init__(self, pages: Iterator[list[Candidate]]) -> None:
        self._pages = pages
        self.waiting: list[Candidate] = []

    def read_page(self) -> None:
        """Read one page, which may have no candidate."""
        self.waiting += next(self._pages, [])

    def refill(self) -> None:
        """Read pages until there is a candidate, or to the end."""
        while not self.waiting:
            page = next(self._pages, None)
            if page is None:
                return
            self.waiting = page


class Choice:
    """The choice of one call, with what it has cost so far."""

    def __init__(self, claim: Claim, *, chance: random.Random) -> None:
        self._claim = claim
        self._chance = chance
        self._looks = 0
        self._tries = 0
        self._is_contested = False

    def among_waiting(self, line: Line, *, looks: int) -> Job | None:
        """Claim one of the candidates that wait, in so many looks; the rest goes on waiting."""
        for _ in range(looks):
            taken = self._look(line) if line.waiting else None
            if taken:
                return taken
        return None

    def among_all(self, line: Line) -> Job | None:
        """Claim one of the candidates, those of later pages included; None when none of them is free."""
        line.refill()
        while line.waiting:
            taken = self._look(line)
            if taken:
                return taken
            line.refill()
        return None

    def _look(self, line: Line) -> Job | None:
        if self._tries >= MAX_TRIES:
            raise Throttled
        in_order, by_chance = self._chosen(line.waiting)
        found = self._claim.look([*in_order, *by_chance])
        self._looks += 1
        # Nobody competes for items that do not fit, so a look at them is not counted, however many there are.
        self._tries += not found.any_unfit
        first = {candidate.job_id for candidate in in_order}
        taken, untried = self._take_one(
            [job for job in found.free if job.job_id in first],
            [job for job in found.free if job.job_id not in first],
        )
        kept = found.unread | {job.job_id for job in untried}
        done = {candidate.job_id for candidate in (*in_order, *by_chance)} - kept
        line.waiting = [candidate for candidate in line.waiting if candidate.job_id not in done]
        return taken

    def _chosen(self, waiting: Sequence[Candidate]) -> tuple[Sequence[Candidate], Sequence[Candidate]]:
        """Choose what to look at: some in their order, and some by chance for when another agent is faster."""
        ordered = 0 if self._is_contested else LATER_LOOK if self._looks else FIRST_LOOK
        others = waiting[ordered:]
        return waiting[:ordered], self._chance.sample(others, min(SPARE if ordered else LATER_LOOK, len(others)))

    def _take_one(self, in_order: list[Job], by_chance: list[Job]) -> tuple[Job | None, list[Job]]:
        """Try free jobs, and return the one that was taken and those that were not tried.

        The oldest comes first. When another agent is faster with it, all who lost it would meet again at the next one,
        so those that were chosen by chance come before that.
        """
        untried = in_order or (by_chance if self._is_contested else [])
        spare = by_chance if in_order or not self._is_contested else []
        lost = 0
        while untried and lost < LOST_PER_LOOK:
            job = untried.pop(0)
            if not self._claim.is_free(job):
                continue
            taken = self._claim.take(job)
            if taken:
                return taken, [*untried, *spare]
            lost += 1
            self._tries += 1
            if not self._is_contested:
                self._is_contested = True
                self._chance.shuffle(untried)
                untried, spare = [*spare, *untried], []
        return None, [*untried, *spare]
