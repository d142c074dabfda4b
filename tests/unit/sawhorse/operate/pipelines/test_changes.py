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
    assert found.allowed == ("Allow a:Three",)
    assert found.taken_away == ("Allow a:One",)


def test_losses_come_first() -> None:
    found = planned_changes([raw(["create"]), raw(["delete", "create"]), raw(["delete"])])
    assert [one.action for one in found] == ["destroy", "replace", "create"]
