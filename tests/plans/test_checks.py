"""What a check of a variable lists is what its sentence lists."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mutants.words import lists_that_differ
from tests.projects import REPOSITORY

FILES = sorted((REPOSITORY / "modules").glob("**/variables.tf"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.parent.name)
def test_the_numbers_that_are_taken_are_the_numbers_that_are_named(file: Path) -> None:
    assert lists_that_differ(file.read_text(), str(file)) == []


def test_a_number_that_is_only_taken_or_only_named_is_found() -> None:
    check = (
        'variable "a" {\n  validation {\n    condition     = contains([1, 3, 5], var.a)\n'
        '    error_message = "a: 1, 3 or %s."\n  }\n}\n'
    )
    assert lists_that_differ(check % "5", "a.tf") == []
    assert lists_that_differ(check % "7", "a.tf") == ["a.tf:2: 1, 3, 5 are taken, and the sentence names 1, 3, 7"]
