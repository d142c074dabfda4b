"""Find what a plan would open to others: policies of resources, permissions on functions, and who may take a role."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sawhorse.plans.plan import UNKNOWN, Plan
from sawhorse.plans.references import Configuration

# arn:PARTITION:SERVICE:REGION:ACCOUNT:THING
ARN_PARTS = 6
ACCOUNT = re.compile(r"[0-9]{12}")
IDENTITY = re.compile(r"arn:aws[a-z-]*:(?:iam|sts)::([0-9]{12}):(?:root|(?:role|user|assumed-role)/[^*?\s]+)")
SERVICE = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*\.amazonaws\.com(\.cn)?")
# With these operators a condition holds only when the key is there; `...IfExists` lets in who has none.
EXACT = ("stringequals", "stringlike", "arnequals", "arnlike")
# Where a resource keeps a policy; a queue's redrive_policy is none.
POLICY = re.compile(r"(assume_role_|resource_|access_|bucket_)?policy(_document)?")
# What these hold is what a role itself may do, and it opens nothing to others.
IDENTITY_POLICIES = ("aws_iam_role_policy", "aws_iam_policy", "aws_iam_user_policy", "aws_iam_group_policy")
# A letter of JSON that is written by its number.
ESCAPED = re.compile(r"\\u([0-9A-Fa-f]{4})")
# Issuers part the names in a subject by these, from the widest to the narrowest: repo:OWNER/REPOSITORY:ref:...
TWO_PARTS = re.compile(r"([^:/|*?]+[:/|]){2}")
NAMES_THE_ACCOUNT = 'a condition such as StringEquals {"aws:SourceAccount": ACCOUNT}'


@dataclass(frozen=True)
class Exposure:
    """Something that lets in whom nobody named, by its address, and why."""

    address: str
    reason: str

    def __str__(self) -> str:
        return f"{self.address}: {self.reason}"


def exposures(plan: Plan, accounts: Collection[str]) -> list[Exposure]:
    """Return what a plan opens to anybody outside these accounts, or to services that act for anybody else."""
    configuration = Configuration(plan.raw.get("configuration", {}).get("root_module", {}))
    found: list[Exposure] = []
    for address, values in plan.resources.items():
        kind = plan.types[address]
        if kind in ("aws_lambda_permission", "aws_lambda_layer_version_permission"):
            made_here = configuration.is_an_arn_of_the_plan(address, "source_arn")
            reasons = permission_faults(values, accounts, source_is_made_here=made_here)
        elif kind in IDENTITY_POLICIES:
            reasons = iter(())
        else:
            reasons = policy_faults(values, configuration.attributes(address), accounts)
        found += [Exposure(address, reason) for reason in reasons]
    return found


def policies_looked_at(plan: Plan) -> list[str]:
    """Return the addresses of everything in a plan that says who may do something."""
    return [
        address
        for address, values in plan.resources.items()
        if plan.types[address].endswith("_permission")
        or (plan.types[address] not in IDENTITY_POLICIES and any(documents(values)))
    ]


def permission_faults(
    values: Mapping[str, Any], accounts: Collection[str], *, source_is_made_here: bool = False
) -> Iterator[str]:
    """Walk what is wrong with a permission on a function or a layer."""
    principal, account, arn = (values.get(name) for name in ("principal", "source_account", "source_arn"))
    if not isinstance(principal, str) or principal is UNKNOWN:
        yield "nobody knows yet whom it lets in; name a service or an account"
    elif SERVICE.fullmatch(principal):
        if account is not None and account not in accounts:
            yield f"it lets {principal} in for the account {account}, which nobody named"
        if arn is UNKNOWN:
            if account is None and not source_is_made_here:
                yield f"nobody knows yet for whom it lets {principal} in; write source_account"
        elif arn is None:
            yield f"it lets {principal} in whatever calls through it; write source_arn"
        elif account_of(arn) not in accounts and (account_of(arn) or account is None):
            yield f"it lets {principal} in for {arn}, which is in no account that was named; write source_account"
    elif principal == "*" or not names_an_account(principal, accounts):
        yield f"it lets {'everybody' if principal == '*' else principal} in; name a service or an account"


def policy_faults(values: Mapping[str, Any], configured: Collection[str], accounts: Collection[str]) -> Iterator[str]:
    """Walk what is wrong with the policies that a resource has; what the configuration leaves out is AWS's own."""
    for name, value in values.items():
        if value is UNKNOWN and name in configured and POLICY.fullmatch(name):
            yield f"{name} is known only after the apply; build it from names, so that a plan shows it"
    for document in documents(values):
        yield from document_faults(document, accounts)


def documents(value: Any) -> Iterator[Mapping[str, Any]]:
    """Walk the policies in a value, however deep: texts that hold JSON with statements."""
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from documents(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from documents(inner)
    elif isinstance(value, str) and '"statement"' in ESCAPED.sub(lambda one: chr(int(one[1], 16)), value).lower():
        try:
            document = json.loads(value, object_pairs_hook=without_repeats)
        except ValueError:
            document = None
        yield document if isinstance(document, dict) else {"Statement": None}


def without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object of JSON, unless it has a key twice: readers differ in which one they take."""
    if len({key.lower() for key, _ in pairs}) < len(pairs):
        raise ValueError
    return dict(pairs)


def document_faults(document: Mapping[str, Any], accounts: Collection[str]) -> Iterator[str]:
    """Walk what is wrong with a policy of a resource or the trust of a role."""
    found = document.get("Statement")
    statements = [found] if isinstance(found, dict) else found
    if not isinstance(statements, list) or not all(isinstance(statement, dict) for statement in statements):
        yield "its policy has no statements that can be read"
        return
    for statement in statements:
        if statement.get("Effect") != "Deny":
            yield from statement_faults(statement, accounts)


def statement_faults(statement: Mapping[str, Any], accounts: Collection[str]) -> Iterator[str]:
    principal = statement.get("Principal")
    if not {key.lower() for key in statement}.isdisjoint(("notprincipal", "notaction")):
        yield "it allows everything but what it names; name what is allowed"
    elif not isinstance(principal, dict) or not principal:
        yield "it lets everybody in; name a service or an account"
    else:
        for kind, named in principal.items():
            for name in [named] if isinstance(named, str) else named if isinstance(named, list) else [None]:
                fault = principal_fault(kind, name, statement.get("Condition"), accounts)
                if fault:
                    yield fault


def principal_fault(kind: str, name: object, condition: object, accounts: Collection[str]) -> str | None:
    """Say what is wrong with letting one principal in under a condition, None for nothing."""
    if not isinstance(name, str) or "*" in name or "?" in name:
        return f"it lets everybody in ({kind}: {name}); name a service or an account"
    if kind == "AWS":
        return None if names_an_account(name, accounts) else f"it lets {name} in, whose account nobody named"
    if kind == "Service" and SERVICE.fullmatch(name):
        fault = None if condition_names(condition, accounts) else f"it lets {name} in for any account"
        return f"{fault}; write {NAMES_THE_ACCOUNT}" if fault else None
    if kind == "Federated" and account_of(name) in accounts:
        fault = None if condition_names_a_subject(condition) else f"it lets all tokens of {name} in"
        return (
            f"{fault}; write a condition such as StringLike on their sub, with its first two names" if fault else None
        )
    return f"it lets {kind} {name} in, which is neither a service nor an account that was named"


def names_an_account(principal: str, accounts: Collection[str]) -> bool:
    """Whether a principal is one of these accounts, or a role or user in one."""
    identity = IDENTITY.fullmatch(principal)
    return (identity[1] if identity else principal) in accounts


def condition_names(condition: object, accounts: Collection[str]) -> bool:
    """Whether a condition holds only for what is in these accounts."""
    for operator, key, values in tests_of(condition):
        if operator not in EXACT or not values:
            continue
        if key == "aws:sourceaccount" and all(value in accounts for value in values):
            return True
        if key == "aws:sourcearn" and all(account_of(value) in accounts for value in values):
            return True
    return False


def condition_names_a_subject(condition: object) -> bool:
    """Whether a condition holds only for tokens of subjects that it names: an audience is the same for all of them."""
    return any(
        operator in EXACT and key.rpartition(":")[2] == "sub" and values and all(map(names_a_subject, values))
        for operator, key, values in tests_of(condition)
    )


def names_a_subject(value: object) -> bool:
    """Whether a value of sub is whole, or names two parts before its first wildcard; a variable may be anything."""
    if not isinstance(value, str) or not value or "${" in value:
        return False
    return TWO_PARTS.match(value) is not None or not re.search(r"[*?]", value)


def tests_of(condition: object) -> Iterator[tuple[str, str, list[Any]]]:
    """Walk operator, key and values of a condition; keys and operators have no case."""
    if isinstance(condition, dict):
        for operator, keys in condition.items():
            for key, values in keys.items() if isinstance(keys, dict) else ():
                yield operator.lower(), key.lower(), values if isinstance(values, list) else [values]


def account_of(arn: object) -> str:
    """Return the account that an ARN names, nothing for one that names none.

    Nor for one with a wildcard before it, which StringLike lets stand for colons and so for another account.
    """
    parts = arn.split(":", 5) if isinstance(arn, str) else []
    whole = (
        len(parts) == ARN_PARTS and parts[0] == "arn" and bool(parts[5]) and not re.search(r"[*?]", "".join(parts[:5]))
    )
    return parts[4] if whole and ACCOUNT.fullmatch(parts[4]) else ""
