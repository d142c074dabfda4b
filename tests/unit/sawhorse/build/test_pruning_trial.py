"""What is pruned of one wheel breaks no import of it, and is nothing that another wheel of the same lock names."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest

from sawhorse.build.pruning_trial import modules_among
from sawhorse.project import Project
from tests.unit.sawhorse.support import sawhorse, tree, write_lock, write_wheel

HELPERS = {
    "one/__init__.py": b"",
    "one/core.py": b"",
    "one/tests/__init__.py": b"",
    "one/tests/test_more.py": b"HELP = 1\n",
}


def names_in(path: Path) -> set[str]:
    with zipfile.ZipFile(path) as archive:
        return set(archive.namelist())


def lock_wheels(project: Project, **wheels: dict[str, bytes]) -> None:
    directory = Path(os.environ["UV_FIND_LINKS"])
    lines = [write_wheel(directory, files, name=name) for name, files in wheels.items()]
    write_lock(project, "".join(lines))


@pytest.mark.usefixtures("locked_wheel", "cache")
@pytest.mark.parametrize(
    "other",
    [
        {"plugin.py": b"from one.tests.test_more import HELP\n"},
        {"plugin.py": b"import one.tests\nfrom one.tests import test_more\n"},
        {"plugin.py": b"def f():\n    from one.tests.test_more import HELP\n    return HELP\n"},
        {"plugin.py": b"def f():\n    import importlib\n    importlib.import_module('.test_more', 'one.tests')\n"},
        {"plugin.py": b"ENTRY = 'one.tests.test_more:HELP'\n"},
        {"template.py": b"{{ a template }} one.tests test_more\n"},
        {"plugin.so": b"\0one.tests\0test_more\0"},
    ],
)
def test_a_test_module_that_another_wheel_names_is_kept(tiny: Project, other: dict[str, bytes]) -> None:
    files = {f"other/{name}": content for name, content in other.items()}
    lock_wheels(tiny, one=HELPERS, other={"other/__init__.py": b"", **files})

    ended = sawhorse(tiny, "build")

    assert ended.code == 0, ended
    assert "one/tests/test_more.py" in names_in(tiny.path / "dist/tiny.zip")


@pytest.mark.usefixtures("locked_wheel", "cache")
def test_what_a_kept_test_module_names_is_kept_as_well(tiny: Project) -> None:
    one = {**HELPERS, "one/tests/test_more.py": b"from one.tests import test_next\nimport two.tests.test_it\n"}
    two = {
        "two/__init__.py": b"",
        "two/core.py": b"",
        "two/tests/__init__.py": b"",
        "two/tests/test_it.py": b"",
        "two/tests/test_x.py": b"",
    }
    plugin = b"def f():\n    import one.tests.test_more\n"
    lock_wheels(
        tiny,
        one={**one, "one/tests/test_next.py": b"", "one/tests/test_last.py": b""},
        two=two,
        other={"other/__init__.py": plugin},
    )

    ended = sawhorse(tiny, "build")

    assert ended.code == 0, ended
    assert {name for name in names_in(tiny.path / "dist/tiny.zip") if "/test_" in name and name.endswith(".py")} == {
        "one/tests/test_more.py", "one/tests/test_next.py", "two/tests/test_it.py",
    }  # fmt: skip


@pytest.mark.usefixtures("locked_wheel", "cache")
def test_a_wheel_is_pruned_again_where_no_other_wheel_names_its_tests(tiny: Project) -> None:
    plugin = b"def f():\n    import one.tests.test_more\n"
    lock_wheels(tiny, one=HELPERS, other={"other/__init__.py": plugin})
    assert sawhorse(tiny, "build").code == 0
    with_other = names_in(tiny.path / "dist/tiny.zip")
    lock_wheels(tiny, one=HELPERS)

    ended = sawhorse(tiny, "build")

    assert ended.code == 0, ended
    assert "one/tests/test_more.py" in with_other
    assert "one/tests/test_more.py" not in names_in(tiny.path / "dist/tiny.zip")


@pytest.mark.usefixtures("locked_wheel", "cache")
@pytest.mark.parametrize("source", [b"# one.tests.test_more\n", b"import one\ntest_more = 1\n", b"test_more = 1\n"])
def test_a_wheel_that_names_another_thing_keeps_nothing(tiny: Project, source: bytes) -> None:
    lock_wheels(tiny, one=HELPERS, other={"other/__init__.py": source})

    assert sawhorse(tiny, "build").code == 0
    assert "one/tests/test_more.py" not in names_in(tiny.path / "dist/tiny.zip")


@pytest.mark.usefixtures("locked_wheel", "cache")
def test_a_pattern_that_breaks_an_import_of_another_wheel_is_refused(tiny: Project) -> None:
    lock_wheels(tiny, one=HELPERS, other={"other/__init__.py": b"", "other/plugin.py": b"import one.tests.test_more\n"})
    config = tiny.lambda_path / "tiny/package.toml"
    config.write_text(f"prune = ['*/test_*.py']\n{config.read_text()}")

    refused = sawhorse(tiny, "build")

    assert refused.code == 2, refused
    assert "one 1.0 cannot be pruned by */test_*.py: other.plugin imports whole, and then fails with " in refused.err
    assert "Take that pattern out of prune in lambda/tiny/package.toml, and build again." in refused.err


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
