"""An inventory says what differs, and which command rewrites it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from sawhorse.errors import BadConfiguration
from sawhorse.plans.inventory import assert_plan, refresh_inventory
from sawhorse.plans.plan import UNKNOWN, Plan, known

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
        ("arn: (known after apply)", "arn: aws", 'arn\n    - "aws"\n    + (known after apply)'),
        ("enabled: true", "enabled: 1", "ttl > 0 > enabled\n    - 1\n    + true"),
        ("function: 0", "function: false", "counts > aws_lambda_function\n    - false\n    + 0"),
        ("table: 1", 'table: "1"', 'counts > aws_dynamodb_table\n    - "1"\n    + 1'),
    ],
)
def test_a_difference_is_shown_where_it_is(plan: Plan, inventory: Path, right: str, wrong: str, shown: str) -> None:
    line = inventory.read_text()[: inventory.read_text().index(right)].count("\n") + 1
    inventory.write_text(inventory.read_text().replace(right, wrong))
    with pytest.raises(AssertionError) as caught:
        assert_plan(plan, inventory, refresh=REFRESH)
    assert shown in str(caught.value)
    assert f"  {inventory}:{line}: " in str(caught.value)
    assert str(caught.value).endswith(f"rewrite the file: {REFRESH}")


def test_a_refresh_writes_what_is_planned_of_what_is_named(plan: Plan, inventory: Path) -> None:
    before = inventory.read_text()
    inventory.write_text(before.replace("PAY_PER_REQUEST", "PROVISIONED").replace("table: 1", "table: 7"))
    refresh_inventory(plan, inventory)
    assert inventory.read_text() == before
    assert_plan(plan, inventory, refresh=REFRESH)


def test_a_refresh_writes_a_first_inventory_of_everything(plan: Plan, inventory: Path) -> None:
    first = inventory.parent / "new" / "first.yaml"
    refresh_inventory(plan, first)
    assert first.read_text() == (
        "# What was planned when this file was first written: keep what somebody promised, and remove the rest.\n"
        "values:\n"
        "  module.events.aws_dynamodb_table.this:\n"
        "    name: events\n"
        "    billing_mode: PAY_PER_REQUEST\n"
        "    ttl:\n"
        "    - enabled: true\n"
        "    arn: (known after apply)\n"
        "  aws_iam_role_policy.this:\n"
        "    policy:\n"
        "      Statement:\n"
        "      - Action:\n"
        "        - a:B\n"
        "counts:\n"
        "  aws_dynamodb_table: 1\n"
        "  aws_iam_role_policy: 1\n"
        "outputs:\n"
        "  table: events\n"
        "  arn: (known after apply)\n"
    )
    assert_plan(plan, first, refresh=REFRESH)


def test_a_refresh_fills_a_file_of_comments_and_keeps_them(plan: Plan, inventory: Path) -> None:
    inventory.write_text("# What was promised.\n")
    refresh_inventory(plan, inventory)
    assert inventory.read_text().startswith("# What was promised.\nvalues:\n")
    assert_plan(plan, inventory, refresh=REFRESH)


def test_a_first_inventory_holds_no_secret(inventory: Path) -> None:
    after = {
        "name": "key",
        "value": "hidden",
        "tags": {"a": "shown", "b": "hidden"},
        "list": [{"c": "hidden"}],
        "n": {},
    }
    marks = {"value": True, "tags": {"b": True}, "list": [{"c": True}]}
    plan = plan_of_change("create", after=after, after_sensitive=marks)
    plan = Plan({**plan.raw, "output_changes": {"token": {"after": "hidden", "after_sensitive": True}}})
    inventory.unlink()
    refresh_inventory(plan, inventory)
    assert "hidden" not in inventory.read_text()
    assert yaml.safe_load(inventory.read_text())["values"]["aws_a.this"] == {
        "name": "key",
        "tags": {"a": "shown"},
        "n": {},
    }
    assert_plan(plan, inventory, refresh=REFRESH)


@pytest.mark.parametrize("content", [None, "", "# Nothing yet.\n", "null\n", "{}\n"])
def test_where_no_inventory_is_the_command_that_writes_one_is_named(
    plan: Plan, inventory: Path, content: str | None
) -> None:
    inventory.unlink()
    if content is not None:
        inventory.write_text(content)
    with pytest.raises(BadConfiguration, match=rf"{inventory.name}.* write a first .*inventory|one .*: {REFRESH}$"):
        assert_plan(plan, inventory, refresh=REFRESH)


def test_a_refresh_leaves_an_inventory_alone_of_which_nothing_is_planned(plan: Plan, inventory: Path) -> None:
    before = "values:\n  aws_other.this:\n    name: events\n"
    inventory.write_text(before)
    with pytest.raises(BadConfiguration, match=r"Nothing that .* names is planned any more; remove the file"):
        refresh_inventory(plan, inventory)
    assert inventory.read_text() == before


def test_a_refresh_says_nothing_of_what_is_empty_because_other_names_are_planned(inventory: Path) -> None:
    inventory.write_text("values:\n  aws_a.this:\n    tags:\n      old: a\n")
    plan = plan_of_change("create", after={"tags": {"new": "a"}})
    refresh_inventory(plan, inventory)
    assert yaml.safe_load(inventory.read_text()) == {"values": {"aws_a.this": {"tags": {"new": "a"}}}}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("- a\n", ":1: an inventory must be a mapping"),
        ("values: {}\nvalue: {}\n", ":2: nothing reads value in an inventory; choose from values, counts, outputs"),
        ("counts:\n", ":1: counts must be a mapping; counts: {} says that there are none"),
        ("values:\n- a\n", ":1: values must be a mapping"),
    ],
)
def test_an_inventory_that_is_none_is_refused_with_its_line(
    plan: Plan, inventory: Path, content: str, sentence: str
) -> None:
    inventory.write_text(content)
    with pytest.raises(BadConfiguration) as compared:
        assert_plan(plan, inventory, refresh=REFRESH)
    with pytest.raises(BadConfiguration) as refreshed:
        refresh_inventory(plan, inventory)
    for caught in (compared, refreshed):
        assert str(caught.value).startswith(f"{inventory}{sentence}")
    assert inventory.read_text() == content


def plan_of_change(*actions: str, **more: Any) -> Plan:
    """Make a plan of one resource."""
    change = {"actions": list(actions), "after": {"name": "a"}, **more}
    return Plan({"resource_changes": [{"address": "aws_a.this", "mode": "managed", "type": "aws_a", "change": change}]})


def test_what_is_deleted_is_neither_counted_nor_taken_for_unplanned(inventory: Path) -> None:
    plan = plan_of_change("delete", after=None)
    inventory.write_text("values:\n  aws_a.this:\n    name: a\ncounts:\n  aws_a: 1\ndeleted: {}\n")
    with pytest.raises(AssertionError) as caught:
        assert_plan(plan, inventory, refresh=REFRESH)
    assert f'{inventory}:2: values > aws_a.this\n    - {{"name": "a"}}\n    + (deleted)' in str(caught.value)
    assert f"{inventory}:5: counts > aws_a\n    - 1\n    + 0" in str(caught.value)
    assert f'{inventory}:6: deleted\n    - {{}}\n    + {{"aws_a": 1}}' in str(caught.value)
    inventory.write_text("counts:\n  aws_a: 0\ndeleted:\n  aws_a: 1\n")
    assert_plan(plan, inventory, refresh=REFRESH)


@pytest.mark.parametrize("actions", [("delete", "create"), ("create", "delete"), ("create", "forget")])
@pytest.mark.parametrize("named", ["counts:\n  aws_a: 1\n", "values:\n  aws_a.this:\n    name: a\n"])
def test_a_replacement_has_to_be_named(inventory: Path, actions: tuple[str, ...], named: str) -> None:
    inventory.write_text(named)
    assert_plan(plan_of_change("create"), inventory, refresh=REFRESH)
    with pytest.raises(AssertionError) as caught:
        assert_plan(plan_of_change(*actions), inventory, refresh=REFRESH)
    assert f"{inventory}:2: replaced > aws_a\n    - (not named)\n    + 1 (aws_a.this)" in str(caught.value)
    refresh_inventory(plan_of_change(*actions), inventory)
    assert inventory.read_text() == f"{named}replaced:\n  aws_a: 1\n"
    assert_plan(plan_of_change(*actions), inventory, refresh=REFRESH)


def test_what_an_interrupted_replacement_left_is_no_resource_of_its_own() -> None:
    kept = {"address": "aws_a.this", "mode": "managed", "type": "aws_a"}
    plan = Plan(
        {
            "resource_changes": [
                {**kept, "change": {"actions": ["no-op"], "after": {"name": "a"}}},
                {**kept, "deposed": "b9f3a1c2", "change": {"actions": ["delete"], "after": None}},
            ]
        }
    )
    assert plan.done == {"aws_a.this": "kept"}
    assert (plan.count("aws_a"), plan.counts(), plan.counts("deleted")) == (1, {"aws_a": 1}, {})


def test_a_deleted_output_is_none() -> None:
    assert Plan({"output_changes": {"a": {"actions": ["delete"], "after": None}}}).outputs == {}


@pytest.mark.parametrize(
    ("value", "unknown", "found"),
    [
        (["a"], [False, True], ["a", UNKNOWN]),
        (["a", "b"], [True], [UNKNOWN, "b"]),
        (None, [True], [UNKNOWN]),
        (None, {"a": True}, {"a": UNKNOWN}),
        (None, {}, None),
        (None, [], None),
        ({"a": [{"b": None}]}, {"a": [{"b": True}], "c": True}, {"a": [{"b": UNKNOWN}], "c": UNKNOWN}),
    ],
)
def test_nothing_that_only_aws_knows_is_lost(value: Any, unknown: Any, found: Any) -> None:
    assert known(value, unknown) == found


def test_what_only_aws_knows_is_marked(plan: Plan, inventory: Path) -> None:
    assert plan.resources["module.events.aws_dynamodb_table.this"]["arn"] == UNKNOWN
    assert plan.outputs == {"table": "events", "arn": UNKNOWN}
    assert yaml.safe_load(inventory.read_text())["values"]["module.events.aws_dynamodb_table.this"]["arn"] == UNKNOWN
