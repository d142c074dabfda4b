"""What roles were given by hand is seen where it is, on the local AWS."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sawhorse.operate.drift import roles
from tests.unit.sawhorse.operate.drift.asking import GRANTS, Resources, asked_of, found, only


@pytest.mark.parametrize("owned", [True, False])
def test_a_policy_written_into_a_role_by_hand_is_named(client: Callable[[str], Any], role: str, *, owned: bool) -> None:
    exclusive = [{"role_name": role, "policy_names": ["grants"]}] if owned else []
    known: Resources = {
        "aws_iam_role": [{"name": role}],
        "aws_iam_role_policy": [{"role": role, "name": "grants"}],
        "aws_iam_role_policies_exclusive": exclusive,
    }
    asked = asked_of(client, known)
    assert found(roles.foreign_policies, asked) == []

    client("iam").put_role_policy(RoleName=role, PolicyName="extra", PolicyDocument=GRANTS)

    finding = only(roles.foreign_policies, asked)
    assert finding.kind == "policy"
    assert finding.sentence == f"the policy extra is written into the role {role}, and no apply wrote it"
    assert ('"sawhorse apply dev/sample --local" takes it away' in finding.fix) is owned
    assert ("aws iam delete-role-policy" in finding.fix) is not owned


def test_a_policy_attached_to_a_role_by_hand_is_named_and_one_that_was_named_is_not(
    client: Callable[[str], Any], role: str
) -> None:
    theirs, ours = "arn:aws:iam::aws:policy/AdministratorAccess", "arn:aws:iam::aws:policy/ReadOnlyAccess"
    known: Resources = {
        "aws_iam_role": [{"name": role}],
        "aws_iam_role_policy": [{"role": role, "name": "grants"}],
        "aws_iam_role_policy_attachments_exclusive": [{"role_name": role, "policy_arns": [ours]}],
    }
    asked = asked_of(client, known)
    client("iam").attach_role_policy(RoleName=role, PolicyArn=ours)
    assert found(roles.foreign_policies, asked) == []

    client("iam").attach_role_policy(RoleName=role, PolicyArn=theirs)

    assert theirs in only(roles.foreign_policies, asked).sentence


def test_whom_our_policy_was_attached_to_by_hand_is_named(client: Callable[[str], Any], role: str, name: str) -> None:
    iam = client("iam")
    arn = iam.create_policy(PolicyName=name, PolicyDocument=GRANTS)["Policy"]["Arn"]
    known: Resources = {
        "aws_iam_policy": [{"arn": arn, "name": name}],
        "aws_iam_role_policy_attachment": [{"role": role, "policy_arn": arn}],
    }
    asked = asked_of(client, known)
    iam.attach_role_policy(RoleName=role, PolicyArn=arn)
    assert found(roles.our_policies_elsewhere, asked) == []

    iam.create_user(UserName=name)
    iam.attach_user_policy(UserName=name, PolicyArn=arn)

    assert f"is attached to the user {name}" in only(roles.our_policies_elsewhere, asked).sentence
