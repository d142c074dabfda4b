"""What plans do not see is seen where it is: each look is tried on the local AWS, before and after a change by hand."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any, cast

import pytest

from sawhorse.build.zip_writer import zip_of
from sawhorse.local.clients import local_client
from sawhorse.local.emulators import Running
from sawhorse.operate.drift import functions, resources, roles
from sawhorse.operate.drift.finding import Asked, Finding, Look
from sawhorse.operate.drift.live import where_live_is
from sawhorse.operate.releases.lambdas import functions_of, look
from sawhorse.operate.releases.record import Code, Kept, Moving, Process, Record, Release, now
from sawhorse.operate.releases.released_root import ReleasedRoot
from sawhorse.terraform.state import Snapshot
from sawhorse.terraform.state_store import State
from sawhorse.workspace import Workspace

PLACE = "us-east-1:111111111111"
EVERYBODY = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*"}]})
GRANTS = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]})
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
        ],
    }
)


@pytest.fixture(scope="session")
def client(local_aws: Running) -> Callable[[str], Any]:
    """Make each client of the local AWS once."""
    made: dict[str, Any] = {}

    def client_of(service: str) -> Any:
        if service not in made:
            made[service] = local_client(service, local_aws.environment())
        return made[service]

    return client_of


@pytest.fixture
def name() -> str:
    return f"drift-{uuid.uuid4().hex[:12]}"


Resources = Mapping[str, list[dict[str, Any]]]


def asked_of(client: Callable[[str], Any], known: Resources, record: Record | None = None) -> Asked:
    """Ask with a state that has these resources by their types."""
    resources_of_state = tuple(
        {"address": f"{kind}.this[{index}]", "type": kind, "values": values, "status": None}
        for kind, several in known.items()
        for index, values in enumerate(several)
    )
    state = State(Snapshot("lineage", 1, resources_of_state), {})
    return Asked("dev/sample", local=True, state=state, record=record or Record(root="dev/sample"), client=client)


def found(look: Look, asked: Asked) -> list[Finding]:
    return list(look(asked))


def only(look: Look, asked: Asked) -> Finding:
    """Expect one finding, which belongs to a resource and says what to do."""
    [finding] = look(asked)
    assert finding.address.endswith(".this[0]")
    assert finding.fix
    return finding


@pytest.fixture
def role(client: Callable[[str], Any], name: str) -> str:
    iam = client("iam")
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)
    iam.put_role_policy(RoleName=name, PolicyName="grants", PolicyDocument=GRANTS)
    return name


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


@pytest.fixture
def function(client: Callable[[str], Any], role: str) -> str:
    """A function with version 1 and its alias live."""
    arn = client("iam").get_role(RoleName=role)["Role"]["Arn"]
    lambda_client = client("lambda")
    lambda_client.create_function(
        FunctionName=role,
        Role=arn,
        Runtime="python3.13",
        Handler="app.handler",
        Code={"ZipFile": zip_of({"app.py": b"def handler(event, context):\n    return 1\n"})},
        Publish=True,
    )
    lambda_client.create_alias(FunctionName=role, Name="live", FunctionVersion="1")
    return role


def known_function(function: str, **more: list[dict[str, Any]]) -> Resources:
    values = {"function_name": function, "arn": f"arn:aws:lambda:{PLACE}:function:{function}", "version": "1"}
    alias = {"function_name": function, "name": "live", "function_version": "1"}
    pin = {"name": f"/{function}/live"}
    return {"aws_lambda_function": [values], "aws_lambda_alias": [alias], "aws_ssm_parameter": [pin], **more}


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


def give_half(client: Any, function: str) -> None:
    client.update_function_code(FunctionName=function, ZipFile=zip_of({"app.py": b"handler = print\n"}), Publish=True)
    client.update_alias(FunctionName=function, Name="live", RoutingConfig={"AdditionalVersionWeights": {"2": 0.5}})


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


def recorded(function: str, version: str, **more: Any) -> Record:
    code = Code(version=version, content_sha256="c", code_sha256="s")
    release = Release(id=4, functions={function: code}, commit=None, dirty=False, at=now(), by="me")
    return Record(root="dev/sample", releases=(release,), live=4, **more)


def told_of_live(asked: Asked) -> list[str]:
    """Look where live is, and return the sentences."""
    released = functions_of(asked.state)
    # What commands are called is all that is asked of it.
    workspace = SimpleNamespace(root=SimpleNamespace(name=asked.root), local=asked.local or None)
    root = ReleasedRoot(cast("Workspace", workspace), asked.state, tuple(released), cast("Kept", None))
    standings = look(asked.client, [function.name for function in released])
    found_there = list(where_live_is(root, asked, standings))
    assert all((one.kind, one.address) == ("live", "aws_lambda_function.this[0]") for one in found_there)
    return [one.sentence for one in found_there]


def test_live_that_was_moved_by_hand_is_named_as_an_apply_names_it(client: Callable[[str], Any], function: str) -> None:
    client("ssm").put_parameter(Name=f"/{function}/live", Value="latest", Type="String")
    give_half(client("lambda"), function)
    asked = asked_of(client, known_function(function))
    shared = f"live was moved by hand: {function} is at version 1, with 50% of its calls at 2, which no release left so"
    assert told_of_live(asked) == [f"{shared}; an apply would leave it"]

    client("lambda").update_alias(FunctionName=function, Name="live", FunctionVersion="2", RoutingConfig={})
    [sentence] = told_of_live(asked)
    assert sentence.startswith(f"live was moved by hand: {function} is at version 2, its parameter says latest, ")

    # A release that is live there has put it there.
    client("ssm").put_parameter(Name=f"/{function}/live", Value="2", Type="String", Overwrite=True)
    assert told_of_live(asked_of(client, known_function(function), recorded(function, "2"))) == []
    [sentence] = told_of_live(asked_of(client, known_function(function), recorded(function, "1")))
    assert "where release 4 has 1" in sentence


def test_a_release_that_moves_live_is_named_and_not_judged(client: Callable[[str], Any], function: str) -> None:
    process = Process(host="elsewhere", pid=1, started=0)
    moving = Moving(command="release", release=4, before={}, pins={}, at=now(), by="me", process=process)
    asked = asked_of(client, known_function(function), recorded(function, "2", moving=moving))

    [sentence] = told_of_live(asked)

    assert sentence.startswith("release of me has been moving live of dev/sample since ")


def test_a_function_that_is_gone_is_left_to_the_plan(client: Callable[[str], Any], name: str) -> None:
    assert found(functions.foreign_of_functions, asked_of(client, known_function(name))) == []


def test_subscribers_of_a_topic_are_those_of_the_last_apply(client: Callable[[str], Any], name: str) -> None:
    sns = client("sns")
    arn = sns.create_topic(Name=name)["TopicArn"]
    policy = sns.get_topic_attributes(TopicArn=arn)["Attributes"]["Policy"]
    topic = {"arn": arn, "name": name, "policy": policy}
    ours, theirs = f"arn:aws:sqs:{PLACE}:ours", f"arn:aws:sqs:{PLACE}:theirs"
    known: Resources = {
        "aws_sns_topic": [topic],
        "aws_sns_topic_subscription": [{"topic_arn": arn, "protocol": "sqs", "endpoint": ours}],
    }
    asked = asked_of(client, known)
    gone = only(resources.topics, asked)
    assert (gone.kind, gone.sentence) == (
        "subscription",
        f"sqs {ours} gets nothing of {name} any more: the subscription is gone",
    )

    sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=ours)
    assert found(resources.topics, asked) == []

    sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=theirs)
    assert (
        only(resources.topics, asked).sentence == f"sqs {theirs} gets what is sent to {name}, which no apply asked for"
    )

    foreign = asked_of(client, {**known, "aws_sns_topic": [{**topic, "policy": EVERYBODY}]})
    assert [finding.kind for finding in resources.topics(foreign)] == ["subscription", "policy"]
    ruled: Resources = {
        **known,
        "aws_sns_topic": [{**topic, "policy": EVERYBODY}],
        "aws_sns_topic_policy": [{"arn": arn}],
    }
    assert [finding.kind for finding in resources.topics(asked_of(client, ruled))] == ["subscription"]


class OnePage:
    """A client of SNS whose topic has one subscription."""

    def __init__(self, arn: str) -> None:
        self.arn = arn

    def get_paginator(self, _name: str) -> OnePage:
        return self

    def paginate(self, **_options: str) -> list[dict[str, Any]]:
        one = {"Protocol": "email", "Endpoint": "a@example.com", "SubscriptionArn": self.arn}
        return [{"Subscriptions": [one]}]

    def get_topic_attributes(self, **_options: str) -> dict[str, Any]:
        return {"Attributes": {}}


@pytest.mark.parametrize(("arn", "sentences"), [("PendingConfirmation", 1), ("arn:aws:sns:::confirmed", 0)])
def test_a_subscription_that_nobody_confirmed_is_named(arn: str, sentences: int) -> None:
    known: Resources = {
        "aws_sns_topic": [{"arn": "topic", "name": "alarms", "policy": ""}],
        "aws_sns_topic_subscription": [{"topic_arn": "topic", "protocol": "email", "endpoint": "a@example.com"}],
    }
    told = found(resources.topics, asked_of(lambda _service: OnePage(arn), known))
    assert [finding.sentence for finding in told] == [
        "email a@example.com gets nothing of alarms: the subscription was never confirmed"
    ] * sentences


def test_a_policy_of_a_queue_is_named_where_no_apply_wrote_it(client: Callable[[str], Any], name: str) -> None:
    sqs = client("sqs")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    known: Resources = {"aws_sqs_queue": [{"url": url, "name": name, "policy": ""}]}
    assert found(resources.queues, asked_of(client, known)) == []

    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": EVERYBODY})

    assert (
        only(resources.queues, asked_of(client, known)).sentence
        == f"the queue {name} has a policy which no apply wrote"
    )
    ours: Resources = {**known, "aws_sqs_queue_policy": [{"queue_url": url}]}
    assert found(resources.queues, asked_of(client, ours)) == []


def test_a_policy_of_a_table_is_named_where_no_apply_wrote_it(client: Callable[[str], Any], name: str) -> None:
    dynamodb = client("dynamodb")
    arn = dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )["TableDescription"]["TableArn"]
    known: Resources = {"aws_dynamodb_table": [{"arn": arn, "name": name}]}
    assert found(resources.tables, asked_of(client, known)) == []

    dynamodb.put_resource_policy(ResourceArn=arn, Policy=EVERYBODY)

    assert "has a resource policy which no apply wrote" in only(resources.tables, asked_of(client, known)).sentence
    ours: Resources = {**known, "aws_dynamodb_resource_policy": [{"resource_arn": arn}]}
    assert found(resources.tables, asked_of(client, ours)) == []


def test_where_a_log_group_is_sent_on_to_is_named(client: Callable[[str], Any], name: str) -> None:
    logs = client("logs")
    logs.create_log_group(logGroupName=name)
    known: Resources = {"aws_cloudwatch_log_group": [{"name": name}]}
    assert found(resources.logs, asked_of(client, known)) == []

    target = f"arn:aws:lambda:{PLACE}:function:theirs"
    logs.put_subscription_filter(logGroupName=name, filterName="extra", filterPattern="", destinationArn=target)

    assert target in only(resources.logs, asked_of(client, known)).sentence
    ours: Resources = {**known, "aws_cloudwatch_log_subscription_filter": [{"log_group_name": name, "name": "extra"}]}
    assert found(resources.logs, asked_of(client, ours)) == []


def test_a_route_and_a_stage_of_an_http_api_are_named(client: Callable[[str], Any], name: str) -> None:
    gateway = client("apigatewayv2")
    api = gateway.create_api(Name=name, ProtocolType="HTTP")["ApiId"]
    route = gateway.create_route(ApiId=api, RouteKey="GET /known")["RouteId"]
    gateway.create_stage(ApiId=api, StageName="$default")
    known: Resources = {
        "aws_apigatewayv2_api": [{"id": api, "name": name}],
        "aws_apigatewayv2_route": [{"api_id": api, "id": route}],
        "aws_apigatewayv2_stage": [{"api_id": api, "name": "$default"}],
    }
    asked = asked_of(client, known)
    assert found(resources.http_apis, asked) == []

    gateway.create_route(ApiId=api, RouteKey="GET /open")
    gateway.create_stage(ApiId=api, StageName="other")

    told = [(finding.kind, finding.sentence) for finding in resources.http_apis(asked)]
    assert told == [
        ("route", f"the API {name} has a route GET /open which no apply made"),
        ("stage", f"the API {name} has a stage other which no apply made"),
    ]


def test_a_path_and_a_stage_of_a_rest_api_are_named(client: Callable[[str], Any], name: str) -> None:
    gateway = client("apigateway")
    api = gateway.create_rest_api(name=name)["id"]
    root = gateway.get_resources(restApiId=api)["items"][0]["id"]
    known: Resources = {"aws_api_gateway_rest_api": [{"id": api, "name": name, "policy": ""}]}
    asked = asked_of(client, known)
    assert found(resources.rest_apis, asked) == []

    resource = gateway.create_resource(restApiId=api, parentId=root, pathPart="open")["id"]
    gateway.put_method(restApiId=api, resourceId=resource, httpMethod="GET", authorizationType="NONE")
    gateway.put_integration(restApiId=api, resourceId=resource, httpMethod="GET", type="MOCK")
    gateway.create_deployment(restApiId=api, stageName="other")

    told = [(finding.kind, finding.sentence) for finding in resources.rest_apis(asked)]
    assert told == [
        ("route", f"the API {name} has a path /open which no apply made"),
        ("stage", f"the API {name} has a stage other which no apply made"),
    ]
    ours: Resources = {
        **known,
        "aws_api_gateway_resource": [{"rest_api_id": api, "id": resource}],
        "aws_api_gateway_stage": [{"rest_api_id": api, "stage_name": "other"}],
    }
    assert found(resources.rest_apis, asked_of(client, ours)) == []


def test_a_layer_that_others_may_read_is_named(client: Callable[[str], Any], name: str) -> None:
    lambda_client = client("lambda")
    layer = lambda_client.publish_layer_version(LayerName=name, Content={"ZipFile": zip_of({"python/one.py": b""})})
    values = {
        "layer_name": name,
        "layer_arn": layer["LayerArn"],
        "arn": layer["LayerVersionArn"],
        "version": str(layer["Version"]),
    }
    asked = asked_of(client, {"aws_lambda_layer_version": [values]})
    assert found(resources.layers, asked) == []

    lambda_client.add_layer_version_permission(
        LayerName=name, VersionNumber=1, StatementId="all", Action="lambda:GetLayerVersion", Principal="*"
    )

    assert "has a policy which no apply wrote, by which others may read it" in only(resources.layers, asked).sentence
