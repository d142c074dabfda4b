"""Find the checkout that a command works on.

Imports only what a build that changes nothing needs (`harness/sawhorse/build/incremental.py`).
"""

from __future__ import annotations

import os

from sawhorse.errors import BadConfiguration

# Where the locks lie of what is not an app: tools, emulators, and what the benchmarks measure against.
TOOL_LOCKS = ("harness/sawhorse/toolchain/locks", "tests/benchmarks/locks")
MARKS = ("modules", "environments", "lambda", "pyproject.toml")


def find_checkout() -> str:
    """Return the project named by SAWHORSE_PROJECT, else the one around the working directory, else this one's."""
    named = os.environ.get("SAWHORSE_PROJECT")
    if named:
        if not is_checkout(named):
            raise BadConfiguration(f"SAWHORSE_PROJECT is {named}, which holds no project; name one or unset it.")
        return os.path.realpath(named)
    place = os.getcwd()  # noqa: PTH109 # pathlib takes 10 ms to import
    while not is_checkout(place):
        above = os.path.dirname(place)  # noqa: PTH120
        if above == place:
            return os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))  # noqa: PTH120
        place = above
    return place


def is_checkout(path: str) -> bool:
    return all(os.path.exists(os.path.join(path, mark)) for mark in MARKS)  # noqa: PTH110, PTH118
