"""Refuse an app that takes a name of what its package brings along: one of the two could never be imported."""

from __future__ import annotations

import re
import sys
from collections.abc import Collection, Mapping

from harness.errors import BuildFailed

# A module's file: `x.py`, `x.so`, `x.cpython-313-x86_64-linux-gnu.so`, `x.abi3.so`, `x.pyc`.
MODULE_FILE = re.compile(r"^([A-Za-z_]\w*)(\.cpython-[\w-]+|\.abi3)?\.(py|pyc|so)$")


def refuse_taken_names(app: str, own: Collection[str], brought: Mapping[str, str], provided: Mapping[str, str]) -> None:
    """Refuse what an app and its dependencies both put at the top of its package. Raises BuildFailed.

    `own` are the app's directories and files at the top, `brought` the distribution of each of the dependencies'
    names there, `provided` the module of each distribution that Lambda's runtime has in the package's place.
    """
    modules = {module_of(name): name for name in own}
    if app in sys.stdlib_module_names:
        raise BuildFailed(
            f"The app {app} has the name of a module of Python's standard library, which its package would hide; "
            f"rename lambda/{app}."
        )
    others = {**{module_of(name): owner for name, owner in brought.items()}, **{m: d for d, m in provided.items()}}
    taken = sorted(modules.keys() & others.keys())
    if taken:
        name = modules[taken[0]]
        where = f"lambda/{name}" if name in {app, "shared"} else f"lambda/{app}/{name}"
        raise BuildFailed(
            f"{where} and {others[taken[0]]} both bring {taken[0]} to the top of the package of {app}, where one hides "
            f"the other. Rename {where}, or take {others[taken[0]]} out of the dependencies."
        )


def module_of(name: str) -> str:
    """Return what a name at the top is imported as, and any other name as it is."""
    found = MODULE_FILE.match(name)
    return found[1] if found else name
