"""What a plan does to things that are there already, and what it leaves alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.plans.cases import Change, read_changes
from harness.plans.plan import Plan

CHANGES = read_changes(Path(__file__).parent / "changes.yaml")


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.name)
def test_a_change_does_what_it_says_and_nothing_else(change: Change, changes_plan: Plan) -> None:
    assert change.found(changes_plan) == change.actions


def test_no_change_replaces_a_table(changes_plan: Plan) -> None:
    tables = {
        name: changes_plan.actions[name] for name, kind in changes_plan.types.items() if kind == "aws_dynamodb_table"
    }
    assert {name: actions for name, actions in tables.items() if "delete" in actions} == {}
