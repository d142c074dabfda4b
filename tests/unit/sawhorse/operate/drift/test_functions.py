"""What functions were given by hand is seen where it is, on the local AWS."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sawhorse.operate.drift import functions
from tests.unit.sawhorse.operate.drift.asking import asked_of, found, known_function, only
from tests.unit.sawhorse.support import PLACE


def add_permission(client: Any, function: str) -> None:
    client.add_permission(FunctionName=function, StatementId="extra", Action="lambda:InvokeFunction", Principal="*")


def add_permission_on_live(client: Any, function: str) -> None:
    words = {"StatementId": "extra", "Action": "lambda:InvokeFunction", "Principal": "*"}
    client.add_permission(FunctionName=function, Qualifier="live", **words)


def add_url(client: Any, function: str) -> None:
    client.create_function_url_config(FunctionName=function, AuthType="NONE")


def add_alias(client: Any, function: str) -> None:
    client.create_alias(FunctionName=function, Name="other", FunctionVersion="1")


def add_settings(client: Any, function: str) -> None:
    client.put_function_event_invoke_config(FunctionName=function, Qualifier="live", MaximumRetryAttempts=0)


def add_workers(client: Any, function: str) -> None:
    client.put_provisioned_concurrency_config(FunctionName=function, Qualifier="1", ProvisionedConcurrentExecutions=2)


@pytest.mark.parametrize(
    ("change", "kind", "sentence"),
    [
        (add_permission, "permission", '"*" may lambda:InvokeFunction NAME by extra, which no apply added'),
        (
            add_permission_on_live,
            "permission",
            '"*" may lambda:InvokeFunction NAME:live by extra, which no apply added',
        ),
        (add_url, "url", "NAME has a function URL (NONE) which no apply made: https://"),
        (add_alias, "alias", "NAME has an alias other of version 1, which no apply made"),
        (add_settings, "asynchronous calls", "NAME:live has settings of asynchronous calls which no apply made"),
        (add_workers, "provisioned concurrency", "NAME:1 keeps 2 workers warm, which no apply asked for"),
    ],
)
def test_what_a_function_was_given_by_hand_is_named(
    client: Callable[[str], Any], function: str, change: Callable[[Any, str], None], kind: str, sentence: str
) -> None:
    asked = asked_of(client, known_function(function))
    assert found(functions.foreign_of_functions, asked) == []

    change(client("lambda"), function)

    finding = only(functions.foreign_of_functions, asked)
    assert finding.kind == kind
    assert finding.sentence.startswith(sentence.replace("NAME", function))


def test_what_an_apply_gave_a_function_is_not_named(client: Callable[[str], Any], function: str) -> None:
    for change in (add_permission_on_live, add_url, add_alias, add_settings, add_workers):
        change(client("lambda"), function)
    alias = {"function_name": function, "name": "live", "function_version": "1"}
    known = known_function(
        function,
        aws_lambda_permission=[{"function_name": function, "qualifier": "live", "statement_id": "extra"}],
        aws_lambda_function_url=[{"function_name": function, "qualifier": ""}],
        aws_lambda_function_event_invoke_config=[{"function_name": function, "qualifier": "live"}],
        aws_lambda_provisioned_concurrency_config=[{"function_name": function, "qualifier": "1"}],
    )
    aliases = [alias, {**alias, "name": "other"}]
    assert found(functions.foreign_of_functions, asked_of(client, {**known, "aws_lambda_alias": aliases})) == []


def test_an_event_source_that_no_apply_asked_for_is_named(client: Callable[[str], Any], function: str) -> None:
    asked = asked_of(client, known_function(function))
    client("sqs").create_queue(QueueName=function)
    mapping = client("lambda").create_event_source_mapping(
        EventSourceArn=f"arn:aws:sqs:{PLACE}:{function}", FunctionName=f"{function}:live"
    )

    finding = only(functions.foreign_of_functions, asked)
    assert finding.kind == "event source"
    assert mapping["UUID"] in finding.fix

    known = known_function(function, aws_lambda_event_source_mapping=[{"uuid": mapping["UUID"]}])
    assert found(functions.foreign_of_functions, asked_of(client, known)) == []


def test_a_function_that_is_gone_is_left_to_the_plan(client: Callable[[str], Any], name: str) -> None:
    assert found(functions.foreign_of_functions, asked_of(client, known_function(name))) == []
