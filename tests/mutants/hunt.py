"""Try every mutant against the cases, stage by stage, until one catches it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.mutants.cases import Cases, trials
from tests.mutants.mutations import Mutant, mutants_of
from tests.mutants.plans import Plans
from tests.mutants.survivors import Reason
from tests.mutants.words import lists_that_differ

STAGES = 3
# Copies in one plan. More of them take longer each.
AT_ONCE = 240


@dataclass
class Found:
    """What became of every mutant."""

    tried: list[Mutant]
    caught: dict[Mutant, str] = field(default_factory=dict)

    @property
    def survivors(self) -> list[Mutant]:
        """The mutants that nothing caught."""
        return [mutant for mutant in self.tried if mutant not in self.caught]

    def unexplained(self, reasons: Sequence[Reason]) -> list[Mutant]:
        """Return the survivors without a reason."""
        return [mutant for mutant in self.survivors if not any(reason.fits(mutant) for reason in reasons)]


def modules_with_cases(modules: Path) -> list[str]:
    """Return the modules that make something, in order."""
    return sorted({path.parent.name for path in modules.glob("*/*.tf") if "\nresource " in path.read_text()})


def all_mutants(modules: Path, only: Iterable[str]) -> list[Mutant]:
    """Return every mutant of some modules."""
    return [mutant for module in only for mutant in mutants_of(modules, module)]


def sampled(mutants: Sequence[Mutant], number: int | None, seed: int) -> list[Mutant]:
    """Return some of the mutants, the same for the same seed; all without a number."""
    if number is None or number >= len(mutants):
        return list(mutants)
    return random.Random(seed).sample(list(mutants), number)  # noqa: S311 # a sample, no secret


def hunt(mutants: Sequence[Mutant], cases: Cases, plans: Plans, *, modules: Path, say: Callable[[str], None]) -> Found:
    """Plan the mutants and say on the way how many are left."""
    found = Found(list(mutants))
    for mutant in mutants:
        # Terraform need not be asked.
        if mutant.in_a_check and lists_that_differ(mutant.text(modules), mutant.file):
            found.caught[mutant] = "words: tests/plans/test_checks.py: the sentence of the check names another list"
    left = {number: mutant for number, mutant in enumerate(mutants) if mutant not in found.caught}
    for stage in range(STAGES):
        wanted = trials(cases, left.items(), stage)
        while wanted:
            say(f"{len(left)} of {len(mutants)} changes are left, with {len(wanted)} cases of this stage.")
            for trial, reason in plans.caught(wanted[:AT_ONCE]):
                if trial.number in left:
                    found.caught[left.pop(trial.number)] = reason
            # What was caught needs no further case.
            wanted = [trial for trial in wanted[AT_ONCE:] if trial.number in left]
    say(f"{len(found.caught)} of {len(mutants)} changes were caught.")
    return found
