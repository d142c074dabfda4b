"""What a test needs besides Python is seen in its fixtures and in what it names."""

from __future__ import annotations

import subprocess
from pathlib import Path
from types import FunctionType

import pytest

from sawhorse.build.build import build
from sawhorse.build.zip_writer import pack
from sawhorse.project import Project
from tests.children import started
from tests.needs import starts_programs
from tests.unit.sawhorse.support import sawhorse, tree


def runs_a_program() -> object:
    return subprocess.run(["true"], check=True)


def runs_one_later() -> object:
    return [lambda: subprocess.Popen(["true"])]


def builds(project: Project) -> object:
    return build(project, "tiny")


def runs_the_command_line(project: Project) -> object:
    return sawhorse(project, "build")


def calls_what_does(project: Project) -> object:
    return runs_the_command_line(project)


def has_one_around_it() -> None:
    with started(["true"]):
        pass


def calls_itself(left: int) -> object:
    return pack("a", b"") if left == 0 else calls_itself(left - 1)


def reads(path: Path) -> object:
    return tree(path)


@pytest.mark.parametrize(
    "function",
    [runs_a_program, runs_one_later, builds, runs_the_command_line, calls_what_does, has_one_around_it],
    ids=lambda function: function.__name__,
)
def test_a_program_is_seen_wherever_it_is_started(function: FunctionType) -> None:
    assert starts_programs(function)


@pytest.mark.parametrize("function", [calls_itself, reads], ids=lambda function: function.__name__)
def test_what_starts_no_program_is_no_needier_for_it(function: FunctionType) -> None:
    assert not starts_programs(function)


def test_the_local_aws_is_what_its_tests_are_marked_with(request: pytest.FixtureRequest) -> None:
    marked = {
        name
        for item in request.session.items
        for name in ("emulators", "terraform")
        if name in getattr(item, "fixturenames", ()) and not item.get_closest_marker(name)
    }
    assert marked == set()
