"""A module that anything kept of a wheel names is kept, however it is named, and so is everything but test modules."""

from __future__ import annotations

import importlib.util
import marshal
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sawhorse.build.wheel_pruning import pruned_usually

MODULE = {"big/__init__.py": b"", "big/core.py": b""}


def pruned(files: Mapping[str, bytes]) -> set[str]:
    return {name for names in pruned_usually(files.keys(), lambda name: files[name]).values() for name in names}


def bytecode(source: str) -> bytes:
    return importlib.util.MAGIC_NUMBER + bytes(12) + marshal.dumps(compile(source, "x.py", "exec"))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("big/a.py", b"import big.tests.test_io"),
        ("big/a.py", b"import os, big.tests.test_io as t"),
        ("big/a.py", b"from .tests.test_io import Helper"),
        ("big/a.py", b"from .tests import (\n    other,  # why\n    test_io,\n)"),
        ("big/a.py", b"from big.tests \\\n    import test_io"),
        ("big/a.py", b"if True:\n\tfrom ..big.tests import test_io"),
        ("big/a.py", b"import_module('.tests.test_io', __package__)"),
        ("big/a.py", b"run([python, '-m', 'big.tests.test_io'])"),
        ("big/a.py", b"run([python, '-c', '''\nfrom big.tests import test_io\n'''])"),
        ("big/a.py", b'exec(\n    """from big.tests.test_io import x"""\n)'),
        ("big/a.py", b'x = f"{d["test_io"]}"'),
        ("big/a.py", b"(Path(__file__).parent / 'tests' / 'test_io.py').read_text()"),
        ("big/a.py", b"# coding: latin-1\nname = '\xe9'; import big.tests.test_io"),
        ("big/a.py", b"import big.tests\r\nbig.tests.test_io\r\n"),
        ("big/__init__.pyi", b"from .tests import test_io"),
        ("big/_vendor/a.py", b"import tests.test_io"),
        ("big/plugins.json", b'{"io": "big.tests.test_io:Plugin"}'),
        ("big/a.cpython-313-x86_64-linux-gnu.so", b"\x00big.tests.test_iohelperos\x00"),
        ("big/a.pyc", bytecode("from .tests import test_io\nx = test_io.y")),
        ("big/a.pyc", bytecode("import_module('big.tests.test_io')")),
        ("big-1.0.dist-info/entry_points.txt", b"[big.plugins]\nio = big.tests.test_io:Plugin\n"),
        ("big/tests/__init__.py", b"from .test_io import Helper"),
        ("big/tests/data/list.txt", b"test_io.py"),
        ("bin/big", b"#!python\nimport big.tests.test_io"),
    ],
)
def test_a_test_module_that_a_kept_file_names_is_kept(name: str, content: bytes) -> None:
    files = {**MODULE, "big/tests/test_io.py": b"from . import test_more", "big/tests/test_more.py": b"", name: content}

    assert pruned(files) == set()
    assert pruned({**files, name: b""}) == {"big/tests/test_io.py", "big/tests/test_more.py"}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("big/testing.py", b"class Base:\n    def test_io(self): ...\n    async  def  test_io(self): ...\n"),
        ("big/a.py", b"from big.tests import test_io_more, a_test_io"),
        ("README.md", b"Run big.tests.test_io."),
        ("big/a.pyx", b"from big.tests import test_io"),
        ("big-1.0.dist-info/METADATA", b"Name: big\n\nSee big/tests/test_io.py\n"),
    ],
)
def test_what_names_no_module_at_run_time_keeps_none(name: str, content: bytes) -> None:
    assert pruned({**MODULE, "big/tests/test_io.py": b"", name: content}) == {"big/tests/test_io.py"}


def test_only_what_a_test_runner_collects_is_pruned() -> None:
    left_out = {"big/tests/test_a.py", "big/tests/deep/er/test_.py", "big/x/tests/b_test.py", "tests/conftest.py"}
    kept = {
        "big/core.py",
        "big/__init__.py",
        "big/test_a.py",
        "big/conftest.py",
        "big/test/test_a.py",
        "big/mytests/test_a.py",
        "big/tests/__init__.py",
        "big/tests/helpers.py",
        "big/tests/base_tests.py",
        "big/tests/test_data.csv",
        "big/tests/test_a.pyc",
        "big/tests/test_a.pyi",
        "big/tests/data/a.json",
        "big/tests/test-dash.py",
        "big/tests/test_\u00e4.py",
        "big/tests/test_" + 90 * "x" + ".py",
    }

    assert pruned(dict.fromkeys(left_out | kept, b"")) == left_out


@pytest.mark.parametrize(
    "names",
    [["tests/test_a.py"], ["big/__init__.py", "big/tests/test_a.py"], ["big/tests/adapter/test_a.py", "big/data.txt"]],
)
def test_a_wheel_of_nothing_but_tests_is_left_whole(names: list[str]) -> None:
    assert pruned(dict.fromkeys(names, b"")) == set()


WORDS = st.sampled_from(["test_a", "test_ab", "a_test", "conftest", "b_test_a", "tests", "def", "x", "big"])
PUNCTUATION = st.sampled_from([" ", ".", "\n", "'", '"', "/", "(", "#", "\\\n", "\t", ";", '"""', "\0"])
PIECES = st.lists(st.tuples(WORDS, PUNCTUATION), max_size=8)
NAMES = ["big/tests/test_a.py", "big/tests/test_ab.py", "big/x/tests/a_test.py", "big/tests/conftest.py"]
OTHERS = ["big/core.py", "big/data.json", "big/_c.so", "big/tests/util.py"]


def words_that_count(pieces: list[tuple[str, str]]) -> set[str]:
    """The words of a file that are no name of a function that is defined there."""
    defined = {index + 1 for index, (word, after) in enumerate(pieces) if word == "def" and after in {" ", "\t"}}
    return {word for index, (word, _) in enumerate(pieces) if index not in defined}


@given(st.fixed_dictionaries(dict.fromkeys([*NAMES, *OTHERS], PIECES)), st.permutations([*NAMES, *OTHERS]))
def test_nothing_kept_names_what_was_pruned_and_no_order_has_a_part_in_it(
    pieces: dict[str, list[tuple[str, str]]], order: list[str]
) -> None:
    files = {name: "".join(map("".join, found)).encode() for name, found in pieces.items()}

    gone = pruned(files)

    assert pruned({name: files[name] for name in order}) == gone
    stems = {name.rpartition("/")[2].removesuffix(".py") for name in gone}
    for name in files.keys() - gone:
        assert not stems & words_that_count(pieces[name]), name


@given(st.binary(max_size=300), st.sampled_from(["test_a", "long_name_of_a_test", "conftest"]), st.binary(max_size=300))
def test_a_library_keeps_what_it_names_whatever_stands_around_it(before: bytes, stem: str, after: bytes) -> None:
    files = {**MODULE, f"big/tests/{stem}.py": b"", "big/_c.so": before + stem.encode() + after}

    assert pruned(files) == set()
