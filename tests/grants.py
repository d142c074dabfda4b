"""Take one grant after another away from a role of what was applied, and give it back."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Policy:
    """A policy of a role: one of its own by its name, or an attached one, which has an ARN as well."""

    role: str
    name: str
    arn: str | None
    document: dict[str, Any]

    def without(self, action: str, resource: str) -> dict[str, Any]:
        """Return the document with one action on one resource less, and everything else as it is."""
        rest = copy.deepcopy(self.document)
        statements = []
        for statement in rest["Statement"]:
            actions, resources = as_list(statement["Action"]), as_list(statement["Resource"])
            if statement["Effect"] != "Allow" or action not in actions or resource not in resources:
                statements.append(statement)
                continue
            for kept_actions, kept_resources in (
                ([one for one in actions if one != action], resources),
                ([action], [one for one in resources if one != resource]),
            ):
                if kept_actions and kept_resources:
                    statements.append({**statement, "Action": kept_actions, "Resource": kept_resources})
        return {**rest, "Statement": statements}


@dataclass(frozen=True)
class Grant:
    """One action on one resource, as a policy of a role allows it."""

    policy: Policy
    action: str
    resource: str

    def __str__(self) -> str:
        """Name the grant without its account and region: `app-dev: dynamodb:GetItem table/app-dev`."""
        owner = self.policy.name if self.policy.arn else self.policy.role
        return f"{owner}: {self.action} {self.resource.split(':', 5)[-1]}"


def as_list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def all_grants(iam: Any) -> list[Grant]:
    """Return every action on every resource that the policies of an account's roles allow, a shared policy's once."""
    roles = [role["RoleName"] for page in iam.get_paginator("list_roles").paginate() for role in page["Roles"]]
    found = [policy for role in sorted(roles) for policy in policies_of(iam, role)]
    policies = {policy.arn or f"{policy.role}/{policy.name}": policy for policy in found}
    return [
        Grant(policy, action, resource)
        for policy in policies.values()
        for statement in policy.document["Statement"]
        if statement["Effect"] == "Allow"
        for action in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
    ]


def policies_of(iam: Any, role: str) -> Iterator[Policy]:
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        yield Policy(role, name, None, read_document(document))
    for attached in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
        arn = attached["PolicyArn"]
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        document = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
        yield Policy(role, attached["PolicyName"], arn, read_document(document))


def read_document(document: str | dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(document) if isinstance(document, str) else document
    return found


@contextmanager
def taken_away(iam: Any, grant: Grant) -> Iterator[None]:
    """Leave a role without a grant, and give it back."""
    policy, rest = grant.policy, grant.policy.without(grant.action, grant.resource)
    if policy.arn is None:
        key = {"RoleName": policy.role, "PolicyName": policy.name}
        if rest["Statement"]:
            iam.put_role_policy(**key, PolicyDocument=json.dumps(rest))
        else:
            iam.delete_role_policy(**key)
        try:
            yield
        finally:
            iam.put_role_policy(**key, PolicyDocument=json.dumps(policy.document))
        return
    become(iam, policy.arn, rest)
    try:
        yield
    finally:
        become(iam, policy.arn, policy.document)


def become(iam: Any, arn: str, document: dict[str, Any]) -> None:
    """Give a managed policy another content; AWS keeps five versions of it at most, and here one is enough."""
    before = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=json.dumps(document), SetAsDefault=True)
    iam.delete_policy_version(PolicyArn=arn, VersionId=before)
