"""Say which modules there are where a module is imported.

Run by the interpreter of the functions, so it imports the standard library alone.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection


class Surroundings:
    """What is known where a module is imported: its own name, and which modules are there.

    `name` is None where nobody knows whether the module is imported or started as a program. `own` are modules of the
    package's sources, `others` those of its dependencies and of the runtime, `expected` those that may be there.
    `modules` are the files of all own modules by the modules' full names, None where others may come to be.
    """

    __slots__ = ("expected", "loose", "modules", "name", "others", "own")

    def __init__(
        self,
        name: str | None,
        own: frozenset[str],
        others: frozenset[str],
        expected: frozenset[str],
        modules: dict[str, str] | None = None,
    ) -> None:
        self.name, self.own, self.others, self.expected, self.modules = name, own, others, expected, modules
        # Names that a function assigns from elsewhere, so that nothing is known of them.
        self.loose: frozenset[str] = frozenset()

    def is_absent(self, module: str) -> bool:
        """Say whether an own module is not there; of any other, whether what its name begins with is not."""
        top = module.partition(".")[0].partition(":")[0]
        if top in self.own and self.modules is not None:
            return ":" not in module and module not in self.modules and not is_expected(module, self.expected)
        there = (sys.stdlib_module_names, self.own, self.others, self.expected, ("", "__main__"))
        return not any(top in names for names in there)

    def member(self, module: str, name: str) -> str | None:
        """Return what `from module import name` may import of an own module: `a.b`, or `a:b` where that is no module.

        None where it imports nothing.
        """
        if self.modules is None or f"{module}.{name}" in self.modules:
            return f"{module}.{name}"
        file = self.modules.get(module)
        is_package = file == "" or (file and file.rpartition("/")[2].startswith("__init__."))
        # What every module has by itself, and all that it has.
        implied = name.startswith("__") or name == "*"
        return f"{module}:{name}" if is_package and not implied and not module.endswith(".__init__") else None


def is_expected(module: str, expected: Collection[str]) -> bool:
    """Say whether a module, or a package that it lies in, is expected."""
    while expected and module:
        if module in expected:
            return True
        module = module.rpartition(".")[0]
    return False
