"""Policies hold every statement, none is larger than IAM takes, and no role needs more than it can have."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sawhorse.errors import BadConfiguration
from sawhorse.plans.deployer.boundary import boundary_of
from sawhorse.plans.deployer.packing import MOST_CHARACTERS, MOST_POLICIES, packed, size
from sawhorse.plans.deployer.statements import Statement
from tests.unit.sawhorse.plans.deployer.plans import plan_of

STATEMENTS = st.lists(
    st.builds(
        lambda actions, number, length: Statement(
            tuple(sorted(actions)), tuple(f"arn:{index}:{'x' * length}" for index in range(number))
        ),
        st.sets(st.sampled_from(["s3:GetObject", "s3:PutObject", "iam:GetRole"]), min_size=1),
        st.integers(min_value=1, max_value=60),
        st.integers(min_value=1, max_value=300),
    ),
    max_size=4,
)


def pairs(statements: list[Statement]) -> set[tuple[str, str]]:
    return {(action, arn) for one in statements for action in one.actions for arn in one.resources}


@settings(deadline=None)
@given(STATEMENTS)
def test_packing_loses_nothing_adds_nothing_and_keeps_to_the_quotas(statements: list[Statement]) -> None:
    try:
        policies = packed(statements, root="dev/shop")
    except BadConfiguration:
        assert sum(size([one]) for one in statements) > MOST_CHARACTERS * MOST_POLICIES / 2
        return
    assert pairs([one for policy in policies for one in policy]) == pairs(statements)
    assert all(size(policy) <= MOST_CHARACTERS for policy in policies)


def test_more_policies_than_a_role_has_are_refused() -> None:
    statements = [Statement(("s3:GetObject",), tuple(f"arn:{index}:{'x' * 1000}" for index in range(80)))]
    with pytest.raises(BadConfiguration, match=r"would need .* managed policies, and a role has 10"):
        packed(statements, root="dev/shop")


def test_a_boundary_allows_what_the_roles_are_granted_together() -> None:
    first = '{"Statement": [{"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["arn:a", "arn:b"]}]}'
    second = '{"Statement": [{"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:a"}]}'
    plan = plan_of(("aws_iam_role_policy", {"policy": first}), ("aws_iam_role_policy", {"policy": second}))
    assert pairs(boundary_of(plan, root="dev/shop")) == {
        ("s3:GetObject", "arn:a"),
        ("s3:GetObject", "arn:b"),
        ("s3:PutObject", "arn:a"),
    }


def test_a_policy_that_only_aws_knows_gives_no_boundary() -> None:
    with pytest.raises(BadConfiguration, match="its policy is known only after the apply"):
        boundary_of(plan_of(("aws_iam_role_policy", {"policy": None})), root="dev/shop")


def test_a_lone_statement_is_one() -> None:
    policy = json.dumps({"Statement": {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "arn:aws:sqs:::q"}})

    assert pairs(boundary_of(plan_of(("aws_iam_policy", {"policy": policy})), root="dev/shop")) == {
        ("sqs:SendMessage", "arn:aws:sqs:::q")
    }


@pytest.mark.parametrize(
    "statement",
    [
        {"Effect": "Deny", "Action": "iam:*", "Resource": "*"},
        {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"},
        {"Effect": "Allow", "Action": "s3:GetObject", "NotResource": "arn:aws:s3:::states/*"},
    ],
)
def test_what_does_not_say_what_is_allowed_makes_no_boundary(statement: dict[str, Any]) -> None:
    allowed = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::shop/*"}
    policy = json.dumps({"Statement": [allowed, statement]})

    with pytest.raises(BadConfiguration, match="without Deny, NotAction and NotResource"):
        boundary_of(plan_of(("aws_iam_role_policy", {"policy": policy})), root="dev/shop")


def test_more_than_a_boundary_holds_is_refused() -> None:
    arns = ", ".join(f'"arn:{"x" * 500}{index}"' for index in range(20))
    policy = f'{{"Statement": [{{"Effect": "Allow", "Action": "s3:GetObject", "Resource": [{arns}]}}]}}'
    with pytest.raises(BadConfiguration, match="a boundary has 6144"):
        boundary_of(plan_of(("aws_iam_role_policy", {"policy": policy})), root="dev/shop")
