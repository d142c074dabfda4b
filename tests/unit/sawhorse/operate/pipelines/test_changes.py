"""What a plan would do, read from what Terraform says of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sawhorse.errors import CouldNotAsk
from sawhorse.operate.pipelines.changes import planned_changes


def raw(actions: list[str], before: Any = None, after: Any = None, **others: Any) -> dict[str, Any]:
    kind = others.pop("type", "aws_sqs_queue")
    change = {"actions": actions, "before": before, "after": after, **others}
    return {"address": f"{kind}.this", "type": kind, "change": change}


@pytest.mark.parametrize(
    ("actions", "action"),
    [
        (["create"], "create"),
        (["update"], "update"),
        (["delete"], "destroy"),
        (["delete", "create"], "replace"),
        (["create", "delete"], "replace"),
        (["forget"], "forget"),
    ],
)
def test_each_action_of_terraform_has_a_word(actions: list[str], action: str) -> None:
    (found,) = planned_changes([raw(actions)])
    assert found.action == action


def test_what_changes_nothing_is_left_out_but_an_import() -> None:
    found = planned_changes([raw(["no-op"]), raw(["read"]), raw(["no-op"], importing={"id": "a"})])
    assert [one.action for one in found] == ["import"]


def test_an_action_that_nobody_knows_is_an_error_and_no_silence() -> None:
    with pytest.raises(CouldNotAsk, match=r"would do rewrite to aws_sqs_queue\.this"):
        planned_changes([raw(["rewrite"])])


def test_a_replacement_names_what_forces_it_and_what_else_differs() -> None:
    (found,) = planned_changes(
        [
            raw(
                ["delete", "create"],
                {"hash_key": "a", "name": "b", "arn": "c", "same": 1},
                {"hash_key": "x", "name": "b", "same": 1},
                replace_paths=[["hash_key"], ["attribute", 0]],
                after_unknown={"arn": True, "id": True},
            )
        ]
    )
    assert found.forced_by == ("hash_key", "attribute")
    assert found.arguments == ("arn", "hash_key")


def test_policies_say_what_they_allow_besides_and_no_longer() -> None:
    def policy(*actions: str) -> str:
        return json.dumps({"Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": "*"}]})

    (found,) = planned_changes(
        [raw(["update"], {"policy": policy("a:One", "a:Two")}, {"policy": policy("a:Two", "a:Three")})]
    )
    assert found.allowed == ("Allow a:Three, a:Two on *",)
    assert found.taken_away == ("Allow a:One, a:Two on *",)


def test_losses_come_first() -> None:
    found = planned_changes([raw(["create"]), raw(["delete", "create"]), raw(["delete"])])
    assert [one.action for one in found] == ["destroy", "replace", "create"]


TRUST = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}


def policies(before: Any, after: Any) -> tuple[tuple[str, ...], tuple[str, ...]]:
    written = [{"assume_role_policy": json.dumps({"Statement": one})} for one in (before, after)]
    (found,) = planned_changes([raw(["update"], *written)])
    return found.allowed, found.taken_away


@pytest.mark.parametrize(
    ("part", "value", "shown"),
    [
        ("Principal", "*", "to *"),
        ("Principal", {"AWS": ["arn:aws:iam::444444444444:root"]}, "to AWS arn:aws:iam::444444444444:root"),
        ("NotPrincipal", {"AWS": "a"}, "to all but AWS a"),
        ("Resource", ["b", "a"], "on a, b"),
        ("NotResource", "a", "on all but a"),
        ("NotAction", "a:B", "all but a:B"),
        ("Condition", {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}, "if StringEquals aws:PrincipalOrgID"),
        ("Effect", "Deny", "Deny sts:AssumeRole"),
    ],
)
def test_every_part_of_a_statement_that_changes_is_shown(part: str, value: Any, shown: str) -> None:
    allowed, taken_away = policies(TRUST, {**TRUST, part: value})
    assert len(allowed) == len(taken_away) == 1
    assert shown in allowed[0]
    back, _ = policies({**TRUST, part: value}, TRUST)
    assert back == taken_away


def test_a_condition_that_is_only_another_value_is_a_change_as_well() -> None:
    one, other = ({**TRUST, "Condition": {"StringEquals": {"aws:SourceAccount": value}}} for value in "12")
    assert len(policies(one, other)[0]) == 1


def test_the_order_of_words_and_the_name_of_a_statement_are_no_change() -> None:
    one = {"Sid": "a", "Effect": "Allow", "Action": ["a:B", "a:C"], "Resource": ["d"]}
    other = {"Sid": "b", "Effect": "Allow", "Action": ["a:C", "a:B"], "Resource": "d"}
    assert policies([one, TRUST], [TRUST, other]) == ((), ())


def test_what_is_open_to_everybody_comes_first_and_then_what_is_to_others() -> None:
    foreign = {**TRUST, "Principal": {"AWS": "444444444444"}}
    everybody = {**TRUST, "Principal": {"AWS": "*"}}
    denied = {**everybody, "Effect": "Deny"}
    allowed, _ = policies([], [denied, TRUST, foreign, everybody])
    assert [one.partition(" to ")[2] for one in allowed] == [
        "AWS *", "AWS 444444444444", "Service lambda.amazonaws.com", "AWS *",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "kind",
    [
        "iam_role", "iam_role_policy_attachment", "api_gateway_rest_api_policy", "ecr_repository_policy", "kms_grant",
        "secretsmanager_secret_policy", "lambda_function_url", "lambda_permission", "lambda_layer_version_permission",
        "s3_bucket_policy", "s3_bucket_acl", "sqs_queue_policy", "sns_topic_policy", "dynamodb_resource_policy",
        "cloudwatch_event_permission", "ses_identity_policy", "opensearch_domain_policy", "kms_key_policy",
        "cloudwatch_log_resource_policy", "glue_resource_policy", "backup_vault_policy", "efs_file_system_policy",
        "s3_bucket_public_access_block", "lakeformation_permissions", "ecr_registry_policy", "vpc_endpoint_policy",
    ],
)  # fmt: skip
def test_whatever_says_for_whom_something_is_open_is_iam(kind: str) -> None:
    (found,) = planned_changes([raw(["create"], type=f"aws_{kind}")])
    assert found.is_iam


@pytest.mark.parametrize(
    "kind",
    ["sqs_queue", "ecr_lifecycle_policy", "appautoscaling_policy", "autoscaling_policy", "cloudfront_cache_policy"],
)
def test_what_only_says_how_long_or_how_much_is_no_iam(kind: str) -> None:
    (found,) = planned_changes([raw(["create"], type=f"aws_{kind}")])
    assert not found.is_iam
