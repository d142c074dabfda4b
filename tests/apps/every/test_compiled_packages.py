"""The packages of all apps import as they are, with the bytecode of their own sources."""

from __future__ import annotations

from pathlib import Path

import pytest

from sawhorse.build.build import build
from sawhorse.project import Project
from sawhorse.toolchain import interpreters
from tests.projects import REPOSITORY
from tests.unit.sawhorse.build.unpacked import assert_bytecode_of_every_source, assert_imports_alone

APPS = Project(REPOSITORY).apps


@pytest.fixture(autouse=True)
def _apart(nothing_of_this_shell: None, cache_of_tests: None) -> None:
    """Every test here starts from neither this shell nor this user's cache."""


@pytest.fixture(scope="module")
def python() -> Path:
    """The interpreter of the functions' own minor version."""
    found = interpreters.exact_python("3.13", REPOSITORY)
    assert found
    return found


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The packages of all apps."""
    dist = tmp_path_factory.mktemp("packages") / "dist"
    return {app: build(Project(REPOSITORY), app, dist=dist).path for app in APPS}


@pytest.mark.parametrize("app", APPS)
def test_a_package_imports_without_compiling_or_writing_anything(
    app: str, packages: dict[str, str], python: Path, tmp_path: Path
) -> None:
    assert_imports_alone(Project(REPOSITORY), app, packages[app], python, tmp_path)


@pytest.mark.parametrize("app", APPS)
def test_every_module_has_bytecode_of_its_source_under_a_name_of_the_package(
    app: str, packages: dict[str, str], python: Path
) -> None:
    assert_bytecode_of_every_source(packages[app], python)
