"""What may live through every plan, each with its reason: `survivors.yaml`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from sawhorse.errors import BadConfiguration
from sawhorse.plans.documents import read_document
from tests.mutants.mutations import Mutant

FILE = Path(__file__).parent / "survivors.yaml"


@dataclass(frozen=True)
class Reason:
    """Why the mutants whose names a pattern fits, where `*` stands for anything, live."""

    pattern: str
    text: str
    place: str

    def fits(self, mutant: Mutant) -> bool:
        """Whether a mutant is one of them."""
        return re.fullmatch(".*".join(map(re.escape, self.pattern.split("*"))), mutant.name) is not None


def read_reasons(path: Path = FILE) -> list[Reason]:
    """Read the reasons, each beside a list of patterns that it holds for."""
    document = read_document(path)
    found = []
    for written in document.items("there must be a list of reasons"):
        written.only(("reason", "mutants"), "a reason for survivors")
        entry = written.mapping("a reason must be a mapping")
        if set(entry) != {"reason", "mutants"}:
            raise BadConfiguration(f"{written.place}: a reason and the mutants that it is of are needed; add both.")
        text = entry["reason"].text("reason must be a sentence")
        patterns = entry["mutants"].items("mutants must be a list of patterns of names")
        found += [Reason(one.text("a pattern must be a text"), text, one.place) for one in patterns]
    return found


def unneeded(reasons: Iterable[Reason], survivors: Iterable[Mutant]) -> list[str]:
    """Return the places of the reasons that no survivor needs."""
    living = list(survivors)
    return [f"{reason.place}: {reason.pattern}" for reason in reasons if not any(map(reason.fits, living))]
