"""An inventory says what differs, and which command rewrites it."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from harness.plans.inventory import assert_plan, refresh_inventory
from harness.plans.plan import UNKNOWN, Plan

REFRESH = "make it so"


@pytest.fixture
def plan() -> Plan:
    """A plan of one table and one role policy, as Terraform tells it."""
    return Plan(
        {
            "resource_changes": [
                {
                    "address": "module.events.aws_dynamodb_table.this",
                    "mode": "managed",
                    "type": "aws_dynamodb_table",
                    "change": {
                        "actions": ["create"],
                        "after": {"name": "events", "billing_mode": "PAY_PER_REQUEST", "ttl": [{"enabled": True}]},
                        "after_unknown": {"arn": True, "ttl": [{}]},
                    },
                },
                {
                    "address": "aws_iam_role_policy.this",
                    "mode": "managed",
                    "type": "aws_iam_role_policy",
                    "change": {"actions": ["create"], "after": {"policy": '{"Statement": [{"Action": ["a:B"]}]}'}},
                },
            ],
            "output_changes": {"table": {"after": "events", "after_unknown": False}, "arn": {"after_unknown": True}},
        }
    )


@pytest.fixture
def inventory(tmp_path: Path) -> Path:
    """An inventory that names a part of the plan."""
    path = tmp_path / "events.yaml"
    path.write_text(
        "# What was promised.\n"
        "values:\n"
        "  module.events.aws_dynamodb_table.this:\n"
        "    billing_mode: PAY_PER_REQUEST\n"
        "    arn: (known after apply)\n"
        "    ttl:\n"
        "    - enabled: true\n"
        "  aws_iam_role_policy.this:\n"
        "    policy:\n"
        "      Statement:\n"
        "      - Action:\n"
        "        - a:B\n"
        "counts:\n"
        "  aws_dynamodb_table: 1\n"
        "  aws_lambda_function: 0\n"
        "outputs:\n"
        "  table: events\n"
    )
    return path


def test_a_plan_that_holds_what_is_named_passes(plan: Plan, inventory: Path) -> None:
    assert_plan(plan, inventory, refresh=REFRESH)


@pytest.mark.parametrize(
    ("right", "wrong", "shown"),
    [
        (
            "billing_mode: PAY_PER_REQUEST",
            "billing_mode: PROVISIONED",
            'billing_mode\n    - "PROVISIONED"\n    + "PAY_PER_REQUEST"',
        ),
        ("enabled: true", "enabled: false", "ttl > 0 > enabled\n    - false\n    + true"),
        ("- a:B", "- a:C", 'policy > Statement > 0 > Action > 0\n    - "a:C"\n    + "a:B"'),
        ("function: 0", "function: 1", "counts > aws_lambda_function\n    - 1\n    + 0"),
        ("table: events", "tables: events", 'outputs > tables\n    - "events"\n    + (not planned)'),
    ],
)
def test_a_difference_is_shown_where_it_is(plan: Plan, inventory: Path, right: str, wrong: str, shown: str) -> None:
    inventory.write_text(inventory.read_text().replace(right, wrong))
    with pytest.raises(AssertionError) as caught:
        assert_plan(plan, inventory, refresh=REFRESH)
    assert shown in str(caught.value)
    assert str(caught.value).endswith(f"rewrite the file: {REFRESH}")


def test_a_refresh_writes_what_is_planned_of_what_is_named(plan: Plan, inventory: Path) -> None:
    before = inventory.read_text()
    inventory.write_text(before.replace("PAY_PER_REQUEST", "PROVISIONED").replace("table: 1", "table: 7"))
    refresh_inventory(plan, inventory)
    assert inventory.read_text() == before
    assert_plan(plan, inventory, refresh=REFRESH)


def test_what_only_aws_knows_is_marked(plan: Plan, inventory: Path) -> None:
    assert plan.resources["module.events.aws_dynamodb_table.this"]["arn"] == UNKNOWN
    assert plan.outputs == {"table": "events", "arn": UNKNOWN}
    assert yaml.safe_load(inventory.read_text())["values"]["module.events.aws_dynamodb_table.this"]["arn"] == UNKNOWN
