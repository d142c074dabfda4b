"""Whoever has frozen a root knows that no release becomes live, whatever runs."""

from __future__ import annotations

import pytest

from sawhorse.errors import SawhorseError
from sawhorse.operate.releases import freezing, gate, publishing
from sawhorse.operate.releases.canary import Canary, Rollout
from sawhorse.operate.releases.record import Record
from sawhorse.operate.releases.sentences import told_frozen
from tests.unit.sawhorse.operate.releases.fakes import Cloud
from tests.unit.sawhorse.operate.releases.shops import Command, apply, copied, release

CANARY = Rollout(Canary(0.1, 60.0))


@pytest.mark.parametrize("command", ["release", "apply"])
@pytest.mark.parametrize("rollout", [gate.AT_ONCE, CANARY, Rollout(watch=30.0)], ids=["at once", "canary", "watched"])
def test_whenever_a_root_is_frozen_a_release_that_runs_does_not_become_live(
    cloud: Cloud, rollout: Rollout, command: str
) -> None:
    cloud.gated = command == "release"
    for nth in range(1, 200):
        tried = copied(cloud)
        ran = frozen_at(nth, tried, rollout, command)
        if ran is None:
            break
        error, frozen, before = ran
        after = tried.record
        ended_before = frozen.moving is None and before.live == 3
        assert after.frozen
        assert after.moving is None
        assert not tried.weighted
        assert tried.next_apply_moves() == {}
        assert tried.live == {"accounts": "2" if error else "3", "basket": "2"}, (nth, error)
        assert ended_before or error, (nth, frozen.moving)
        if error and frozen.moving:
            assert "sawhorse unfreeze dev/shop" in str(error), error
            published = tried.newest("accounts") == "3" and command == "apply"
            assert ("Nothing was changed" in str(error)) == (not published and not frozen.moving.release), error
            assert "Live now: accounts at version 2" in str(error) or "live was not moved" in str(error), error
    assert nth > 20


def frozen_at(
    nth: int, cloud: Cloud, rollout: Rollout, command: str
) -> tuple[BaseException | None, Record, Record] | None:
    """Freeze a root when a command is about to call AWS for the n-th time; None where it calls less often."""
    found: list[Record] = []

    def freeze(operation: str) -> None:
        if cloud.calls + 1 >= nth and operation != "sts:get_caller_identity":
            cloud.before_call = None
            with cloud.unharmed():
                before = cloud.record
                found.extend((freezing.freeze(cloud.released, "an incident"), before))

    if command == "release":
        apply(cloud, accounts="good")
    cloud.calls, cloud.before_call, error = 0, freeze, None
    try:
        if command == "release":
            release(cloud, rollout)
        else:
            publishes = Command("apply", (("accounts", "good"),)).apply
            publishing.apply_and_release(cloud.workspace, lambda: publishes(cloud), say=cloud.say, rollout=rollout)
    except SawhorseError as raised:
        error = raised
    return (error, found[0], found[1]) if found else None


@pytest.mark.parametrize("command", ["release", "apply", "rollback", None])
def test_a_freeze_says_what_becomes_of_a_command_that_runs(cloud: Cloud, command: str | None) -> None:
    released = cloud.released
    if command:
        moving = released.moving(command, 2, released.standings(), cloud.record)
        cloud.change_record(lambda record: record.but(moving=moving))

    line = told_frozen(released, freezing.freeze(released, "an incident."))

    assert line.startswith('dev/shop is frozen: an incident. "sawhorse unfreeze dev/shop" lifts it.')
    assert (f"runs {command} of it since" in line) == (command is not None)
    assert ("which goes on" in line) == (command == "rollback")
    assert ("nothing of it becomes live any more" in line) == (command in {"release", "apply"})
