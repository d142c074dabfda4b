"""What IAM is asked besides an operation's own action, and on which conditions: roles that are passed, tags, layers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.contracts.asking import Asked, asked, given_to, is_refused, made_up, may, operations_of
from tests.contracts.support import ACCOUNT, Account, package, unique
from tests.contracts.test_emulated_roles import role_trusting

if TYPE_CHECKING:
    from botocore.model import OperationModel, Shape

ROLE = f"arn:aws:iam::{ACCOUNT}:role/probe"
# The service of a client, IAM's name of it, and to whom it hands a role.
PASSING = {
    "apigateway": ("apigateway", "apigateway.amazonaws.com"),
    "apigatewayv2": ("apigateway", "apigateway.amazonaws.com"),
    "events": ("events", "events.amazonaws.com"),
    "lambda": ("lambda", "lambda.amazonaws.com"),
    "logs": ("logs", "logs.amazonaws.com"),
    "scheduler": ("scheduler", "scheduler.amazonaws.com"),
}


def roles_of(shape: Shape | None, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield where a request names a role that its service acts as."""
    if shape is None or len(path) > 4:
        return
    if shape.type_name == "structure":
        for name, member in shape.members.items():
            yield from roles_of(member, (*path, name))
    elif shape.type_name == "list":
        yield from roles_of(shape.member, (*path, "[]"))
    elif shape.type_name == "string" and path[-1].lower().removesuffix("arn").endswith(("role", "credentials")):
        yield path


def with_role(operation: OperationModel, path: tuple[str, ...]) -> dict[str, Any]:
    """Make up a request that hands over a role at this place."""
    given = given_to(operation, [ROLE], [path[0]])
    place: Any = given
    shape: Any = operation.input_shape
    for name in path[:-1]:
        shape = shape.member if name == "[]" else shape.members[name]
        if name != "[]":
            place.setdefault(name, made_up(shape, name, [ROLE]))
        place = place[0 if name == "[]" else name]
    place[path[-1]] = ROLE
    return given


@pytest.mark.parametrize("client", list(PASSING))
def test_who_hands_a_role_over_is_asked_whether_he_may_pass_it_to_that_service(account: Account, client: str) -> None:
    service, principal = PASSING[client]
    allowed = {"Action": f"{service}:*", "Resource": "*"}
    passing = {"Action": "iam:PassRole", "Resource": ROLE}
    elsewhere = {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}
    there = {"StringEquals": {"iam:PassedToService": principal}}
    refused = [account.client(client, may(account, allowed, {**passing, "Condition": elsewhere}))]
    refused.append(account.client(client, may(account, allowed)))
    accepted = account.client(client, may(account, allowed, {**passing, "Condition": there}))
    found = {}
    for operation in operations_of(account, client):
        for path in roles_of(operation.input_shape):
            given = with_role(operation, path)
            found[operation.name, path] = [asked(one, operation.name, given) for one in refused]
            assert not is_refused(accepted, operation.name, given), (operation.name, path)
    assert found
    assert {key: value for key, value in found.items() if value != [Asked("iam:PassRole", ROLE)] * 2} == {}


@pytest.mark.parametrize(
    ("operation", "given", "path"),
    [
        ("UpdateAccount", {}, "/cloudwatchRoleArn"),
        ("UpdateIntegration", {"restApiId": "a", "resourceId": "b", "httpMethod": "GET"}, "/credentials"),
        ("UpdateAuthorizer", {"restApiId": "a", "authorizerId": "b"}, "/authorizerCredentials"),
    ],
)
def test_a_patch_that_hands_a_role_to_api_gateway_asks_whether_it_may_be_passed(
    account: Account, operation: str, given: dict[str, str], path: str
) -> None:
    client = account.client("apigateway", may(account, {"Action": "apigateway:*", "Resource": "*"}))
    patch = {"op": "replace", "path": path, "value": ROLE}
    assert asked(client, operation, {**given, "patchOperations": [patch]}) == Asked("iam:PassRole", ROLE)
    elsewhere = {**patch, "path": "/description"}
    assert not is_refused(client, operation, {**given, "patchOperations": [elsewhere]})


def test_a_role_in_a_functions_variables_or_in_what_it_is_called_with_is_not_passed(account: Account) -> None:
    function = account.function("def handler(event, context):\n    return event['Role']\n")
    client = account.client("lambda", may(account, {"Action": "lambda:*", "Resource": "*"}))
    client.update_function_configuration(FunctionName=function, Environment={"Variables": {"TASK_ROLE": ROLE}})
    answer = client.invoke(FunctionName=function, Payload=json.dumps({"Role": ROLE}))
    assert json.load(answer["Payload"]) == ROLE


TAGGED: list[tuple[str, str, dict[str, Any], str]] = [
    ("dynamodb", "CreateTable", {"TableName": "probe"}, "dynamodb:TagResource"),
    ("iam", "CreateRole", {"RoleName": "probe", "AssumeRolePolicyDocument": "{}"}, "iam:TagRole"),
    ("iam", "CreatePolicy", {"PolicyName": "probe", "PolicyDocument": "{}"}, "iam:TagPolicy"),
    ("iam", "CreateOpenIDConnectProvider", {"Url": "https://probe"}, "iam:TagOpenIDConnectProvider"),
    ("lambda", "CreateFunction", {"FunctionName": "probe", "Role": "none", "Code": {}}, "lambda:TagResource"),
    ("logs", "CreateLogGroup", {"logGroupName": "probe"}, "logs:TagResource"),
    ("sns", "CreateTopic", {"Name": "probe"}, "sns:TagResource"),
    ("sqs", "CreateQueue", {"QueueName": "probe"}, "sqs:tagqueue"),
    ("ssm", "PutParameter", {"Name": "/probe", "Value": "1", "Type": "String"}, "ssm:AddTagsToResource"),
]


@pytest.mark.parametrize(("service", "operation", "given", "action"), TAGGED)
def test_what_is_made_with_tags_asks_whether_it_may_be_tagged(
    account: Account, service: str, operation: str, given: dict[str, Any], action: str
) -> None:
    client = account.client(service, may(account, {"Action": f"{service}:{operation}", "Resource": "*"}))
    name = next(
        name
        for name in ("Tags", "tags")
        if name in client.meta.service_model.operation_model(operation).input_shape.members
    )
    plain = service in {"lambda", "logs", "sqs"}
    tags: Any = {"part": "probe"} if plain else [{"Key": "part", "Value": "probe"}]
    if operation == "CreateTable":
        key = {"AttributeName": "id"}
        given = {
            **given,
            "KeySchema": [{**key, "KeyType": "HASH"}],
            "AttributeDefinitions": [{**key, "AttributeType": "S"}],
            "BillingMode": "PAY_PER_REQUEST",
        }
    assert asked(client, operation, {**given, name: tags}).action.lower() == action.lower()
    assert not is_refused(client, operation, {**given, **({} if plain else {"Tags": []})})


def test_a_function_with_a_layer_asks_for_that_version_of_the_layer(account: Account) -> None:
    layer = f"arn:aws:lambda:us-east-1:{ACCOUNT}:layer:probe:3"
    function = account.function("def handler(event, context):\n    return 1\n")
    client = account.client("lambda", may(account, {"Action": "lambda:UpdateFunctionConfiguration", "Resource": "*"}))
    given = {"FunctionName": function, "Layers": [layer]}
    assert asked(client, "UpdateFunctionConfiguration", given) == Asked("lambda:GetLayerVersion", layer)


@pytest.mark.parametrize("action", ["UpdateFunctionCode", "PublishLayerVersion"])
def test_code_in_a_bucket_is_read_as_whoever_uploads_it(account: Account, action: str) -> None:
    bucket, function = unique("code"), account.function("def handler(event, context):\n    return 1\n")
    s3 = account.client("s3")
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="a.zip", Body=package("def handler(event, context):\n    return 2\n"))
    lambdas = {"Action": f"lambda:{action}", "Resource": "*"}
    source = {"S3Bucket": bucket, "S3Key": "a.zip"}
    given = (
        {"FunctionName": function, **source}
        if action == "UpdateFunctionCode"
        else {"LayerName": unique("layer"), "Content": source}
    )
    with pytest.raises(ClientError, match=f"permission to GetObject for {bucket}/a.zip") as refused:
        account.client("lambda", may(account, lambdas))._make_api_call(action, given)
    assert refused.value.response["Error"]["Code"] == "AccessDeniedException"
    reading = {"Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/a.zip"}
    assert account.client("lambda", may(account, lambdas, reading))._make_api_call(action, given)[
        "CodeSize" if "FunctionName" in given else "Version"
    ]


def test_an_object_with_tags_asks_whether_it_may_be_tagged(account: Account) -> None:
    bucket = unique("uploads")
    account.client("s3").create_bucket(Bucket=bucket)
    client = account.client("s3", may(account, {"Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{bucket}/*"}))
    given = {"Bucket": bucket, "Key": "a.zip", "Body": b"a"}
    assert asked(client, "PutObject", {**given, "Tagging": "part=code"}).action == "s3:PutObjectTagging"
    assert asked(client, "PutObject", {**given, "ACL": "private"}).action == "s3:PutObjectAcl"
    assert not is_refused(client, "PutObject", given)


@pytest.mark.parametrize("operation", ["GetObject", "HeadObject"])
@pytest.mark.parametrize("key", ["a.zip", "env:/local/a/b c+ü.tfstate"])
def test_who_may_not_list_a_bucket_is_not_told_that_an_object_is_not_there(
    account: Account, operation: str, key: str
) -> None:
    bucket = unique("states")
    account.client("s3").create_bucket(Bucket=bucket)
    arn = f"arn:aws:s3:::{bucket}"
    reading = {"Action": "s3:GetObject", "Resource": f"{arn}/*"}
    reader = account.client("s3", may(account, reading))
    lister = account.client("s3", may(account, reading, {"Action": "s3:ListBucket", "Resource": arn}))

    def status(client: Any) -> int:
        with pytest.raises(ClientError) as told:
            client._make_api_call(operation, {"Bucket": bucket, "Key": key})
        return int(told.value.response["ResponseMetadata"]["HTTPStatusCode"])

    assert (status(reader), status(lister)) == (403, 404)
    if operation == "GetObject":
        assert asked(reader, operation, {"Bucket": bucket, "Key": key}) == Asked("s3:ListBucket", arn)

    account.client("s3").put_object(Bucket=bucket, Key=key, Body=b"a")

    assert not is_refused(reader, operation, {"Bucket": bucket, "Key": key})


BOUNDARY = "boundary"


@pytest.fixture
def boundaries(account: Account) -> tuple[str, str]:
    """The ARNs of two policies that may be boundaries."""
    document = json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
    )
    iam = account.client("iam")
    first, second = (
        iam.create_policy(PolicyName=unique(BOUNDARY), PolicyDocument=document)["Policy"]["Arn"] for _ in range(2)
    )
    return first, second


def test_who_may_make_roles_with_one_boundary_alone_makes_none_without_it_or_with_another(
    account: Account, boundaries: tuple[str, str]
) -> None:
    """As the IAM user guide delegates: access_policies_boundaries.html#access_policies_boundaries-delegate."""
    wanted, other = boundaries
    condition = {"StringEquals": {"iam:PermissionsBoundary": wanted}}
    actions = [
        "iam:CreateRole",
        "iam:PutRolePolicy",
        "iam:DeleteRolePolicy",
        "iam:AttachRolePolicy",
        "iam:DetachRolePolicy",
        "iam:PutRolePermissionsBoundary",
    ]
    statement = {"Action": actions, "Resource": f"arn:aws:iam::{ACCOUNT}:role/*", "Condition": condition}
    root, iam = account.client("iam"), account.client("iam", may(account, statement))
    trust = json.dumps({"Version": "2012-10-17", "Statement": []})
    names = {boundary: unique("made") for boundary in ("", wanted, other)}
    for boundary, name in names.items():
        given = {"RoleName": name, "AssumeRolePolicyDocument": trust}
        given |= {"PermissionsBoundary": boundary} if boundary else {}
        assert is_refused(iam, "CreateRole", given) == (boundary != wanted)
        if boundary != wanted:
            root.create_role(**given)
    document = json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
    )
    for boundary, name in names.items():
        on_role = {"RoleName": name}
        policy = {**on_role, "PolicyName": "p"}
        attached = {**on_role, "PolicyArn": other}
        refusals = [
            is_refused(iam, "PutRolePolicy", {**policy, "PolicyDocument": document}),
            is_refused(iam, "DeleteRolePolicy", policy),
            is_refused(iam, "AttachRolePolicy", attached),
            is_refused(iam, "DetachRolePolicy", attached),
        ]
        assert refusals == [boundary != wanted] * 4, boundary
    assert is_refused(iam, "PutRolePermissionsBoundary", {"RoleName": names[wanted], "PermissionsBoundary": other})
    assert is_refused(iam, "DeleteRolePermissionsBoundary", {"RoleName": names[wanted]})
    assert not is_refused(iam, "PutRolePermissionsBoundary", {"RoleName": names[other], "PermissionsBoundary": wanted})


def test_a_condition_on_the_policy_that_is_attached_holds(account: Account, boundaries: tuple[str, str]) -> None:
    allowed, other = boundaries
    name, _ = role_trusting(account, {"Service": "lambda.amazonaws.com"})
    condition = {"ArnEquals": {"iam:PolicyARN": allowed}}
    iam = account.client(
        "iam", may(account, {"Action": "iam:AttachRolePolicy", "Resource": "*", "Condition": condition})
    )
    assert is_refused(iam, "AttachRolePolicy", {"RoleName": name, "PolicyArn": other})
    assert not is_refused(iam, "AttachRolePolicy", {"RoleName": name, "PolicyArn": allowed})


def test_event_sources_may_be_kept_to_one_function(account: Account) -> None:
    """As https://docs.aws.amazon.com/lambda/latest/dg/lambda-api-permissions-ref.html says."""
    source = "def handler(event, context):\n    return 1\n"
    mine, other = account.function(source), account.function(source)
    arn = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{mine}"
    actions = ["lambda:CreateEventSourceMapping", "lambda:UpdateEventSourceMapping", "lambda:DeleteEventSourceMapping"]
    condition = {"StringEquals": {"lambda:FunctionArn": arn}}
    client = account.client("lambda", may(account, {"Action": actions, "Resource": "*", "Condition": condition}))
    queue = account.arn_of_queue(account.queue(VisibilityTimeout="60"))
    assert is_refused(client, "CreateEventSourceMapping", {"EventSourceArn": queue, "FunctionName": other})
    made = client.create_event_source_mapping(EventSourceArn=queue, FunctionName=mine)
    assert is_refused(client, "UpdateEventSourceMapping", {"UUID": made["UUID"], "FunctionName": other})
    assert not is_refused(client, "UpdateEventSourceMapping", {"UUID": made["UUID"], "BatchSize": 3})
    assert not is_refused(client, "DeleteEventSourceMapping", {"UUID": made["UUID"]})


def test_a_condition_on_the_tags_of_what_a_call_is_about_holds_for_its_parts(account: Account) -> None:
    """An alias and a version have the tags of their function, and a log group's calls are judged with its own."""
    group, other = unique("/logs/mine"), unique("/logs/other")
    logs = account.client("logs")
    for name, team in ((group, "post"), (other, "other")):
        logs.create_log_group(logGroupName=name, tags={"team": team})
    functions = {
        team: account.function("def handler(event, context):\n    return 1\n", Tags={"team": team}, Publish=True)
        for team in ("post", "other")
    }
    condition = {"StringEquals": {"aws:ResourceTag/team": "post"}}
    actions = ["logs:PutRetentionPolicy", "lambda:GetFunctionConfiguration"]
    credentials = may(account, {"Action": actions, "Resource": "*", "Condition": condition})
    client, found = account.client("logs", credentials), account.client("lambda", credentials)
    for name in (group, other):
        given = {"logGroupName": name, "retentionInDays": 7}
        assert is_refused(client, "PutRetentionPolicy", given) == (name == other)
    for team, function in functions.items():
        for more in ({}, {"Qualifier": "1"}):
            given = {"FunctionName": function, **more}
            assert is_refused(found, "GetFunctionConfiguration", given) == (team == "other")
