"""Find what of a checkout goes into a package.

Imports only what a build that changes nothing needs (`harness/package/quick.py`).
"""

from __future__ import annotations

import os

from harness.errors import BuildFailed
from harness.files import read

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SHARED = "shared"
# What lies beside the code for the reader's and the build's sake.
NOT_PACKAGED = frozenset({"package.toml", "README.md", "Dockerfile", "Dockerfile.dockerignore"})
# What editors, merges and Python leave behind.
LEFT_BEHIND = ("~", ".bak", ".orig", ".pyc", ".rej")

# A file's path in the package -> its content, and whether it may be executed.
Sources = dict[str, tuple[bytes, bool]]


def read_sources(project: str, app: str, root_files: Sequence[str] = ()) -> Sources:
    """Read the app's own files and the shared ones, by their path in the package: as from the source root.

    `root_files` of the app lie at the top instead.
    """
    found: Sources = {}
    for part in (app, SHARED):
        for name, path, executable in files_below(f"{project}/lambda/{part}", f"{part}/"):
            if not is_packaged(name.rpartition("/")[2]):
                continue
            top = name.removeprefix(f"{app}/")
            found[top if part == app and top in root_files else name] = (read(path), executable)
    return found


def is_packaged(file: str) -> bool:
    """Say by a file's name whether packages take it."""
    return not (file in NOT_PACKAGED or file.startswith(".") or file.endswith(LEFT_BEHIND))


def files_below(directory: str, prefix: str = "") -> Iterator[tuple[str, str, bool]]:
    """Yield every file's path seen from `directory` after `prefix`, its real path, and whether it may be executed.

    Directories that Python or a linter left behind are passed by: `__pycache__`, `.mypy_cache`.
    """
    try:
        entries = list(os.scandir(directory))
    except FileNotFoundError:
        return
    for entry in entries:
        name = entry.name
        if entry.is_dir():
            if name == "__pycache__" or name.startswith("."):
                continue
            if entry.is_symlink():
                raise BuildFailed(
                    f"{entry.path} is a link to a directory; copy what it holds, since a zip has no links."
                )
            yield from files_below(entry.path, f"{prefix}{name}/")
        elif entry.is_file():
            yield prefix + name, entry.path, bool(entry.stat().st_mode & 0o100)
