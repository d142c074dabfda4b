"""Look at what others gave topics, queues, tables, logs, APIs and layers: policies, subscribers, filters, routes."""

from __future__ import annotations

from collections.abc import Iterator

from sawhorse.operate.drift.finding import Asked, Finding, same_policy, unless_gone

PENDING = "PendingConfirmation"
# What every API has without being asked.
ROOT_PATH = "/"


def topics(asked: Asked) -> Iterator[Finding]:
    """Walk the subscriptions of our topics that are foreign, gone or not confirmed, and policies that were changed."""
    sns = asked.client("sns")
    ruled = {values["arn"] for _, values in asked.known("aws_sns_topic_policy")}
    subscribed = [values for _, values in asked.known("aws_sns_topic_subscription")]
    for address, topic in asked.known("aws_sns_topic"):
        arn, name = topic["arn"], topic["name"]
        known = {(one["protocol"], one["endpoint"]) for one in subscribed if one["topic_arn"] == arn}
        with unless_gone():
            pages = sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=arn)
            found = {(one["Protocol"], one["Endpoint"]): one for page in pages for one in page["Subscriptions"]}
            for (protocol, endpoint), one in found.items():
                if (protocol, endpoint) not in known:
                    sentence = f"{protocol} {endpoint} gets what is sent to {name}, which no apply asked for"
                    fix = f"take it away: aws sns unsubscribe --subscription-arn {one['SubscriptionArn']}"
                    yield Finding("subscription", address, sentence, fix)
                elif one["SubscriptionArn"] == PENDING:
                    sentence = f"{protocol} {endpoint} gets nothing of {name}: the subscription was never confirmed"
                    yield Finding("subscription", address, sentence, "follow the link in the message that SNS sent")
            for protocol, endpoint in sorted(known - found.keys()):
                sentence = f"{protocol} {endpoint} gets nothing of {name} any more: the subscription is gone"
                fix = f"{asked.command('apply')} makes it again, and it is confirmed again"
                yield Finding("subscription", address, sentence, fix)
            policy = sns.get_topic_attributes(TopicArn=arn)["Attributes"].get("Policy")
            if arn not in ruled and not same_policy(policy, topic.get("policy")):
                sentence = f"the policy of the topic {name} is not the one that the last apply found"
                fix = f"look at it: aws sns get-topic-attributes --topic-arn {arn}"
                yield Finding("policy", address, sentence, fix)


def queues(asked: Asked) -> Iterator[Finding]:
    """Walk the queues whose policy somebody else wrote."""
    sqs = asked.client("sqs")
    ruled = {values["queue_url"] for _, values in asked.known("aws_sqs_queue_policy")}
    for address, queue in asked.known("aws_sqs_queue"):
        url = queue["url"]
        with unless_gone():
            attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"]).get("Attributes", {})
            if url not in ruled and not same_policy(attributes.get("Policy"), queue.get("policy")):
                sentence = f"the queue {queue['name']} has a policy which no apply wrote"
                fix = f"look at it: aws sqs get-queue-attributes --queue-url {url} --attribute-names Policy"
                yield Finding("policy", address, sentence, fix)


def tables(asked: Asked) -> Iterator[Finding]:
    """Walk the tables that have a policy of their own which no apply wrote."""
    dynamodb = asked.client("dynamodb")
    ruled = {values["resource_arn"] for _, values in asked.known("aws_dynamodb_resource_policy")}
    for address, table in asked.known("aws_dynamodb_table"):
        with unless_gone():
            if table["arn"] not in ruled and dynamodb.get_resource_policy(ResourceArn=table["arn"]).get("Policy"):
                sentence = f"the table {table['name']} has a resource policy which no apply wrote"
                fix = f"take it away: aws dynamodb delete-resource-policy --resource-arn {table['arn']}"
                yield Finding("policy", address, sentence, fix)


def logs(asked: Asked) -> Iterator[Finding]:
    """Walk where events of our log groups are sent on to, which no apply asked for."""
    client = asked.client("logs")
    known = {
        (values["log_group_name"], values["name"])
        for _, values in asked.known("aws_cloudwatch_log_subscription_filter")
    }
    for address, group in asked.known("aws_cloudwatch_log_group"):
        name = group["name"]
        with unless_gone():
            for page in client.get_paginator("describe_subscription_filters").paginate(logGroupName=name):
                for found in page["subscriptionFilters"]:
                    if (name, found["filterName"]) in known:
                        continue
                    sentence = f"events of {name} are sent on to {found['destinationArn']}, which no apply asked for"
                    words = f"--log-group-name {name} --filter-name {found['filterName']}"
                    fix = f"end that: aws logs delete-subscription-filter {words}"
                    yield Finding("log subscription", address, sentence, fix)


def http_apis(asked: Asked) -> Iterator[Finding]:
    """Walk the routes and stages of HTTP APIs that no apply made: a route is open the moment that it is made."""
    client = asked.client("apigatewayv2")
    for address, api in asked.known("aws_apigatewayv2_api"):
        routes = {values["id"] for _, values in asked.known("aws_apigatewayv2_route") if values["api_id"] == api["id"]}
        stages = {
            values["name"] for _, values in asked.known("aws_apigatewayv2_stage") if values["api_id"] == api["id"]
        }
        with unless_gone():
            for page in client.get_paginator("get_routes").paginate(ApiId=api["id"]):
                for route in page["Items"]:
                    if route["RouteId"] not in routes:
                        sentence = f"the API {api['name']} has a route {route['RouteKey']} which no apply made"
                        words = f"--api-id {api['id']} --route-id {route['RouteId']}"
                        fix = f"take it away: aws apigatewayv2 delete-route {words}"
                        yield Finding("route", address, sentence, fix)
            for page in client.get_paginator("get_stages").paginate(ApiId=api["id"]):
                for stage in page["Items"]:
                    if stage["StageName"] not in stages:
                        sentence = f"the API {api['name']} has a stage {stage['StageName']} which no apply made"
                        words = f"--api-id {api['id']} --stage-name {stage['StageName']}"
                        fix = f"take it away: aws apigatewayv2 delete-stage {words}"
                        yield Finding("stage", address, sentence, fix)


def rest_apis(asked: Asked) -> Iterator[Finding]:
    """Walk the paths and stages of REST APIs that no apply made; a path is open with the next deployment."""
    client = asked.client("apigateway")
    for address, api in asked.known("aws_api_gateway_rest_api"):
        paths = {
            values["id"] for _, values in asked.known("aws_api_gateway_resource") if values["rest_api_id"] == api["id"]
        }
        stages = {
            values["stage_name"]
            for _, values in asked.known("aws_api_gateway_stage")
            if values["rest_api_id"] == api["id"]
        }
        with unless_gone():
            for page in client.get_paginator("get_resources").paginate(restApiId=api["id"]):
                for one in page["items"]:
                    if one["id"] not in paths and one["path"] != ROOT_PATH:
                        sentence = f"the API {api['name']} has a path {one['path']} which no apply made"
                        words = f"--rest-api-id {api['id']} --resource-id {one['id']}"
                        fix = f"take it away: aws apigateway delete-resource {words}"
                        yield Finding("route", address, sentence, fix)
            for stage in client.get_stages(restApiId=api["id"])["item"]:
                if stage["stageName"] not in stages:
                    sentence = f"the API {api['name']} has a stage {stage['stageName']} which no apply made"
                    words = f"--rest-api-id {api['id']} --stage-name {stage['stageName']}"
                    yield Finding("stage", address, sentence, f"take it away: aws apigateway delete-stage {words}")


def layers(asked: Asked) -> Iterator[Finding]:
    """Walk the layers that somebody let other accounts use, which hands them their content."""
    client = asked.client("lambda")
    for address, layer in asked.known("aws_lambda_layer_version"):
        with unless_gone():
            words = {"LayerName": layer["layer_name"], "VersionNumber": int(layer["version"])}
            if client.get_layer_version_policy(**words).get("Policy"):
                sentence = f"the layer {layer['arn']} has a policy which no apply wrote, by which others may read it"
                fix = (
                    f"look at it: aws lambda get-layer-version-policy --layer-name {layer['layer_name']} "
                    f"--version-number {layer['version']}"
                )
                yield Finding("policy", address, sentence, fix)
