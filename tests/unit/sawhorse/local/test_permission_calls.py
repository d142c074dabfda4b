"""What AWS asks IAM about a call is read of whatever a request says, in any of the forms that AWS takes."""

from __future__ import annotations

import json
import re
from typing import Any

import boto3
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sawhorse.local import permission_rules as rules
from sawhorse.local.permission_calls import Call, Check, asked_with, given_by, route_of, routes_of

ACCOUNT, REGION = "111111111111", "us-east-1"
NAME = st.from_regex(r"[A-Za-z0-9_-]{1,40}", fullmatch=True).filter(lambda name: name not in {"function", "layer"})
QUALIFIER = st.from_regex(r"[A-Za-z0-9_-]{1,10}|\$LATEST", fullmatch=True)
ROLE = st.from_regex(r"arn:aws:iam::[0-9]{12}:role/[a-z/]{0,10}[a-z]{1,10}", fullmatch=True)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=10,
)


def call(service: str, operation: str, given: dict[str, Any]) -> Call:
    return Call(service, operation, given, REGION, ACCOUNT)


@given(name=NAME, qualifier=st.none() | QUALIFIER)
def test_a_function_is_the_same_by_any_of_its_names(name: str, qualifier: str | None) -> None:
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"
    plain = [name, f"{ACCOUNT}:function:{name}", f"function:{name}", arn]
    wanted = arn if qualifier is None else f"{arn}:{qualifier}"
    more = {} if qualifier is None else {"Qualifier": qualifier}
    found = {call("lambda", "GetFunction", {"FunctionName": one, **more}).checks[0].resource for one in plain}
    if qualifier is not None:
        named = [f"{one}:{qualifier}" for one in plain]
        found |= {call("lambda", "GetFunction", {"FunctionName": one}).checks[0].resource for one in named}
    assert found == {wanted}


@given(name=NAME, account=st.from_regex("[0-9]{12}", fullmatch=True))
def test_a_function_of_another_account_is_judged_as_that_ones(name: str, account: str) -> None:
    found = call("lambda", "Invoke", {"FunctionName": f"{account}:function:{name}"}).checks[0]
    assert found[:2] == ("lambda:InvokeFunction", f"arn:aws:lambda:{REGION}:{account}:function:{name}")


def models() -> list[tuple[str, Any]]:
    session = boto3.session.Session("x", "x", region_name=REGION)
    return [
        (name, session.client(name).meta.service_model)
        for name in ("lambda", "apigateway", "apigatewayv2", "scheduler")
    ]


@pytest.mark.parametrize(("service", "model"), models(), ids=lambda value: value if isinstance(value, str) else "")
def test_every_route_of_a_service_is_found_again_with_its_labels(service: str, model: Any) -> None:
    operations = {name: {"http": model.operation_model(name).http} for name in model.operation_names}
    routes = list(routes_of({"operations": operations}))

    @settings(max_examples=5)
    @given(label=st.from_regex(r"[a-z0-9:$]{1,20}", fullmatch=True))
    def each_is_found(label: str) -> None:
        for name, operation in operations.items():
            path, _, query = operation["http"]["requestUri"].partition("?")
            labels = [found.rstrip("+") for found in re.findall(r"{([^}]+)}", path)]
            query_of = dict(part.partition("=")[::2] for part in query.split("&") if part)
            found = route_of(routes, operation["http"]["method"], re.sub(r"{[^}]+}", label, path), query_of)
            assert found == (name, dict.fromkeys(labels, label))

    each_is_found()


def test_an_unknown_route_is_no_operation() -> None:
    assert route_of([], "GET", "/2015-03-31/functions", {}) == ("", {})


MEMBERS = sorted(
    {path.partition(".")[0] for names in rules.NAMES.values() for path, _ in names}
    | {
        "Code",
        "Content",
        "IndexName",
        "Layers",
        "Path",
        "Qualifier",
        "ResourceType",
        "Role",
        "S3Bucket",
        "S3Key",
        "Tags",
    }
)
SERVICES = sorted({*rules.NAMES, *rules.PASSED_TO})


@given(
    body=st.binary(max_size=60)
    | st.fixed_dictionaries({}, optional=dict.fromkeys(MEMBERS, JSON)).map(lambda value: json.dumps(value).encode()),
    service=st.sampled_from([service for service in SERVICES if service != "iam"]),
    operation=st.sampled_from(["CreateFunction", "UpdateFunctionConfiguration", "GetParameter", "PutItem", "Publish"]),
)
def test_any_body_is_read_without_an_error(body: bytes, service: str, operation: str) -> None:
    said = given_by({"A": ["1", "2"], "B": "x"}, body, {"name": "label"})
    assert said["name"] == "label"
    asked = call(service, operation, {key: value for key, value in said.items() if key != "UUID"})
    checks = [*asked_with(asked, "*"), *(asked.checks if service in rules.NAMES else ())]
    assert all(isinstance(check.resource, str) and check.resource for check in checks)


@given(data=JSON, role=ROLE, name=st.sampled_from(["Role", "RoleArn", "roleArn", "executionRoleArn", "credentials"]))
def test_a_role_is_handed_over_wherever_it_lies_in_a_request(data: Any, role: str, name: str) -> None:
    for said in ({name: role, "x": data}, {"Target": {name: role}}, {"Targets": [{"x": data}, {name: role}]}):
        checks = [check for check in asked_with(call("events", "PutTargets", said), "*") if check.resource == role]
        assert checks == [Check("iam:PassRole", role, {"iam:PassedToService": "events.amazonaws.com"})]


@given(role=ROLE, place=st.sampled_from(["Environment", "Tags", "tags", "variables", "stageVariables"]))
def test_a_role_that_is_only_kept_is_not_handed_over(role: str, place: str) -> None:
    kept = {place: {"Variables": {"TASK_ROLE": role}}, "Description": role, "Principal": role}
    patch = {"op": "replace", "path": f"/{place}/role", "value": role}
    assert not list(asked_with(call("events", "PutRule", kept), "*"))
    assert not list(asked_with(call("apigateway", "UpdateStage", {"patchOperations": [patch]}), "*"))
