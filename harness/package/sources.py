"""Find what of a checkout goes into a package: everything below `lambda/<app>` and `lambda/shared` but a short list.

Imports only what a build that changes nothing needs (`harness/package/quick.py`).
"""

from __future__ import annotations

import os
import stat

from harness.errors import BuildFailed
from harness.files import read

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SHARED = "shared"
# What lies at the top of an app for the reader's and the build's sake.
NOT_PACKAGED = frozenset(
    {"package.toml", "README.md", "Dockerfile", "Dockerfile.dockerignore", ".dockerignore", "pyproject.toml", "uv.lock"}
)
# What tools leave behind, at any depth: directories by their names, files by their endings or whole names.
DIRECTORIES_LEFT_OUT = frozenset(
    {
        "__pycache__", ".git", ".hg", ".svn", ".hypothesis", ".idea", ".ipynb_checkpoints", ".mypy_cache", ".nox",
        ".pytest_cache", ".ruff_cache", ".tox", ".venv", ".vscode",
    }
)  # fmt: skip
ENDINGS_LEFT_OUT = (".pyc", "~", ".swp")
FILES_LEFT_OUT = frozenset({".DS_Store", "Thumbs.db", ".gitkeep", ".gitignore", ".gitattributes"})
# Files that hold secrets by convention: a package is no place for them, and to pass them by would hide that.
SECRETS = ".env"

# A file's path in the package -> its content, and whether it may be executed.
Sources = dict[str, tuple[bytes, bool]]


def read_sources(project: str, app: str, root_files: Sequence[str] = ()) -> Sources:
    """Read the app's own files and the shared ones, by their path in the package: as from the source root.

    `root_files` of the app lie at the top instead. Raises BuildFailed for what no package can hold.
    """
    found: Sources = {}
    for part in (app, SHARED):
        top = os.path.join(project, "lambda", part)  # noqa: PTH118 # pathlib takes 10 ms to import
        for name, path, executable in files_below(project, top, f"{part}/"):
            below = name.removeprefix(f"{part}/")
            if not is_packaged(below):
                continue
            found[below if part == app and below in root_files else name] = (read(path), executable)
    return found


def is_packaged(name: str) -> bool:
    """Say by a file's path from its app whether packages take it."""
    file = name.rpartition("/")[2]
    return not (name in NOT_PACKAGED or file in FILES_LEFT_OUT or file.endswith(ENDINGS_LEFT_OUT))


def files_below(project: str, directory: str, prefix: str = "") -> Iterator[tuple[str, str, bool]]:
    """Yield every file's path seen from `directory` after `prefix`, its real path, and whether it may be executed."""
    try:
        entries = list(os.scandir(directory))
    except FileNotFoundError:
        return
    for entry in entries:
        name = entry.name
        if entry.is_dir():
            if name in DIRECTORIES_LEFT_OUT:
                continue
            check_name(prefix + name)
            if entry.is_symlink():
                raise BuildFailed(
                    f"{entry.path} is a link to a directory; copy what it holds, since a zip has no links."
                )
            yield from files_below(project, entry.path, f"{prefix}{name}/")
        elif is_packaged(f"{prefix}{name}".partition("/")[2]):
            check_name(prefix + name)
            yield prefix + name, entry.path, bool(mode_of(project, entry) & 0o100)


def mode_of(project: str, entry: os.DirEntry[str]) -> int:
    """Return the mode of a file, or of what a link leads to. Raises BuildFailed for anything but a project's file."""
    try:
        mode = entry.stat().st_mode
    except FileNotFoundError as error:
        raise BuildFailed(f"{entry.path} is a link that leads nowhere; remove it, or put its file there.") from error
    if not stat.S_ISREG(mode):
        raise BuildFailed(f"{entry.path} is neither a file nor a directory, so no package can hold it; remove it.")
    top = os.path.realpath(project) + os.sep
    if entry.is_symlink() and not os.path.realpath(entry.path).startswith(top):
        raise BuildFailed(f"{entry.path} is a link that leaves the project; copy the file that it leads to.")
    return mode


def check_name(name: str) -> None:
    """Refuse a name that a zip cannot hold, or that would carry a secret into one. `name` is seen from lambda/."""
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise BuildFailed(f"lambda/{ascii(name)[1:-1]} has a name that is not UTF-8; rename it.") from error
    if not name.isprintable() or "\\" in name:
        raise BuildFailed(f"lambda/{ascii(name)[1:-1]} has a name with characters that no package can hold; rename it.")
    file = name.rpartition("/")[2]
    if file == SECRETS or file.startswith((f"{SECRETS}.", f"{SECRETS}rc")):
        raise BuildFailed(
            f"lambda/{name} looks like a file of secrets, which everybody who may read the package could read; move it "
            "out of lambda/, and use modules/ssm_parameters."
        )
