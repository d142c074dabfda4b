"""Find what of a checkout goes into a package, and refuse what no package can hold.

Imports only what a build that changes nothing needs (`harness/sawhorse/build/incremental.py`).
"""

from __future__ import annotations

import hashlib
import os
import stat

from sawhorse.errors import BuildFailed
from sawhorse.files import read

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

SHARED = "shared"
# What people run for an app, at its top: never in a package.
OPERATIONS = "ops"
# docs/packages.md lists what follows. At the top of an app, and of what is shared, for the reader and the build:
LEFT_OUT_AT_TOP = frozenset({
    ".dockerignore", ".python-version", "Dockerfile", "Dockerfile.dockerignore", "README.md", "package.toml",
    "pyproject.toml", "requirements.in", "requirements.txt", "uv.lock",
})  # fmt: skip
# At any depth, what Python, version control, tools and operating systems keep.
DIRECTORIES_LEFT_OUT = frozenset({
    ".git", ".hg", ".hypothesis", ".idea", ".ipynb_checkpoints", ".jj", ".mypy_cache", ".nox", ".pytest_cache",
    ".ruff_cache", ".svn", ".tox", ".venv", ".vscode", "__pycache__",
})  # fmt: skip
FILES_LEFT_OUT = frozenset({
    ".DS_Store", ".coverage", ".env", ".envrc", ".git", ".gitattributes", ".gitignore", "Thumbs.db",
})  # fmt: skip
# What cannot be shown on one line, or is unpacked in different ways: control characters, those that change the
# direction of a text or are never seen, separators of lines, and backslashes.
UNSUITABLE = frozenset(
    [chr(code) for code in (*range(0x20), *range(0x7F, 0xA0))]
    + list("\\\u061c\u200b\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")
)
# What Linux takes: a name in a directory, and a whole path. Lambda unpacks packages and the Python part of layers below
# directories whose paths have at most 12 bytes, slashes included
# (https://docs.aws.amazon.com/lambda/latest/dg/packaging-layers.html).
LONGEST_NAME = 255
LONGEST_PATH = 4095 - 12
# What Python puts around a module's name for its bytecode.
AROUND_BYTECODE = len(".cpython-313.pyc") - len(".py")

# A file's path in the package -> its content, and whether it may be executed.
Sources = dict[str, tuple[bytes, bool]]


def read_sources(project: str, app: str, root_files: Sequence[str] = ()) -> Sources:
    """Read the app's own files and the shared ones, by their path in the package: as from the source root.

    `root_files` of the app lie at the top instead. Raises BuildFailed.
    """
    found: Sources = {}
    for part in (app, SHARED):
        directory = f"{project}/lambda/{part}"
        fault = fault_of_link(project, directory) if os.path.islink(directory) else None  # noqa: PTH114
        if fault:
            raise BuildFailed(f"lambda/{shown(part)} is a link that {fault} what it holds.")
        for name, path, executable in files_below(project, directory, part):
            top = name.removeprefix(f"{app}/")
            at_top = part == app and top in root_files
            wrong = fault_of_name(name)
            if wrong:
                raise BuildFailed(f"lambda/{shown(name)} {wrong}, so no package can hold it; rename it.")
            try:
                found[top if at_top else name] = (read(path), executable)
            except OSError as error:
                raise unreadable(project, path, error) from error
    return found


def is_packaged(file: str, *, at_top: bool) -> bool:
    """Say by a file's name whether packages take it; `at_top` of an app."""
    left_behind = (
        file.endswith(("~", ".pyc"))
        or file.startswith((".#", ".env."))
        or (file.startswith("#") and file.endswith("#"))
        # What vim writes while a file is open.
        or (file.startswith(".") and file[-4:-1] == ".sw" and file[-1:] in "klmnop")
    )
    return not (left_behind or file in FILES_LEFT_OUT or (at_top and file in LEFT_OUT_AT_TOP))


def files_below(project: str, directory: str, prefix: str, *, at_top: bool = True) -> Iterator[tuple[str, str, bool]]:
    """Yield every packed file's path after `prefix`, its real path, and whether it may be executed."""
    try:
        entries = sorted(os.scandir(directory), key=lambda entry: entry.name)
    except FileNotFoundError:
        return
    except OSError as error:
        raise unreadable(project, directory, error) from error
    taken: dict[str, str] = {}
    for entry in entries:
        name = f"{prefix}/{decoded(entry.name)}"
        if entry.is_dir(follow_symlinks=False):
            if entry.name in DIRECTORIES_LEFT_OUT or (at_top and entry.name == OPERATIONS):
                continue
            refuse_twin(name, taken)
            yield from files_below(project, entry.path, name, at_top=False)
        elif is_packaged(entry.name, at_top=at_top):
            if entry.is_symlink():
                refuse_link(project, entry.path)
            if not entry.is_file():
                raise BuildFailed(
                    f"{place(project, entry.path)} is no file but a pipe, a socket or a device; remove it."
                )
            refuse_twin(name, taken)
            yield name, entry.path, bool(entry.stat().st_mode & 0o100)


def refuse_link(project: str, path: str) -> None:
    """Refuse a link that leads to no file that every checkout of the project has."""
    where = place(project, path)
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116
    except OSError as error:
        target = shown(os.readlink(path))  # noqa: PTH115
        raise BuildFailed(f"{where} is a link to {target}, which is not there; correct or remove it.") from error
    if stat.S_ISDIR(mode):
        raise BuildFailed(f"{where} is a link to a directory; copy what it holds, since a zip has no links.")
    fault = fault_of_link(project, path)
    if fault:
        raise BuildFailed(f"{where} is a link that {fault} the file.")


def fault_of_link(project: str, path: str) -> str | None:
    from pathlib import Path  # noqa: PLC0415 # links are seldom

    from sawhorse.build import source_links  # noqa: PLC0415 # the same

    return source_links.fault_of_link(Path(project), Path(path))


def refuse_twin(name: str, taken: dict[str, str]) -> None:
    """Refuse a name that a checkout on a Mac holds in one place with another one."""
    folded = name.casefold()
    if not folded.isascii():
        from unicodedata import normalize  # noqa: PLC0415 # names are seldom more than ASCII

        folded = normalize("NFC", normalize("NFD", name).casefold())
    if folded in taken:
        raise BuildFailed(
            f"lambda/{shown(taken[folded])} and lambda/{shown(name)} differ in capitals or accents alone, and on a Mac "
            "a checkout holds one of them; rename one."
        )
    taken[folded] = name


def decoded(name: str) -> str:
    """Return a file's name as the UTF-8 that it is, whatever this process takes file names for."""
    return name if name.isascii() else os.fsencode(name).decode(errors="surrogateescape")


def fault_of_name(name: str) -> str | None:
    """Say what keeps a file from lying in a package under this path; None when nothing does."""
    if name.isascii():
        length = len(name)
    else:
        try:
            length = len(name.encode())
        except UnicodeEncodeError:
            return "has a name that is not UTF-8"
    if not UNSUITABLE.isdisjoint(name):
        return "has a name with characters that cannot be shown"
    if length > LONGEST_PATH:
        return f"has a path of {length:,} bytes"
    file = name.rpartition("/")[2]
    if length > LONGEST_NAME - AROUND_BYTECODE and file.endswith(".py"):
        length = len(file.encode()) + AROUND_BYTECODE
        if length > LONGEST_NAME:
            return f"has a name that is too long for its bytecode's, {length} bytes"
    return None


def shown(name: str) -> str:
    """Return a name or path as it can be printed on one line."""
    try:
        name.encode()
    except UnicodeEncodeError:
        try:
            return repr(name.encode(errors="surrogateescape"))[1:]
        except UnicodeEncodeError:
            return ascii(name)
    return name if UNSUITABLE.isdisjoint(name) else repr(name)


def place(project: str, path: str) -> str:
    """Return a path as people know it, from the project."""
    return shown(decoded(path).removeprefix(f"{decoded(project)}/"))


def unreadable(project: str, path: str, error: OSError) -> BuildFailed:
    return BuildFailed(f"{place(project, path)} cannot be read ({error.strerror or error}); correct that.")


def hashes_of(sources: Sources) -> dict[str, tuple[bytes, bool]]:
    return {name: (hashlib.sha256(content).digest(), executable) for name, (content, executable) in sources.items()}


def digest_of(config: bytes, lock: bytes, hashes: Mapping[str, tuple[bytes, bool]]) -> bytes:
    """Stand for all that a package is made of: the hashes of package.toml, of the lock, and of every source."""
    digest = hashlib.sha256(config + lock)
    for name, (content, executable) in sorted(hashes.items()):
        digest.update(b"%s\0%d\0%s" % (name.encode(), executable, content))
    return digest.digest()
