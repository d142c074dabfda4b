"""What IAM is asked about a call: its operation's own action, on the ARN that the request names."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
import yaml

from tests.contracts.asking import Asked, asked, given_to, may, operations_of
from tests.contracts.support import ACCOUNT, Account, unique
from tests.contracts.test_emulated_roles import assumed, role_trusting

if TYPE_CHECKING:
    from botocore.model import OperationModel

REGION = "us-east-1"
# Operations whose action has another name: the pages of their APIs say so.
OTHER_ACTIONS = {
    ("lambda", "GetLayerVersionByArn"): "GetLayerVersion",
    ("lambda", "Invoke"): "InvokeFunction",
    ("lambda", "InvokeWithResponseStream"): "InvokeFunction",
    ("sns", "PublishBatch"): "Publish",
    ("sqs", "ChangeMessageVisibilityBatch"): "ChangeMessageVisibility",
    ("sqs", "DeleteMessageBatch"): "DeleteMessage",
    ("sqs", "SendMessageBatch"): "SendMessage",
}
# Members that name the resource of operations that do not require them.
NAMING = ("FunctionName", "UserName", "logGroupName", "logGroupIdentifier", "Qualifier", "TopicArn")
# What no module of ours uses and the emulator asks otherwise; docs/architecture.md lists them for users.
ASKED_OTHERWISE = {
    "dynamodb": set(),
    "iam": {
        "ChangePassword",
        "CreateDelegationRequest",
        "GetAccessKeyLastUsed",
        "GetHumanReadableSummary",
        "GetServiceLinkedRoleDeletionStatus",
    },
    "lambda": {
        "CheckpointDurableExecution",
        "GetDurableExecutionHistory",
        "GetDurableExecutionState",
        "SendDurableExecutionCallbackFailure",
        "SendDurableExecutionCallbackHeartbeat",
        "SendDurableExecutionCallbackSuccess",
        "StopDurableExecution",
    },
    "logs": {
        *(f"{verb}Delivery" for verb in ("Create", "Delete", "Get")),
        *(f"{verb}DeliveryDestination{part}" for verb in ("Delete", "Get", "Put") for part in ("", "Policy")),
        *(f"{verb}DeliverySource" for verb in ("Delete", "Get")),
        *(f"{verb}LookupTable" for verb in ("Create", "Delete", "Get", "Update")),
        *(f"{verb}ScheduledQuery" for verb in ("Create", "Delete", "Get", "Update")),
        "GetLogRecord",
        "GetQueryResults",
        "GetScheduledQueryHistory",
        "ListAnomalies",
        "ListLogAnomalyDetectors",
        "UpdateDeliveryConfiguration",
    },
    "sns": set(),
    "sqs": {"CancelMessageMoveTask"},
    "ssm": set(),
    "apigateway": {"DeleteDomainNameAccessAssociation"},
    "apigatewayv2": set(),
}


@cache
def reference() -> dict[str, Any]:
    text = (Path(__file__).parent / "authorization_reference.yaml").read_text(encoding="utf-8")
    found: dict[str, Any] = yaml.safe_load(text.replace("REGION", REGION).replace("ACCOUNT", ACCOUNT))
    return found


@pytest.fixture(scope="module")
def nobody(account: Account) -> dict[str, str]:
    """The credentials of a role that may do nothing."""
    _, arn = role_trusting(account, {"AWS": f"arn:aws:iam::{account.account_id}:root"})
    return assumed(account, arn)


@pytest.fixture(scope="module")
def bucket(account: Account) -> str:
    name = unique("bucket")
    account.client("s3").create_bucket(Bucket=name)
    return name


def arns_of(service: str, action: str) -> list[str]:
    """The patterns of the ARNs that an action is granted for, none when it is granted for all alone."""
    known = reference()[service]
    return [known["resources"][kind] for kind in known["actions"][action]]


def fits(found: Asked, service: str, action: str) -> bool:
    patterns = [
        re.escape(arn).replace(r"\*", "[^*]*probe[^*]*", 1).replace(r"\*", "[^*]+") for arn in arns_of(service, action)
    ]
    named = (
        any(re.fullmatch(f"{pattern}.*", found.resource) for pattern in patterns) if patterns else found.resource == "*"
    )
    return found.action.lower() == f"{service}:{action}".lower() and named


@pytest.mark.parametrize("service", ["dynamodb", "iam", "lambda", "logs", "sns", "sqs", "ssm"])
def test_every_operation_asks_its_own_action_on_what_it_names(
    account: Account, nobody: dict[str, str], service: str
) -> None:
    client, wrong, tried = account.client(service, nobody), {}, 0
    for operation in operations_of(account, service):
        action = OTHER_ACTIONS.get((service, operation.name), operation.name)
        if action not in reference()[service]["actions"]:
            continue
        tried += 1
        # A log group first: the emulator keeps little else of CloudWatch Logs.
        arns = sorted(
            (arn.replace("*", "probe") for arn in arns_of(service, action)), key=lambda arn: "log-group" not in arn
        )
        found = asked(client, operation.name, given_to(operation, arns, NAMING))
        if not fits(found, service, action):
            wrong[operation.name] = found
    assert tried > 10
    assert wrong.keys() == ASKED_OTHERWISE[service], "\n".join(f"{name}: {found}" for name, found in wrong.items())


KEY = {"Key": "a/b.zip"}
OF_BUCKETS: dict[str, tuple[dict[str, Any], str]] = {
    "CreateBucket": ({}, "CreateBucket"),
    "DeleteBucket": ({}, "DeleteBucket"),
    "ListObjectsV2": ({}, "ListBucket"),
    "ListObjectVersions": ({}, "ListBucketVersions"),
    "GetBucketAccelerateConfiguration": ({}, "GetAccelerateConfiguration"),
    "GetBucketAcl": ({}, "GetBucketAcl"),
    "GetBucketCors": ({}, "GetBucketCORS"),
    "GetBucketEncryption": ({}, "GetEncryptionConfiguration"),
    "GetBucketLifecycleConfiguration": ({}, "GetLifecycleConfiguration"),
    "GetBucketLocation": ({}, "GetBucketLocation"),
    "GetBucketLogging": ({}, "GetBucketLogging"),
    "GetBucketOwnershipControls": ({}, "GetBucketOwnershipControls"),
    "GetBucketPolicy": ({}, "GetBucketPolicy"),
    "GetBucketReplication": ({}, "GetReplicationConfiguration"),
    "GetBucketRequestPayment": ({}, "GetBucketRequestPayment"),
    "GetBucketTagging": ({}, "GetBucketTagging"),
    "GetBucketVersioning": ({}, "GetBucketVersioning"),
    "GetBucketWebsite": ({}, "GetBucketWebsite"),
    "GetObjectLockConfiguration": ({}, "GetBucketObjectLockConfiguration"),
    "GetPublicAccessBlock": ({}, "GetBucketPublicAccessBlock"),
    "DeleteBucketEncryption": ({}, "PutEncryptionConfiguration"),
    "DeleteBucketLifecycle": ({}, "PutLifecycleConfiguration"),
    "DeleteBucketOwnershipControls": ({}, "PutBucketOwnershipControls"),
    "DeleteBucketPolicy": ({}, "DeleteBucketPolicy"),
    "DeletePublicAccessBlock": ({}, "PutBucketPublicAccessBlock"),
    "PutBucketPolicy": ({"Policy": "{}"}, "PutBucketPolicy"),
    "PutBucketVersioning": ({"VersioningConfiguration": {"Status": "Enabled"}}, "PutBucketVersioning"),
    "PutPublicAccessBlock": ({"PublicAccessBlockConfiguration": {}}, "PutBucketPublicAccessBlock"),
}
OF_OBJECTS: dict[str, tuple[dict[str, Any], str]] = {
    "DeleteObject": ({}, "DeleteObject"),
    "GetObject": ({}, "GetObject"),
    "GetObjectTagging": ({}, "GetObjectTagging"),
    "PutObject": ({"Body": b"x"}, "PutObject"),
    "PutObjectTagging": ({"Tagging": {"TagSet": []}}, "PutObjectTagging"),
}


@pytest.mark.parametrize(
    ("operation", "kind"), [*((name, "bucket") for name in OF_BUCKETS), *((name, "object") for name in OF_OBJECTS)]
)
def test_what_the_provider_asks_of_buckets_and_objects_asks_its_own_action(
    bucket: str, nobody: dict[str, str], account: Account, operation: str, kind: str
) -> None:
    given, action = {**OF_BUCKETS, **OF_OBJECTS}[operation]
    place = {"Bucket": bucket, **(KEY if kind == "object" else {})}
    found = asked(account.client("s3", nobody), operation, {**place, **given})
    assert found == Asked(f"s3:{action}", "/".join([f"arn:aws:s3:::{bucket}", *list(place.values())[1:]]))


def test_a_head_of_a_bucket_asks_for_its_list(bucket: str, nobody: dict[str, str], account: Account) -> None:
    """A response to HEAD has no body that would name anything."""
    assert asked(account.client("s3", nobody), "HeadBucket", {"Bucket": bucket}).action.startswith("403")
    reader = may(account, {"Action": "s3:ListBucket", "Resource": f"arn:aws:s3:::{bucket}"})
    assert account.client("s3", reader).head_bucket(Bucket=bucket)["ResponseMetadata"]["HTTPStatusCode"] == 200


@pytest.mark.parametrize("service", ["apigateway", "apigatewayv2"])
def test_every_operation_of_api_gateway_asks_its_verb_on_its_path(
    account: Account, nobody: dict[str, str], service: str
) -> None:
    """As the developer guide has it: api-gateway-control-access-using-iam-policies-to-create-and-manage-apis.html."""
    client, wrong, tried = account.client(service, nobody), {}, 0
    for operation in operations_of(account, service):
        given = given_to(operation, [f"arn:aws:apigateway:{REGION}::/restapis/probe"])
        path = path_of(operation, given)
        found = asked(client, operation.name, given)
        tried += 1
        if found != Asked(f"apigateway:{operation.http['method']}", f"arn:aws:apigateway:{REGION}::{path}"):
            wrong[operation.name] = (found, path)
    assert tried > 60
    assert wrong.keys() == ASKED_OTHERWISE[service], "\n".join(f"{name}: {found}" for name, found in wrong.items())


def path_of(operation: OperationModel, given: dict[str, Any]) -> str:
    """The path of a request as API Gateway's ARNs have it: without a version, and an ARN in it encoded."""
    path = str(operation.http["requestUri"]).partition("?")[0].removeprefix("/v2")
    members = operation.input_shape.members if operation.input_shape else {}
    for name, shape in members.items():
        label = "{" + str(shape.serialization.get("name", name))
        if shape.serialization.get("location") == "uri":
            path = path.replace(label + "}", quote(given[name], safe="")).replace(label + "+}", quote(given[name]))
    return path.rstrip("/")
