"""What the harness leans on in the local Lambda, IAM, STS, CloudTrail and CloudWatch Logs."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from typing import Any

import httpx
import psutil
import pytest
from botocore.exceptions import ClientError

from sawhorse.build.manifest import code_sha256
from sawhorse.local.addresses import localize
from sawhorse.local.credentials import role_credentials
from sawhorse.local.emulators import Running
from tests.contracts.support import ACCOUNT, OTHER_ACCOUNT, Account, eventually, package, unique

IMPORTS = """
import importlib, importlib.util

def handler(event, context):
    return {name: importlib.util.find_spec(name) is not None for name in event}
"""

CALLS = """
import boto3, os
from botocore.exceptions import ClientError

def handler(event, context):
    try:
        getattr(boto3.client(event["service"]), event["method"])(**event["arguments"])
    except ClientError as error:
        return error.response["Error"]["Code"]
    return "allowed"
"""

TELLS_ITS_PATH = """
def handler(event, context):
    return {"path": event["rawPath"], "query": event["rawQueryString"]}
"""


def version_source(number: int) -> str:
    return f"def handler(event, context):\n    return {number}\n"


@pytest.fixture
def table(account: Account) -> str:
    """A table of this test."""
    return account.table()


@pytest.fixture
def putting_role(account: Account, table: str) -> str:
    """A role that may put items into the table, and do nothing else."""
    return account.role({"Effect": "Allow", "Action": "dynamodb:PutItem", "Resource": arn_of(account, table)})


def arn_of(account: Account, table: str) -> str:
    return str(account.client("dynamodb").describe_table(TableName=table)["Table"]["TableArn"])


def test_only_loopback_is_listened_on(local_aws: Running, account: Account) -> None:
    account.call(account.function(version_source(1)))
    processes = [psutil.Process(emulator.pid) for emulator in (local_aws.ministack, local_aws.moto)]
    processes += [child for process in processes for child in process.children(recursive=True)]

    connections = [connection for process in processes for connection in process.net_connections("inet")]

    listening = {connection.laddr for connection in connections if connection.status == psutil.CONN_LISTEN}
    assert {address.ip for address in listening} == {"127.0.0.1"}
    assert {address.port for address in listening} == {local_aws.ministack.port, local_aws.moto.port}
    assert [connection for connection in connections if connection.type.name == "SOCK_DGRAM"] == []


def test_a_function_sees_boto3_and_its_own_package_and_nothing_else(account: Account) -> None:
    function = account.function({"app.py": IMPORTS, "own/__init__.py": "", "shared/part.py": ""})
    hidden = ["yaml", "cryptography", "hypercorn", "moto", "ministack", "werkzeug", "httpx", "psutil", "harness", "pip"]

    found = account.call(function, ["boto3", "botocore", "own", "shared.part", *hidden])

    assert [name for name, there in found.items() if there] == ["boto3", "botocore", "own", "shared.part"]


def test_a_function_knows_nothing_of_the_users_environment(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    function = account.function("import os\n\ndef handler(event, context):\n    return dict(os.environ)\n")

    variables = account.call(function)

    assert {"AWS_PROFILE", "HTTPS_PROXY", "PYTHONPATH", "VIRTUAL_ENV", "AWS_CA_BUNDLE"} & set(variables) == set()
    assert variables["AWS_REGION"] == "us-east-1"
    assert variables["AWS_LAMBDA_FUNCTION_NAME"] == function


def test_a_function_gets_its_own_variables(account: Account) -> None:
    function = account.function(
        "import os\n\ndef handler(event, context):\n    return os.environ['STAGE']\n",
        Environment={"Variables": {"STAGE": "dev"}},
    )

    assert account.call(function) == "dev"


def test_a_functions_call_outside_its_roles_policy_is_refused(account: Account, table: str, putting_role: str) -> None:
    function = account.function(CALLS, role=putting_role)

    def attempt(method: str, **arguments: Any) -> str:
        event = {"service": "dynamodb", "method": method, "arguments": {"TableName": table, **arguments}}
        return str(account.call(function, event))

    assert attempt("put_item", Item={"id": {"S": "1"}}) == "allowed"
    assert attempt("scan") == "AccessDeniedException"
    assert attempt("get_item", Key={"id": {"S": "1"}}) == "AccessDeniedException"
    other = account.table()
    event = {"service": "dynamodb", "method": "put_item", "arguments": {"TableName": other, "Item": {"id": {"S": "1"}}}}
    assert account.call(function, event) == "AccessDeniedException"


def test_a_grant_on_an_index_is_no_grant_on_its_table(account: Account) -> None:
    table = account.table(
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("id", "status")],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by-status",
                "KeySchema": [{"AttributeName": "status", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )
    index = f"{arn_of(account, table)}/index/by-status"
    function = account.function(
        CALLS, role=account.role({"Effect": "Allow", "Action": "dynamodb:Query", "Resource": index})
    )

    def query(key: str, **options: Any) -> str:
        arguments = {
            "TableName": table,
            "KeyConditionExpression": "#key = :value",
            "ExpressionAttributeNames": {"#key": key},
            "ExpressionAttributeValues": {":value": {"S": "x"}},
            **options,
        }
        return str(account.call(function, {"service": "dynamodb", "method": "query", "arguments": arguments}))

    assert query("status", IndexName="by-status") == "allowed"
    assert query("id") == "AccessDeniedException"


def test_a_roles_own_credentials_are_refused_what_its_policy_does_not_say(
    account: Account, table: str, putting_role: str
) -> None:
    credentials = role_credentials(account.client, putting_role)
    dynamodb = account.client("dynamodb", credentials)

    dynamodb.put_item(TableName=table, Item={"id": {"S": "1"}})
    with pytest.raises(ClientError) as refusal:
        dynamodb.scan(TableName=table)

    assert refusal.value.response["Error"]["Code"] == "AccessDeniedException"
    names = [function["FunctionName"] for function in account.client("lambda").list_functions()["Functions"]]
    assert [name for name in names if name.startswith("sawhorse-credentials-")] == []


def test_a_policy_that_is_taken_away_stops_at_once(account: Account, table: str, putting_role: str) -> None:
    function = account.function(CALLS, role=putting_role)
    put = {"service": "dynamodb", "method": "put_item", "arguments": {"TableName": table, "Item": {"id": {"S": "1"}}}}
    assert account.call(function, put) == "allowed"

    account.client("iam").delete_role_policy(RoleName=putting_role.rpartition("/")[2], PolicyName="grants")

    assert account.call(function, put) == "AccessDeniedException"


def test_a_role_that_trusts_lambda_alone_is_assumed_by_nobody_else(account: Account, putting_role: str) -> None:
    credentials = role_credentials(account.client, putting_role)

    with pytest.raises(ClientError) as refusal:
        account.client("sts", credentials).assume_role(RoleArn=putting_role, RoleSessionName="test")

    assert refusal.value.response["Error"]["Code"] in {"AccessDenied", "AccessDeniedException"}


def test_iam_tells_beforehand_what_a_role_may_do(account: Account, table: str, putting_role: str) -> None:
    response = account.client("iam").simulate_principal_policy(
        PolicySourceArn=putting_role,
        ActionNames=["dynamodb:PutItem", "dynamodb:Scan"],
        ResourceArns=[arn_of(account, table)],
    )

    decisions = {result["EvalActionName"]: result["EvalDecision"] for result in response["EvaluationResults"]}
    assert decisions == {"dynamodb:PutItem": "allowed", "dynamodb:Scan": "implicitDeny"}


def test_an_access_key_of_twelve_digits_is_root_of_that_account(account: Account, other_account: Account) -> None:
    assert account.client("sts").get_caller_identity()["Account"] == "111111111111"
    assert other_account.client("sts").get_caller_identity()["Account"] == "222222222222"


def test_accounts_do_not_see_each_other(account: Account, other_account: Account, table: str) -> None:
    with pytest.raises(ClientError) as refusal:
        other_account.client("dynamodb").describe_table(TableName=table)

    assert refusal.value.response["Error"]["Code"] == "ResourceNotFoundException"


def test_an_unknown_access_key_is_refused(account: Account) -> None:
    unknown = {"AWS_ACCESS_KEY_ID": "ASIA" + 16 * "X", "AWS_SECRET_ACCESS_KEY": "local", "AWS_SESSION_TOKEN": "x"}

    with pytest.raises(ClientError) as refusal:
        account.client("sts", unknown).get_caller_identity()

    assert refusal.value.response["Error"]["Code"] == "InvalidClientTokenId"


def test_cloudtrail_keeps_a_call_with_its_principal(account: Account, table: str, putting_role: str) -> None:
    credentials = role_credentials(account.client, putting_role)
    account.client("dynamodb", credentials).put_item(TableName=table, Item={"id": {"S": "1"}})

    def recorded() -> list[dict[str, Any]]:
        response = account.client("cloudtrail").lookup_events(
            LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "PutItem"}]
        )
        events = [json.loads(event["CloudTrailEvent"]) for event in response["Events"]]
        return [
            event for event in events if event["userIdentity"].get("accessKeyId") == credentials["AWS_ACCESS_KEY_ID"]
        ]

    (event,) = eventually(recorded)
    assert event["eventSource"] == "dynamodb.amazonaws.com"
    assert event["eventName"] == "PutItem"


def test_the_hash_of_the_code_is_the_manifests(account: Account) -> None:
    content = package(version_source(1))
    function = account.function(version_source(1))

    configuration = account.client("lambda").get_function_configuration(FunctionName=function)

    assert configuration["CodeSha256"] == code_sha256(content)
    assert configuration["CodeSha256"] == base64.b64encode(hashlib.sha256(content).digest()).decode()
    assert configuration["CodeSize"] == len(content)


def publish(account: Account, function: str, number: int) -> str:
    functions = account.client("lambda")
    functions.update_function_code(FunctionName=function, ZipFile=package(version_source(number)))
    return str(functions.publish_version(FunctionName=function)["Version"])


def test_the_alias_decides_which_version_runs(account: Account) -> None:
    functions = account.client("lambda")
    function = account.function(version_source(0))
    first, second = publish(account, function, 1), publish(account, function, 2)
    functions.create_alias(FunctionName=function, Name="live", FunctionVersion=first)
    assert account.call(function, Qualifier="live") == 1

    functions.update_alias(FunctionName=function, Name="live", FunctionVersion=second)
    assert account.call(function, Qualifier="live") == 2

    functions.update_alias(FunctionName=function, Name="live", FunctionVersion=first)
    assert account.call(function, Qualifier="live") == 1
    assert account.call(function) == 2


def test_an_alias_of_a_version_that_is_not_there_is_refused(account: Account) -> None:
    functions = account.client("lambda")
    function = account.function(version_source(0))
    first = publish(account, function, 1)

    def refused(call: Any, **asked: Any) -> str:
        with pytest.raises(ClientError) as refusal:
            call(FunctionName=function, Name="live", **asked)
        return f"{refusal.value.response['Error']['Code']} {refusal.value.response['Error']['Message']}"

    missing = f"ResourceNotFoundException Function not found: arn:aws:lambda:us-east-1:{ACCOUNT}:function:{function}:7"
    assert refused(functions.create_alias, FunctionVersion="7") == missing
    functions.create_alias(FunctionName=function, Name="live", FunctionVersion=first)
    assert refused(functions.update_alias, FunctionVersion="7") == missing
    weights = {"AdditionalVersionWeights": {"7": 0.5}}
    assert refused(functions.update_alias, FunctionVersion=first, RoutingConfig=weights) == missing
    functions.update_alias(FunctionName=function, Name="live", Description="as it was")

    assert account.call(function, Qualifier="live") == 1


def test_weights_of_an_alias_are_kept_but_do_not_route(account: Account) -> None:
    functions = account.client("lambda")
    function = account.function(version_source(0))
    first, second = publish(account, function, 1), publish(account, function, 2)

    functions.create_alias(
        FunctionName=function,
        Name="live",
        FunctionVersion=first,
        RoutingConfig={"AdditionalVersionWeights": {second: 1.0}},
    )

    alias = functions.get_alias(FunctionName=function, Name="live")
    assert alias["RoutingConfig"]["AdditionalVersionWeights"] == {second: 1.0}
    assert account.call(function, Qualifier="live") == 1


@pytest.mark.parametrize("account_id", [ACCOUNT, OTHER_ACCOUNT])
def test_the_url_of_a_function_is_reached_by_its_path_without_a_signature(local_aws: Running, account_id: str) -> None:
    """As `sawhorse outputs` prints it: the host name that stands in the state is AWS's."""
    account = Account(local_aws, account_id)
    functions, name = account.client("lambda"), account.function(TELLS_ITS_PATH)
    functions.publish_version(FunctionName=name)
    functions.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    functions.add_permission(
        FunctionName=name,
        StatementId="everybody",
        Action="lambda:InvokeFunctionUrl",
        Principal="*",
        FunctionUrlAuthType="NONE",
        Qualifier="live",
    )
    url = functions.create_function_url_config(FunctionName=name, AuthType="NONE", Qualifier="live")["FunctionUrl"]

    response = httpx.get(f"{localize(url, local_aws.url)}a/b", params={"c": "d"}, trust_env=False, timeout=30)

    assert (response.status_code, response.json()) == (200, {"path": "/a/b", "query": "c=d"})


def test_new_code_runs_at_the_next_call(account: Account) -> None:
    function = account.function(version_source(1))
    assert account.call(function) == 1

    account.client("lambda").update_function_code(FunctionName=function, ZipFile=package(version_source(2)))

    assert account.call(function) == 2


def test_an_error_of_a_function_is_told_in_its_words(account: Account) -> None:
    function = account.function("def handler(event, context):\n    raise ValueError('the words')\n")

    response = account.client("lambda").invoke(FunctionName=function)

    assert response["FunctionError"] == "Unhandled"
    # Lambda would tell the exception's class as `errorType`; the emulator has one word for them all.
    assert "the words" in json.load(response["Payload"])["errorMessage"]


def test_a_line_that_a_function_prints_is_found_by_a_quoted_term(account: Account) -> None:
    function = account.function("def handler(event, context):\n    print('before ' + event + ' after')\n")
    term = unique("term-with.dots_and")
    start = int(time.time() * 1000) - 60_000
    account.call(function, term)

    def found(pattern: str) -> list[str]:
        response = account.client("logs").filter_log_events(
            logGroupName=f"/aws/lambda/{function}", startTime=start, filterPattern=f'"{pattern}"'
        )
        return [event["message"] for event in response["events"]]

    assert [line.strip() for line in eventually(lambda: found(term))] == [f"before {term} after"]
    assert found(unique("another")) == []


def test_a_parameters_plain_value_is_put_and_got(account: Account) -> None:
    parameters = account.client("ssm")
    name = f"/{unique('app')}/live"

    parameters.put_parameter(Name=name, Value="latest", Type="String")
    assert parameters.get_parameter(Name=name)["Parameter"]["Value"] == "latest"
    with pytest.raises(ClientError) as refusal:
        parameters.put_parameter(Name=name, Value="7", Type="String")
    parameters.put_parameter(Name=name, Value="7", Type="String", Overwrite=True)

    assert refusal.value.response["Error"]["Code"] == "ParameterAlreadyExists"
    parameter = parameters.get_parameter(Name=name)["Parameter"]
    assert (parameter["Value"], parameter["Type"], parameter["Version"]) == ("7", "String", 2)


def test_the_second_attempt_at_a_call_gets_the_first_ones_response_and_a_second_call_does_not(account: Account) -> None:
    """The harness adds this: a response that the AWS provider threw away must not make an apply fail."""
    function, client = account.function("def handler(event, context): return 1"), account.client("lambda")
    wanted = {
        "FunctionName": function,
        "StatementId": "api",
        "Action": "lambda:InvokeFunction",
        "Principal": "apigateway.amazonaws.com",
    }
    call = {"amz-sdk-invocation-id": unique("call"), "amz-sdk-request": "attempt=1; max=25"}

    def name_the_call(request: Any, **_: Any) -> None:
        request.headers.update(call)

    client.meta.events.register("before-send.lambda", name_the_call)
    first = client.add_permission(**wanted)["Statement"]
    call["amz-sdk-request"] = "attempt=2; max=25"

    assert client.add_permission(**wanted)["Statement"] == first
    call["amz-sdk-invocation-id"] = unique("call")
    with pytest.raises(ClientError, match="ResourceConflictException"):
        client.add_permission(**wanted)
    assert len(json.loads(client.get_policy(FunctionName=function)["Policy"])["Statement"]) == 1
