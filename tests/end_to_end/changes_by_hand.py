"""What somebody changes by hand of the applied sample, how it is undone, and the finding of drift that it makes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple

NAME = "sample-dev"
QUEUE = "arn:aws:sqs:us-east-1:111111111111:letters"
LOG_GROUP = f"/aws/lambda/{NAME}"
OTHER_QUEUE = "arn:aws:sqs:us-east-1:111111111111:others"
ALARMS, NOTES = (f"arn:aws:sns:us-east-1:111111111111:{NAME}-{topic}" for topic in ("alarms", "notes"))
TABLE = "arn:aws:dynamodb:us-east-1:111111111111:table/sample-notes-dev"
ALL = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
EVERYBODY = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*"}]})
ANYBODYS_ROLE = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]}
)

Clients = Callable[[str], Any]


class Told(NamedTuple):
    """One finding of drift, as a test compares it."""

    kind: str
    sentence: str


class Change(NamedTuple):
    """What is changed by hand and back, and the one finding that it makes."""

    do: Callable[[Clients], object]
    undo: Callable[[Clients], object]
    kind: str
    sentence: str


def ruled_otherwise(client: Clients, name: str) -> object:
    """Give a composite alarm another rule, and leave the rest of it as it is."""
    cloudwatch = client("cloudwatch")
    [found] = cloudwatch.describe_alarms(AlarmNames=[name], AlarmTypes=["CompositeAlarm"])["CompositeAlarms"]
    kept = ("AlarmName", "AlarmDescription", "ActionsEnabled", "AlarmActions", "OKActions")
    return cloudwatch.put_composite_alarm(**{key: found[key] for key in kept}, AlarmRule="FALSE")


def statement(qualifier: str | None) -> tuple[Callable[[Clients], object], Callable[[Clients], object]]:
    words = {"FunctionName": NAME, "StatementId": f"by-hand{qualifier or ''}"}
    words |= {"Qualifier": qualifier} if qualifier else {}

    def do(client: Clients) -> object:
        return client("lambda").add_permission(**words, Action="lambda:InvokeFunction", Principal="*")

    return do, lambda client: client("lambda").remove_permission(**words)


def unsubscribe(client: Clients, topic: str, endpoint: str) -> None:
    sns = client("sns")
    for one in sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]:
        if one["Endpoint"] == endpoint:
            sns.unsubscribe(SubscriptionArn=one["SubscriptionArn"])


def mapping(client: Clients, queue: str) -> str:
    found = client("lambda").list_event_source_mappings(FunctionName=NAME, EventSourceArn=queue)
    return str(found["EventSourceMappings"][0]["UUID"])


def api(client: Clients) -> str:
    [found] = client("apigatewayv2").get_apis()["Items"]
    return str(found["ApiId"])


def remove_route(client: Clients) -> None:
    gateway, api_id = client("apigatewayv2"), api(client)
    for route in gateway.get_routes(ApiId=api_id)["Items"]:
        if route["RouteKey"] == "GET /by-hand":
            gateway.delete_route(ApiId=api_id, RouteId=route["RouteId"])


def put_topic_policy_back(client: Clients) -> None:
    """Write the policy that SNS gives every topic."""
    condition = {"StringEquals": {"AWS:SourceOwner": "111111111111"}}
    allowed = {
        "Sid": "__default_statement_ID",
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": ["SNS:Publish", "SNS:Subscribe", "SNS:Receive"],
        "Resource": NOTES,
        "Condition": condition,
    }
    policy = {"Version": "2008-10-17", "Id": "__default_policy_ID", "Statement": [allowed]}
    client("sns").set_topic_attributes(TopicArn=NOTES, AttributeName="Policy", AttributeValue=json.dumps(policy))


# By the words of the table in docs/architecture.md. A plan sees none of these.
UNSEEN = {
    "a permission on the function": Change(
        *statement(None), "permission", f'"*" may lambda:InvokeFunction {NAME} by by-hand, which no apply added'
    ),
    "a permission on `live`": Change(
        *statement("live"),
        "permission",
        f'"*" may lambda:InvokeFunction {NAME}:live by by-handlive, which no apply added',
    ),
    "a function URL": Change(
        lambda client: client("lambda").create_function_url_config(FunctionName=NAME, AuthType="NONE"),
        lambda client: client("lambda").delete_function_url_config(FunctionName=NAME),
        "url",
        f"{NAME} has a function URL (NONE) which no apply made",
    ),
    "another alias": Change(
        lambda client: client("lambda").create_alias(FunctionName=NAME, Name="other", FunctionVersion="1"),
        lambda client: client("lambda").delete_alias(FunctionName=NAME, Name="other"),
        "alias",
        f"{NAME} has an alias other of version 1, which no apply made",
    ),
    "settings of asynchronous calls": Change(
        lambda client: client("lambda").put_function_event_invoke_config(
            FunctionName=NAME, Qualifier="live", MaximumRetryAttempts=0
        ),
        lambda client: client("lambda").delete_function_event_invoke_config(FunctionName=NAME, Qualifier="live"),
        "asynchronous calls",
        f"{NAME}:live has settings of asynchronous calls which no apply made",
    ),
    "provisioned concurrency of a version": Change(
        lambda client: client("lambda").put_provisioned_concurrency_config(
            FunctionName=NAME, Qualifier="1", ProvisionedConcurrentExecutions=1
        ),
        lambda client: client("lambda").delete_provisioned_concurrency_config(FunctionName=NAME, Qualifier="1"),
        "provisioned concurrency",
        f"{NAME}:1 keeps 1 worker warm, which no apply asked for",
    ),
    "an event source added": Change(
        lambda client: client("lambda").create_event_source_mapping(EventSourceArn=OTHER_QUEUE, FunctionName=NAME),
        lambda client: client("lambda").delete_event_source_mapping(UUID=mapping(client, OTHER_QUEUE)),
        "event source",
        f"{NAME} gets the events of {OTHER_QUEUE} (",
    ),
    "a subscriber of a topic added": Change(
        lambda client: client("sns").subscribe(TopicArn=ALARMS, Protocol="sqs", Endpoint=OTHER_QUEUE),
        lambda client: unsubscribe(client, ALARMS, OTHER_QUEUE),
        "subscription",
        f"sqs {OTHER_QUEUE} gets what is sent to {NAME}-alarms, which no apply asked for",
    ),
    "the policy of a topic that had AWS's own": Change(
        lambda client: client("sns").set_topic_attributes(
            TopicArn=NOTES, AttributeName="Policy", AttributeValue=EVERYBODY
        ),
        put_topic_policy_back,
        "policy",
        f"the policy of the topic {NAME}-notes is not the one that the last apply found",
    ),
    "a resource policy of a table": Change(
        lambda client: client("dynamodb").put_resource_policy(ResourceArn=TABLE, Policy=EVERYBODY),
        lambda client: client("dynamodb").delete_resource_policy(ResourceArn=TABLE),
        "policy",
        "the table sample-notes-dev has a resource policy which no apply wrote",
    ),
    "a log group sent on": Change(
        lambda client: client("logs").put_subscription_filter(
            logGroupName=f"/aws/lambda/{NAME}",
            filterName="by-hand",
            filterPattern="",
            destinationArn="arn:aws:lambda:us-east-1:111111111111:function:theirs",
        ),
        lambda client: client("logs").delete_subscription_filter(
            logGroupName=f"/aws/lambda/{NAME}", filterName="by-hand"
        ),
        "log subscription",
        f"events of /aws/lambda/{NAME} are sent on to arn:aws:lambda:us-east-1:111111111111:function:theirs",
    ),
    "a route of an API": Change(
        lambda client: client("apigatewayv2").create_route(ApiId=api(client), RouteKey="GET /by-hand"),
        remove_route,
        "route",
        f"the API {NAME} has a route GET /by-hand which no apply made",
    ),
}
# A plan sees these, and an apply puts them back; where drift says more, that is its sentence.
PLANNED: dict[str, tuple[Callable[[Clients], object], str, Told | None]] = {
    "a policy written into a role": (
        lambda client: client("iam").put_role_policy(RoleName=NAME, PolicyName="by-hand", PolicyDocument=ALL),
        "module.sample.module.function.aws_iam_role_policies_exclusive.this[0] (policy_names)",
        Told("policy", f"the policy by-hand is written into the role {NAME}, and no apply wrote it"),
    ),
    "a policy attached to a role": (
        lambda client: client("iam").attach_role_policy(
            RoleName=NAME, PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess"
        ),
        "module.sample.module.function.aws_iam_role_policy_attachments_exclusive.this[0] (policy_arns)",
        Told(
            "policy",
            f"the policy arn:aws:iam::aws:policy/AdministratorAccess is attached to the role {NAME}, and no apply "
            "attached it",
        ),
    ),
    "who may take a role": (
        lambda client: client("iam").update_assume_role_policy(RoleName=NAME, PolicyDocument=ANYBODYS_ROLE),
        "module.sample.module.function.aws_iam_role.this (assume_role_policy)",
        None,
    ),
    "configuration of the function": (
        lambda client: client("lambda").update_function_configuration(FunctionName=NAME, Timeout=29),
        "module.sample.module.function.aws_lambda_function.this (timeout)",
        None,
    ),
    "actions of an alarm turned off": (
        lambda client: client("cloudwatch").disable_alarm_actions(AlarmNames=[f"{NAME}-errors"]),
        'module.sample.module.function.aws_cloudwatch_metric_alarm.this["errors"] (actions_enabled)',
        None,
    ),
    "actions of a composite alarm turned off": (
        lambda client: client("cloudwatch").disable_alarm_actions(AlarmNames=[f"{NAME}-throttled"]),
        # The provider makes it anew.
        'create module.sample.module.observability.aws_cloudwatch_composite_alarm.this["throttled"]',
        None,
    ),
    "the rule of a composite alarm": (
        lambda client: ruled_otherwise(client, f"{NAME}-failing"),
        'module.sample.module.observability.aws_cloudwatch_composite_alarm.this["failing"] (alarm_rule)',
        None,
    ),
    "the pattern of a metric filter": (
        lambda client: client("logs").put_metric_filter(
            logGroupName=LOG_GROUP,
            filterName="server-errors",
            filterPattern="{ $.status = 599 }",
            metricTransformations=[
                {
                    "metricName": "ServerErrors",
                    "metricNamespace": f"FunctionLogs/{NAME}",
                    "metricValue": "1",
                    "unit": "Count",
                }
            ],
        ),
        'module.sample.module.function.aws_cloudwatch_log_metric_filter.this["server-errors"] (pattern)',
        None,
    ),
    "a metric filter gone": (
        lambda client: client("logs").delete_metric_filter(logGroupName=LOG_GROUP, filterName="memory"),
        'create module.sample.module.function.aws_cloudwatch_log_metric_filter.this["memory"]',
        None,
    ),
    "an event source turned off": (
        lambda client: client("lambda").update_event_source_mapping(UUID=mapping(client, QUEUE), Enabled=False),
        'module.sample.module.function.aws_lambda_event_source_mapping.queue["letters"] (enabled)',
        None,
    ),
    "a subscriber of a topic gone": (
        lambda client: unsubscribe(client, ALARMS, "alarms@example.com"),
        "create module.sample.module.observability.aws_sns_topic_subscription.email[0]",
        Told(
            "subscription",
            f"email alarms@example.com gets nothing of {NAME}-alarms any more: the subscription is gone",
        ),
    ),
}
