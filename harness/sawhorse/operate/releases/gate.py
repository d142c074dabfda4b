"""The gate: versions are checked by their number before `live` moves, and all is put back when anything fails after."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from sawhorse.errors import Interrupted, SawhorseError
from sawhorse.operate.releases.canary import Rollout, shifted
from sawhorse.operate.releases.checking import (
    NOTHING_CHECKED,
    Checked,
    Say,
    check_live,
    check_versions,
    red_alarms,
    refuse_frozen_meanwhile,
    watched,
)
from sawhorse.operate.releases.lambdas import (
    LATEST,
    Standing,
    look,
    missing_versions,
    move,
    move_back,
    window_of,
    write_pins,
)
from sawhorse.operate.releases.moving import NotReleased, begun, is_behind, is_elsewhere, refuse_frozen, written
from sawhorse.operate.releases.record import Decision, Ending, Moving, Record, Release, now
from sawhorse.operate.releases.released_root import ReleasedRoot
from sawhorse.operate.releases.sentences import (
    ASKING,
    frozen_meanwhile,
    told,
    told_live,
    told_window,
    why_of,
    words,
)

AT_ONCE = Rollout()


@dataclass(frozen=True)
class Outcome:
    """What a release came to: whether `live` moved, and how long functions of the root were of two releases."""

    release: Release | None
    moved: bool
    window: float = 0.0
    seconds: float = 0.0
    results: tuple[Checked, ...] = field(default=())


@dataclass
class Attempt:
    """A release under way: what checks showed, and whether anything of `live` may be elsewhere than before.

    `began` is when it may have become live in part, `moves` has the two times of each function that was moved, and
    `back` and `ended` what could not be put back, once that was tried, and when.
    """

    released: ReleasedRoot
    target: Release
    moving: Moving
    touched: bool
    results: list[Checked] = field(default_factory=list)
    began: float | None = None
    moves: list[float] = field(default_factory=list)
    ended: float | None = None
    back: dict[str, str] | None = None

    @property
    def was_live(self) -> bool:
        """Whether the release was live before it was checked, as a first one is."""
        return dict(self.moving.before) == self.target.versions

    @property
    def was_checked(self) -> bool:
        """Whether any check ran: an app may have none, or none that may run here."""
        return any(checked.ran for checked in self.results)

    @property
    def seconds(self) -> float:
        """The seconds in which it was live in part or whole, until it was put back; 0 for one that is live anyway."""
        if self.began is None or self.was_live:
            return 0.0
        return (self.ended or time.monotonic()) - self.began

    def put_back(self) -> dict[str, str]:
        """Put `live` back, once, and return why, by function, for each that could not be."""
        if self.back is None:
            self.back = put_back(self.released, self.moving) if self.touched else {}
            self.ended = time.monotonic()
        return self.back

    def judged(self, record: Record) -> Record:
        """Return the record with what the checks showed."""
        for checked in self.results:
            record = with_verdict(record, self.target, checked)
        return record


def release(  # its options
    released: ReleasedRoot,
    *,
    say: Say,
    rollout: Rollout = AT_ONCE,
    take_over: bool = False,
    command: str = "release",
) -> Outcome:
    """Check what the last apply published, move `live` to it, check again, and put all back when that fails.

    Raises NotReleased with a sentence that says what is live, or SawhorseError where it may not begin.
    """
    start = time.monotonic()
    if not released.functions:
        say(f"{released.name} has no function with the alias live, so there is nothing to release.")
        return Outcome(None, moved=False)
    refuse_frozen(released, released.kept.read(), command)
    record, target = released.noted()
    standings = released.standings()
    refuse_without_alias(released, standings)
    if is_settled(released, record, target, standings):
        say(f"Release {target.id} of {released.name} is live and was checked; there is nothing to release.")
        return Outcome(target, moved=False)
    with begun(released, command, target.id, record, standings, say=say, take_over=take_over) as moving:
        attempt = Attempt(released, target, moving, touched=is_elsewhere(standings, moving))
        against, error = None, None
        try:
            against = what_speaks_against(attempt, rollout, say)
        except (KeyboardInterrupt, *ASKING) as raised:
            against, error = why_of(raised), raised
        if against:
            kind = Interrupted if isinstance(error, KeyboardInterrupt) else NotReleased
            raise kind(taken_back(attempt, against, asked=error is None)) from error
        frozen = enter_as_live(attempt)
        if frozen:
            raise NotReleased(taken_back(attempt, frozen, asked=False))
    window = window_of(attempt.moves)
    passed = ", and its checks passed" if attempt.was_checked else ""
    done = f"was live already{passed}" if attempt.was_live else "is live"
    lifted = " Its pin is lifted." if record.pinned else ""
    unchecked = "" if attempt.was_checked else NOTHING_CHECKED
    say(f"Release {target.id} of {released.name} {done}.{lifted}{told_window(window, target)}{unchecked}")
    return Outcome(target, not attempt.was_live, window, time.monotonic() - start, tuple(attempt.results))


def refuse_without_alias(released: ReleasedRoot, standings: Sequence[Standing]) -> None:
    """Raise where somebody deleted `live`, which only an apply makes again."""
    gone = [standing.function for standing in standings if standing.version is None]
    if gone:
        raise SawhorseError(
            f"{', '.join(gone)} has no alias live any more, so nobody can call it. Nothing was changed; run "
            f'"{released.command("apply")}", which makes it again.'
        )


def is_settled(released: ReleasedRoot, record: Record, target: Release, standings: Sequence[Standing]) -> bool:
    """Say whether a release is live, was found good, and nothing is left to lift or to finish."""
    return (
        target.is_good
        and record.live == target.id
        and record.pinned is None
        and record.moving is None
        and all(standing.version == target.versions[standing.function] for standing in standings)
        and not any(standing.weights for standing in standings)
        and all(standing.pin == pin_of(released, standing.version) for standing in standings)
    )


def pin_of(released: ReleasedRoot, version: str | None) -> str:
    """Return what the parameter holds when a version is live because it was released."""
    return str(version) if released.gated else LATEST


def what_speaks_against(attempt: Attempt, rollout: Rollout, say: Say) -> str | None:
    """Check a release by its versions' numbers, move `live` to it and check again; return the first thing against it.

    Raises what AWS and an interrupt raise.
    """
    released, target = attempt.released, attempt.target
    gone = list(missing_versions(released.client, target.versions))
    if gone:
        return f"{', '.join(gone)} is not there any more"
    say(f"Checking release {target.id} of {released.name} by its versions ({words(target.versions)}) ...")
    attempt.results.append(check_versions(released, target.versions))
    if attempt.results[-1].failed:
        return attempt.results[-1].sentence()
    alarms = red_alarms(released)
    if alarms:
        say(f"Red before this release, and no reason against it: {', '.join(sorted(alarms))}.")
    attempt.touched = True
    if rollout.canary:
        attempt.began = time.monotonic()
        against = shifted(released, target, rollout.canary, alarms, say=say)
        if against:
            return against
    refuse_frozen_meanwhile(released)
    move_forward(attempt)
    say(f"live is {words(target.versions)}.")
    attempt.results.append(check_live(released, attempt.put_back))
    if attempt.results[-1].failed:
        return attempt.results[-1].sentence()
    return watched(released, alarms, rollout.watch, lambda: None)


def move_forward(attempt: Attempt) -> None:
    """Move `live` of all functions one after another, as soon as every parameter says where it is to go."""
    released, versions = attempt.released, attempt.target.versions
    standings = look(released.client, list(versions))
    write_pins(released.client, standings, {name: pin_of(released, version) for name, version in versions.items()})
    for standing in standings:
        began = time.monotonic()
        attempt.began = attempt.began or began
        if move(released.client, standing, versions[standing.function]):
            attempt.moves += [began, time.monotonic()]


def enter_as_live(attempt: Attempt) -> str | None:
    """Enter a release in the record as the live one, unless somebody froze the root meanwhile: then who and why.

    So whoever has frozen a root knows that no release becomes live. Raises NotReleased where it cannot be written.
    """
    released, target = attempt.released, attempt.target
    ending = Ending(how="replaced", why=f"release {target.id} became live", at=now())

    frozen: list[Decision] = []

    def enter(record: Record) -> Record:
        # Without our entry it is written already, and the response was lost.
        frozen[:] = (
            [record.frozen] if record.frozen and record.moving == attempt.moving and not attempt.was_live else []
        )
        if frozen:
            return record
        return attempt.judged(record).having_live(target, ending).but(pinned=None, moving=None)

    passed = " and its checks passed" if attempt.was_checked else ""
    try:
        written(released, enter)
    except ASKING as error:
        raise NotReleased(
            f"Release {target.id} of {released.name} is live{passed}, and {released.kept.place} could "
            f'not be written: {told(error)}. {told_live(released, attempt.moving)} Run "{released.command("release")}" '
            "again, which enters it."
        ) from error
    return frozen_meanwhile(released, frozen[0]) if frozen else None


def taken_back(attempt: Attempt, why: str, *, asked: bool) -> str:
    """Put `live` back where it may be elsewhere, enter why, and say what was done and what is live now.

    `asked` says whether the release was judged; else AWS or an interrupt came in between.
    """
    released, target, moving = attempt.released, attempt.target, attempt.moving
    why = why.rstrip(".")
    back = attempt.put_back()
    during = f" It was live, in part or whole, for {attempt.seconds:.1f} s." if attempt.seconds else ""
    ending = Ending(how="put back" if attempt.touched else "refused", why=why, at=now())

    def enter(record: Record) -> Record:
        record = attempt.judged(record)
        # One that is live all the while, as a first one is, goes on; and what only was interrupted can be tried again.
        ends = not back and (asked or attempt.touched) and record.live != target.id
        record = ended(record, target, ending) if ends else record
        return record if back else with_finished_rollback(record, moving)

    with contextlib.suppress(*ASKING):
        released.kept.change(enter)
    name, live = f"Release {target.id} of {released.name}", told_live(released, moving)
    if back:
        reasons = " ".join(
            f"{function} could not be put back to version {moving.before[function]} ({told(error)})."
            for function, error in back.items()
        )
        return (
            f"{name} failed ({why}), and so did the way back: {reasons} {live}{during} "
            f'Run "{released.command("rollback")}" as soon as AWS responds: it goes back to what was live before '
            f"({words(moving.before)})."
        )
    if attempt.was_live:
        judged = "did not pass" if asked else "was not checked"
        return f"{name} is live, and {judged}: {why}. {live} {next_of_live(released)}"
    again = f'"{released.command("release")}"'
    if not asked:
        done = "was put back" if attempt.touched else "was not released, and live was not moved"
        return f"{name} {done}: {why}.{during} {live} Try it again with {again}."
    done = "was put back" if attempt.touched else "was refused"
    return f"{name} {done}: {why}.{during} {live} Fix it and apply again, or try this one again with {again}."


def with_finished_rollback(record: Record, moving: Moving) -> Record:
    """Return the record with what is live again, where that is what a rollback that was cut off was to lead to."""
    live, before = record.release(record.live) if record.live else None, record.at(moving.before)
    if before is None or live is None or live.versions.items() <= dict(moving.before).items():
        return record
    return record.gone_back_to(before, "a rollback that was cut off is done")


def next_of_live(released: ReleasedRoot) -> str:
    """Say what to do about a release that is live and no good."""
    earlier: list[Release] = []
    with contextlib.suppress(*ASKING):
        earlier = released.kept.read().before_live()
    if not earlier:
        return "There is nothing to go back to: fix it and apply again."
    return f'"{released.command("rollback")}" goes back to release {earlier[0].id}; or fix it and apply again.'


def put_back(released: ReleasedRoot, moving: Moving) -> dict[str, str]:
    """Point every function at what was live before; return why, by function, for each that could not be.

    Parameters that say latest would let the next apply move some of them again, and hold their versions then.
    """
    held = any(is_behind(released, name, version) for name, version in moving.before.items())
    pins = {
        name: LATEST if moving.pins.get(name) == LATEST and not held else version
        for name, version in moving.before.items()
    }
    return move_back(released.client, moving.before, pins)[0]


def with_verdict(record: Record, target: Release, checked: Checked) -> Record:
    found = record.release(target.id)
    if found is None or not checked.ran:
        return record
    earlier = found.smoke if found.smoke and found.smoke.passed and not checked.failed else None
    verdict = checked.verdict
    if earlier:
        verdict = verdict.model_copy(update={"checks": max(verdict.checks, earlier.checks)})
    return record.having(found.model_copy(update={"smoke": verdict}))


def ended(record: Record, target: Release, ending: Ending) -> Record:
    """Return the record with a release ended."""
    found = record.release(target.id)
    return record.having(found.model_copy(update={"ended": ending})) if found else record
