"""The way back: `live` of all functions of a root to an earlier release, without Terraform and without a build."""

from __future__ import annotations

import time
from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError

from sawhorse.errors import BadConfiguration, SawhorseError
from sawhorse.operate.releases.checking import Checked, Say, check_live
from sawhorse.operate.releases.gate import NotReleased, begun, told_live, told_window, with_verdict, words
from sawhorse.operate.releases.lambdas import look, missing_versions, move, write_pins
from sawhorse.operate.releases.record import Decision, Ending, Record, Release, now
from sawhorse.operate.releases.released_root import ReleasedRoot


@dataclass(frozen=True)
class RolledBack:
    """What a rollback came to: the release that is live, in how many seconds, and what the checks say of it."""

    release: Release
    seconds: float
    window: float
    checked: Checked


def rollback(  # noqa: PLR0913 # its options
    released: ReleasedRoot,
    *,
    say: Say,
    to: int | None = None,
    steps: int | None = None,
    why: str = "",
    take_over: bool = False,
) -> RolledBack:
    """Move `live` of all functions to an earlier release, pin it there, and check it over HTTP.

    Raises BadConfiguration, before anything is moved, for a release that there is not or that is gone.
    """
    start = time.monotonic()
    record = released.kept.read()
    target = chosen(released, record, to, steps)
    versions = {name: version for name, version in target.versions.items() if name in released.names}
    gone = list(missing_versions(released.client, versions))
    if gone:
        raise BadConfiguration(
            f"Release {target.id} of {released.name} cannot be live again: {', '.join(gone)} is not there any more. "
            f"Nothing was changed. {told_live(released)} {others(released, record)}"
        )
    with begun(released, "rollback", target.id, released.standings(), say=say, take_over=take_over):
        window = moved_back(released, versions)
        released.kept.change(lambda record: pinned_at(record, target, why or "rolled back", released.by))
    seconds = time.monotonic() - start
    left = [name for name in released.names if name not in versions]
    say(
        f"Release {target.id} of {released.name} is live after {seconds:.1f} s, and pinned: {words(versions)}."
        f"{told_window(window, target)}"
        + (f" {', '.join(left)} is in no earlier release, and stays as it was." if left else "")
    )
    checked = check_live(released)
    released.kept.change(lambda record: with_verdict(record, target, checked))
    return RolledBack(target, seconds, window, checked)


def chosen(released: ReleasedRoot, record: Record, to: int | None, steps: int | None) -> Release:
    """Return the release that is meant. Without a choice it is what was live before, also before one cut off."""
    if to is not None:
        found = record.release(to)
        if found is None:
            raise BadConfiguration(
                f"There is no release {to} of {released.name}. Nothing was changed. {others(released, record)}"
            )
        if found.is_gone:
            raise BadConfiguration(
                f"Release {to} of {released.name} cannot be live again: {found.ended.why if found.ended else 'gone'}. "
                f"Nothing was changed. {others(released, record)}"
            )
        return found
    if record.moving and steps is None:
        before = dict(record.moving.before)
        found = next((one for one in reversed(record.releases) if one.versions == before), None)
        if found:
            return found
    live = record.live or 0
    # What failed its checks is no place to go back to, unless somebody names it.
    earlier = [one for one in record.releases if one.id < live and one.live_since and not is_no_place_to_go(one)]
    number = steps or 1
    if number < 1 or len(earlier) < number:
        raise BadConfiguration(
            f"There is no release {number} {'step' if number == 1 else 'steps'} before "
            f"{f'release {live}, which is live' if live else 'what is live'} at {released.name}: there is nothing "
            f"to go back to. Nothing was changed. {told_live(released)} {others(released, record)}"
        )
    return earlier[-number]


def is_no_place_to_go(release: Release) -> bool:
    return release.is_gone or (release.ended is not None and release.ended.how == "put back")


def others(released: ReleasedRoot, record: Record) -> str:
    if not record.releases:
        return f'Its record has no release; "{released.command("release")}" makes the first.'
    return f'"{released.command("releases")}" lists what there is.'


def moved_back(released: ReleasedRoot, versions: dict[str, str]) -> float:
    """Move all functions, one after another; return the seconds from the first to the last.

    What fails does not keep the others from moving: two releases at once are worse than a late one.
    """
    times: list[float] = []
    failed: dict[str, str] = {}
    standings = look(released.client, list(versions))
    write_pins(released.client, standings, versions)
    for standing in standings:
        name = standing.function
        times.append(time.monotonic())
        try:
            move(released.client, standing, versions[name])
        except (ClientError, BotoCoreError) as error:
            failed[name] = str(error)
    if failed:
        reasons = "; ".join(f"{name}: {why}" for name, why in failed.items())
        raise NotReleased(
            f"The rollback of {released.name} did not end: {reasons}. {told_live(released)} "
            f'Run "{released.command("rollback")}" again as soon as AWS does it.'
        )
    return time.monotonic() - times[0] if times else 0.0


def pinned_at(record: Record, target: Release, why: str, by: str) -> Record:
    """Return the record with a release as the live and pinned one, and what was live before it ended."""
    pin = Decision(release=target.id, why=why, at=now(), by=by)
    return record.having_live(target, Ending(how="rolled back", why=why, at=now())).but(pinned=pin, moving=None)


def freeze(released: ReleasedRoot, why: str) -> Record:
    """Keep everybody from releasing until it is lifted. Raises BadConfiguration without a reason."""
    if not why.strip():
        raise BadConfiguration("A freeze needs a reason that others can read; say it with --why.")
    decision = Decision(why=why.strip(), at=now(), by=released.by)

    def enter(record: Record) -> Record:
        if record.frozen:
            raise SawhorseError(
                f"{released.name} is frozen already, since {record.frozen.at} by {record.frozen.by}: "
                f"{record.frozen.why}."
            )
        return record.but(frozen=decision)

    return released.kept.change(enter)


def unfreeze(released: ReleasedRoot) -> Record:
    """Lift a freeze. Raises SawhorseError where there is none."""

    def lift(record: Record) -> Record:
        if record.frozen is None:
            raise SawhorseError(f"{released.name} is not frozen.")
        return record.but(frozen=None)

    return released.kept.change(lift)
