"""A property is tried with as many inputs as are asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.inner_pytest import run_pytest

TESTS = """
from hypothesis import example, given, settings, strategies

def note(value):
    with open("inputs", "a") as file:
        print(value, file=file)

@settings(max_examples=40)
@given(strategies.integers())
@example(-5)
def test_one(value):
    note(value)

class TestMore:
    @settings(max_examples=40)
    @given(strategies.integers())
    def test_two(self, value):
        note(value)

def test_three():
    pass
"""


@pytest.mark.parametrize(("options", "most"), [((), 40), (("--inputs-by", "4"), 10), (("--inputs-by", "99"), 1)])
def test_inputs_are_divided_and_what_is_named_is_tried(
    tmp_path: Path, repository: Path, options: tuple[str, ...], most: int
) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "test_sample.py").write_text(TESTS)

    done = run_pytest(tmp_path, repository, ["tests.inputs"], *options)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 passed" in done.stdout
    # Of both properties, and the one that is named.
    assert len((tmp_path / "inputs").read_text().splitlines()) == 2 * most + 1


def test_no_inputs_are_refused_with_a_sentence(tmp_path: Path, repository: Path) -> None:
    done = run_pytest(tmp_path, repository, ["tests.inputs"], "--inputs-by", "0")

    assert done.returncode == 4
    assert "'0' is not a number of parts; name 1 or more." in done.stdout + done.stderr
