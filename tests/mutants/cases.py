"""What looks at a changed module: its promises, its changes and its refusals, the most telling first."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import zip_longest
from pathlib import Path

from sawhorse.plans.cases import Case, Change, Refusal
from sawhorse.plans.promises import Promise
from tests.mutants.mutations import Mutant, mutants_of

# So many words in a row of a sentence say which check it is of.
WORDS = 4
# One of so many such rows is enough, since what is put into a sentence breaks some.
SHARE = 4
# Of a file of promises, the case that gives every argument, and those that leave defaults.
EVERYTHING = "everything_said"
DEFAULTS = ("promised", "null_is_the_default")


@dataclass(frozen=True)
class Trial:
    """One case of a changed module."""

    number: int
    mutant: Mutant
    case: Case

    @property
    def name(self) -> str:
        """What the call is named in the root that they share."""
        return f"m{self.number}_{self.case.name}"


@dataclass(frozen=True)
class Cases:
    """All cases of the modules."""

    promises: tuple[Promise, ...]
    changes: tuple[Change, ...]
    refusals: tuple[Refusal, ...]
    # The variables that the check of a refusal depends on; a refusal of the provider's has none.
    depends: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def stages(self, mutant: Mutant) -> list[list[Case]]:
        """Return the cases that may catch a mutant, by when they are tried."""
        promises = [case for case in self.promises if case.module == mutant.module]
        telling = [case for case in promises if case.name.endswith(DEFAULTS if mutant.is_a_default else EVERYTHING)]
        telling = telling or promises[:1]
        others = [case for case in telling_of(mutant, promises) if case not in telling]
        changes = telling_of(mutant, [case for case in self.changes if case.module == mutant.module])
        refusals = [case for case in self.refusals if case.module == mutant.module]
        if not mutant.in_a_check:
            # What is refused by default is given nothing of it.
            refused = refusals if mutant.is_a_default else telling_of(mutant, refusals)
            return [list(telling), others, [*changes, *(case for case in refused if self.may_tell(mutant, case))]]
        # Of a sentence that is put together of values nothing is left to know it by.
        of_it = [case for case in refusals if says(mutant.sentence, case.sentence)] or telling_of(mutant, refusals)
        return [list(of_it), [promises[0], *telling_of(mutant, promises[1:])], changes]

    def may_tell(self, mutant: Mutant, refusal: Case) -> bool:
        """Whether a refusal, whose check is left as it is, may come out otherwise."""
        if mutant.path[-1] == "nullable":
            return any(refusal.given.get(name, "") is None for name in mutant.inputs)
        return refusal.name not in self.depends or bool(mutant.inputs & self.depends[refusal.name])


def cases_of(
    promises: Iterable[Promise],
    changes: Iterable[Change],
    refusals: Iterable[Refusal],
    wanted: Iterable[str],
    *,
    modules: Path,
) -> Cases:
    """Return the cases of some modules, which are directories of `modules`."""
    checks = {name: [one for one in mutants_of(modules, name) if one.in_a_check] for name in wanted}
    refused = tuple(case for case in refusals if case.module in checks)
    depends = {
        case.name: frozenset().union(*(check.inputs for check in of_it))
        for case in refused
        if (of_it := [check for check in checks[case.module] if says(check.sentence, case.sentence)])
    }
    return Cases(
        tuple(case for case in promises if case.module in checks),
        tuple(case for case in changes if case.module in checks),
        refused,
        depends,
    )


def telling_of(mutant: Mutant, cases: Sequence[Case]) -> list[Case]:
    """Return the cases that give, or were given, other than all the rest, what a mutant depends on; the first as well.

    A change of the provider's own, such as to a lifecycle, depends on nothing that is given.
    """
    if "lifecycle" in mutant.path:
        return list(cases)
    given = [{**(case.before or {}), **case.given} for case in cases]
    alike = {
        key for key in (given[0] if given else {}) if all(key in one and one[key] == given[0][key] for one in given)
    }
    return [
        case
        for number, case in enumerate(cases)
        if number == 0 or mutant.inputs & ({*case.given, *(case.before or {})} - alike)
    ]


def says(whole: str, part: str) -> bool:
    """Whether a check's sentence has a part of one, but for what is put into it."""
    found = rows(part)
    return SHARE * len(found & rows(whole)) >= len(found)


@cache
def rows(sentence: str) -> frozenset[tuple[str, ...]]:
    """Return every few words in a row of a sentence, but for what is put into it."""
    found: set[tuple[str, ...]] = set()
    for part in re.split(r"\$\{.*?\}", sentence):
        words = re.findall(r"[\w-]+", part.lower())
        found |= {tuple(words[place : place + WORDS]) for place in range(max(1, len(words) - WORDS + 1))}
    return frozenset(row for row in found if row)


def trials(cases: Cases, numbered: Iterable[tuple[int, Mutant]], stage: int) -> list[Trial]:
    """Return the trials of a stage."""
    of_each = [[Trial(number, mutant, case) for case in cases.stages(mutant)[stage]] for number, mutant in numbered]
    # The first case of every mutant before the second of any: most need no further one.
    return [trial for some in zip_longest(*of_each) for trial in some if trial is not None]
