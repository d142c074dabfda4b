"""What we count on of roles that processes take and of the services that they run in."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from sawhorse.local.emulators import Running
from tests.contracts.support import Account, unique


@pytest.fixture
def policy(account: Account) -> tuple[str, str]:
    """A managed policy that lets its bearer read one table: its ARN and the table's name."""
    table = account.table()
    statement = {
        "Effect": "Allow",
        "Action": ["dynamodb:GetItem"],
        "Resource": [f"arn:aws:dynamodb:us-east-1:{account.account_id}:table/{table}"],
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    made = account.client("iam").create_policy(PolicyName=unique("policy"), PolicyDocument=document)
    return str(made["Policy"]["Arn"]), table


def role_trusting(account: Account, principal: dict[str, str]) -> tuple[str, str]:
    """Make a role that this principal may assume: its name and ARN."""
    name = unique("task-role")
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    made = account.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=trust)
    return name, str(made["Role"]["Arn"])


def assumed(account: Account, arn: str, by: dict[str, str] | None = None) -> dict[str, str]:
    taken = account.client("sts", by).assume_role(RoleArn=arn, RoleSessionName="contract")["Credentials"]
    return {
        "AWS_ACCESS_KEY_ID": taken["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": taken["SecretAccessKey"],
        "AWS_SESSION_TOKEN": taken["SessionToken"],
    }


def test_who_assumes_a_role_may_do_what_an_attached_policy_says_and_no_more(
    account: Account, policy: tuple[str, str]
) -> None:
    arn, table = policy
    principal = {"AWS": f"arn:aws:iam::{account.account_id}:root", "Service": "ecs-tasks.amazonaws.com"}
    name, role = role_trusting(account, principal)
    account.client("iam").attach_role_policy(RoleName=name, PolicyArn=arn)
    dynamodb = account.client("dynamodb", assumed(account, role))
    assert "Item" not in dynamodb.get_item(TableName=table, Key={"id": {"S": "absent"}})
    for call in (dynamodb.scan, dynamodb.describe_table):
        with pytest.raises(ClientError, match="AccessDenied"):
            call(TableName=table)
    account.client("iam").detach_role_policy(RoleName=name, PolicyArn=arn)
    with pytest.raises(ClientError, match="AccessDenied"):
        dynamodb.get_item(TableName=table, Key={"id": {"S": "absent"}})


def test_an_operator_assumes_a_role_that_trusts_the_account_and_none_that_trusts_tasks_alone(account: Account) -> None:
    """The root of an account gets in everywhere, so an operator with an identity of its own is asked."""
    trusted = {"AWS": f"arn:aws:iam::{account.account_id}:root"}
    name, operator = role_trusting(account, trusted)
    _, open_role = role_trusting(account, trusted)
    _, closed_role = role_trusting(account, {"Service": "ecs-tasks.amazonaws.com"})
    statement = {"Effect": "Allow", "Action": ["sts:AssumeRole"], "Resource": [open_role, closed_role]}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    account.client("iam").put_role_policy(RoleName=name, PolicyName="assume", PolicyDocument=document)
    credentials = assumed(account, operator)
    assert assumed(account, open_role, by=credentials)
    with pytest.raises(ClientError, match="AccessDenied"):
        assumed(account, closed_role, by=credentials)


def test_iam_tells_beforehand_what_an_attached_policy_allows(account: Account, policy: tuple[str, str]) -> None:
    arn, table = policy
    name, role = role_trusting(account, {"Service": "lambda.amazonaws.com"})
    account.client("iam").attach_role_policy(RoleName=name, PolicyArn=arn)
    found = account.client("iam").simulate_principal_policy(
        PolicySourceArn=role,
        ActionNames=["dynamodb:GetItem", "dynamodb:Scan"],
        ResourceArns=[f"arn:aws:dynamodb:us-east-1:{account.account_id}:table/{table}"],
    )
    decisions = {result["EvalActionName"]: result["EvalDecision"] for result in found["EvaluationResults"]}
    assert decisions["dynamodb:GetItem"] == "allowed"
    assert decisions["dynamodb:Scan"] != "allowed"


def test_moto_keeps_a_services_task_definitions_and_says_when_it_is_stable(local_aws: Running) -> None:
    secret = local_aws.secrets.secret_access_key
    ecs: Any = boto3.session.Session("111111111111", secret, region_name="us-east-2").client(
        "ecs", endpoint_url=local_aws.moto.url, config=Config(proxies={}, retries={"max_attempts": 0})
    )
    cluster, family = unique("cluster"), unique("family")
    ecs.create_cluster(clusterName=cluster)
    containers = [{"name": "app", "image": "app:1", "memory": 64, "environment": [{"name": "A", "value": "1"}]}]
    revisions = [
        ecs.register_task_definition(family=family, containerDefinitions=containers)["taskDefinition"] for _ in range(2)
    ]
    first, second = (revision["taskDefinitionArn"] for revision in revisions)
    ecs.create_service(cluster=cluster, serviceName="app", taskDefinition=first, desiredCount=0)
    ecs.update_service(cluster=cluster, service="app", taskDefinition=second)
    (service,) = ecs.describe_services(cluster=cluster, services=["app"])["services"]
    assert (service["status"], service["taskDefinition"]) == ("ACTIVE", second)
    ecs.get_waiter("services_stable").wait(cluster=cluster, services=["app"])
