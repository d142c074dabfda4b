"""A tiny project of its own for every test that only needs some project."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sawhorse.build.build import build
from sawhorse.build.wheel_cache import Cache
from sawhorse.project import Project
from sawhorse.toolchain import installed, interpreters, python_environments
from sawhorse.toolchain.machine import Machine
from tests.ports import free_port
from tests.unit.sawhorse.support import make_tiny_project, script, write_wheel

MakeTiny = Callable[[str], Project]


@pytest.fixture(autouse=True)
def _apart(nothing_of_this_shell: None, cache_of_tests: None) -> None:
    """Every test here starts from neither this shell nor this user's cache."""


@pytest.fixture
def cache(tmp_path: Path, cache_of_tests: None, monkeypatch: pytest.MonkeyPatch) -> Cache:
    """A cache of packages of this test's own, that knows no wheel yet."""
    monkeypatch.setenv("SAWHORSE_CACHE_DIR", str(tmp_path / "cache-of-its-own"))
    return Cache.of_user()


@pytest.fixture
def make_tiny(tmp_path: Path, repository: Path) -> MakeTiny:
    """Make a project of one app and one root, named `tiny`, in a directory of this name."""
    python_environments.ensure_uv(repository)
    return lambda name: make_tiny_project(tmp_path / name, repository=repository)


@pytest.fixture
def tiny(make_tiny: MakeTiny) -> Project:
    """A project of one app without dependencies."""
    return make_tiny("tiny-project")


@pytest.fixture
def built(tiny: Project) -> Project:
    """A project whose package is built."""
    build(tiny, "tiny")
    return tiny


@pytest.fixture(scope="session")
def python(repository: Path) -> Path:
    """The interpreter of the functions."""
    found = interpreters.exact_python("3.13", repository)
    assert found
    return found


@pytest.fixture
def locked_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The lock of a wheel that uv finds on this machine, without any registry."""
    monkeypatch.setenv("UV_FIND_LINKS", str(tmp_path / "wheels"))
    monkeypatch.setenv("UV_OFFLINE", "1")
    return write_wheel(tmp_path / "wheels")


@pytest.fixture(scope="session")
def wheel_builder(repository: Path) -> None:
    """What builds wheels of sources, installed before a test takes the index away."""
    python = interpreters.exact_python(interpreters.FUNCTIONS_PYTHON, repository)
    assert python is not None
    installed.ensure_build_environment(repository, interpreters.FUNCTIONS_PYTHON, python)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine with nothing on its PATH, in its home or below its opt."""
    for name in ("bin", "home", "opt"):
        (tmp_path / name).mkdir()
    return Machine(
        environ={"PATH": str(tmp_path / "bin")},
        home=tmp_path / "home",
        opt=tmp_path / "opt",
        releases=f"http://127.0.0.1:{free_port()}",
    )


@pytest.fixture
def on_path(tmp_path: Path) -> Callable[[str, str], Path]:
    """Put a program on the machine's PATH."""
    return lambda name, text: script(tmp_path / "bin" / name, text)
