"""The deployer of every root does all there is to do with it, needs each permission, and reaches no other root."""

from __future__ import annotations

import logging
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sawhorse.operate.deployer.policies import operations_of
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
from tests.end_to_end.support import Sawhorse, brought_up
from tests.growing import grow
from tests.projects import copy_of_project

pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.timeout(5400),
    # What a step fails without once it fails without always.
    pytest.mark.drill(short=0, most=1),
]

# What a deployer of a root does to things of its own, as calls that take one of another root's.
CALLS: dict[str, Callable[[str, str], tuple[str, str, dict[str, Any]]]] = {
    "dynamodb:DeleteTable": lambda _, name: ("dynamodb", "delete_table", {"TableName": name}),
    "dynamodb:UpdateTimeToLive": lambda _, name: (
        "dynamodb",
        "update_time_to_live",
        {"TableName": name, "TimeToLiveSpecification": {"Enabled": False, "AttributeName": "expires_at"}},
    ),
    "iam:DeleteRole": lambda _, name: ("iam", "delete_role", {"RoleName": name}),
    "iam:PutRolePolicy": lambda _, name: (
        "iam",
        "put_role_policy",
        {"RoleName": name, "PolicyName": "all", "PolicyDocument": policy({"Effect": "Allow", "Action": "*"})},
    ),
    "lambda:DeleteFunction": lambda _, name: ("lambda", "delete_function", {"FunctionName": name}),
    "lambda:GetFunction": lambda _, name: ("lambda", "get_function", {"FunctionName": name}),
    "lambda:UpdateFunctionCode": lambda _, name: (
        "lambda",
        "update_function_code",
        {"FunctionName": name, "ZipFile": b"PK"},
    ),
    "logs:DeleteLogGroup": lambda arn, _: (
        "logs",
        "delete_log_group",
        {"logGroupName": arn.split(":log-group:")[-1].removesuffix(":*")},
    ),
    "s3:GetObject": lambda arn, _: ("s3", "get_object", in_bucket(arn)),
    "s3:PutObject": lambda arn, _: ("s3", "put_object", {**in_bucket(arn), "Body": b"{}"}),
    "sns:DeleteTopic": lambda arn, _: ("sns", "delete_topic", {"TopicArn": arn}),
    "ssm:PutParameter": lambda arn, _: (
        "ssm",
        "put_parameter",
        {"Name": arn.split(":parameter")[-1], "Value": "1", "Type": "String", "Overwrite": True},
    ),
}

LOG = logging.getLogger(__name__)
REPOSITORY = Path(__file__).resolve().parents[4]
ENVIRONMENT = "dev"
ROOTS = sorted(
    f"{ENVIRONMENT}/{path.parent.name}" for path in (REPOSITORY / "environments" / ENVIRONMENT).glob("*/main.tf")
)


@pytest.fixture(scope="module")
def sawhorse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sawhorse]:
    """A copy of the project with a local AWS of its own, on which every root has its deployer and none is applied."""
    with brought_up(copy_of_project(tmp_path_factory.mktemp("deployers") / "project")) as command:
        have_deployers_made(command, ENVIRONMENT)
        yield command


def in_bucket(arn: str) -> dict[str, Any]:
    bucket, _, key = arn.removeprefix("arn:aws:s3:::").partition("/")
    return {"Bucket": bucket, "Key": key}


def calls_on(deployer: Deployer) -> dict[Permission, tuple[str, str, dict[str, Any]]]:
    """Return calls on what one root's deployer may change, by the permission that allows them to it."""
    return {
        one: CALLS[one.action](one.resource, re.split("[:/]", one.resource)[-1])
        for one in sorted(deployer.permissions)
        if one.action in CALLS and "*" not in one.resource.removesuffix(":*")
    }


@pytest.mark.parametrize("root", ROOTS)
def test_what_is_another_roots_is_refused(sawhorse: Sawhorse, root: str) -> None:
    session = Deployer(sawhorse, root).session
    tried: Counter[str] = Counter()
    for other in ROOTS:
        foreign = calls_on(Deployer(sawhorse, other)) if other != root else {}
        for permission, (service, operation, given) in foreign.items():
            with pytest.raises(ClientError) as refused:
                getattr(session(service), operation)(**given)
            assert refused.value.response["Error"]["Code"] in REFUSALS, f"{permission}: {refused.value}"
            tried[permission.action] += 1
    LOG.info("%s: refused %s", root, dict(tried))
    assert tried.keys() == CALLS.keys()


@pytest.fixture(scope="module")
def known() -> set[str]:
    """The kinds of permissions that some step of an earlier root failed without."""
    return set()


@pytest.mark.parametrize("root", ROOTS)
def test_every_permission_is_needed_by_some_step(sawhorse: Sawhorse, known: set[str], root: str) -> None:
    """A kind that an earlier root needed is needed here where it allows a call that nothing else allows.

    What an app's own seed and smoke checks ask for is taken away from each.
    """
    deployer = Deployer(sawhorse, root)
    rules = [rule for rules in operations_of(sawhorse.project.root(root)).values() for rule in rules]
    own = {action for rule in rules for action in (*rule.read, *rule.write)}
    start = time.monotonic()
    growth = grow(
        deployer,
        steps_of(deployer, Tampering(deployer)),
        frozenset(kind for kind in known if kind.partition(" ")[0] not in own),
    )
    known |= {one.kind for one in growth.granted}
    LOG.info(
        "%s: %d permissions in %d statements, %d of them judged here; %d runs in %.0f s with %d calls; done without %s",
        root,
        len(deployer.permissions),
        deployer.statements,
        len(deployer.proven),
        growth.runs,
        time.monotonic() - start,
        sum(growth.calls.values()),
        sorted(growth.refused(deployer.permissions)),
    )
    assert growth.idle == set()
    assert growth.refused(deployer.permissions) <= DONE_WITHOUT
