"""The role that deploys a root does all that there is to do with it, and needs every permission that it has."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sawhorse.local.role_sessions import ROLE
from tests.deploying import (
    DONE_WITHOUT,
    REFUSALS,
    Deployer,
    Permission,
    Tampering,
    have_deployers_made,
    policy,
    steps_of,
)
from tests.end_to_end.support import brought_up
from tests.growing import grow
from tests.projects import sample_project

pytestmark = pytest.mark.end_to_end

ROOT = "dev/sample"
ACCOUNT = "111111111111"
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/deployers/sample-boundary-dev"
OWN = f"arn:aws:iam::{ACCOUNT}:role/deployers/sample-deployer-dev"
TRUST = policy({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}})
ALL = policy({"Effect": "Allow", "Action": "*", "Resource": "*"})


@pytest.fixture(scope="module")
def deployer(tmp_path_factory: pytest.TempPathFactory, emulators: object) -> Iterator[Deployer]:
    """The deployer of the sample's root, with all that its policy has; the root is applied by it."""
    with brought_up(sample_project(tmp_path_factory.mktemp("deployers") / "project")) as sawhorse:
        have_deployers_made(sawhorse, "dev")
        one = Deployer(sawhorse, ROOT)
        one("apply", ROOT, "--local", "--state-bucket")
        yield one


@pytest.fixture(scope="module")
def session(deployer: Deployer) -> Callable[[str], Any]:
    """Clients of a session of the deployer's role."""
    return deployer.session


@pytest.fixture(scope="module")
def foreign(deployer: Deployer) -> str:
    """The account has another root's things, named `foreign`, and a role without a boundary that is free to take."""
    client = deployer.sawhorse.client
    client("dynamodb", "dev").create_table(
        TableName="foreign",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    client("iam", "dev").create_role(RoleName="foreign", AssumeRolePolicyDocument=TRUST)
    client("ssm", "dev").put_parameter(Name="/foreign/live", Value="1", Type="String")
    client("sns", "dev").create_topic(Name="foreign")
    client("logs", "dev").create_log_group(logGroupName="/aws/lambda/foreign")
    api = client("apigatewayv2", "dev").create_api(
        Name="foreign", ProtocolType="HTTP", Tags={"app": "foreign", "environment": "dev"}
    )
    return str(api["ApiId"])


def states(deployer: Deployer) -> str:
    """The bucket of the states, which the deployer's own permissions name."""
    [bucket] = {one.resource for one in deployer.permissions if one.action == "s3:ListBucket"}
    return bucket.rpartition(":")[2]


# The service, the operation, and what it is given.
Calls = dict[str, tuple[str, str, dict[str, Any]]]


def foreign_calls(bucket: str, api: str) -> Calls:
    """Name what a deployer is refused."""
    return {
        **calls_of_other_roots(bucket, api),
        **calls_past_the_boundary(),
        **calls_for_more_power(),
        **calls_of_functions(),
    }


def calls_of_other_roots(bucket: str, api: str) -> Calls:
    """Name what belongs to another root, and the bucket of states that all roots have."""
    return {
        "another root's table": ("dynamodb", "delete_table", {"TableName": "foreign"}),
        "another root's items": ("dynamodb", "scan", {"TableName": "foreign"}),
        "another root's parameter": (
            "ssm",
            "put_parameter",
            {"Name": "/foreign/live", "Value": "2", "Type": "String", "Overwrite": True},
        ),
        "another root's topic": ("sns", "delete_topic", {"TopicArn": f"arn:aws:sns:us-east-1:{ACCOUNT}:foreign"}),
        "another root's log": ("logs", "delete_log_group", {"logGroupName": "/aws/lambda/foreign"}),
        "another root's API": ("apigatewayv2", "delete_api", {"ApiId": api}),
        "another root's tags": (
            "apigatewayv2",
            "tag_resource",
            {"ResourceArn": f"arn:aws:apigateway:us-east-1::/apis/{api}", "Tags": {"app": "sample"}},
        ),
        "another root's state": ("s3", "get_object", {"Bucket": bucket, "Key": "env:/local/dev/foreign.tfstate"}),
        "writing another root's state": (
            "s3",
            "put_object",
            {"Bucket": bucket, "Key": "env:/local/dev/foreign.tfstate", "Body": b"{}"},
        ),
        "deleting its own state": ("s3", "delete_object", {"Bucket": bucket, "Key": f"env:/local/{ROOT}.tfstate"}),
        "the bucket of states": ("s3", "delete_bucket", {"Bucket": bucket}),
        "the policy of that bucket": ("s3", "delete_bucket_policy", {"Bucket": bucket}),
        "the versions of that bucket": (
            "s3",
            "put_bucket_versioning",
            {"Bucket": bucket, "VersioningConfiguration": {"Status": "Suspended"}},
        ),
    }


def calls_past_the_boundary() -> Calls:
    """Name what would make a role of the root more than its boundary lets it be."""
    role = {"RoleName": "sample-dev"}
    return {
        "its role without a boundary": ("iam", "create_role", {**role, "AssumeRolePolicyDocument": TRUST}),
        "its role with another boundary": (
            "iam",
            "create_role",
            {
                **role,
                "AssumeRolePolicyDocument": TRUST,
                "PermissionsBoundary": "arn:aws:iam::aws:policy/AdministratorAccess",
            },
        ),
        "taking the boundary off": ("iam", "delete_role_permissions_boundary", role),
        "changing for another boundary": (
            "iam",
            "put_role_permissions_boundary",
            {**role, "PermissionsBoundary": "arn:aws:iam::aws:policy/AdministratorAccess"},
        ),
        "the boundary's own policy": (
            "iam",
            "create_policy_version",
            {"PolicyArn": BOUNDARY, "PolicyDocument": ALL, "SetAsDefault": True},
        ),
        "attaching a policy to its role": (
            "iam",
            "attach_role_policy",
            {**role, "PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess"},
        ),
        "writing into a role without the boundary": (
            "iam",
            "put_role_policy",
            {"RoleName": "foreign", "PolicyName": "all", "PolicyDocument": ALL},
        ),
    }


def calls_for_more_power() -> Calls:
    """Name what would make a deployer somebody else, or more than it is."""
    return {
        "a user": ("iam", "create_user", {"UserName": "somebody"}),
        "a key of a user": ("iam", "create_access_key", {"UserName": "somebody"}),
        "a role of another name": (
            "iam",
            "create_role",
            {"RoleName": "another", "AssumeRolePolicyDocument": TRUST, "PermissionsBoundary": BOUNDARY},
        ),
        "writing into its own role": (
            "iam",
            "put_role_policy",
            {"RoleName": "sample-deployer-dev", "PolicyName": "all", "PolicyDocument": ALL},
        ),
        "its own policy": (
            "iam",
            "create_policy_version",
            {
                "PolicyArn": f"arn:aws:iam::{ACCOUNT}:policy/deployers/sample-deployer-dev-1",
                "PolicyDocument": ALL,
                "SetAsDefault": True,
            },
        ),
        "who may take its own role": (
            "iam",
            "update_assume_role_policy",
            {"RoleName": "sample-deployer-dev", "PolicyDocument": TRUST},
        ),
        "taking the reader's role": (
            "sts",
            "assume_role",
            {"RoleArn": f"arn:aws:iam::{ACCOUNT}:role/deployers/sample-reader-dev", "RoleSessionName": "test"},
        ),
    }


def calls_of_functions() -> Calls:
    """Name what would run code as a role that is not the root's, or where it is not the root's."""
    return {
        "passing another role": (
            "lambda",
            "update_function_configuration",
            {"FunctionName": "sample-dev", "Role": f"arn:aws:iam::{ACCOUNT}:role/foreign"},
        ),
        "a function of another name": (
            "lambda",
            "create_function",
            {
                "FunctionName": "foreign",
                "Role": f"arn:aws:iam::{ACCOUNT}:role/sample-dev",
                "Runtime": "python3.13",
                "Handler": "main.handler",
                "Code": {"ZipFile": b"PK"},
            },
        ),
        "an event source of another function": (
            "lambda",
            "create_event_source_mapping",
            {"FunctionName": "foreign", "EventSourceArn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:foreign"},
        ),
    }


@pytest.mark.parametrize("name", list(foreign_calls("", "")))
def test_what_is_not_its_roots_is_refused(
    deployer: Deployer, session: Callable[[str], Any], foreign: str, name: str
) -> None:
    service, operation, given = foreign_calls(states(deployer), foreign)[name]
    with pytest.raises(ClientError) as refused:
        getattr(session(service), operation)(**given)
    assert refused.value.response["Error"]["Code"] in REFUSALS


def test_its_role_is_passed_to_no_service_but_lambda(deployer: Deployer, session: Callable[[str], Any]) -> None:
    """It could not call another one anyway; here it may, and is refused for the role that it hands over."""
    deployer.allow(deployer.permissions | {Permission("scheduler:CreateSchedule", "*")})
    role = f"arn:aws:iam::{ACCOUNT}:role/sample-dev"
    target = {"Arn": f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:sample-dev", "RoleArn": role}
    try:
        with pytest.raises(ClientError, match=f"not authorized to perform: iam:PassRole on resource: {role}"):
            session("scheduler").create_schedule(
                Name="passing", ScheduleExpression="rate(1 day)", FlexibleTimeWindow={"Mode": "OFF"}, Target=target
            )
    finally:
        deployer.allow(deployer.permissions)


def test_its_roles_carry_the_boundary_and_nothing_is_left_to_change(deployer: Deployer) -> None:
    role = deployer.iam.get_role(RoleName="sample-dev")["Role"]
    assert role["PermissionsBoundary"]["PermissionsBoundaryArn"] == BOUNDARY
    ended, calls = deployer.run("plan", ROOT, "--local", "--exit-code")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert {call.action for call in calls if not call.allowed} <= DONE_WITHOUT


def test_the_reader_plans_and_looks_for_drift_and_applies_nothing(deployer: Deployer) -> None:
    reader = {ROLE: f"arn:aws:iam::{ACCOUNT}:role/deployers/sample-reader-dev"}
    planned = deployer.sawhorse("plan", ROOT, "--local", "--exit-code", "--no-lock", variables=reader)
    assert "No changes" in planned
    drifted = deployer.sawhorse("drift", ROOT, "--local", "--no-verify", "--no-lock", variables=reader)
    assert "the same" in drifted
    # Whoever could take the lock could keep everybody from deploying, or take it away from an apply.
    locked = deployer.sawhorse("plan", ROOT, "--local", code=1, variables=reader)
    assert "AccessDenied" in locked
    assert ".tfstate.tflock" in locked
    applied = deployer.sawhorse(
        "apply", ROOT, "--local", "--var=lambda_reserved_concurrency=7", code=1, variables=reader
    )
    assert "AccessDenied" in applied


@pytest.mark.drill(short=2)
def test_a_plan_fails_without_any_one_permission_that_it_asks_for(deployer: Deployer, moments: random.Random) -> None:
    _, calls = deployer.run("plan", ROOT, "--local")
    asked = [(call.action, call.resource) for call in calls if call.allowed]
    lost = moments.choice(sorted(one for one in deployer.proven if one.covered_by(asked)))
    deployer.allow(deployer.permissions - {lost})
    try:
        ended = deployer("plan", ROOT, "--local")
    finally:
        deployer.allow(deployer.permissions)
    assert ended.returncode == 1, f"It plans without {lost}."


def test_deployers_are_told_to_stay_while_a_role_carries_their_boundary(deployer: Deployer) -> None:
    told = deployer.sawhorse("deployer", "destroy", "dev", "--local", code=2)
    assert "The roles of dev/sample carry the boundary" in told


def trusted_by(deployer: Deployer, role: str) -> set[str]:
    """Return the names of the roles that a role trusts."""
    [statement] = deployer.iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]["Statement"]
    trusted = statement["Principal"]["AWS"]
    return {arn.partition(":role/")[2] for arn in ([trusted] if isinstance(trusted, str) else trusted)} - {""}


def taken_by(deployer: Deployer, role: str) -> set[str]:
    """Return the ARNs of the roles that a role may take."""
    [name] = deployer.iam.list_role_policies(RoleName=role)["PolicyNames"]
    policy = deployer.iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    [statement] = policy["Statement"]
    assert statement["Action"] in ("sts:AssumeRole", ["sts:AssumeRole"])
    return {statement["Resource"]} if isinstance(statement["Resource"], str) else set(statement["Resource"])


def test_jobs_of_the_repository_take_the_deployers_of_their_environment(deployer: Deployer) -> None:
    facts = deployer.sawhorse.project.path / "environments/dev/environment.yaml"
    before = facts.read_text()
    facts.write_text(f"{before}github:\n  repository: acme/shop\n")
    try:
        deployer.sawhorse("deployer", "make", "dev", "--local")
        assert {"github-dev"} <= trusted_by(deployer, "sample-deployer-dev")
        assert OWN in taken_by(deployer, "github-dev")
        # What looks for drift, and what asks for production whether it may have these packages.
        looking = {"github-pull-requests", "github-drift", "github-production"}
        assert looking <= trusted_by(deployer, "sample-reader-dev")
        assert not looking & trusted_by(deployer, "sample-deployer-dev")
        for name in looking:
            assert taken_by(deployer, name) == {OWN.replace("-deployer-", "-reader-")}
    finally:
        facts.write_text(before)
        deployer.sawhorse("deployer", "make", "dev", "--local")


@pytest.mark.drill(short=0, most=1)
@pytest.mark.timeout(5400)
def test_every_permission_is_needed_by_some_step(tmp_path: Path, emulators: object) -> None:
    with brought_up(sample_project(tmp_path / "project")) as sawhorse:
        have_deployers_made(sawhorse, "dev")
        deployer = Deployer(sawhorse, ROOT)
        growth = grow(deployer, steps_of(deployer, Tampering(deployer)))
        assert growth.idle == set()
        assert growth.refused(deployer.permissions) <= DONE_WITHOUT
        sawhorse("deployer", "destroy", "dev", "--local")
        assert sawhorse.client("iam", "dev").list_policies(Scope="Local")["Policies"] == []
