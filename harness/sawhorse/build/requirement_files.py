"""Say where the requirements of an app are edited, and what locks them then: every sentence names the same place."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from sawhorse.checkout import TOOL_LOCKS
from sawhorse.files import read

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
    if is_there(project, lock) and Path(project, lock).stat().st_size:
        # Nothing says what this lock was made of, and what is written anew would lose the rest of it.
        return f"{written} (which is not there, and needs all that {lock} has)", make_lock
    return written, make_lock


def edit(declared: Declared) -> str:
    """Write the end of a sentence that says what to edit: `... in <file> and run <command>`."""
    return f"{declared[0]} and run {declared[1]}"


def is_there(project: str, name: str) -> bool:
    return Path(project, name).is_file()


def lock_inputs(project: str, app: str) -> dict[str, bytes]:
    """Return the files that say what an app's dependencies are, by their paths from the project.

    A uv.lock lies beside the app's pyproject.toml, or further up where a workspace has the app as a member.
    """
    found = found_among(project, (f"lambda/{app}/requirements.txt", f"lambda/{app}/uv.lock"))
    if f"lambda/{app}/requirements.txt" in found:
        return found
    # Whether a uv.lock fits them is asked whenever one of them changes.
    found.update(found_among(project, (f"lambda/{app}/pyproject.toml",)))
    if f"lambda/{app}/pyproject.toml" in found and f"lambda/{app}/uv.lock" not in found:
        found.update(found_among(project, ("lambda/uv.lock", "lambda/pyproject.toml", "uv.lock", "pyproject.toml")))
    return found


def found_among(project: str, names: tuple[str, ...]) -> dict[str, bytes]:
    found = {}
    for name in names:
        try:
            found[name] = read(f"{project}/{name}")
        except FileNotFoundError:
            continue
    return found


def lock_digest(inputs: Mapping[str, bytes]) -> bytes:
    """Stand for the files of `lock_inputs`."""
    digest = hashlib.sha256()
    for name, content in sorted(inputs.items()):
        digest.update(name.encode() + b"\0" + hashlib.sha256(content).digest())
    return digest.digest()
