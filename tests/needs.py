"""Mark what a test needs besides Python, so that `make test-fast` can leave it out: a plugin.

A test that runs Terraform asks for the fixture `terraform`; one that starts the local AWS, or whose fixtures do, for
`emulators`. Whether it builds packages or starts other programs is seen in what it and its fixtures name.
"""

from __future__ import annotations

import inspect
import subprocess
from functools import cache
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

# The fixtures that say it, and the markers of the same names; `local_aws` and what is made of it ask for `emulators`.
NEEDS = ("emulators", "terraform")
# Modules of the engine whose functions start uv, interpreters or what builds wheels.
STARTING = (
    "sawhorse.build.build",
    "sawhorse.build.bytecode_client",
    "sawhorse.build.lock_files",
    "sawhorse.build.lock_resolver",
    "sawhorse.cli.lock",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for name in NEEDS:
            if name in getattr(item, "fixturenames", ()):
                item.add_marker(name)
        if any(starts_programs(function) for function in functions_of(item)):
            item.add_marker("programs")


def functions_of(item: Any) -> Iterator[FunctionType]:
    """Walk a test and the functions of its fixtures; the plugins' own fixtures are every test's."""
    # What hypothesis calls with its examples stands behind what pytest calls.
    yield getattr(getattr(item.obj, "hypothesis", None), "inner_test", item.obj)
    for definitions in item._fixtureinfo.name2fixturedefs.values():
        for definition in definitions:
            if isinstance(definition.func, FunctionType) and definition.func.__module__ != "tests.limits":
                yield definition.func


@cache
def starts_programs(function: FunctionType) -> bool:
    """Say whether a function of the tests names, or calls what names, something that starts a program."""
    seen: set[FunctionType] = set()
    waiting = [function]
    while waiting:
        one = waiting.pop()
        seen.add(one)
        # A context manager is made of the function that is meant.
        meant = inspect.unwrap(one)
        named = [meant.__globals__.get(name) for name in names_in(meant.__code__)]
        if any(starts(thing) for thing in named):
            return True
        ours = [thing for thing in named if isinstance(thing, FunctionType) and thing.__module__.startswith("tests.")]
        waiting += [thing for thing in ours if thing not in seen]
    return False


def starts(named: Any) -> bool:
    if isinstance(named, FunctionType):
        return named.__module__ in STARTING
    return named is subprocess or getattr(named, "__module__", None) == "subprocess"


def names_in(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from names_in(constant)
