"""Enter in the record that a command moves `live`: it keeps others out, and tells of a command that was cut off."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence

from botocore.exceptions import BotoCoreError, ClientError

from sawhorse.errors import CommandFailed, Interrupted, SawhorseError
from sawhorse.operate.releases.checking import Say
from sawhorse.operate.releases.lambdas import BACKOFF, LATEST, TRIES, Standing, look
from sawhorse.operate.releases.record import ROLLBACK, Moving, Record
from sawhorse.operate.releases.released_root import ReleasedRoot
from sawhorse.operate.releases.sentences import (
    ASKING,
    changed_meanwhile,
    cut_off,
    in_the_way,
    told,
    told_live,
    ways_on,
    why_of,
)
from sawhorse.signals import ended_as_interrupted


class NotReleased(CommandFailed):
    """Nothing new is live; the sentence says what is."""


@contextlib.contextmanager
def begun(  # noqa: PLR0913 # what is entered
    released: ReleasedRoot,
    command: str,
    release_id: int | None,
    seen: Record,
    standings: Sequence[Standing],
    *,
    say: Say,
    take_over: bool = False,
) -> Iterator[Moving]:
    """Enter in the record that this moves `live`, which keeps everybody else out, and take that back at the end.

    `seen` is the record that was read before `live` was looked at: where somebody has written it since, what was seen
    may not be true any more. The entry stays where functions are left elsewhere than before, and where the process is
    killed; the next command finds it.
    """
    moving = entered(released, command, release_id, seen, standings, say=say, take_over=take_over)
    try:
        with ended_as_interrupted():
            yield moving
    except SawhorseError:
        # Where AWS does not respond any more it stays, and the next command finds it.
        if is_at_rest(released, moving):
            leave(released, moving)
        raise
    except (KeyboardInterrupt, ClientError, BotoCoreError, OSError) as error:
        if is_at_rest(released, moving):
            leave(released, moving)
            raise
        kind = Interrupted if isinstance(error, KeyboardInterrupt) else NotReleased
        with contextlib.suppress(*ASKING):
            # An apply may have made functions.
            released = ReleasedRoot.of(released.workspace)
        raise kind(
            f"The {command} of {released.name} did not end: {why_of(error)}. {told_live(released, moving)} "
            f"{ways_on(released, moving)}"
        ) from error
    try:
        written(released, without(moving))
    except ASKING as error:
        say(
            f"Whether {released.kept.place} still says that this runs is not known ({told(error)}); the next command "
            "looks."
        )


def entered(  # noqa: PLR0913 # what is entered
    released: ReleasedRoot,
    command: str,
    release_id: int | None,
    seen: Record,
    standings: Sequence[Standing],
    *,
    say: Say,
    take_over: bool,
) -> Moving:
    """Enter that a command moves `live`. Raises SawhorseError where another one does, or has since it was looked at."""
    tried: list[Moving] = []

    def enter(record: Record) -> Record:
        earlier = record.moving
        if tried and earlier == tried[-1]:
            # It was written, and the response was lost.
            return record
        if earlier and not (earlier.is_ours or earlier.process.is_over or take_over):
            raise SawhorseError(in_the_way(released, earlier))
        if command != ROLLBACK:
            refuse_frozen(released, record, command)
        if record != seen:
            raise SawhorseError(changed_meanwhile(released))
        tried.append(released.moving(command, release_id, standings, record))
        return record.but(moving=tried[-1])

    released.kept.change(enter)
    if seen.moving and not seen.moving.is_ours:
        say(f"{cut_off(seen.moving)} This takes it up.")
    return tried[-1]


def refuse_frozen(released: ReleasedRoot, record: Record, command: str) -> None:
    """Raise where somebody froze the root, for a command that would release; `deploy` has applied before it does."""
    if record.frozen:
        applied = command == "deploy" or (record.moving is not None and record.moving.is_ours)
        done = "What was applied is published, and live was not moved." if applied else "Nothing was changed."
        raise SawhorseError(
            f"{released.name} is frozen since {record.frozen.at} by {record.frozen.by}: {told(record.frozen.why)}. "
            f'{done} "{released.command("unfreeze")}" lifts it, and "{released.command(ROLLBACK)}" works all the same.'
        )


def leave(released: ReleasedRoot, moving: Moving) -> None:
    with contextlib.suppress(*ASKING):
        released.kept.change(without(moving))


def is_at_rest(released: ReleasedRoot, moving: Moving) -> bool:
    """Say whether all is known to be where it was, so that the next apply leaves it there."""
    try:
        standings = look(released.client, list(moving.before))
    except ASKING:
        return False
    return not is_elsewhere(standings, moving) and all(
        standing.pin in {None, standing.version}
        or (standing.pin == LATEST and not is_behind(released, standing.function, str(standing.version)))
        for standing in standings
        if standing.version
    )


def is_elsewhere(standings: Sequence[Standing], moving: Moving) -> bool:
    """Say whether a function is at another version than before, or shares its calls with one."""
    return any(
        standing.weights or standing.version not in {None, moving.before.get(standing.function)}
        for standing in standings
    )


def is_behind(released: ReleasedRoot, name: str, version: str) -> bool:
    """Say whether a newer version than this one was published."""
    return released.published.get(name, version) != version


def written(released: ReleasedRoot, change: Callable[[Record], Record]) -> None:
    """Change the record of what was done; what fails is tried again."""
    for attempt in range(TRIES):
        try:
            released.kept.change(change)
        except (ClientError, BotoCoreError, OSError):
            if attempt + 1 == TRIES:
                raise
            time.sleep(BACKOFF * (attempt + 1))
        else:
            return


def without(moving: Moving) -> Callable[[Record], Record]:
    """Return what takes an entry back, unless another one stands there."""
    return lambda record: record.but(moving=None) if record.moving == moving else record
