"""What people run for an app is in no package: nothing packed imports it, and a change of it deploys nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from sawhorse.build.build import build
from sawhorse.errors import BuildFailed
from sawhorse.project import Project
from sawhorse.terraform.render import render
from tests.unit.sawhorse.support import sawhorse, tree

HANDLER = "def handler(event, context):\n    return 1\n"


@pytest.fixture
def seed(tiny: Project) -> Path:
    """The seed of the tiny app."""
    path = tiny.lambda_path / "tiny/ops/seed.py"
    path.parent.mkdir()
    path.with_name("__init__.py").touch()
    path.write_text("NUMBER = 1\n")
    return path


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("import tiny.ops", "tiny.ops"),
        ("import tiny.ops.seed", "tiny.ops.seed"),
        ("from tiny import ops", "tiny.ops"),
        ("from tiny.ops import seed", "tiny.ops"),
        ("from tiny.ops.seed import NUMBER", "tiny.ops.seed"),
        ("from .ops import seed", "tiny.ops"),
        ("from . import ops", "tiny.ops"),
    ],
)
def test_packaged_code_that_imports_an_operation_is_refused(tiny: Project, seed: Path, line: str, named: str) -> None:
    (tiny.lambda_path / "tiny/main.py").write_text(f"{line}\n{HANDLER}")

    with pytest.raises(BuildFailed) as refused:
        build(tiny, "tiny")

    assert str(refused.value) == (
        f"lambda/tiny/main.py, line 1, imports {named}, and what lies in lambda/tiny/ops is never part of a package. "
        "Move what the functions need of it into lambda/tiny."
    )


def test_a_changed_seed_makes_no_package_and_renders_nothing_anew(tiny: Project, seed: Path) -> None:
    root = tiny.root("dev/tiny")
    first = build(tiny, "tiny")
    render(root)
    made, rendered = tree(tiny.path / "dist"), tree(root.path)
    seed.write_text("NUMBER = 2\n")
    seed.with_name("smoke.py").write_text("NEW = True\n")

    assert sawhorse(tiny, "build", "tiny").code == 0
    assert sawhorse(tiny, "render", "dev/tiny").code == 0
    again = build(tiny, "tiny")

    assert (again.changed, again.sha256) == (False, first.sha256)
    assert tree(tiny.path / "dist") == made
    assert not render(root).changed
    assert tree(root.path) == rendered
