"""The expressions of workflows, as GitHub's documentation has them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.workflows.documents import UnknownKeyError, read_workflow
from tests.workflows.expressions import Expressions, UnknownExpressionError

CONTEXTS = {
    "github": {"event": {"number": 7.0}, "sha": "abc"},
    "needs": {"build": {"outputs": {"roots": '["a"]'}, "result": "success"}},
    "inputs": {"environment": "Dev", "empty": ""},
    "steps": {"two-words": {"outputs": {"x": "1"}}},
}


def expressions(**status: bool) -> Expressions:
    return Expressions(CONTEXTS, {"success": True, "failure": False, "cancelled": False, **status})


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("github.sha", "abc"),
        ("github['sha']", "abc"),
        ("github.nothing.at.all", None),
        ("steps.two-words.outputs.x", "1"),
        ("fromJSON(needs.build.outputs.roots)", ["a"]),
        ("needs.build.outputs.roots != '[]'", True),
        ("inputs.environment == 'dev'", True),
        ("inputs.empty || 'other'", "other"),
        ("inputs.environment && 'yes'", "yes"),
        ("!inputs.empty", True),
        ("!(true && false) || null", True),
        ("github.event.number == 7", True),
        ("'' == 0", True),
        ("'it''s'", "it's"),
        ("format('{0} of {1}', 'a', 'b')", "a of b"),
        ("contains('abc', 'b')", True),
    ],
)
def test_an_expression_has_the_value_that_github_gives_it(expression: str, value: Any) -> None:
    assert expressions().value(expression) == value


@pytest.mark.parametrize(
    "expression", ["secrets.TOKEN", "startsWith('a', 'a')", "github.sha +", "1 < 2", "github.event.*", "a b", "("]
)
def test_what_is_not_known_is_an_error(expression: str) -> None:
    with pytest.raises(UnknownExpressionError):
        expressions().value(expression)


def test_a_text_is_filled_in_and_a_single_expression_keeps_its_type() -> None:
    assert expressions().filled("plan-${{ github.event.number }}-${{ github.sha }}") == "plan-7-abc"
    assert expressions().filled("${{ fromJSON(needs.build.outputs.roots) }}") == ["a"]


@pytest.mark.parametrize(
    ("text", "failed", "runs"),
    [
        ("true", False, True),
        ("true", True, False),
        ("inputs.environment == 'dev'", True, False),
        ("always()", True, True),
        ("failure()", True, True),
        ("failure()", False, False),
        ("always() && inputs.environment == 'x'", True, False),
        ("${{ !failure() }}", False, True),
    ],
)
def test_a_condition_asks_for_success_unless_it_asks_for_something_else(text: str, failed: bool, runs: bool) -> None:  # noqa: FBT001 # rows
    assert expressions(success=not failed, failure=failed).condition(text) is runs


def test_a_key_that_the_runner_does_not_carry_out_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.yml"
    path.write_text("on:\n  push:\njobs:\n  a:\n    runs-on: x\n    container: y\n    steps: []\n")
    with pytest.raises(UnknownKeyError, match="container"):
        read_workflow(path)
