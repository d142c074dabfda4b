"""Grow the role of a deployer from nothing, step by step: what every step was done without, nothing needs."""

from __future__ import annotations

import subprocess
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from tests.deploying import REFUSED, Call, Deployer, Permission, Step


@dataclass
class Growth:
    """What a role was given until every step was done, what of its policy nothing needs, and what IAM was asked."""

    granted: set[Permission] = field(default_factory=set)
    idle: set[Permission] = field(default_factory=set)
    runs: int = 0
    calls: Counter[Call] = field(default_factory=Counter)

    def count(self, *, allowed: bool) -> int:
        return sum(number for call, number in self.calls.items() if call.allowed == allowed)

    def refused(self, permissions: Iterable[Permission]) -> set[str]:
        """Return the actions that were refused and that none of these permissions allows."""
        allowed = list(permissions)
        return {
            call.action
            for call in self.calls
            if not call.allowed and not any(one.covers(call.action, call.resource) for one in allowed)
        }


def grow(deployer: Deployer, steps: Iterable[Step], known: frozenset[str] = frozenset()) -> Growth:
    """Do step after step as a role that may do nothing at first, and give it what each fails for the lack of.

    A permission that a failed run names as refused is given and needed. One that IAM was asked for and nobody named is
    given as well, and taken away alone once the step is done: where the step is then done again, nothing needs it.
    What is of a kind in `known`, which is needed elsewhere, is given from the first, and has to allow a call that
    nothing else allows.
    """
    growth = Growth()
    given = {one for one in deployer.proven if one.kind in known}
    always = (deployer.permissions - deployer.proven) | deployer.of_states | given
    for step in steps:
        unnamed = grown(deployer, step, growth, always)
        for one in sorted(unnamed):
            deployer.allow((always | growth.granted) - {one})
            if done(deployer, step, growth)[0] is None:
                growth.granted.discard(one)
        try_states_alone(deployer, step, growth, always, given)
    growth.granted |= {one for one in given if allows_alone(one, growth.calls, deployer.permissions)}
    growth.idle = deployer.proven - growth.granted
    return growth


def grown(deployer: Deployer, step: Step, growth: Growth, always: set[Permission]) -> set[Permission]:
    """Do a step until it is done, and return what it was given without anybody's naming it."""
    unnamed: set[Permission] = set()
    while True:
        deployer.allow(always | growth.granted)
        ended, calls = done(deployer, step, growth)
        if ended is None:
            return unnamed
        said = " ".join((ended.stdout + ended.stderr).split())
        missing = deployer.proven - always - growth.granted
        named = {one for one in missing if one.covered_by(REFUSED.findall(said))}
        if not named:
            refused = [(call.action, call.resource) for call in calls if not call.allowed]
            named = {one for one in missing if one.covered_by(refused)}
            unnamed |= named
        assert named, f"{step.name} fails for no permission that the policy has:\n{said[-3000:]}"
        growth.granted |= named


def try_states_alone(
    deployer: Deployer, step: Step, growth: Growth, always: set[Permission], given: set[Permission]
) -> None:
    """Take each permission on the state away alone, where a step changes the state once more."""
    if step.of_states is None:
        return
    for one in sorted(deployer.of_states - given - growth.granted):
        deployer.allow((always | growth.granted) - {one})
        more = (*step.commands[0], *step.of_states(growth.runs))
        if done(deployer, replace(step, commands=(*step.commands, more)), growth)[0] is not None:
            growth.granted.add(one)
        deployer.clean_up()


def allows_alone(one: Permission, calls: Iterable[Call], permissions: Iterable[Permission]) -> bool:
    """Whether a permission allowed a call that no other one would have."""
    others = [other for other in permissions if other != one]
    return any(
        call.allowed
        and one.covers(call.action, call.resource)
        and not any(other.covers(call.action, call.resource) for other in others)
        for call in calls
    )


def done(
    deployer: Deployer, step: Step, growth: Growth
) -> tuple[subprocess.CompletedProcess[str] | None, Counter[Call]]:
    """Run a step's commands until one fails, and return that one, or None, with what IAM was asked."""
    if step.before:
        step.before()
    asked: Counter[Call] = Counter()
    growth.runs += 1
    for command in step.commands:
        ended, calls = deployer.run(*command)
        asked += calls
        growth.calls += calls
        if ended.returncode not in step.codes:
            deployer.clean_up()
            return ended, asked
    return None, asked
