"""Keep what a block of statements imports, how it may end, and what surrounds it.

Run by the interpreter of the functions, so it imports the standard library alone.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from sawhorse.build.present_modules import Surroundings

# How a block may end besides by its last statement.
NEXT, RAISED, ABSENT, BROKEN, CONTINUED, RETURNED = "next", "raise", "absent", "break", "continue", "return"

Lines = dict[str, int]


class Flow:
    """What a block imports, each module with its line, and how it may end.

    `certain` runs whenever the module is imported and must not fail; `possible` runs for some, or later, in a function;
    `optional` may fail. `failed` are absent modules that ended the block by themselves, `raised` the classes of other
    exceptions, None for one that is not known.
    """

    __slots__ = ("certain", "ends", "failed", "optional", "possible", "raised")

    def __init__(self, *ends: str) -> None:
        self.certain: Lines = {}
        self.possible: Lines = {}
        self.optional: Lines = {}
        self.ends: set[str] = set(ends)
        self.failed: Lines = {}
        self.raised: set[type[BaseException] | None] = set()

    def take(self, other: Flow) -> None:
        """Add what another block imports, as it is there."""
        self.certain |= other.certain
        self.possible |= other.possible
        self.optional |= other.optional

    def doubted(self, *, silently: bool) -> Flow:
        """Return this block as one that may run or not; `silently` where the source itself expects that."""
        flow = Flow(*self.ends)
        flow.raised = set(self.raised)
        flow.optional = dict(self.optional)
        flow.possible = dict(self.possible)
        (flow.optional if silently else flow.possible).update(self.certain)
        return flow


class Place:
    """What surrounds a statement.

    `guard` says whether something around it catches the absence of a module, None when that is not known; `caught`,
    whether something may catch what is raised here.
    """

    __slots__ = ("caught", "guard", "here", "later", "package")

    def __init__(self, here: Surroundings, package: str, later: list[Any]) -> None:
        self.here, self.package, self.later = here, package, later
        self.guard: bool | None = False
        self.caught = False

    def within(self, *, guard: bool | None, caught: bool) -> Place:
        """Return the place inside of something that catches."""
        place = Place(self.here, self.package, self.later)
        place.guard = True if self.guard else guard if guard is not False else self.guard
        place.caught = self.caught or caught
        return place
