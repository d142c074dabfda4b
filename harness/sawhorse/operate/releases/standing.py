"""Say what stands between an apply and its versions being live: a pin, a freeze, a hand, a command that was cut off."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sawhorse.errors import SawhorseError
from sawhorse.operate.releases.lambdas import Standing
from sawhorse.operate.releases.record import Record
from sawhorse.operate.releases.released_root import ReleasedRoot
from sawhorse.operate.releases.sentences import (
    ASKING,
    changed_meanwhile,
    cut_off,
    in_the_way,
    told,
    ways_on,
    ways_to_decide,
    words,
)
from sawhorse.workspace import Workspace


def lines_of(workspace: Workspace) -> list[str]:
    """Return what a command says at its end; nothing where `live` follows what is applied, or nothing is."""
    try:
        released = ReleasedRoot.found(workspace)
        if released is None or not released.functions:
            return []
        return list(found(released, released.kept.read(), released.standings()))
    except (*ASKING, OSError) as error:
        return [f"Whether live of {workspace.root.name} is pinned is not known: {told(error)}."]


def found(released: ReleasedRoot, record: Record, standings: Sequence[Standing]) -> Iterator[str]:
    """Walk what an operator has to know, a sentence each."""
    name, release = released.name, released.command("release")
    if record.frozen:
        yield (
            f"{name} is frozen since {record.frozen.at} by {record.frozen.by}: {record.frozen.why}. "
            f'"{released.command("unfreeze")}" lifts it.'
        )
    if record.moving and not record.moving.is_ours:
        if record.moving.process.is_over:
            yield f"{cut_off(record.moving)} {ways_on(released, record.moving)}"
        else:
            yield in_the_way(released, record.moving)
    gone = [one.function for one in standings if one.version is None]
    if gone:
        yield (
            f"{', '.join(gone)} has no alias live any more, so nobody can call it; "
            f'"{released.command("apply")}" makes it again.'
        )
    moved = released.moved_by_hand(record, standings)
    if moved:
        yield (
            f"live of {name} was moved by hand: {'; '.join(moved)}. The next apply is refused until this is decided: "
            f"{ways_to_decide(released, record, moved)}."
        )
    elif record.pinned and record.pinned.release is not None:
        yield (
            f"live of {name} is pinned to release {record.pinned.release} since {record.pinned.at} by "
            f"{record.pinned.by} ({record.pinned.why}): what is applied is published and is not live until "
            f'"{release}" lifts it.'
        )
    elif not record.moving:
        yield from behind(released, record, standings)


def behind(released: ReleasedRoot, record: Record, standings: Sequence[Standing]) -> Iterator[str]:
    """Say which versions were published and are not live."""
    late = {
        one.function: one.version
        for one in standings
        if one.version and one.version != released.published[one.function]
    }
    if not late:
        return
    last = record.last
    refused = last is not None and last.versions == released.published and last.ended
    why = f" Release {last.id} was {last.ended.how}: {last.ended.why}." if last and last.ended and refused else ""
    yield (
        f"live of {released.name} is {words(late)}, and {words({name: released.published[name] for name in late})} is "
        f'published.{why} "{released.command("release")}" checks it and makes it live.'
    )


def refuse_moved_by_hand(released: ReleasedRoot, record: Record, standings: Sequence[Standing]) -> None:
    """Raise where `live` was moved by hand: an apply would take that back, or hide it, without a word."""
    moved = released.moved_by_hand(record, standings)
    if moved and released.kept.read() != record:
        raise SawhorseError(changed_meanwhile(released))
    if moved:
        raise SawhorseError(
            f"live of {released.name} was moved by hand: {'; '.join(moved)}. Nothing was applied. Decide with "
            f"{ways_to_decide(released, record, moved)}."
        )
