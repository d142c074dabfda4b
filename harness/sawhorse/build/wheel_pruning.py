"""Decide which files of a wheel a package leaves out: by the app's patterns, else test modules that nothing else names.

The usual rule looks at the wheel, and at what other wheels of the lock name of it, so a lock's wheels are pruned alike
for every app, on every machine: below a directory
`tests`, only the modules that a test runner collects are left out, and of these none whose name stands in a file that
is kept. Data, helpers and everything else below `tests` stay, since run time may find them by names that no rule sees.
What is left out breaks no import, which `harness/sawhorse/build/pruning_trial.py` proves besides.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase

# How sentences and documents name the usual rule.
USUAL = "*/tests/test_*.py"
# What pytest collects or loads by itself (https://docs.pytest.org/en/stable/explanation/goodpractices.html).
# Names that could not be found as words of ASCII are none of them.
TEST_MODULE = re.compile(r"(?:^|/)tests/(?:.*/)?(?P<stem>test_\w{0,80}|\w{0,80}_test|conftest)\.py$", re.ASCII)
ELSEWHERE = re.compile(r"^(?!(?:.*/)?tests/)(?!(?:.*/)?__init__\.py$).*\.(?:py|pyc|so)$")
# Of these nothing at run time reads names of modules.
PROSE = re.compile(r"\.(md|rst|pyx|pxd|c|cc|cpp|h|hpp|f90)$|\.dist-info/(?!entry_points\.txt)")
SOURCES = (".py", ".pyi")
# A function that is called like a module names none. Everything else in a source does, comments included: no
# reading of Python that could go wrong decides about a file.
DEFINITION = re.compile(rb"\bdef[ \t]+\w+")
# What every test module has in its name, and how far a word around it is looked for.
MARK = b"test"
LONGEST_WORD = 100
LETTERS_BEFORE, LETTERS_AFTER = re.compile(rb"\w*\Z"), re.compile(rb"\w*")


def pruned_by_patterns(names: Iterable[str], patterns: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return what an app's own patterns leave out, by pattern; the first that fits has it."""
    removed: dict[str, list[str]] = {}
    for name in names:
        pattern = next((pattern for pattern in patterns if fnmatchcase(name, pattern)), None)
        if pattern is not None:
            removed.setdefault(pattern, []).append(name)
    return {pattern: tuple(found) for pattern, found in removed.items()}


def pruned_usually(
    names: Collection[str], content: Callable[[str], bytes], kept: Collection[str] = ()
) -> dict[str, tuple[str, ...]]:
    """Return the test modules of a wheel that nothing else of it names; `content` reads a file of it.

    `kept` are files that another wheel of the lock names (`harness/sawhorse/build/pruned_mentions.py`).
    """
    if not any(map(ELSEWHERE.search, names)):
        # Tests are all that this wheel is for.
        return {}
    left = {name: found["stem"] for name in names if name not in kept and (found := TEST_MODULE.search(name))}
    ahead = [name for name in names if name not in left]
    # What a kept module names is kept as well, so look until nothing new is named.
    while ahead and left:
        stems = set(left.values())
        named = {stem for name in ahead for stem in named_by(name, content, stems)}
        ahead = [name for name, stem in left.items() if stem in named]
        for name in ahead:
            del left[name]
    return {USUAL: tuple(sorted(left))} if left else {}


def named_by(name: str, content: Callable[[str], bytes], stems: Collection[str]) -> set[str]:
    """Return which modules, given by the last parts of their names, a file names."""
    if PROSE.search(name):
        return set()
    held = content(name)
    if MARK not in held:
        return set()
    if name.endswith(SOURCES):
        return words_of_tests(DEFINITION.sub(b"", held)) & set(stems)
    # Bytecode and libraries have words one after another, without anything between them.
    words = "\n".join(words_of_tests(held))
    return {stem for stem in stems if stem in words}


def words_of_tests(held: bytes) -> set[str]:
    """Return every word that contains `test`, found by searching, since a library may have a hundred megabytes."""
    words = set()
    position = held.find(MARK)
    while position >= 0:
        before = LETTERS_BEFORE.search(held[max(0, position - LONGEST_WORD) : position])
        after = LETTERS_AFTER.match(held[position : position + LONGEST_WORD])
        words.add(b"".join(found[0] for found in (before, after) if found).decode("ascii"))
        position = held.find(MARK, position + len(MARK))
    return words


def names_of(pruned: Mapping[str, Sequence[str]]) -> set[str]:
    return {name for names in pruned.values() for name in names}
