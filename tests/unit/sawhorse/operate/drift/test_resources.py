"""What topics, queues, tables, logs, APIs and layers were given by hand is seen where it is, on the local AWS."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sawhorse.build.zip_writer import zip_of
from sawhorse.operate.drift import resources
from tests.unit.sawhorse.operate.drift.asking import EVERYBODY, Resources, asked_of, found, only
from tests.unit.sawhorse.support import PLACE


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
