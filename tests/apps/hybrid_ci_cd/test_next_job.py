"""The choice of the next job: the oldest where nobody competes, any other where somebody does, in so many tries."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_ci_cd.models import Job
from hybrid_ci_cd.next_job import LATER_LOOK, MAX_TRIES, SPARE, WINDOW, Candidate, Choice, Line, Look
from shared.api_errors import Throttled

# What becomes of a candidate: "free", "taken" (another agent has it), "lost" (another is faster), or "unfit".
State = str


@dataclass
class Fake:
    """A table of jobs by their ids, which are numbers, in memory."""

    states: Sequence[State]
    looks: list[list[int]] = field(default_factory=list)
    writes: list[int] = field(default_factory=list)
    unread: set[int] = field(default_factory=set)

    def look(self, candidates: Sequence[Candidate]) -> Look:
        numbers = [int(candidate.job_id) for candidate in candidates]
        self.looks.append(numbers)
        unread, self.unread = self.unread, set()
        read = [number for number in numbers if number not in unread]
        return Look(
            free=[job(number) for number in read if self.states[number] in ("free", "lost")],
            unread=frozenset(str(number) for number in unread),
            any_unfit=any(self.states[number] == "unfit" for number in read),
        )

    def is_free(self, _job: Job) -> bool:
        return True

    def take(self, wanted: Job) -> Job | None:
        number = int(wanted.job_id)
        self.writes.append(number)
        return wanted if self.states[number] == "free" else None


def job(number: int) -> Job:
    return Job(
        job_id=str(number),
        name="job",
        status="queued",
        attempt=0,
        agent_id=None,
        created_at="2026-01-31T09:15:02.104233Z",
        claimed_at=None,
        finished_at=None,
        payload={},
        result=None,
    )


def line(count: int, *, size: int = WINDOW) -> Line:
    candidates = [Candidate(job_id=str(number), status="queued") for number in range(count)]
    return Line(iter([candidates[start : start + size] for start in range(0, count, size)]))


def choose(fake: Fake, *, seed: int = 0) -> int | None:
    chance = random.Random(seed)  # noqa: S311 - picks, no secrets
    taken = Choice(fake, chance=chance).among_all(line(len(fake.states)))
    return None if taken is None else int(taken.job_id)


@given(st.lists(st.sampled_from(["free", "unfit"]), max_size=200))
def test_where_nobody_competes_the_oldest_that_fits_is_taken(states: list[State]) -> None:
    fake = Fake(states)

    assert choose(fake) == next((number for number, state in enumerate(states) if state == "free"), None)
    assert len(fake.writes) <= 1


@given(st.integers(0, 60), st.integers(0, 100))
def test_an_index_that_is_behind_changes_no_order(taken: int, free: int) -> None:
    fake = Fake([*["taken"] * taken, *["free"] * free])

    assert choose(fake) == (taken if free else None)


@given(st.lists(st.sampled_from(["free", "taken", "lost"]), max_size=150), st.integers())
def test_a_choice_ends_with_a_free_job_or_with_none_or_asks_to_wait_after_so_many_tries(
    states: list[State], seed: int
) -> None:
    fake = Fake(states)

    try:
        chosen = choose(fake, seed=seed)
    except Throttled:
        assert len(fake.looks) + len(fake.writes) >= MAX_TRIES
    else:
        assert "free" not in states if chosen is None else states[chosen] == "free"
    # A look may be followed by lost writes, and the write that succeeds is no try.
    assert len(fake.looks) + len(fake.writes) <= MAX_TRIES + 1 + SPARE
    # What was lost or taken is not tried again.
    assert len(set(fake.writes)) == len(fake.writes)


def test_whoever_loses_the_oldest_picks_among_all_that_were_read() -> None:
    picked = {choose(Fake(["lost", *["free"] * 499]), seed=seed) for seed in range(1000)}

    assert picked == set(range(1, WINDOW))


def test_a_crowd_that_loses_the_oldest_falls_apart() -> None:
    """Of twenty agents that pick at the same moment most must pick what nobody else does."""
    picked = [choose(Fake(["lost", *["free"] * 499]), seed=seed) for seed in range(20)]

    assert len(set(picked)) >= 14


def test_a_look_is_at_few_jobs_and_a_spare_one_is_not_taken_before_an_older_one() -> None:
    fake = Fake(["taken", *["free"] * 30])

    assert choose(fake) == 1
    first, second = fake.looks
    assert (first[0], len(first)) == (0, 1 + SPARE)
    assert (second[:LATER_LOOK], len(second)) == (list(range(1, 1 + LATER_LOOK)), LATER_LOOK + SPARE)
    assert fake.writes == [1]


def test_what_dynamodb_did_not_get_to_is_looked_at_again() -> None:
    fake = Fake(["free", "free"], unread={0})

    assert choose(fake) == 0
    assert fake.looks == [[0, 1], [0, 1]]


def test_a_look_that_never_reads_anything_ends() -> None:
    class Unread(Fake):
        def look(self, candidates: Sequence[Candidate]) -> Look:
            self.looks.append([])
            return Look(free=[], unread=frozenset(found.job_id for found in candidates), any_unfit=False)

    fake = Unread(["free"])
    with pytest.raises(Throttled):
        choose(fake)
    assert len(fake.looks) == MAX_TRIES
