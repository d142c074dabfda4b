"""Put statements into as few managed policies as AWS's quotas allow."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sawhorse.errors import BadConfiguration
from sawhorse.plans.deployer.statements import Statement

# Characters of a managed policy, of which IAM does not count whitespace, and managed policies of a role unless AWS
# raised that (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html).
MOST_CHARACTERS = 6144
MOST_POLICIES = 10


def document(statements: Iterable[Statement]) -> dict[str, Any]:
    """Return a policy of statements."""
    return {"Version": "2012-10-17", "Statement": [statement.as_policy() for statement in statements]}


def size(statements: Iterable[Statement]) -> int:
    """Return the characters that IAM counts of a policy."""
    return len(json.dumps(document(statements), separators=(",", ":")))


def packed(statements: Sequence[Statement], *, root: str) -> list[list[Statement]]:
    """Return statements by managed policy, the largest first, each into the first that has room for it.

    Raises BadConfiguration where a role would need more policies than it can have.
    """
    policies: list[list[Statement]] = []
    parts = [part for statement in statements for part in fitting(statement)]
    for part in sorted(parts, key=lambda one: (-size([one]), one)):
        room = next((policy for policy in policies if size([*policy, part]) <= MOST_CHARACTERS), None)
        if room is None:
            policies.append([part])
        else:
            room.append(part)
    if len(policies) > MOST_POLICIES:
        raise BadConfiguration(
            f"The deployer of {root} would need {len(policies)} managed policies, and a role has {MOST_POLICIES}; "
            "split the app in two, or have AWS raise that quota and the limit in packing.py."
        )
    return [sorted(policy) for policy in policies]


def fitting(statement: Statement) -> Iterator[Statement]:
    """Walk a statement in parts that each fit into a policy."""
    if size([statement]) <= MOST_CHARACTERS or len(statement.resources) == 1:
        yield statement
        return
    half = len(statement.resources) // 2
    for resources in (statement.resources[:half], statement.resources[half:]):
        yield from fitting(Statement(statement.actions, resources, statement.condition))
