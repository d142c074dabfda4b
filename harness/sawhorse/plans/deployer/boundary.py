"""Bound the roles that a deployer makes by what its root's plan grants them, so that it cannot make a stronger one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sawhorse.errors import BadConfiguration
from sawhorse.plans.deployer.packing import MOST_CHARACTERS, size
from sawhorse.plans.deployer.statements import Key, Statement, merged
from sawhorse.plans.plan import UNKNOWN, Plan


def boundary_of(plan: Plan, *, root: str) -> list[Statement]:
    """Return the statements of the boundary: what the policies of the root's roles allow, all of them together.

    Raises BadConfiguration where a policy is known only after the apply, and where a boundary cannot hold them.
    """
    granted: list[tuple[Key, set[str]]] = []
    for address, values in plan.resources.items():
        if plan.types[address] not in ("aws_iam_role_policy", "aws_iam_policy"):
            continue
        text = values.get("policy")
        if not isinstance(text, str) or text is UNKNOWN:
            raise BadConfiguration(
                f"{address}: its policy is known only after the apply, so no boundary can be made of it; build it from "
                "names."
            )
        for statement in statements_of(address, text):
            condition = json.dumps(statement["Condition"], sort_keys=True) if "Condition" in statement else ""
            actions = set(listed(statement["Action"]))
            granted += [((resource, condition, None), actions) for resource in listed(statement["Resource"])]
    statements = merged(granted)
    if size(statements) > MOST_CHARACTERS:
        raise BadConfiguration(
            f"What the roles of {root} are granted has {size(statements)} characters together, and a boundary has "
            f"{MOST_CHARACTERS}; split the app in two."
        )
    return statements


def statements_of(address: str, text: str) -> list[Mapping[str, Any]]:
    """Return the statements of a policy. Raises BadConfiguration where one does not say what it allows on what."""
    found = json.loads(text)["Statement"]
    statements = [found] if isinstance(found, Mapping) else list(found)
    for statement in statements:
        if statement.get("Effect") != "Allow" or not {"Action", "Resource"} <= statement.keys():
            raise BadConfiguration(
                f"{address}: a boundary is made of what a role is allowed, so each statement has Effect Allow, Action "
                "and Resource; write it so, without Deny, NotAction and NotResource."
            )
    return statements


def listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)
