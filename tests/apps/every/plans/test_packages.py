"""No package brings an SQL database's libraries along, and no function is told of a server: both were left behind."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from sawhorse.build.build import build
from sawhorse.project import Project

REPOSITORY = Path(__file__).resolve().parents[4]
APPS = Project(REPOSITORY).apps
LEFT_BEHIND = ("alembic", "pymysql", "sqlalchemy")
OF_THE_DATABASE = ("DATABASE_URL", "DYNAMODB_ENDPOINT")


def distributions_in(lock: Path) -> set[str]:
    return {
        re.sub(r"[-_.]+", "-", name).lower()
        for name in re.findall(r"^([A-Za-z0-9._-]+)==", lock.read_text(), re.MULTILINE)
    }


def imported(path: Path) -> set[str]:
    return {name.lower() for name in re.findall(r"^\s*(?:from|import)\s+(\w+)", path.read_text(), re.MULTILINE)}


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], set[str]]:
    """Build an app's package, and return the first part of the path of everything in it."""
    dist = tmp_path_factory.mktemp("packages")

    def built(app: str) -> set[str]:
        with zipfile.ZipFile(build(Project(REPOSITORY), app, dist=dist).path) as archive:
            return {name.partition("/")[0] for name in archive.namelist()}

    return built


@pytest.mark.parametrize("app", APPS)
def test_no_package_has_a_library_of_an_sql_database(app: str, package: Callable[[str], set[str]]) -> None:
    names = package(app)

    assert {app, "shared"} <= names
    assert [name for name in names if re.split(r"[-.]", name.lower())[0] in LEFT_BEHIND] == []


@pytest.mark.parametrize("app", APPS)
def test_no_lock_names_a_library_of_an_sql_database(app: str) -> None:
    found = distributions_in(REPOSITORY / f"lambda/{app}/requirements.txt")

    assert "fastapi" in found
    assert found & set(LEFT_BEHIND) == set()


@pytest.mark.parametrize("app", [*APPS, "shared"])
def test_no_source_imports_a_library_of_an_sql_database(app: str) -> None:
    files = sorted((REPOSITORY / "lambda" / app).rglob("*.py"))

    assert files
    assert {path.name: imported(path) & set(LEFT_BEHIND) for path in files} == {path.name: set() for path in files}


def test_no_function_is_told_of_a_database_server() -> None:
    # A plan shows no variable of a function as soon as one of them is known only after the apply.
    files = [*(REPOSITORY / "modules").rglob("*.tf"), *(REPOSITORY / "environments").rglob("*.tf")]

    assert files
    assert [path for path in files if any(name in path.read_text() for name in OF_THE_DATABASE)] == []
