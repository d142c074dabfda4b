"""Decide which files of a wheel a package leaves out: by the app's patterns, else tests that nothing else names.

The usual rule looks at the wheel alone, so one wheel is pruned alike for every app, on every machine: a directory
`tests` is left out when it holds tests, and when no file that is kept imports it or has its name in a string. What is
left out breaks no import, which `harness/package/imports.py` proves besides.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase

TESTS = "tests"
# How sentences and documents name the usual rule.
USUAL = "*/tests/*"
TEST_MODULE = re.compile(r"(^|/)(test_[^/]*|[^/]*_test|conftest)\.py$")
# Of these nothing at run time reads names of directories.
PROSE = re.compile(r"\.(md|rst|pyi|pyx|pxd|c|cc|cpp|h|hpp|f90)$|\.dist-info/(?!entry_points\.txt)")
# A piece of Python, so that a name in a comment or a docstring does not count: comments, long strings, short strings.
PIECES = re.compile(
    r"""(?P<comment>\#[^\n]*)
    |(?P<long>[rRbBfFuUtT]{0,2}(?:\"\"\"(?:\\.|[^\\])*?\"\"\"|'''(?:\\.|[^\\])*?'''))
    |(?P<short>[rRbBfFuUtT]{0,2}(?:"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'))""",
    re.VERBOSE | re.DOTALL,
)
IMPORT = re.compile(r"(?:^|[;:])[ \t]*import[ \t]+(?P<names>[^;\n]+)", re.MULTILINE)
FROM_IMPORT = re.compile(
    r"(?:^|[;:])[ \t]*from[ \t]+(?P<base>\.*[ \t]*[\w.]*)[ \t]+import[ \t]+(?P<names>\([^)]*\)|[^;\n]+)", re.MULTILINE
)
# In what is no Python: the name as a part of a path or of a dotted name.
IN_BYTES = re.compile(rb"(?<![A-Za-z0-9_ ])tests(?![A-Za-z0-9_ ])|[./\\\\]tests(?![A-Za-z0-9_])")
LONGEST_SCANNED = 64 * 1024 * 1024


def pruned_by_patterns(names: Iterable[str], patterns: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return what an app's own patterns leave out, by pattern; the first that fits has it."""
    removed: dict[str, list[str]] = {}
    for name in names:
        pattern = next((pattern for pattern in patterns if fnmatchcase(name, pattern)), None)
        if pattern is not None:
            removed.setdefault(pattern, []).append(name)
    return {pattern: tuple(found) for pattern, found in removed.items()}


def pruned_usually(names: Collection[str], content: Callable[[str], bytes]) -> dict[str, tuple[str, ...]]:
    """Return the tests of a wheel that nothing else of it names; `content` reads a file of it."""
    directories = directories_of_tests(names)
    kept = {name for name in names if not any(name.startswith(directory) for directory in directories)}
    ahead = sorted(kept)
    # What a kept directory names is kept as well, so look until nothing new is named.
    while ahead and directories:
        named = {one for name in ahead for one in named_by(name, content, directories)}
        directories -= named
        ahead = sorted(name for name in names if any(name.startswith(one) for one in named))
    removed = tuple(sorted(name for name in names if any(name.startswith(one) for one in directories)))
    return {USUAL: removed} if removed else {}


def directories_of_tests(names: Collection[str]) -> set[str]:
    """Return the outermost directories called `tests` that hold test modules, each with a slash at its end.

    A `tests` that is all that a wheel has besides its metadata is what the wheel is for.
    """
    tops = {name.partition("/")[0] for name in names if ".dist-info/" not in name}
    found: dict[str, bool] = {}
    for name in names:
        before, separator, _ = f"/{name}".partition(f"/{TESTS}/")
        if separator:
            directory = f"{before}/{TESTS}/".lstrip("/")
            found[directory] = found.get(directory, False) or bool(TEST_MODULE.search(name))
    return {directory for directory, holds_tests in found.items() if holds_tests and tops - {directory.rstrip("/")}}


def named_by(name: str, content: Callable[[str], bytes], directories: Collection[str]) -> set[str]:
    """Return the directories that a file names; a name that may mean any of them means all."""
    if PROSE.search(name):
        return set()
    held = content(name)
    if TESTS.encode() not in held or len(held) > LONGEST_SCANNED:
        return set(directories) if len(held) > LONGEST_SCANNED else set()
    if not name.endswith(".py"):
        return set(directories) if IN_BYTES.search(held) else set()
    code, strings = pieces_of(held.decode("utf-8", errors="replace"))
    if any(TESTS in re.split(r"[./\\:]", string) for string in strings):
        return set(directories)
    imported = {directory_of(module) for module in imported_modules(code, name) if TESTS in module.split(".")}
    return {one for one in directories if one in imported}


def pieces_of(source: str) -> tuple[str, list[str]]:
    """Return a source without comments and strings, and what its short strings hold."""
    strings: list[str] = []

    def replace(found: re.Match[str]) -> str:
        if found["short"]:
            strings.append(re.sub(r"^[rRbBfFuUtT]{0,2}.|.$", "", found["short"]))
        return " " if found["comment"] else " '' "

    return PIECES.sub(replace, source).replace("\\\n", " "), strings


def imported_modules(code: str, name: str) -> set[str]:
    """Return what a source may import, as dotted names; of `from a import b` both `a` and `a.b`."""
    package = name.removesuffix(".py").split("/")[:-1]
    modules = set()
    for found in IMPORT.finditer(code):
        modules |= {words.split()[0] for words in found["names"].split(",") if words.strip()}
    for found in FROM_IMPORT.finditer(code):
        base = found["base"].replace(" ", "").replace("\t", "")
        level = len(base) - len(base.lstrip("."))
        above = package[: len(package) - level + 1] if level else []
        start = ".".join([*above, *([base.lstrip(".")] if base.lstrip(".") else [])])
        names = [words.split()[0] for words in found["names"].strip("() \t\n").split(",") if words.strip()]
        modules |= {start, *(f"{start}.{one}".lstrip(".") for one in names)}
    return modules


def directory_of(module: str) -> str:
    """Return the outermost directory of tests that a module lies in."""
    parts = module.split(".")
    return "/".join(parts[: parts.index(TESTS) + 1]) + "/"


def names_of(pruned: Mapping[str, Sequence[str]]) -> set[str]:
    return {name for names in pruned.values() for name in names}
