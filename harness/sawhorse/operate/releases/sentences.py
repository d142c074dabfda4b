"""Say what is live, what stands in the way, and what to type: one wording for all commands that move `live`."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from botocore.exceptions import BotoCoreError, ClientError

from sawhorse.errors import SawhorseError, refused_by_files
from sawhorse.operate.releases.lambdas import BACKOFF, TRIES, Standing, percent
from sawhorse.operate.releases.record import ROLLBACK, Decision, Moving, Record, Release
from sawhorse.operate.releases.released_root import ReleasedRoot

# What asking AWS raises, what is wrong with what it has, and what this machine's files refuse: a record may be one.
ASKING = (ClientError, BotoCoreError, OSError, SawhorseError)


def in_the_way(released: ReleasedRoot, earlier: Moving) -> str:
    way_out = (
        f"Wait until it has ended.{interrupted(earlier)}"
        if earlier.process.is_here
        else f'If it has ended there, "{released.command("release", "--take-over")}" or '
        f'"{released.command("rollback", "--take-over")}" takes over.'
    )
    return (
        f"{earlier.by} runs {earlier.command} of {released.name} since {earlier.at} ({place_of(earlier)}). "
        f"Nothing was changed. {way_out}"
    )


def interrupted(moving: Moving) -> str:
    """Say how a release is stopped that runs here: it takes a kill for an interrupt, and puts back what it moved."""
    if moving.command == ROLLBACK or moving.release is None:
        return ""
    return f' Where that takes too long, "kill {moving.process.pid}" interrupts it, and it puts back what it has moved.'


def ways_to_decide(released: ReleasedRoot, record: Record, moved: Sequence[str]) -> str:
    """Say which commands decide about `live` that somebody moved by hand: those that have something to decide for.

    `moved` are the sentences that say what was moved, each of which begins with the function.
    """
    names = {sentence.partition(" ")[0] for sentence in moved}
    ways = [f'"{released.command("release")}", which checks what the last apply published and makes it live']
    live = record.release(record.live) if record.live else None
    # What a release has no version of, going back to it leaves where the hand has put it.
    if live and names <= live.versions.keys():
        ways.append(f'"{released.command(ROLLBACK, "--to", str(live.id))}", which takes it back to release {live.id}')
    earlier = record.before_live()
    if earlier and names <= earlier[0].versions.keys():
        ways.append(f'"{released.command(ROLLBACK)}", which goes back to release {earlier[0].id}')
    return ", or ".join(ways)


def frozen_meanwhile(released: ReleasedRoot, frozen: Decision) -> str:
    return (
        f'{frozen.by} froze {released.name} meanwhile ({told(frozen.why)}), and "{released.command("unfreeze")}" lifts '
        "that"
    )


def told_frozen(released: ReleasedRoot, record: Record) -> str:
    """Say that a root is frozen, and what becomes of a command that is about to move `live` all the same."""
    why = told(record.frozen.why) if record.frozen else ""
    frozen = f'{released.name} is frozen: {why}. "{released.command("unfreeze")}" lifts it.'
    moving = record.moving
    if moving is None or moving.process.is_over:
        return frozen
    running = f"{moving.by} runs {moving.command} of it since {moving.at} ({place_of(moving)})"
    if moving.command == ROLLBACK:
        return f"{frozen} {running}, which goes on."
    return f"{frozen} {running}: nothing of it becomes live any more, and what it has moved it puts back."


def place_of(moving: Moving) -> str:
    return f"process {moving.process.pid} on {moving.process.host}"


def changed_meanwhile(released: ReleasedRoot) -> str:
    return (
        f"Somebody else released, rolled back or froze {released.name} just now. Nothing was changed; look at "
        f'"{released.command("releases")}", and run it again if it is still wanted.'
    )


def cut_off(earlier: Moving) -> str:
    what = f" of release {earlier.release}" if earlier.release else ""
    return f"The {earlier.command}{what} that {earlier.by} began at {earlier.at} was cut off."


def ways_on(released: ReleasedRoot, moving: Moving) -> str:
    """Say what to type where a command did not come to its end."""
    release, rollback = released.command("release"), released.command("rollback")
    if moving.command == ROLLBACK:
        return f'"{rollback}" finishes it, and "{release}" makes live what was published last.'
    return f'"{release}" finishes it, and "{rollback}" goes back to what was live before ({words(moving.before)}).'


def why_of(error: BaseException) -> str:
    if isinstance(error, KeyboardInterrupt):
        return "it was interrupted"
    # A response that did not come in time is an OSError to botocore.
    if isinstance(error, OSError) and not isinstance(error, BotoCoreError):
        return f"this machine refused it: {refused_by_files(error)}"
    return str(error) if isinstance(error, SawhorseError) else f"AWS refused or did not respond: {error}"


def told_live(released: ReleasedRoot, moving: Moving | None = None) -> str:
    """Say what is live now, as far as AWS says it; else what was before this moved it."""
    if not released.names:
        return "No function of it has the alias live."
    standings: Sequence[Standing] = ()
    for attempt in range(TRIES):
        time.sleep(BACKOFF * attempt)
        try:
            standings = released.standings()
        except (ClientError, BotoCoreError) as error:
            failure = error
        else:
            break
    if not standings:
        before = f" Before this it was {words(moving.before)}." if moving else ""
        return f"What is live now is not known: {told(failure)}.{before}"
    versions = {standing.function: standing.version or "none" for standing in standings}
    shared = [
        f"{percent(share)} of the calls of {standing.function} go to version {version}"
        for standing in standings
        for version, share in standing.weights.items()
    ]
    return f"Live now: {words(versions)}{of_release(released, versions)}{''.join(f', and {one}' for one in shared)}."


def of_release(released: ReleasedRoot, versions: Mapping[str, str]) -> str:
    """Say in parentheses which release versions are; nothing where the record cannot be read."""
    try:
        record = released.kept.read()
    except ASKING:
        return ""
    found = record.at(versions)
    if found:
        return f" (release {found.id})"
    return " (of no one release)" if record.releases and len(versions) > 1 else ""


def words(versions: Mapping[str, str]) -> str:
    return ", ".join(f"{name} at version {version}" for name, version in versions.items())


def told_window(window: float, target: Release) -> str:
    """Say for how long functions of two releases worked together; nothing where they never did."""
    return f" Its {len(target.functions)} functions were of two releases for {told_seconds(window)}." if window else ""


def told_seconds(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"


def told(error: object) -> str:
    if isinstance(error, OSError) and not isinstance(error, BotoCoreError):
        return refused_by_files(error)
    return str(error).rstrip(".")
