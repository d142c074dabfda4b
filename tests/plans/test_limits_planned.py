"""What AWS just takes is planned, and what it just refuses is not: at both ends of each limit, and beyond them."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from sawhorse.plans.cases import Refusal, plan_refusals, read_bases
from sawhorse.toolchain.limits_check import read_record
from tests.planning import Planning

pytestmark = pytest.mark.whole_plans

BASES = read_bases(Path(__file__).parent / "refusals.yaml")
# Of these a limit is that of Lambda's own capacity, below what the models say, or part of a name.
LAMBDA = {"range": "128 to 10240"}
STORAGE = {"range": "512 to 10240"}
TIMEOUT = {"range": "1 to 900"}
# The hash of the content stands behind it.
DESCRIBED = {"length": "0 to 200"}
ISSUER = "https://example.com/"
READER = {"actions": ["dynamodb:GetItem"], "resources": ["arn:aws:dynamodb:us-east-1:111111111111:table/t"]}
SOURCE = {
    "arn": "arn:aws:sqs:us-east-1:111111111111:q",
    "visibility_timeout_seconds": 43200,
    "grant": {"actions": ["sqs:ReceiveMessage"], "resources": ["arn:aws:sqs:us-east-1:111111111111:q"]},
}


def queue(**options: Any) -> dict[str, Any]:
    return {"queues": {"jobs": {"source": SOURCE, **options}}}


def index(**options: Any) -> dict[str, Any]:
    return {"global_secondary_indexes": {"by-owner": {"hash_key": "owner", **options}}}


def topics(number: int) -> dict[str, Any]:
    return {"alarm_topics": [f"arn:aws:sns:us-east-1:111111111111:t{one}" for one in range(number)]}


def url(**options: Any) -> dict[str, Any]:
    return {"url": {"cors": {"allow_origins": ["*"], **options}}}


# By module and argument the part of what is recorded, or a limit of the documentation's, and what a value goes into: a
# text of a length, a number, or a number of items.
Value = Callable[[Any], Mapping[str, Any]]
BOUNDS: dict[tuple[str, str], tuple[str | Mapping[str, str], Value]] = {
    ("dynamodb_table", "aws_cloudwatch_metric_alarm.alarm_actions"): ("items", topics),
    ("dynamodb_table", "aws_dynamodb_table.hash_key"): ("length", lambda text: {"hash_key": text}),
    ("dynamodb_table", "aws_dynamodb_table.range_key"): ("length", lambda text: {"range_key": text}),
    ("dynamodb_table", "aws_dynamodb_table.ttl.attribute_name"): ("length", lambda text: {"ttl_attribute_name": text}),
    ("dynamodb_table", "aws_dynamodb_table.global_secondary_index.range_key"): (
        *("length", lambda text: index(range_key=text)),
    ),
    ("dynamodb_table", "aws_dynamodb_table.global_secondary_index.non_key_attributes"): (
        *({"items": "0 to 20"}, lambda number: index(non_key_attributes=[f"a{one}" for one in range(number)])),
    ),
    ("http_api", "aws_apigatewayv2_api.description"): ("length", lambda text: {"description": text}),
    ("http_api", "aws_apigatewayv2_api.name"): ("length", lambda text: {"name": text}),
    ("http_api", "aws_apigatewayv2_authorizer.jwt_configuration.issuer"): (
        {"length": f"0 to {2048 - len(ISSUER)}"},
        lambda text: {"jwt": {"issuer": f"{ISSUER}{text}", "audience": ["a"]}},
    ),
    ("http_api", "aws_apigatewayv2_route.authorization_scopes"): (
        "item length",
        lambda text: {
            "jwt": {"issuer": ISSUER, "audience": ["a"]},
            "routes": {"GET /a": {"authorization_scopes": [text]}},
        },
    ),
    ("http_api", "aws_apigatewayv2_integration.timeout_milliseconds"): (
        {"range": "1 to 30"},
        lambda number: {"timeout": number},
    ),
    ("iam_policy", "aws_iam_policy.description"): (
        *("length", lambda text: {"grants": [READER], "description": text}),
    ),
    ("iam_policy", "aws_iam_policy.name"): ("length", lambda text: {"grants": [READER], "name": text}),
    ("lambda_function", "aws_iam_role.name"): ("length", lambda text: {"role_name": text}),
    ("lambda_function", "aws_lambda_event_source_mapping.batch_size"): (
        "range",
        lambda number: queue(batch_size=number, maximum_batching_window_in_seconds=1),
    ),
    ("lambda_function", "aws_lambda_event_source_mapping.maximum_batching_window_in_seconds"): (
        "range",
        lambda number: queue(maximum_batching_window_in_seconds=number),
    ),
    ("lambda_function", "aws_lambda_event_source_mapping.scaling_config.maximum_concurrency"): (
        "range",
        lambda number: queue(maximum_concurrency=number),
    ),
    ("lambda_function", "aws_lambda_function.description"): (DESCRIBED, lambda text: {"description": text}),
    ("lambda_function", "aws_lambda_function.ephemeral_storage.size"): (
        *(STORAGE, lambda number: {"ephemeral_storage_size": number}),
    ),
    ("lambda_function", "aws_lambda_function.handler"): (
        {"length": "1 to 128"},
        lambda text: {"package": {**BASES["lambda_function"]["package"], "handler": text}},
    ),
    ("lambda_function", "aws_lambda_function.memory_size"): (LAMBDA, lambda number: {"memory_size": number}),
    ("lambda_function", "aws_lambda_function.timeout"): (TIMEOUT, lambda number: {"timeout": number}),
    ("lambda_function", "aws_lambda_function.environment.variables"): (
        # Without the JSON around it.
        {"length": "0 to 4085"},
        lambda text: {"environment": {"NOTE": text}},
    ),
    ("lambda_function", "aws_lambda_function_event_invoke_config.maximum_event_age_in_seconds"): (
        "range",
        lambda number: {"async": {"maximum_event_age_in_seconds": number}},
    ),
    ("lambda_function", "aws_lambda_function_event_invoke_config.maximum_retry_attempts"): (
        "range",
        lambda number: {"async": {"maximum_retry_attempts": number}},
    ),
    ("lambda_function", "aws_lambda_function_url.cors.allow_headers"): (
        *("item length", lambda text: url(allow_headers=[text])),
    ),
    ("lambda_function", "aws_lambda_function_url.cors.allow_origins"): (
        *("item length", lambda text: url(allow_origins=[text])),
    ),
    ("lambda_function", "aws_lambda_function_url.cors.expose_headers"): (
        *("items", lambda number: url(expose_headers=[f"X-{one}" for one in range(number)])),
    ),
    ("lambda_function", "aws_lambda_function_url.cors.max_age"): ("range", lambda number: url(max_age=number)),
    ("lambda_function", "aws_lambda_permission.statement_id"): (
        "length",
        lambda text: {"triggers": {text: {"principal": "222222222222"}}},
    ),
    ("lambda_layer", "aws_lambda_layer_version.description"): ("length", lambda text: {"description": text}),
    ("sqs_queue", "aws_cloudwatch_metric_alarm.ok_actions"): ("items", topics),
    ("sqs_queue", "aws_sqs_queue.visibility_timeout_seconds"): (
        *({"range": "0 to 43200"}, lambda number: {"visibility_timeout_seconds": number}),
    ),
    ("sqs_queue", "aws_sqs_queue_redrive_policy.redrive_policy"): (
        *({"range": "1 to 1000"}, lambda number: {"max_receive_count": number}),
    ),
    ("ssm_parameters", "aws_ssm_parameter.description"): (
        "length",
        lambda text: {"parameters": {"/shop/a": {"value": "a", "description": text}}},
    ),
    ("ssm_parameters", "aws_ssm_parameter.insecure_value"): (
        {"length": "1 to 4096"},
        lambda text: {"switches": {"/shop/a": {"initial": text, "description": "Plain."}}},
    ),
    ("ssm_parameters", "aws_ssm_parameter.value_wo"): (
        {"length": "1 to 4096"},
        lambda text: {"secrets": {"/shop/a": {"description": "Hidden."}}, "secret_values": {"/shop/a": text}},
    ),
}


def bounds(address: str, said: str | Mapping[str, str]) -> tuple[bool, int, int | None]:
    """Return whether a limit is that of a text's length, and what it goes from and to."""
    [(part, text)] = {said: read_record()[address][said]}.items() if isinstance(said, str) else said.items()
    found = re.fullmatch(r"(?:(?:at least )?(\d+))?(?: to |at most )?(\d+)?", text)
    assert found, text
    return part.endswith("length"), int(found[1] or 0), int(found[2]) if found[2] else None


def cases_of(place: tuple[str, str], moments: random.Random) -> Iterator[tuple[bool, Refusal]]:
    """Walk calls of a module with a value at and between the ends of a limit, and beyond them."""
    module, address = place
    said, value = BOUNDS[place]
    is_text, least, most = bounds(address, said)
    assert most is not None
    beyond = {least - 1, most + 1, most + moments.randint(2, 40)} - {-1}
    within = {least, most, moments.randint(least, most)}
    if address == "aws_sqs_queue.visibility_timeout_seconds":
        beyond.add(-1)
    for number in sorted(beyond | within):
        given = value(moments.choice("abcxyz") * number if is_text else number)
        name = re.sub(r"\W", "_", f"{module}_{address}_{number}")
        yield number in within, Refusal(name, module, {**BASES[module], **given})


@pytest.mark.drill(short=1)
def test_what_aws_takes_is_planned_and_what_it_refuses_is_not(
    plannings: Planning, moments: random.Random, tmp_path: Path
) -> None:
    cases = [case for place in BOUNDS for case in cases_of(place, moments)]
    nothing = {"version": 4, "serial": 1, "lineage": "scratch", "resources": []}

    said = plan_refusals(plannings.of_many(), plannings.code, tmp_path, [case for _, case in cases], nothing)

    assert set(said) == {case.name for _, case in cases}
    assert {case.name: said[case.name] for within, case in cases if within and said[case.name]} == {}
    assert [case.name for within, case in cases if not within and not said[case.name]] == []
    assert len({within for within, _ in cases}) == len([True, False])
