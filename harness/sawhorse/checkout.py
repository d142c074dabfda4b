"""Find the checkout that a command works on."""

from __future__ import annotations

import os
from pathlib import Path

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
        return str(Path(named).resolve())
    here = Path.cwd()
    around = (place for place in (here, *here.parents) if is_checkout(place))
    return str(next(around, Path(__file__).resolve().parents[2]))


def is_checkout(path: Path | str) -> bool:
    try:
        return all(Path(path, mark).exists() for mark in MARKS)
    except PermissionError:
        # This user may not look there.
        return False
