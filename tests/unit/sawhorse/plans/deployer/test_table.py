"""The table of kinds knows all that modules make, and gives a reason for all that stands out."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from sawhorse.plans.deployer.table import Rule, table
from tests.projects import REPOSITORY

RESOURCE = re.compile(r'^(resource|data) "(\w+)"', re.MULTILINE)


def made_by_modules(block: str) -> set[str]:
    files = [*(REPOSITORY / "modules").rglob("*.tf"), *(REPOSITORY / "environments").rglob("*.tf")]
    found = [match for file in files for match in RESOURCE.findall(Path(file).read_text())]
    return {kind for kind_of_block, kind in found if kind_of_block == block}


def test_every_kind_that_modules_make_is_known() -> None:
    known = {*table().kinds, *table().administrators}
    assert made_by_modules("resource") - known == set(), "Add it to plans/deployer/kinds.yaml, under kinds."


def test_every_kind_that_modules_read_is_known() -> None:
    assert made_by_modules("data") - table().data.keys() == set(), "Add it to plans/deployer/kinds.yaml, under data."


def test_what_administrators_make_no_deployer_makes() -> None:
    assert set(table().administrators).isdisjoint(table().kinds)


def test_a_wildcard_of_the_table_has_a_reason() -> None:
    rules = [rule for rule in table().rules if any("*" in arn for arn in rule.resource)]
    assert rules
    assert {rule.wildcard for rule in rules} <= table().wildcards.keys()


def test_no_reason_is_left_over() -> None:
    actions = {action for rule in table().rules for action in (*rule.read, *rule.write)}
    used = {rule.wildcard for rule in table().rules}
    assert table().wildcards.keys() - used == set()
    idle = [pattern for pattern in table().unproven if not any(fnmatchcase(action, pattern) for action in actions)]
    assert idle == []


def test_what_is_unproven_is_told_by_action() -> None:
    told = (REPOSITORY / "docs/deployers.md").read_text().partition("## What only AWS can show")[2]
    assert set(re.findall(r"`([a-z0-9-]+:[A-Za-z*]+)`", told)) == table().unproven.keys()


def test_no_action_is_a_wildcard_and_none_stands_twice_in_a_rule() -> None:
    for rule in table().rules:
        actions = [*rule.read, *rule.write]
        assert not any("*" in action for action in actions)
        assert len(set(actions)) == len(actions)


def test_nobody_who_deploys_may_take_a_boundary_off_or_make_a_user() -> None:
    actions = {action for rule in table().rules for action in (*rule.read, *rule.write)}
    assert actions.isdisjoint(
        {"iam:CreateUser", "iam:DeleteRolePermissionsBoundary", "iam:CreateAccessKey", "s3:DeleteBucket"}
    )


@pytest.mark.parametrize(
    "action", ["iam:CreateRole", "iam:PutRolePolicy", "iam:PutRolePermissionsBoundary", "iam:DeleteRolePolicy"]
)
def test_what_makes_a_role_stronger_is_bound_to_the_boundary(action: str) -> None:
    rules = [rule for rule in table().rules if action in rule.write]
    assert rules
    assert all(rule.condition["StringEquals"]["iam:PermissionsBoundary"] == "{boundary}" for rule in rules)


def test_a_rule_without_an_action_is_refused() -> None:
    with pytest.raises(ValueError, match="Value error"):
        Rule.model_validate({"resource": "arn:aws:s3:::bucket"})


# Lambda's GetFunction gives an address to download from; API Gateway names its actions by HTTP's methods.
READS = re.compile(r"[a-z0-9-]+:(Get|List|Describe|BatchGet|GET$)\w*")


def test_whoever_only_reads_changes_nothing() -> None:
    changing = {action for rule in table().rules for action in rule.read if not READS.fullmatch(action)}
    assert changing == set()
