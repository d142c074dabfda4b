"""Say where the requirements of an app are edited, and what locks them then: every sentence names the same place.

Imports only what a build that changes one file needs (`harness/sawhorse/build/incremental.py`).
"""

from __future__ import annotations

import os

from sawhorse.checkout import TOOL_LOCKS

PYPROJECT = "pyproject.toml"
UV_LOCK = "uv.lock"

# The file, as sentences name it, and the command.
Declared = tuple[str, str]


def requirements_of(project: str, name: str) -> str:
    """Return where the requirements of an app or a tool lie, from the project: `.in` and `.txt` follow."""
    if not is_there(project, f"lambda/{name}/package.toml"):
        for directory in TOOL_LOCKS:
            if is_there(project, f"{directory}/{name}.in"):
                return f"{directory}/{name}"
    return f"lambda/{name}/requirements"


def declared_in(project: str, app: str) -> Declared:
    """Return the file that an app's lock is made of, and the command that makes it anew.

    A lock of requirements is made of the `.in` beside it, else of the app's pyproject.toml, as `make lock` has it; a
    uv.lock of that pyproject.toml alone.
    """
    stem = requirements_of(project, app)
    written, declared = f"{stem}.in", f"lambda/{app}/{PYPROJECT}"
    lock, own = f"{stem}.txt", f"lambda/{app}/{UV_LOCK}"
    make_lock, uv_lock = f'"make lock APP={app}"', f'"uv lock" in lambda/{app}'
    has_pyproject = is_there(project, declared)
    if not is_there(project, lock) and has_pyproject:
        if is_there(project, own):
            return declared, uv_lock
        workspace = is_there(project, f"lambda/{UV_LOCK}") or is_there(project, UV_LOCK)
        if workspace and not is_there(project, written):
            return declared, uv_lock
    if is_there(project, written):
        return written, make_lock
    if has_pyproject:
        return declared, make_lock
    if is_there(project, lock) and os.path.getsize(f"{project}/{lock}"):  # noqa: PTH202
        # Nothing says what this lock was made of, and what is written anew would lose the rest of it.
        return f"{written} (which is not there, and needs all that {lock} has)", make_lock
    return written, make_lock


def edit(declared: Declared) -> str:
    """Write the end of a sentence that says what to edit: `... in <file> and run <command>`."""
    return f"{declared[0]} and run {declared[1]}"


def is_there(project: str, name: str) -> bool:
    return os.path.isfile(f"{project}/{name}")  # noqa: PTH113 # pathlib takes 10 ms to import
