"""Roots with a history to release and roll back, and what has to be true of one after a command."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError
from hypothesis import strategies as st

from sawhorse.errors import SawhorseError
from sawhorse.operate.releases import gate, publishing, rollback, standing
from sawhorse.operate.releases.canary import Canary, Rollout
from sawhorse.operate.releases.record import Release
from sawhorse.project import Project
from tests.unit.sawhorse.operate.releases.fakes import FOR_EVER, WAYS, Cloud, Fault, Killed, Quality

NAMES = ("accounts", "basket", "catalog", "delivery")
QUALITIES: tuple[Quality, ...] = ("good", "broken", "broken once live")
TIMES = (1, 1, 2, 6, FOR_EVER)
CAREFUL = Rollout(Canary(0.1, 30.0), watch=10.0)
LIVE_NOW = re.compile(r"Live now: ((?:, )?\w+ at version \w+)+")
VERSION = re.compile(r"(\w+) at version (\w+)")


@dataclass(frozen=True)
class Command:
    """A command that may move `live`; an apply publishes these first."""

    name: str
    publishes: tuple[tuple[str, Quality], ...] = ()
    careful: bool = False

    def run(self, cloud: Cloud) -> None:
        rollout = CAREFUL if self.careful else gate.AT_ONCE
        if self.name == "release":
            gate.release(cloud.released, say=cloud.say, rollout=rollout)
        elif self.name == "rollback":
            rollback.rollback(cloud.released, say=cloud.say)
        elif self.name == "saved plan":
            publishing.apply_alone(cloud.workspace, lambda: self.apply(cloud), say=cloud.say)
        elif self.name == "natively":
            cloud.publish(**dict(self.publishes))
        else:
            publishing.apply_and_release(cloud.workspace, lambda: self.apply(cloud), say=cloud.say, rollout=rollout)

    def apply(self, cloud: Cloud) -> bool:
        cloud.publish(**dict(self.publishes))
        return True


@dataclass(frozen=True)
class History:
    """A root's functions, and what was done with them up to now."""

    first: tuple[tuple[str, Quality], ...]
    commands: tuple[Command, ...]
    gated: bool = True
    images: bool = False
    batches: bool = False

    def cloud(self, project: Project) -> Cloud:
        cloud = Cloud(gated=self.gated, images=self.images, project=project, alarms={"late": "OK"})
        cloud.publish(**dict(self.first))
        for function in cloud.functions.values():
            function.batches = self.batches
        for command in self.commands:
            attempted(cloud, command)
        return cloud


def attempted(cloud: Cloud, command: Command, fault: Fault | None = None) -> BaseException | None:
    """Run a command with a fault, and return what it raised."""
    cloud.calls, cloud.fault, cloud.dead = 0, fault, False
    cloud.said.clear()
    try:
        command.run(cloud)
    except (SawhorseError, ClientError, BotoCoreError, OSError, KeyboardInterrupt, Killed) as error:
        return error
    finally:
        cloud.fault = None
    return None


def publishing_of(names: tuple[str, ...]) -> st.SearchStrategy[tuple[tuple[str, Quality], ...]]:
    some = st.lists(st.sampled_from(names), min_size=1, unique=True)
    return some.flatmap(
        lambda found: st.tuples(*(st.tuples(st.just(name), st.sampled_from(QUALITIES)) for name in found))
    )


def commands_of(names: tuple[str, ...]) -> st.SearchStrategy[Command]:
    return st.builds(
        Command,
        st.sampled_from(("apply", "release", "apply", "release", "rollback", "natively")),
        publishing_of(names),
        st.booleans(),
    )


@st.composite
def histories(draw: st.DrawFn) -> History:
    # A function may come later.
    names = NAMES[: draw(st.integers(1, 4))]
    later = names + NAMES[len(names) : len(names) + draw(st.integers(0, 1))]
    first = tuple((name, draw(st.sampled_from(QUALITIES[:2]))) for name in names)
    commands = tuple(draw(st.lists(commands_of(later), max_size=5)))
    return History(first, commands, draw(st.booleans()), draw(st.booleans()), draw(st.booleans()))


# Nobody stops a program six times in a row.
FAULTS = st.builds(
    Fault, st.integers(1, 90), st.sampled_from([way for way in WAYS if way != "interrupted"]), st.sampled_from(TIMES)
) | st.builds(Fault, st.integers(1, 90), st.just("interrupted"), st.sampled_from((1, 2)))


def told_of(text: str) -> dict[str, str]:
    """Return what a sentence says is live now; nothing where it does not say it."""
    found = LIVE_NOW.search(text)
    return dict(VERSION.findall(found[0])) if found else {}


def of_both(versions: Mapping[str, str], others: Mapping[str, str]) -> bool:
    """Say whether what both name is the same."""
    return all(others.get(name, version) == version for name, version in versions.items())


def copied(cloud: Cloud) -> Cloud:
    return copy.deepcopy(cloud)


def lines_of(cloud: Cloud) -> list[str]:
    with cloud.unharmed():
        return standing.lines_of(cloud.workspace)


def release(cloud: Cloud, rollout: Rollout = gate.AT_ONCE) -> gate.Outcome:
    """Release what was published last. Raises what the command raises."""
    return gate.release(cloud.released, say=cloud.say, rollout=rollout)


def apply(cloud: Cloud, **qualities: str) -> BaseException | None:
    """Publish versions of these functions by the command, and return what it raised."""
    return attempted(cloud, Command("apply", tuple(qualities.items())))  # type: ignore[arg-type]


def back(cloud: Cloud, to: int | None = None, steps: int | None = None) -> Release:
    """Roll back, and return the release that is live. Raises what the command raises."""
    return rollback.rollback(cloud.released, say=cloud.say, to=to, steps=steps).release
