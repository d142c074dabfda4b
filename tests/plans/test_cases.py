"""What a plan does to things that are there already, what it leaves alone, and which bad inputs it refuses.

Both start from one state, so that they stand in one file: it is made once.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sawhorse.plans.cases import Change, Refusal
from sawhorse.plans.plan import Plan
from tests.planning import all_changes, all_refusals

pytestmark = pytest.mark.whole_plans

MODULES = Path(__file__).parents[2] / "modules"
CHANGES = all_changes()
REFUSALS = all_refusals()


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.name)
def test_a_change_does_what_it_says_and_nothing_else(change: Change, changes_plan: Plan) -> None:
    differences = "\n".join(change.differences(changes_plan))
    assert not differences, differences


def test_every_watched_type_is_one_that_a_module_makes() -> None:
    """One that is misspelt would never be seen to change."""
    sources = [path.read_text() for path in MODULES.rglob("*.tf")]
    made = {kind for source in sources for kind in re.findall(r'^resource "(\w+)"', source, re.MULTILINE)}
    assert made
    assert {f"{change.place}: {kind}" for change in CHANGES for kind in change.watched if kind not in made} == set()


def test_every_case_has_a_name_of_its_own_whichever_file_it_stands_in() -> None:
    names = [case.name for case in (*CHANGES, *REFUSALS)]
    assert sorted(set(names)) == sorted(names)


def test_no_change_replaces_a_table(changes_plan: Plan) -> None:
    tables = {
        name: changes_plan.actions[name] for name, kind in changes_plan.types.items() if kind == "aws_dynamodb_table"
    }
    assert {name: actions for name, actions in tables.items() if "delete" in actions} == {}


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: refusal.name)
def test_a_bad_input_is_refused_in_one_sentence(refusal: Refusal, refused: dict[str, list[str]]) -> None:
    differences = refusal.differences(refused[refusal.name])
    assert not differences, differences


def test_every_error_belongs_to_a_refusal(refused: dict[str, list[str]]) -> None:
    assert set(refused) == {refusal.name for refusal in REFUSALS}
