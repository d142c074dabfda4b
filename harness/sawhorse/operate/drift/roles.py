"""Look for policies in and on our roles that no apply put there, and for ours on the roles of others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sawhorse.operate.drift.finding import Asked, Finding, unless_gone


@dataclass(frozen=True)
class Held:
    """Where a state has the policies of a role: the resource of one and its field, and the list of all of them."""

    kind: str
    field: str
    exclusive: str
    listed: str


INLINE = Held("aws_iam_role_policy", "name", "aws_iam_role_policies_exclusive", "policy_names")
ATTACHED = Held(
    "aws_iam_role_policy_attachment", "policy_arn", "aws_iam_role_policy_attachments_exclusive", "policy_arns"
)


def foreign_policies(asked: Asked) -> Iterator[Finding]:
    """Walk the policies that were written into our roles or attached to them by others."""
    iam = asked.client("iam")
    for address, role in asked.known("aws_iam_role"):
        name = role["name"]
        inline = in_role(asked, name, INLINE)
        attached = in_role(asked, name, ATTACHED)
        with unless_gone():
            for page in iam.get_paginator("list_role_policies").paginate(RoleName=name):
                for policy in page["PolicyNames"]:
                    if policy not in inline:
                        command = f"aws iam delete-role-policy --role-name {name} --policy-name {policy}"
                        sentence = f"the policy {policy} is written into the role {name}, and no apply wrote it"
                        yield Finding("policy", address, sentence, removed_by(asked, name, command))
            for page in iam.get_paginator("list_attached_role_policies").paginate(RoleName=name):
                for policy in (one["PolicyArn"] for one in page["AttachedPolicies"]):
                    if policy not in attached:
                        command = f"aws iam detach-role-policy --role-name {name} --policy-arn {policy}"
                        sentence = f"the policy {policy} is attached to the role {name}, and no apply attached it"
                        yield Finding("policy", address, sentence, removed_by(asked, name, command))


def in_role(asked: Asked, role: str, held: Held) -> set[str]:
    """Return what the state has in or on a role, by the resource of each and by the list of all."""
    own = {values[held.field] for _, values in asked.known(held.kind) if values["role"] == role}
    lists = (values[held.listed] or () for _, values in asked.known(held.exclusive) if values["role_name"] == role)
    return own.union(*lists)


def removed_by(asked: Asked, role: str, command: str) -> str:
    """Say what takes a policy away: an apply where it owns all of the role's, else a command."""
    owned = any(values["role_name"] == role for one in (INLINE, ATTACHED) for _, values in asked.known(one.exclusive))
    by_apply = f"{asked.command('apply')} takes it away; to keep it, name it in other_policies of the function"
    return by_apply if owned else f"take it away: {command}"


def our_policies_elsewhere(asked: Asked) -> Iterator[Finding]:
    """Walk whom our managed policies are attached to that no apply attached them to."""
    iam = asked.client("iam")
    for address, policy in asked.known("aws_iam_policy"):
        arn = policy["arn"]
        known = {one["role"] for _, one in asked.known("aws_iam_role_policy_attachment") if one["policy_arn"] == arn}
        with unless_gone():
            for page in iam.get_paginator("list_entities_for_policy").paginate(PolicyArn=arn):
                for kind, name in entities(page):
                    if kind != "role" or name not in known:
                        sentence = f"the policy {policy['name']} is attached to the {kind} {name}, which no apply did"
                        fix = f"take it away: aws iam detach-{kind}-policy --{kind}-name {name} --policy-arn {arn}"
                        yield Finding("policy", address, sentence, fix)


def entities(page: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for kind in ("role", "user", "group"):
        for one in page.get(f"Policy{kind.title()}s", ()):
            yield kind, one[f"{kind.title()}Name"]
