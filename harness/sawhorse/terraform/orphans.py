"""Find what an apply that was cut off has made and no state knows: by name, and by tags where there are some.

Terraform takes it over with import blocks; a few things are removed, and made again. What is made by writing over what
is there, such as an alarm, a policy of a role or a scalable target, needs none.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from sawhorse.terraform.filling import hcl

Client = Callable[[str], Any]
# What a plan knows of a resource that is to be made.
Wanted = Mapping[str, Any]
# How AWS's services say that something is not there.
ABSENT = (
    "AWS.SimpleQueueService.NonExistentQueue",
    "NoSuchBucket",
    "NoSuchEntity",
    "NoSuchTagSet",
    "NotFoundException",
    "ParameterNotFound",
    "QueueDoesNotExist",
    "ResourceNotFoundException",
)
# Tags by which a resource is known to be a root's own.
OF_A_ROOT = ("environment", "app")


@dataclass(frozen=True)
class Orphans:
    """What was found: import ids by address, and what is removed, since it is made again or was made twice."""

    imported: Mapping[str, str]
    removed: tuple[Removal, ...]


@dataclass(frozen=True)
class Removal:
    """Something that an apply that was cut off made, and that nothing was done with since."""

    kind: str
    identity: str

    def carry_out(self, client: Client) -> None:
        """Remove it; it may be gone by now."""
        service, operation, argument = REMOVALS[self.kind]
        try:
            getattr(client(service), operation)(**{argument: self.identity})
        except ClientError as error:
            if error.response["Error"]["Code"] not in ABSENT:
                raise


def orphans(changes: Iterable[Mapping[str, Any]], client: Client) -> Orphans:
    """Look for what a plan would make, and what is there already."""
    imported: dict[str, str] = {}
    removed: list[Removal] = []
    for change in changes:
        kind, doing = change["type"], change["change"]
        if change["mode"] != "managed" or kind not in LOOKS or doing["actions"] != ["create"]:
            continue
        found = list(present(LOOKS[kind], client, doing["after"] or {}))
        if kind not in MADE_AGAIN and found:
            imported[change["address"]] = found.pop(0)
        if kind in REMOVALS:
            removed += [Removal(kind, identity) for identity in found]
    return Orphans(imported, tuple(removed))


def present(look: Callable[[Client, Wanted], Iterator[str]], client: Client, wanted: Wanted) -> Iterator[str]:
    """Walk what a look finds; nothing where what it asks for is not there, or is not known before the apply."""
    try:
        yield from look(client, wanted)
    except KeyError:
        return
    except ClientError as error:
        if error.response["Error"]["Code"] not in ABSENT:
            raise


def kept_though_tainted(resources: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the addresses of what was being made when an apply was cut off, and is changed in place."""
    return [
        resource["address"]
        for resource in resources
        if resource["status"] == "tainted" and resource["type"] in KEPT_THOUGH_TAINTED
    ]


def import_blocks(found: Mapping[str, str]) -> str:
    """Write import blocks for what was found."""
    return "".join(f"import {{\n  to = {address}\n  id = {hcl(identity)}\n}}\n" for address, identity in found.items())


def is_own(wanted: Wanted, tags: Mapping[str, str]) -> bool:
    """Whether what was found has the tags by which the root knows its own."""
    expected = wanted.get("tags_all") or {}
    return all(tags.get(name) == expected[name] for name in OF_A_ROOT if name in expected)


def tags_of(pairs: Iterable[Mapping[str, str]]) -> dict[str, str]:
    return {pair["Key"]: pair["Value"] for pair in pairs}


def pages(client: Any, operation: str, field: str, **request: Any) -> Iterator[Any]:
    for page in client.get_paginator(operation).paginate(**request):
        yield from page.get(field, [])


def known(wanted: Wanted, *names: str) -> list[Any]:
    """Return values that the plan knows. Raises KeyError where it does not know one yet."""
    values = [wanted.get(name) for name in names]
    if None in values:
        raise KeyError(names[values.index(None)])
    return values


def bucket(client: Client, wanted: Wanted) -> Iterator[str]:
    s3, [name] = client("s3"), known(wanted, "bucket")
    if is_own(wanted, tags_of(s3.get_bucket_tagging(Bucket=name)["TagSet"])):
        yield name


def table(client: Client, wanted: Wanted) -> Iterator[str]:
    dynamodb, [name] = client("dynamodb"), known(wanted, "name")
    arn = dynamodb.describe_table(TableName=name)["Table"]["TableArn"]
    if is_own(wanted, tags_of(dynamodb.list_tags_of_resource(ResourceArn=arn)["Tags"])):
        yield name


def role(client: Client, wanted: Wanted) -> Iterator[str]:
    [name] = known(wanted, "name")
    if is_own(wanted, tags_of(client("iam").get_role(RoleName=name)["Role"].get("Tags", []))):
        yield name


def openid_connect_provider(client: Client, wanted: Wanted) -> Iterator[str]:
    iam, [url] = client("iam"), known(wanted, "url")
    for found in iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]:
        # An account has one for each issuer, which its ARN names.
        if found["Arn"].partition(":oidc-provider/")[2] == url.partition("://")[2].rstrip("/"):
            provider = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=found["Arn"])
            if is_own(wanted, tags_of(provider.get("Tags", []))):
                yield found["Arn"]


def policy(client: Client, wanted: Wanted) -> Iterator[str]:
    iam, [name] = client("iam"), known(wanted, "name")
    for found in pages(iam, "list_policies", "Policies", Scope="Local"):
        if found["PolicyName"] == name and is_own(
            wanted, tags_of(iam.list_policy_tags(PolicyArn=found["Arn"])["Tags"])
        ):
            yield found["Arn"]


def log_group(client: Client, wanted: Wanted) -> Iterator[str]:
    logs, [name] = client("logs"), known(wanted, "name")
    for found in pages(logs, "describe_log_groups", "logGroups", logGroupNamePrefix=name):
        if found["logGroupName"] == name:
            arn = found["arn"].removesuffix(":*")
            if is_own(wanted, logs.list_tags_for_resource(resourceArn=arn)["tags"]):
                yield name


def parameter(client: Client, wanted: Wanted) -> Iterator[str]:
    ssm, [name] = client("ssm"), known(wanted, "name")
    # What was written since, an operator's word, is not to be lost.
    untouched = ssm.get_parameter(Name=name)["Parameter"]["Version"] == 1
    if untouched and is_own(
        wanted, tags_of(ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId=name)["TagList"])
    ):
        yield name


def queue(client: Client, wanted: Wanted) -> Iterator[str]:
    sqs, [name] = client("sqs"), known(wanted, "name")
    url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    if is_own(wanted, sqs.list_queue_tags(QueueUrl=url).get("Tags", {})):
        yield url


def function(client: Client, wanted: Wanted) -> Iterator[str]:
    [name] = known(wanted, "function_name")
    if is_own(wanted, client("lambda").get_function(FunctionName=name).get("Tags", {})):
        yield name


def alias(client: Client, wanted: Wanted) -> Iterator[str]:
    function_name, name = known(wanted, "function_name", "name")
    client("lambda").get_alias(FunctionName=function_name, Name=name)
    yield f"{function_name}/{name}"


def permission(client: Client, wanted: Wanted) -> Iterator[str]:
    function_name, statement = known(wanted, "function_name", "statement_id")
    qualifier = wanted.get("qualifier")
    of = {"FunctionName": function_name, **({"Qualifier": qualifier} if qualifier else {})}
    document = json.loads(client("lambda").get_policy(**of)["Policy"])
    if statement in [one["Sid"] for one in document["Statement"]]:
        yield f"{function_name}{f':{qualifier}' if qualifier else ''}/{statement}"


def function_url(client: Client, wanted: Wanted) -> Iterator[str]:
    function_name, qualifier = known(wanted, "function_name", "qualifier")
    client("lambda").get_function_url_config(FunctionName=function_name, Qualifier=qualifier)
    yield f"{function_name}/{qualifier}"


def mapping(client: Client, wanted: Wanted) -> Iterator[str]:
    function_name, source = known(wanted, "function_name", "event_source_arn")
    found = pages(client("lambda"), "list_event_source_mappings", "EventSourceMappings", EventSourceArn=source)
    yield from (one["UUID"] for one in found if one["FunctionArn"] == function_name)


def layer(client: Client, wanted: Wanted) -> Iterator[str]:
    """The newest version: a root has one, and it is what was made last."""
    [name] = known(wanted, "layer_name")
    yield from (
        one["LayerVersionArn"]
        for one in pages(client("lambda"), "list_layer_versions", "LayerVersions", LayerName=name)
    )


def rest_api(client: Client, wanted: Wanted) -> Iterator[str]:
    [name] = known(wanted, "name")
    for found in pages(client("apigateway"), "get_rest_apis", "items"):
        if found["name"] == name and is_own(wanted, found.get("tags", {})):
            yield found["id"]


def resource(client: Client, wanted: Wanted) -> Iterator[str]:
    api, parent, part = known(wanted, "rest_api_id", "parent_id", "path_part")
    for found in pages(client("apigateway"), "get_resources", "items", restApiId=api):
        if (found.get("parentId"), found.get("pathPart")) == (parent, part):
            yield f"{api}/{found['id']}"


def method(client: Client, wanted: Wanted) -> Iterator[str]:
    api, of, verb = known(wanted, "rest_api_id", "resource_id", "http_method")
    client("apigateway").get_method(restApiId=api, resourceId=of, httpMethod=verb)
    yield f"{api}/{of}/{verb}"


def stage(client: Client, wanted: Wanted) -> Iterator[str]:
    api, name = known(wanted, "rest_api_id", "stage_name")
    client("apigateway").get_stage(restApiId=api, stageName=name)
    yield f"{api}/{name}"


def deployment(client: Client, wanted: Wanted) -> Iterator[str]:
    [api] = known(wanted, "rest_api_id")
    yield from (f"{api}/{one['id']}" for one in pages(client("apigateway"), "get_deployments", "items", restApiId=api))


def http_api(client: Client, wanted: Wanted) -> Iterator[str]:
    [name] = known(wanted, "name")
    for found in pages(client("apigatewayv2"), "get_apis", "Items"):
        if found["Name"] == name and is_own(wanted, found.get("Tags", {})):
            yield found["ApiId"]


def part_of_http_api(
    operation: str, field: str, argument: str, identity: str
) -> Callable[[Client, Wanted], Iterator[str]]:
    """Return a look for what an HTTP API has, by what tells it from the API's others."""

    def look(client: Client, wanted: Wanted) -> Iterator[str]:
        api, value = known(wanted, "api_id", argument)
        for found in pages(client("apigatewayv2"), operation, "Items", ApiId=api):
            if found.get(field) == value:
                yield f"{api}/{found[identity]}"

    return look


LOOKS: Mapping[str, Callable[[Client, Wanted], Iterator[str]]] = {
    "aws_api_gateway_deployment": deployment,
    "aws_api_gateway_method": method,
    "aws_api_gateway_resource": resource,
    "aws_api_gateway_rest_api": rest_api,
    "aws_api_gateway_stage": stage,
    "aws_apigatewayv2_api": http_api,
    "aws_apigatewayv2_authorizer": part_of_http_api("get_authorizers", "Name", "name", "AuthorizerId"),
    "aws_apigatewayv2_integration": part_of_http_api(
        "get_integrations", "IntegrationUri", "integration_uri", "IntegrationId"
    ),
    "aws_apigatewayv2_route": part_of_http_api("get_routes", "RouteKey", "route_key", "RouteId"),
    "aws_apigatewayv2_stage": part_of_http_api("get_stages", "StageName", "name", "StageName"),
    "aws_cloudwatch_log_group": log_group,
    "aws_dynamodb_table": table,
    "aws_iam_openid_connect_provider": openid_connect_provider,
    "aws_iam_policy": policy,
    "aws_iam_role": role,
    "aws_lambda_alias": alias,
    "aws_lambda_event_source_mapping": mapping,
    "aws_lambda_function": function,
    "aws_lambda_function_url": function_url,
    "aws_lambda_layer_version": layer,
    "aws_lambda_permission": permission,
    "aws_s3_bucket": bucket,
    "aws_sqs_queue": queue,
    "aws_ssm_parameter": parameter,
}
# An imported parameter has its value where the provider does not look for one that is no secret (5.100).
MADE_AGAIN = ("aws_ssm_parameter",)
# What has no unique name may have been made twice. By type: the service, the call and what it is told.
REMOVALS = {
    "aws_api_gateway_rest_api": ("apigateway", "delete_rest_api", "restApiId"),
    "aws_apigatewayv2_api": ("apigatewayv2", "delete_api", "ApiId"),
    "aws_ssm_parameter": ("ssm", "delete_parameter", "Name"),
}
# What a deployment of a REST API depends on is replaced by making the new one first (`create_before_destroy` spreads).
# These have no name but their place, so the old one's end is the new one's as well, or the new one is refused.
KEPT_THOUGH_TAINTED = (
    "aws_api_gateway_gateway_response",
    "aws_api_gateway_integration",
    "aws_api_gateway_method",
    "aws_api_gateway_resource",
)
# What is made by writing over what is there.
WRITTEN_OVER = (
    "aws_api_gateway_gateway_response",
    "aws_api_gateway_integration",
    "aws_api_gateway_method_settings",
    "aws_appautoscaling_policy",
    "aws_appautoscaling_target",
    "aws_cloudwatch_composite_alarm",
    "aws_cloudwatch_dashboard",
    "aws_cloudwatch_log_metric_filter",
    "aws_cloudwatch_metric_alarm",
    "aws_iam_role_policies_exclusive",
    "aws_iam_role_policy",
    "aws_iam_role_policy_attachment",
    "aws_iam_role_policy_attachments_exclusive",
    "aws_lambda_function_event_invoke_config",
    "aws_lambda_provisioned_concurrency_config",
    "aws_s3_bucket_lifecycle_configuration",
    "aws_s3_bucket_ownership_controls",
    "aws_s3_bucket_policy",
    "aws_s3_bucket_public_access_block",
    "aws_s3_bucket_server_side_encryption_configuration",
    "aws_s3_bucket_versioning",
    "aws_s3_object",
    "aws_sns_topic",
    "aws_sns_topic_policy",
    "aws_sns_topic_subscription",
    "aws_sqs_queue_redrive_allow_policy",
    "aws_sqs_queue_redrive_policy",
    "aws_wafv2_web_acl_association",
    # It stands in the state alone.
    "terraform_data",
)
