"""What was pruned of one wheel breaks no import of it, and none of another wheel of the same lock."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from harness.layout import Project
from harness.package.imports import modules_among
from tests.unit.harness.support import sawhorse, tree, write_wheel

HELPERS = {
    "one/__init__.py": b"",
    "one/core.py": b"",
    "one/tests/__init__.py": b"",
    "one/tests/test_more.py": b"HELP = 1\n",
}


def lock_wheels(project: Project, **wheels: dict[str, bytes]) -> None:
    directory = Path(os.environ["UV_FIND_LINKS"])
    lines = [write_wheel(directory, files, name=name) for name, files in wheels.items()]
    (project.requirements / "tiny.txt").write_text("".join(lines))


@pytest.mark.usefixtures("locked_wheel", "cache")
@pytest.mark.parametrize(
    "source", [b"from one.tests.test_more import HELP\n", b"import one.tests\nfrom one.tests import test_more\n"]
)
def test_a_wheel_that_imports_the_tests_of_another_keeps_the_build_from_pruning_them(
    tiny: Project, source: bytes
) -> None:
    lock_wheels(tiny, one=HELPERS, other={"other/__init__.py": b"", "other/plugin.py": source})

    refused = sawhorse(tiny, "build")
    config = tiny.lambda_path / "tiny/package.toml"
    config.write_text(f"prune = []\n{config.read_text()}")
    kept = sawhorse(tiny, "build")

    assert refused.code == 2, refused
    assert (
        "sawhorse: one 1.0 cannot be pruned by */tests/test_*.py: other.plugin imports whole, and then fails with "
        in refused.err
    )
    assert "Say prune = [] in lambda/tiny/package.toml to keep everything, and build again." in refused.err
    assert kept.code == 0, kept


@pytest.mark.usefixtures("locked_wheel", "cache")
def test_a_module_that_finds_its_tests_by_a_name_it_makes_keeps_the_build_from_pruning_them(tiny: Project) -> None:
    made = b"import importlib\nimportlib.import_module('one.tests.' + '_'.join(('test', 'more')))\n"
    lock_wheels(tiny, one={**HELPERS, "one/made.py": made})

    refused = sawhorse(tiny, "build")

    assert refused.code == 2, refused
    assert "one 1.0 cannot be pruned by */tests/test_*.py: one.made imports whole, and then fails with" in refused.err
    assert tree(tiny.path / "dist") == {} or "tiny.zip" not in tree(tiny.path / "dist")


def test_modules_are_named_as_they_are_imported() -> None:
    names = ["a/__init__.py", "a/b.pyc", "a/__pycache__/c.cpython-313.pyc", "a/d.abi3.so", "a/__main__.py", "e.py"]

    assert modules_among([*names, "a/f.cpython-313-x86_64-linux-gnu.so", "a/g-h.py", "a/i.txt"]) == [
        "a", "a.b", "a.d", "a.f", "e",
    ]  # fmt: skip
