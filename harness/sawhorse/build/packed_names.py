"""Say by its name whether a file of a checkout goes into a package, and how a name is written in a sentence."""

from __future__ import annotations

import os

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
