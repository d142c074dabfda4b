"""Look where `live` is: moved by hand, shared with another version, or left by a command that was cut off."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sawhorse.operate.drift.finding import Asked, Finding
from sawhorse.operate.releases.lambdas import Standing
from sawhorse.operate.releases.released_root import ReleasedRoot
from sawhorse.operate.releases.sentences import ways_to_decide


def where_live_is(released: ReleasedRoot, asked: Asked, standings: Sequence[Standing]) -> Iterator[Finding]:
    """Walk what of `live` nobody released, as an apply refuses it: also weights, which no plan looks at."""
    addresses = {values["function_name"]: address for address, values in asked.known("aws_lambda_function")}
    moving = asked.record.moving
    if moving is not None:
        sentence = f"{moving.command} of {moving.by} has been moving live of {asked.root} since {moving.at}"
        fix = f"wait for it; where it was cut off, {asked.command('release')} finishes it"
        yield Finding("live", next(iter(addresses.values()), asked.root), sentence, fix)
        return
    moved = released.moved_by_hand(asked.record, standings)
    decide = f"decide with {ways_to_decide(released, asked.record, moved)}; an apply is refused until then"
    for sentence in moved:
        # It begins with the function's name.
        address = addresses.get(sentence.partition(" ")[0], asked.root)
        yield Finding("live", address, f"live was moved by hand: {sentence}", decide)
