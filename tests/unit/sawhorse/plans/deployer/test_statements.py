"""Statements allow what the rules of a plan's resources say, on their very names, and nothing else."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sawhorse.errors import BadConfiguration
from sawhorse.plans.deployer.statements import Key, Statement, merged, policy_of
from sawhorse.plans.deployer.table import Rule, table
from sawhorse.plans.plan import Plan
from tests.unit.sawhorse.plans.deployer.plans import PLACE, plan_of

TABLE_ARN = "arn:aws:dynamodb:eu-west-1:111111111111:table/"
TRUST = json.dumps(
    {"Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
)
NAMES = st.from_regex(r"[A-Za-z0-9_.-]{3,20}", fullmatch=True)


def resources_of(statements: tuple[Statement, ...], action: str) -> set[str]:
    return {arn for statement in statements if action in statement.actions for arn in statement.resources}


@given(st.lists(NAMES, min_size=1, max_size=5, unique=True))
def test_an_action_stands_beside_the_names_of_the_plan_alone(names: list[str]) -> None:
    plan = plan_of(*(("aws_dynamodb_table", {"name": name}) for name in names))
    found = policy_of(plan, PLACE, table())
    assert resources_of(found.all, "dynamodb:CreateTable") == {f"{TABLE_ARN}{name}" for name in names}
    assert resources_of(found.read, "dynamodb:DescribeTable") == {f"{TABLE_ARN}{name}" for name in names}
    assert resources_of(found.read, "dynamodb:CreateTable") == set()


def test_what_a_plan_deletes_may_be_deleted() -> None:
    found = policy_of(plan_of(deleted=(("aws_dynamodb_table", {"name": "old"}),)), PLACE, table())
    assert resources_of(found.all, "dynamodb:DeleteTable") == {f"{TABLE_ARN}old"}


def test_the_state_of_this_root_alone_may_be_written() -> None:
    found = policy_of(plan_of(), PLACE, table())
    states = "arn:aws:s3:::states/dev/shop"
    assert resources_of(found.all, "s3:PutObject") == {
        f"{states}.tfstate",
        f"{states}.tfstate.tflock",
        f"{states}.releases.json",
    }
    # A reader that takes the lock away lets two applies in.
    assert not resources_of(found.read, "s3:PutObject") | resources_of(found.read, "s3:DeleteObject")
    assert resources_of(found.all, "s3:DeleteObject") == {f"{states}.tfstate.tflock"}


def test_a_role_is_made_with_the_boundary_alone_and_passed_to_whom_it_trusts_alone() -> None:
    found = policy_of(plan_of(("aws_iam_role", {"name": "shop", "assume_role_policy": TRUST})), PLACE, table())
    [made] = [one for one in found.all if "iam:CreateRole" in one.actions]
    [passed] = [one for one in found.all if "iam:PassRole" in one.actions]
    assert json.loads(made.condition) == {"StringEquals": {"iam:PermissionsBoundary": PLACE.boundary}}
    assert json.loads(passed.condition) == {"StringEquals": {"iam:PassedToService": ["lambda.amazonaws.com"]}}
    assert made.resources == passed.resources == ("arn:aws:iam::111111111111:role/shop",)


def test_a_role_that_no_service_takes_is_passed_to_none() -> None:
    trust = json.dumps({"Statement": [{"Principal": {"AWS": "111111111111"}}]})
    found = policy_of(plan_of(("aws_iam_role", {"name": "shop", "assume_role_policy": trust})), PLACE, table())
    assert "iam:PassRole" not in found.actions


POLICY = "arn:aws:iam::111111111111:policy/shop"
BOUNDED = {"StringEquals": {"iam:PermissionsBoundary": PLACE.boundary}}


def conditions_of(action: str, *resources: tuple[str, dict[str, Any]]) -> list[Any]:
    made = (("aws_iam_policy", {"name": "shop"}), ("aws_iam_role", {"name": "shop", "assume_role_policy": TRUST}))
    found = policy_of(plan_of(*made, *resources), PLACE, table())
    return [json.loads(one.condition) for one in found.all if action in one.actions]


@pytest.mark.parametrize("arn", [POLICY, None])
def test_the_roots_own_policies_are_attached_to_its_role_behind_the_boundary_alone(arn: str | None) -> None:
    """Whether or not the plan knows their ARNs already."""
    attached = ("aws_iam_role_policy_attachment", {"role": "shop", "policy_arn": arn})
    listed = ("aws_iam_role_policy_attachments_exclusive", {"role_name": "shop", "policy_arns": [arn] if arn else None})
    condition = {**BOUNDED, "ArnEquals": {"iam:PolicyARN": [POLICY]}}
    for resources in ([attached], [listed], [attached, listed]):
        assert conditions_of("iam:AttachRolePolicy", *resources) == [condition]
        assert conditions_of("iam:DetachRolePolicy", *resources) == [BOUNDED]


def test_the_roots_own_policies_alone_are_attached_to_another_teams_role() -> None:
    attached = ("aws_iam_role_policy_attachment", {"role": "theirs", "policy_arn": POLICY})
    for action in ("iam:AttachRolePolicy", "iam:DetachRolePolicy"):
        assert conditions_of(action, attached) == [{"ArnEquals": {"iam:PolicyARN": [POLICY]}}]


def test_nothing_is_attached_to_a_role_that_is_to_have_nothing() -> None:
    listed = ("aws_iam_role_policy_attachments_exclusive", {"role_name": "shop", "policy_arns": []})
    assert conditions_of("iam:AttachRolePolicy", listed) == []
    assert conditions_of("iam:DetachRolePolicy", listed) == [BOUNDED]


def test_a_kind_that_nobody_knows_is_refused_with_where_to_add_it() -> None:
    plan = plan_of(("aws_quantum_computer", {"name": "q"}), read=("aws_quantum_computers",))
    with pytest.raises(BadConfiguration, match=r"aws_quantum_computer, data aws_quantum_computers.*kinds\.yaml"):
        policy_of(plan, PLACE, table())


def test_a_name_that_only_aws_knows_is_refused() -> None:
    with pytest.raises(BadConfiguration, match=r"aws_dynamodb_table\.create0: its name is known only after the apply"):
        policy_of(plan_of(("aws_dynamodb_table", {"name": None})), PLACE, table())


def test_a_name_with_a_wildcard_of_iam_is_refused() -> None:
    with pytest.raises(BadConfiguration, match=r"table/\*, and nobody said why"):
        policy_of(plan_of(("aws_dynamodb_table", {"name": "*"})), PLACE, table())


def test_an_operation_is_allowed_on_what_its_patterns_fit_alone() -> None:
    rules = [
        Rule.model_validate({"resource": "arn:{name}", "where": {"name": pattern}, "write": [action]})
        for pattern, action in (("*-keys", "dynamodb:GetItem"), ("!*-keys", "dynamodb:Query"))
    ]
    plan = plan_of(*(("aws_dynamodb_table", {"name": name}) for name in ("shop-keys", "shop-orders")))
    found = policy_of(plan, PLACE, table(), {"aws_dynamodb_table": rules})
    assert resources_of(found.all, "dynamodb:GetItem") == {"arn:shop-keys"}
    assert resources_of(found.all, "dynamodb:Query") == {"arn:shop-orders"}


@pytest.mark.parametrize(
    ("outputs", "searched"),
    [
        ({"log_group": {"after": "/aws/lambda/shop"}}, {"/aws/lambda/shop"}),
        # Terraform leaves null out.
        ({}, set()),
    ],
)
def test_smoke_searches_the_log_that_the_root_names_alone(outputs: dict[str, Any], searched: set[str]) -> None:
    plan = plan_of(*(("aws_cloudwatch_log_group", {"name": f"/aws/lambda/shop{end}"}) for end in ("", "-worker")))
    found = policy_of(Plan({**plan.raw, "output_changes": outputs}), PLACE, table())
    start = "arn:aws:logs:eu-west-1:111111111111:log-group:"
    assert resources_of(found.all, "logs:FilterLogEvents") == {f"{start}{name}:*" for name in searched}


@pytest.mark.parametrize(("read", "listed"), [(["aws_dynamodb_tables"], {"*"}), ([], set())])
def test_a_data_source_of_which_there_is_none_asks_for_nothing(read: list[str], listed: set[str]) -> None:
    plan = plan_of(read=("aws_dynamodb_tables",))
    resources = [{"mode": "data", "type": kind} for kind in read]
    module = {"child_modules": [{"resources": resources}]}
    told = Plan({**plan.raw, "prior_state": {"values": {"root_module": module}}})
    assert resources_of(policy_of(told, PLACE, table()).read, "dynamodb:ListTables") == listed


def test_every_wildcard_has_its_reason() -> None:
    plan = plan_of(
        ("aws_api_gateway_rest_api", {"name": "shop"}),
        ("aws_cloudwatch_log_group", {"name": "/aws/lambda/shop"}),
        ("aws_lambda_function", {"function_name": "shop"}),
    )
    found = policy_of(plan, PLACE, table())
    ending = {arn for statement in found.all for arn in statement.resources if "*" in arn}
    assert ending
    assert ending == found.wildcards.keys()


RESOURCES = st.sampled_from(["a", "b", "a:*", "c", "c/*", "c/d", "*"])
FOUND = st.lists(
    st.tuples(RESOURCES, st.sampled_from(["", '{"Bool": {}}']), st.sets(st.sampled_from("wxyz"), min_size=1)),
    max_size=12,
)


@given(FOUND)
def test_merging_allows_all_that_was_found_and_nothing_else(found: list[tuple[str, str, set[str]]]) -> None:
    keys: list[tuple[Key, set[str]]] = [((arn, condition, None), actions) for arn, condition, actions in found]
    statements = merged(keys)
    for arn, condition, actions in found:
        for action in actions:
            assert any(
                action in one.actions
                and one.condition == condition
                and any(fnmatchcase(arn, own) for own in one.resources)
                for one in statements
            )
    given_pairs = {(arn, condition, action) for arn, condition, actions in found for action in actions}
    for one in statements:
        pairs = {(arn, one.condition, action) for arn in one.resources for action in one.actions}
        assert pairs <= given_pairs
