"""The way back: `live` of all functions of a root to an earlier release, without Terraform and without a build."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from sawhorse.errors import BadConfiguration
from sawhorse.operate.releases.checking import NOTHING_CHECKED, Checked, Say, check_live
from sawhorse.operate.releases.gate import refuse_without_alias, with_verdict
from sawhorse.operate.releases.lambdas import Standing, missing_versions, move_back
from sawhorse.operate.releases.moving import NotReleased, begun, written
from sawhorse.operate.releases.record import ROLLBACK, Decision, Moving, Record, Release, now
from sawhorse.operate.releases.released_root import ReleasedRoot
from sawhorse.operate.releases.sentences import ASKING, told, told_live, told_window, ways_to_decide, words


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
    wanted = target.versions
    if record.moving and record.moving.command != ROLLBACK and to is steps is None:
        # A function that came after that release is put back to where it was as well.
        wanted = {**record.moving.before, **wanted}
    versions = {name: version for name, version in wanted.items() if name in released.names}
    standings = released.standings()
    refuse_impossible(released, record, target, standings)
    with begun(released, ROLLBACK, target.id, record, standings, say=say, take_over=take_over) as moving:
        failed, window = move_back(released.client, versions, versions)
        if failed:
            reasons = "; ".join(f"{name}: {told(why)}" for name, why in failed.items())
            raise NotReleased(
                f"The rollback of {released.name} to release {target.id} did not end: {reasons}. "
                f'{told_live(released, moving)} Run "{released.command(ROLLBACK)}" again as soon as AWS does it: '
                "it finishes that."
            )
        enter_as_pinned(released, target, why or "rolled back", moving)
    seconds = time.monotonic() - start
    left = [name for name in released.names if name not in versions]
    say(
        f"Release {target.id} of {released.name} is live after {seconds:.1f} s, and pinned: {words(versions)}."
        f"{told_window(window, target)}"
        + (f" {', '.join(left)} is not in that release, and stays as it was." if left else "")
    )
    checked = check_live(released)
    if not checked.ran:
        say(NOTHING_CHECKED.strip())
    try:
        released.kept.change(lambda record: with_verdict(record, target, checked))
    except ASKING as error:
        say(f"What the checks showed could not be written to {released.kept.place}: {told(error)}.")
    return RolledBack(target, seconds, window, checked)


def refuse_impossible(released: ReleasedRoot, record: Record, target: Release, standings: Sequence[Standing]) -> None:
    """Raise, before anything is moved, where a release cannot be live again."""
    refuse_without_alias(released, standings)
    versions = {name: version for name, version in target.versions.items() if name in released.names}
    if not versions:
        raise BadConfiguration(
            f"Release {target.id} of {released.name} has no function that there is now. Nothing was changed. "
            f"{told_live(released)} {others(released, record)}"
        )
    gone = list(missing_versions(released.client, versions))
    if gone:
        raise BadConfiguration(
            f"Release {target.id} of {released.name} cannot be live again: {', '.join(gone)} is not there any more. "
            f"Nothing was changed. {told_live(released)} {others(released, record)}"
        )


def chosen(released: ReleasedRoot, record: Record, to: int | None, steps: int | None) -> Release:
    """Return the release that is meant. Without a choice it is what was live before, also before one cut off.

    A rollback that was cut off is finished.
    """
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
        if found.live_since is None:
            raise BadConfiguration(never_live(released, record, found))
        return found
    if record.moving and steps is None:
        found = before_cut_off(record, record.moving)
        if found:
            return found
    earlier = record.before_live()
    number = 1 if steps is None else steps
    if number < 1 or len(earlier) < number:
        asked = "1 step" if number == 1 else f"{number} steps"
        raise BadConfiguration(
            f"There is no release {asked} before "
            f"{f'release {record.live}, which is live' if record.live else 'what is live'} at {released.name}: there "
            f"is nothing to go back to. Nothing was changed. {told_live(released)}{by_hand(released, record)} "
            f"{others(released, record)}"
        )
    return earlier[number - 1]


def never_live(released: ReleasedRoot, record: Record, release: Release) -> str:
    """Say why a release that never was live is no place to go back to, and which are: only the gate makes one live."""
    why = f" (it was {release.ended.how}: {told(release.ended.why)})" if release.ended else ""
    were_live = [str(one.id) for one in record.releases if one.live_since and not one.is_gone]
    places = f" What was live: release {', '.join(were_live)}." if were_live else ""
    last = record.last and record.last.id == release.id
    way = (
        f'"{released.command("release")}" checks it and makes it live.'
        if last
        else f'"{released.command("deploy")}" of its commit makes a release of it that is checked.'
    )
    return (
        f"Release {release.id} of {released.name} was never live{why}, so there is no going back to it. Nothing was "
        f"changed. {told_live(released)}{places} {way}"
    )


def before_cut_off(record: Record, moving: Moving) -> Release | None:
    """Return where a rollback that was cut off was to go, and what was live before any other command."""
    if moving.command == ROLLBACK and moving.release:
        return record.release(moving.release)
    # Where no release is just that, as with a function that came since: what the record has as live all the while.
    return record.at(moving.before) or (record.release(record.live) if record.live else None)


def by_hand(released: ReleasedRoot, record: Record) -> str:
    """Say what decides where somebody moved `live` by hand; nothing elsewhere."""
    moved = released.moved_by_hand(record, released.standings())
    return f" It was moved by hand: decide with {ways_to_decide(released, record, moved)}." if moved else ""


def others(released: ReleasedRoot, record: Record) -> str:
    if not record.releases:
        return f'Its record has no release; "{released.command("release")}" makes the first.'
    return f'"{released.command("releases")}" lists what there is.'


def enter_as_pinned(released: ReleasedRoot, target: Release, why: str, moving: Moving) -> None:
    """Enter a release as the live and pinned one. Raises NotReleased where that cannot be written."""
    try:
        written(released, lambda record: pinned_at(record, target, why, released.by))
    except ASKING as error:
        raise NotReleased(
            f"Release {target.id} of {released.name} is live again, and {released.kept.place} could not be written: "
            f'{told(error)}. {told_live(released, moving)} Run "{released.command(ROLLBACK, "--to", str(target.id))}" '
            "again, which enters it."
        ) from error


def pinned_at(record: Record, target: Release, why: str, by: str) -> Record:
    """Return the record with a release as the live and pinned one, and what was live before it ended."""
    pin = Decision(release=target.id, why=why, at=now(), by=by)
    return record.gone_back_to(target, why).but(pinned=pin, moving=None)
