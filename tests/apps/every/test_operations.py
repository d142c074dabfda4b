"""The operations of an app import of the engine `sawhorse.api` alone, and nothing that is packed imports them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from sawhorse.build.packed_names import OPERATIONS
from tests.projects import REPOSITORY

LAMBDA = REPOSITORY / "lambda"
APPS = sorted(path.parent.name for path in LAMBDA.glob("*/package.toml"))
SOURCES = sorted(path for path in LAMBDA.rglob("*.py") if path.relative_to(LAMBDA).parts[0] in {*APPS, "shared"})
RUN_BY_PEOPLE = [path for path in SOURCES if path.relative_to(LAMBDA).parts[1] == OPERATIONS]
PACKED = [path for path in SOURCES if path not in RUN_BY_PEOPLE]
ENGINE = "sawhorse"


def name_of(path: Path) -> str:
    return path.relative_to(LAMBDA).as_posix()


def imported(path: Path) -> Iterator[str]:
    """Walk what a file imports, wherever it does: modules, and with a colon what it takes of one."""
    package = path.relative_to(LAMBDA).parts[:-1]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*above, *([node.module] if node.module else [])])
            yield from (f"{module}:{alias.name}" for alias in node.names)


@pytest.mark.parametrize("app", APPS)
def test_the_operations_of_an_app_are_built_on_the_engine(app: str) -> None:
    """Else the tests below would look at nothing."""
    own = [path for path in RUN_BY_PEOPLE if path.is_relative_to(LAMBDA / app)]
    assert {"seed.py", "smoke.py"} <= {path.name for path in own}
    assert "sawhorse.api:Deployment" in {name for path in own for name in imported(path)}


@pytest.mark.parametrize("path", RUN_BY_PEOPLE, ids=name_of)
def test_an_operation_imports_of_the_engine_what_is_promised_alone(path: Path) -> None:
    modules = {name.partition(":")[0] for name in imported(path)}
    assert {module for module in modules if module.partition(".")[0] == ENGINE} <= {"sawhorse.api"}


@pytest.mark.parametrize("path", PACKED, ids=name_of)
def test_what_is_packed_imports_neither_the_engine_nor_operations(path: Path) -> None:
    dotted = [name.replace(":", ".").split(".") for name in imported(path)]
    assert [parts for parts in dotted if parts[0] == ENGINE or (parts[0] in APPS and parts[1:2] == [OPERATIONS])] == []
