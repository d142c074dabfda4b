"""Nothing that a root or an example plans lets in whom nobody named, and the check says so of everything that would."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sawhorse.environment import read_environment
from sawhorse.plans.permissions import exposures, policies_looked_at
from sawhorse.plans.plan import Plan
from sawhorse.project import Project
from tests.projects import REPOSITORY, every_root

pytestmark = pytest.mark.whole_plans

ROOTS = every_root()
STRANGER = "999999999999"


def account_of(root: str) -> str:
    return read_environment(Project(REPOSITORY), root.partition("/")[0]).account_id


def changed(plan: Plan, address: str, **values: Any) -> Plan:
    """Return the plan with other values of one resource."""
    raw = {**plan.raw, "resource_changes": copy.deepcopy(plan.raw["resource_changes"])}
    for change in raw["resource_changes"]:
        if change["address"] == address:
            change["change"]["after"] |= values
            for name in values:
                change["change"].get("after_unknown", {}).pop(name, None)
    return Plan(raw)


def spoilt_statements(statement: dict[str, Any], account: str) -> Iterator[dict[str, Any]]:
    """Walk what would make a statement let in others; one that denies would have to allow first."""
    if statement["Effect"] == "Deny":
        yield {**statement, "Effect": "Allow"}
        yield {**statement, "Effect": "Allow", "Condition": {}}
        return
    yield {name: value for name, value in statement.items() if name != "Condition"}
    yield {name: value for name, value in statement.items() if name != "Principal"}
    for principal in ("*", {"AWS": "*"}, {"AWS": STRANGER}, {"AWS": f"arn:aws:iam::{STRANGER}:root"}, {}):
        yield {**statement, "Principal": principal}
    condition = json.dumps(statement.get("Condition", {}))
    yield {**statement, "Condition": json.loads(condition.replace(account, STRANGER))}
    yield {**statement, "Condition": json.loads(condition.replace(account, "*"))}
    yield {**statement, "Condition": json.loads(condition.replace("Equals", "EqualsIfExists"))}
    yield {**statement, "Condition": json.loads(condition.replace("Equals", "NotEquals"))}
    yield {**statement, "Condition": {f"ForAllValues:{key}": value for key, value in statement["Condition"].items()}}


def spoilt(plan: Plan, address: str, account: str) -> Iterator[Plan]:
    """Walk the plan with one thing changed that lets in others."""
    values = plan.resources[address]
    if plan.types[address] == "aws_lambda_permission":
        yield changed(plan, address, principal="*")
        yield changed(plan, address, principal=STRANGER, source_arn=None)
        yield changed(plan, address, source_arn=None)
        yield changed(plan, address, source_account=STRANGER)
        yield changed(plan, address, source_arn=f"arn:aws:sns:us-east-1:{STRANGER}:topic")
        yield changed(plan, address, source_arn="arn:aws:s3:::bucket", source_account=None)
        return
    for name in ("policy", "assume_role_policy"):
        if isinstance(values.get(name), str) and '"Statement"' in values[name]:
            document = json.loads(values[name])
            for number, statement in enumerate(document["Statement"]):
                for other in spoilt_statements(statement, account):
                    statements = [*document["Statement"][:number], other, *document["Statement"][number + 1 :]]
                    yield changed(plan, address, **{name: json.dumps({**document, "Statement": statements})})


@pytest.mark.parametrize("root", ROOTS)
def test_a_root_lets_in_services_of_its_own_account_alone(root: str, root_plan: Callable[[str], Plan]) -> None:
    looked_at = policies_looked_at(root_plan(root))
    assert {root_plan(root).types[address] for address in looked_at} >= {"aws_lambda_permission", "aws_iam_role"}
    assert exposures(root_plan(root), {account_of(root)}) == []


@pytest.mark.parametrize("root", [root for root in ROOTS if root.startswith("dev/")])
def test_whatever_would_let_in_others_is_found_in_a_root(root: str, root_plan: Callable[[str], Plan]) -> None:
    plan = root_plan(root)
    tried = 0
    for address in policies_looked_at(plan):
        for other in spoilt(plan, address, account_of(root)):
            tried += 1
            assert address in {exposure.address for exposure in exposures(other, {account_of(root)})}, other.resources[
                address
            ]
    assert tried >= 2 * len(policies_looked_at(plan))


@pytest.mark.parametrize("root", [root for root in ROOTS if root.startswith("dev/")])
def test_a_root_lets_in_nobody_of_another_account(root: str, root_plan: Callable[[str], Plan]) -> None:
    """Every address that is checked depends on the account, so that no policy is passed over."""
    plan = root_plan(root)
    denying = {
        address
        for address in policies_looked_at(plan)
        if '"Deny"' in str(plan.resources[address].get("policy")) or plan.types[address] == "aws_lambda_permission"
    }
    found = {exposure.address for exposure in exposures(plan, {STRANGER})}
    assert found == set(policies_looked_at(plan)) - denying


def test_the_examples_of_the_modules_let_in_the_accounts_that_they_name_alone(examples_plan: Plan) -> None:
    assert policies_looked_at(examples_plan)
    # Another account is named by an example that shows how.
    assert exposures(examples_plan, {account_of("dev"), "222222222222"}) == []
    assert exposures(examples_plan, {account_of("dev")}) != []
