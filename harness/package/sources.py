"""Find what of a checkout goes into a package.

Imports only what a build that changes nothing needs (`harness/package/quick.py`).
"""

from __future__ import annotations

import os

from harness.files import read

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SHARED = "shared"
# What lies beside the code for the reader's and the build's sake.
NOT_PACKAGED = frozenset({"package.toml", "README.md", "Dockerfile", "Dockerfile.dockerignore"})

# A file's path in the package -> its content, and whether it may be executed.
Sources = dict[str, tuple[bytes, bool]]


def read_sources(project: str, app: str, root_files: Sequence[str] = ()) -> Sources:
    """Read the app's own files and the shared ones, by their path in the package: as from the source root.

    `root_files` of the app lie at the top instead.
    """
    found: Sources = {}
    for part in (app, SHARED):
        for name, path, executable in files_below(f"{project}/lambda/{part}", f"{part}/"):
            if name.rpartition("/")[2] in NOT_PACKAGED:
                continue
            top = name.removeprefix(f"{app}/")
            found[top if part == app and top in root_files else name] = (read(path), executable)
    return found


def files_below(directory: str, prefix: str = "") -> Iterator[tuple[str, str, bool]]:
    """Yield every file's path seen from `directory` after `prefix`, its real path, and whether it may be executed.

    What Python, an editor or a linter left behind is no file of the package: `__pycache__`, `.mypy_cache`, `.swp`.
    Some wheels keep their shared libraries in a directory called `.libs`, which is none of that.
    """
    try:
        entries = list(os.scandir(directory))
    except FileNotFoundError:
        return
    for entry in entries:
        name = entry.name
        if entry.is_dir():
            if name != "__pycache__" and (not name.startswith(".") or name == ".libs"):
                yield from files_below(entry.path, f"{prefix}{name}/")
        elif not name.startswith(".") and entry.is_file():
            yield prefix + name, entry.path, bool(entry.stat().st_mode & 0o100)
