"""Programs made at random, whose imports are of modules that are there and of modules that are not, and what runs them.

Nothing in them raises but `raise` itself and what is absent; `unknown(0)`, `unknown(1)` and so on stand for what only a
run knows. What is true of them is found out by running them, once for every value of the unknown.
"""

from __future__ import annotations

import ast
import importlib.abc
import importlib.machinery
import itertools
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from textwrap import indent
from types import CodeType, ModuleType

from hypothesis import strategies as st

ABSENT, HERE = "absent_module_", "present_module_"
MOST_UNKNOWN = 5
PREAMBLE = """
import builtins, contextlib, importlib.util, os, sys, typing
import typing as t
from contextlib import nullcontext, suppress
from contextlib import suppress as quiet
from importlib.util import find_spec
from typing import TYPE_CHECKING
from typing import TYPE_CHECKING as TC
MISSING = ImportError
SEVERAL = (KeyError, ModuleNotFoundError)
FOUND = find_spec("present_module_1") is not None
LOST = importlib.util.find_spec("absent_module_1")
OLD = sys.version_info[0] < 3
"""
TRUE = [
    "True",
    "1",
    "not TYPE_CHECKING",
    "not typing.TYPE_CHECKING",
    "__name__ != '__main__'",
    "sys.version_info >= (3, 8)",
    "sys.version_info[:2] > (3, 9)",
    "sys.platform == 'linux'",
    "sys.platform.startswith('linux')",
    "os.name == 'posix'",
    "not OLD",
    "FOUND",
    "not LOST",
    "LOST is None",
    "find_spec('present_module_0')",
    "importlib.util.find_spec('present_module_2') is not None",
    "(seen := find_spec('present_module_3')) is not None",
    "3 < sys.version_info.minor < 99",
    "not (TYPE_CHECKING or OLD)",
]
FALSE = [
    "False",
    "0",
    "None",
    "''",
    "TYPE_CHECKING",
    "typing.TYPE_CHECKING",
    "t.TYPE_CHECKING",
    "TC",
    "__name__ == '__main__'",
    "'__main__' == __name__",
    "sys.version_info < (3,)",
    "sys.platform == 'win32'",
    "sys.platform in ('win32', 'cygwin')",
    "os.name == 'nt'",
    "OLD",
    "not FOUND",
    "LOST",
    "find_spec('absent_module_0')",
    "importlib.util.find_spec('absent_module_2') is not None",
    "(seen := find_spec('absent_module_3'))",
]
CAUGHT = [
    "",
    "ImportError",
    "ModuleNotFoundError",
    "Exception",
    "BaseException",
    "(ValueError, ImportError)",
    "MISSING",
    "SEVERAL",
    "builtins.ImportError",
    "ValueError",
    "(KeyError, OSError)",
    "ImportError as error",
]
MANAGERS = [
    "suppress(ImportError)",
    "suppress(ValueError, ImportError)",
    "contextlib.suppress(Exception)",
    "quiet(MISSING)",
    "suppress(*SEVERAL)",
    "suppress(ValueError)",
    "suppress()",
    "nullcontext()",
    "nullcontext(), suppress(ModuleNotFoundError)",
]
MATCHES = [
    "sys.platform:\n    case 'linux'",
    "sys.platform:\n    case 'win32' | 'cygwin'",
    "os.name:\n    case 'nt' | 'posix'",
    "UNKNOWN:\n    case True",
    "UNKNOWN:\n    case False",
    "UNKNOWN:\n    case one if one",
]
imports = st.one_of(
    st.builds("import {}{}".format, st.sampled_from([ABSENT, ABSENT, HERE]), st.integers(0, 3)),
    st.builds("import {}{} as other".format, st.sampled_from([ABSENT, HERE]), st.integers(0, 3)),
    st.builds("from {}{} import value".format, st.sampled_from([ABSENT, HERE]), st.integers(0, 3)),
    st.builds("import {}{}.below".format, st.just(ABSENT), st.integers(0, 3)),
    st.builds("import json, {}{}".format, st.sampled_from([ABSENT, HERE]), st.integers(0, 3)),
)
endings = st.sampled_from(["raise ValueError('wrong')", "raise ImportError", "sys.exit(1)", "pass", "raise KeyError()"])


def conditions(flags: bool) -> st.SearchStrategy[str]:  # noqa: FBT001 # a choice of the test
    """Conditions that are true or false wherever they run, `UNKNOWN`, and what joins them."""
    flag = [*["HAS", "not HAS", "HAS is None"] * 3] if flags else []
    one = st.sampled_from([*TRUE, *FALSE, *["UNKNOWN"] * 8, *flag])
    return st.one_of(
        one,
        one,
        one,
        st.builds("not ({})".format, one),
        st.builds("({}) and ({})".format, one, one),
        st.builds("({}) or ({})".format, one, one),
    )


def within(lines: str) -> str:
    return indent(lines, "    ")


@dataclass(frozen=True)
class Grammar:
    """What programs are made of; `flags` are variables that tell later what happened before."""

    flags: bool

    def leaf(self, loop: str) -> st.SearchStrategy[str]:
        leaves = [imports, imports, imports, imports, endings]
        if self.flags:
            leaves.append(st.sampled_from(["HAS = True", "HAS = False", "HAS = None", "del HAS; HAS = 1"]))
        if loop:
            leaves.append(st.sampled_from(["break"] if loop == "while" else ["break", "continue"]))
        return st.one_of(leaves)

    def block(self, depth: int, loop: str = "") -> st.SearchStrategy[str]:
        return st.lists(self.statement(depth, loop), min_size=1, max_size=3).map("\n".join)

    def statement(self, depth: int, loop: str) -> st.SearchStrategy[str]:
        if depth == 0:
            return self.leaf(loop)
        inner = self.block(depth - 1, loop)
        forms = [
            self.leaf(loop),
            st.builds(self.choice, conditions(self.flags), inner, st.none() | inner),
            st.builds(
                self.attempt, inner, st.lists(st.tuples(st.sampled_from(CAUGHT), inner), max_size=2), inner, inner,
                st.integers(0, 3),
            ),
            st.builds("with {}:\n{}".format, st.sampled_from(MANAGERS), inner.map(within)),
            st.builds(
                "for _ in {}:\n{}\nelse:\n{}".format,
                st.sampled_from(["(1,)", "(1, 2)", "()", "[]", "'x'", "ITEMS", "ITEMS"]),
                self.block(depth - 1, "for").map(within), inner.map(within),
            ),
            st.builds("while True:\n{}\n    break".format, self.block(depth - 1, "while").map(within)),
            st.builds("while False:\n{}\nelse:\n{}".format, inner.map(within), inner.map(within)),
            st.builds("class C:\n{}".format, self.block(depth - 1).map(within)),
            st.builds("def f(x=1):\n{}".format, self.block(depth - 1).map(within)),
            st.builds("async def f():\n{}".format, self.block(depth - 1).map(within)),
            st.builds(
                "match {}:\n{}\n    case _:\n{}".format,
                st.sampled_from(MATCHES),
                inner.map(within).map(within), inner.map(within).map(within),
            ),
        ]  # fmt: skip
        return st.one_of(forms)

    @staticmethod
    def choice(test: str, body: str, orelse: str | None) -> str:
        return f"if {test}:\n{within(body)}" + (f"\nelse:\n{within(orelse)}" if orelse else "")

    @staticmethod
    def attempt(body: str, handlers: Sequence[tuple[str, str]], orelse: str, final: str, parts: int) -> str:
        # A bare one has to be the last.
        ordered = sorted(handlers, key=lambda handler: not handler[0])[: 1 + (not any(h[0] == "" for h in handlers))]
        text = f"try:\n{within(body)}\n" + "".join(f"except {one}:\n{within(block)}\n" for one, block in ordered)
        if ordered and parts % 2:
            text += f"else:\n{within(orelse)}\n"
        if not ordered or parts > 1:
            text += f"finally:\n{within(final)}\n"
        return text.rstrip()

    def programs(self, depth: int) -> st.SearchStrategy[str]:
        return self.block(depth).map(self.numbered).filter(is_program)

    def numbered(self, text: str) -> str:
        """Give every unknown a number of its own."""
        numbers = itertools.count()
        pieces = []
        for piece in text.replace("ITEMS", "[1] * UNKNOWN").split("UNKNOWN"):
            pieces += [piece, f"unknown({next(numbers)})"]
        return PREAMBLE + ("HAS = False\n" if self.flags else "") + "".join(pieces[:-1]) + "\n"


def is_program(text: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(text, "program", "exec")
    except SyntaxError:
        return False
    return text.count("unknown(") <= MOST_UNKNOWN


class Present(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the modules that programs take for there."""

    def find_spec(self, name: str, *_: object) -> importlib.machinery.ModuleSpec | None:
        return importlib.machinery.ModuleSpec(name, self) if name.startswith(HERE) else None

    def exec_module(self, module: ModuleType) -> None:
        module.__dict__["value"] = 1


@contextmanager
def present_modules() -> Iterator[None]:
    finder = Present()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name in [name for name in sys.modules if name.startswith(HERE)]:
            del sys.modules[name]


def outcomes(text: str) -> set[str]:
    """Return how runs of a program end: `imported`, `absent` where a module is, `raised` for all else."""
    code = compile(text, "program", "exec")
    found = set()
    with present_modules():
        for values in itertools.product([True, False], repeat=text.count("unknown(")):
            found.add(outcome(code, values))
    return found


def outcome(code: CodeType, values: Sequence[bool]) -> str:
    names = {"__name__": "tiny.main", "unknown": values.__getitem__}
    try:
        exec(code, names)  # noqa: S102 # that is how it is found out
    except ModuleNotFoundError:
        return "absent"
    except (Exception, SystemExit):  # noqa: BLE001 # any other end
        return "raised"
    return "imported"


def parsed(text: str) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text)
