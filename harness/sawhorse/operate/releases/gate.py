"""The gate: versions are checked by their number before `live` moves, and all is put back when anything fails after."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from botocore.exceptions import BotoCoreError, ClientError

from sawhorse.errors import CommandFailed, Interrupted, SawhorseError
from sawhorse.operate.releases.canary import Rollout, shifted
from sawhorse.operate.releases.checking import Checked, Say, check_live, check_versions, red_alarms, watched
from sawhorse.operate.releases.lambdas import (
    LATEST,
    Standing,
    look,
    missing_versions,
    move,
    standing_of,
    write_pins,
)
from sawhorse.operate.releases.record import Ending, Moving, Record, Release, now
from sawhorse.operate.releases.released_root import ReleasedRoot
from sawhorse.signals import ended_as_interrupted

# How often a way back is tried, and the seconds between.
WAY_BACK = 3
BACKOFF = 1.0
AT_ONCE = Rollout()


class NotReleased(CommandFailed):
    """Nothing new is live; the sentence says what is."""


@dataclass(frozen=True)
class Outcome:
    """What a release came to: whether `live` moved, and how long functions of the root were of two releases."""

    release: Release | None
    moved: bool
    window: float = 0.0
    seconds: float = 0.0
    results: tuple[Checked, ...] = field(default=())


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
    refuse_frozen(released, released.kept.read())
    record, target = released.noted()
    standings = released.standings()
    if is_settled(released, record, target, standings):
        say(f"Release {target.id} of {released.name} is live and was checked; there is nothing to release.")
        return Outcome(target, moved=False)
    with begun(released, command, target.id, standings, say=say, take_over=take_over) as moving:
        checked = before_it_moves(released, target, moving, say)
        alarms = red_alarms(released)
        if alarms:
            say(f"Red before this release, and no reason against it: {', '.join(sorted(alarms))}.")
        window, after = moved_and_checked(released, target, moving, alarms, say=say, rollout=rollout)
    for result in (checked, after):
        released.kept.change(lambda record, result=result: with_verdict(record, target, result))  # type: ignore[misc]
    moved = dict(moving.before) != target.versions
    lifted = " Its pin is lifted." if record.pinned else ""
    done = "is live" if moved else "was live already, and its checks passed"
    say(f"Release {target.id} of {released.name} {done}.{lifted}{told_window(window, target)}")
    return Outcome(target, moved, window, time.monotonic() - start, (checked, after))


def refuse_frozen(released: ReleasedRoot, record: Record) -> None:
    """Raise where somebody froze the root."""
    if record.frozen:
        raise SawhorseError(
            f"{released.name} is frozen since {record.frozen.at} by {record.frozen.by}: {record.frozen.why}. "
            f'Nothing was changed. "{released.command("unfreeze")}" lifts it, and '
            f'"{released.command("rollback")}" works all the same.'
        )


def is_settled(released: ReleasedRoot, record: Record, target: Release, standings: list[Standing]) -> bool:
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


@contextlib.contextmanager
def begun(  # noqa: PLR0913 # what is entered
    released: ReleasedRoot,
    command: str,
    release_id: int | None,
    standings: list[Standing],
    *,
    say: Say,
    take_over: bool = False,
) -> Iterator[Moving]:
    """Enter in the record that this moves `live`, which keeps everybody else out, and take that back at the end.

    What is raised stays raised; a process that is killed leaves the entry, and the next command finds it.
    """
    told: list[str] = []

    def enter(record: Record) -> Record:
        told.clear()
        earlier = record.moving
        if earlier and not (earlier.is_ours or earlier.process.is_over or take_over):
            raise SawhorseError(in_the_way(released, earlier))
        if earlier and not earlier.is_ours:
            told.append(f"{cut_off(earlier)} This takes it up.")
        return record.but(moving=released.moving(command, release_id, standings, earlier))

    record = released.kept.change(enter)
    for line in told:
        say(line)
    moving = record.moving
    if moving is None:
        raise SawhorseError(f"{released.kept.place} was changed by somebody else; run it again.")
    try:
        with ended_as_interrupted():
            yield moving
    except BaseException:
        # Where AWS does not respond any more it stays, and the next command finds it.
        with contextlib.suppress(ClientError, BotoCoreError, SawhorseError):
            done_with(released, moving)
        raise
    done_with(released, moving)


def done_with(released: ReleasedRoot, moving: Moving) -> None:
    released.kept.change(lambda record: record.but(moving=None) if record.moving == moving else record)


def in_the_way(released: ReleasedRoot, earlier: Moving) -> str:
    place = f"process {earlier.process.pid} on {earlier.process.host}"
    way_out = (
        "Wait until it has ended."
        if earlier.process.is_here
        else f'If it has ended there, "{released.command("release", "--take-over")}" or '
        f'"{released.command("rollback", "--take-over")}" takes over.'
    )
    return (
        f"{earlier.by} runs {earlier.command} of {released.name} since {earlier.at} ({place}). Nothing was changed. "
        f"{way_out}"
    )


def cut_off(earlier: Moving) -> str:
    what = f" of release {earlier.release}" if earlier.release else ""
    return f"The {earlier.command}{what} that {earlier.by} began at {earlier.at} was cut off."


def before_it_moves(released: ReleasedRoot, target: Release, moving: Moving, say: Say) -> Checked:
    """Check a release by its versions' numbers. Raises NotReleased, with `live` as it was, when a check fails."""
    gone = list(missing_versions(released.client, target.versions))
    if gone:
        raise NotReleased(
            f"{', '.join(gone)} is not there any more. Nothing was changed; apply {released.name} to publish another. "
            f"{told_live(released)}"
        )
    say(f"Checking release {target.id} of {released.name} by its versions ({words(target.versions)}) ...")
    checked = check_versions(released, target.versions)
    if checked.failed:
        ending = Ending(how="refused", why=checked.sentence(), at=now())
        released.kept.change(
            lambda record: with_verdict(ended(record, target, ending, unless_live=True), target, checked)
        )
        # A release that was cut off may have moved some of it.
        back = put_back(released, moving)
        raise NotReleased(
            f"Release {target.id} of {released.name} was refused: {checked.sentence()}. "
            f"{' '.join([*back, told_live(released)])} "
            f'Fix it and apply again, or check this one again with "{released.command("release")}".'
        )
    return checked


def moved_and_checked(  # noqa: PLR0913 # what a release is made of
    released: ReleasedRoot,
    target: Release,
    moving: Moving,
    alarms: set[str],
    *,
    say: Say,
    rollout: Rollout,
) -> tuple[float, Checked]:
    """Move all functions and check them, or put them back and raise NotReleased.

    Returns the seconds in which functions of the root were of two releases, and what the checks over HTTP showed.
    """
    times: list[float] = []
    # What could not be put back, once that was tried.
    back: list[list[str]] = []
    checked = Checked(())
    try:
        against = shifted(released, target, rollout.canary, alarms, say=say) if rollout.canary else None
        if not against:
            standings = look(released.client, list(target.versions))
            pins = {name: pin_of(released, version) for name, version in target.versions.items()}
            write_pins(released.client, standings, pins)
            for standing in standings:
                times.append(time.monotonic())
                move(released.client, standing, target.versions[standing.function])
            times.append(time.monotonic())
            say(f"live is {words(target.versions)}.")
            checked = check_live(released, lambda: back.append(put_back(released, moving, times)))
            against = checked.sentence() if checked.failed else watched(released, alarms, rollout.watch, lambda: None)
    except KeyboardInterrupt as error:
        raise put_back_after(released, target, moving, "it was interrupted", times, Interrupted) from error
    except (ClientError, BotoCoreError) as error:
        raise put_back_after(released, target, moving, f"AWS refused or did not respond: {error}", times) from error
    except SawhorseError as error:
        raise put_back_after(released, target, moving, str(error), times) from error
    if against:
        released.kept.change(lambda record: with_verdict(record, target, checked))
        raise put_back_after(released, target, moving, against, times, failed=back[0] if back else None)
    ending = Ending(how="replaced", why=f"release {target.id} became live", at=now())
    released.kept.change(lambda record: record.having_live(target, ending).but(pinned=None, moving=None))
    # Before the last function was moved and after the first one.
    return times[-1] - times[0], checked


def put_back_after(  # noqa: PLR0913, PLR0917 # what a release is made of
    released: ReleasedRoot,
    target: Release,
    moving: Moving,
    why: str,
    times: list[float],
    kind: type[SawhorseError] = NotReleased,
    failed: list[str] | None = None,
) -> SawhorseError:
    """Put `live` back, and return the error that says why, how long it was elsewhere, and what is live now.

    `failed` is what could not be put back where that was tried already.
    """
    back = put_back(released, moving, times) if failed is None else failed
    during = f" It was live, in part or whole, for {times[-1] - times[0]:.1f} s." if times else ""
    with contextlib.suppress(ClientError, BotoCoreError, SawhorseError):
        ending = Ending(how="put back", why=why, at=now())
        released.kept.change(lambda record: ended(record, target, ending, unless_live=not times))
    why = why.rstrip(".")
    if back:
        return kind(
            f"Release {target.id} of {released.name} failed ({why}), and so did the way back: {' '.join(back)} "
            f'{told_live(released)}{during} Run "{released.command("rollback")}" as soon as AWS responds.'
        )
    return kind(
        f"Release {target.id} of {released.name} was put back: {why}.{during} {told_live(released)} "
        f'Fix it and apply again, or try this one again with "{released.command("release")}".'
    )


def put_back(released: ReleasedRoot, moving: Moving, times: list[float] | None = None) -> list[str]:
    """Point every function at what was live before; return a sentence for each that could not be, after some tries.

    Where `live` had moved, `times` gets when it was back.
    """
    failed: dict[str, str] = {}
    for attempt in range(WAY_BACK):
        failed = {}
        for name, version in moving.before.items():
            pin = moving.pins.get(name, version)
            # A parameter that says latest would let the next apply move it again.
            held = pin == LATEST and is_behind(released, name, version)
            try:
                standing = standing_of(released.client, name)
                write_pins(released.client, [standing], {name: version if held else pin})
                move(released.client, standing, version)
            except (ClientError, BotoCoreError) as error:
                failed[name] = str(error)
        if times:
            times.append(time.monotonic())
        if not failed:
            return []
        time.sleep(BACKOFF * (attempt + 1))
    return [f"{name} could not be put back to version {moving.before[name]} ({why})." for name, why in failed.items()]


def is_behind(released: ReleasedRoot, name: str, version: str) -> bool:
    """Say whether a newer version than this one was published."""
    return released.published.get(name, version) != version


def told_live(released: ReleasedRoot) -> str:
    """Say what is live now, as far as AWS says it."""
    try:
        standings = released.standings()
        record = released.kept.read()
    except (ClientError, BotoCoreError, SawhorseError) as error:
        return f"What is live now is not known: {error}."
    versions = {standing.function: standing.version or "none" for standing in standings}
    of_release = next((one.id for one in reversed(record.releases) if one.versions == versions), None)
    name = f" (release {of_release})" if of_release else ""
    return f"Live now: {words(versions)}{name}."


def words(versions: Mapping[str, str]) -> str:
    return ", ".join(f"{name} at version {version}" for name, version in versions.items())


def told_window(window: float, target: Release) -> str:
    """Say for how long functions of two releases worked together."""
    if len(target.functions) < 2:  # noqa: PLR2004 # one function is never of two releases
        return ""
    return f" Its {len(target.functions)} functions were of two releases for {window:.2f} s."


def with_verdict(record: Record, target: Release, checked: Checked) -> Record:
    found = record.release(target.id)
    if found is None or not checked.ran:
        return record
    earlier = found.smoke if found.smoke and found.smoke.passed and not checked.failed else None
    verdict = checked.verdict
    if earlier:
        verdict = verdict.model_copy(update={"checks": max(verdict.checks, earlier.checks)})
    return record.having(found.model_copy(update={"smoke": verdict}))


def ended(record: Record, target: Release, ending: Ending, *, unless_live: bool) -> Record:
    """Return the record with a release ended; one that is live all the while, as a first one is, goes on."""
    found = record.release(target.id)
    if found is None or (unless_live and record.live == target.id):
        return record
    return record.having(found.model_copy(update={"ended": ending}))
