"""Show what a deployer may do, for people."""

from __future__ import annotations

import json
import textwrap
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from sawhorse.operate.deployer.policies import RootPolicies
from sawhorse.plans.deployer.packing import MOST_CHARACTERS, MOST_POLICIES, size
from sawhorse.plans.deployer.statements import Statement

WIDTH = 140


def show(found: RootPolicies) -> None:
    """Print the statements of a root's deployer, its wildcards with their reasons, and what only AWS can prove."""
    for number, statements in enumerate(found.policies, start=1):
        print(f"\nThe deployer of {found.root} may, by its policy {number}:")
        for statement in statements:
            print("\n".join(lines_of(statement)))
    print(f"\nThese are {len(found.policy.actions)} actions in {len(found.policy.all)} statements.")
    print(sizes_of(found))
    print("\nWhat ends in a * (without arn:...):")
    show_by_reason({shortened(one): reason for one, reason in found.policy.wildcards.items()})
    if found.unproven:
        print("\nNot proven on the local AWS:")
        show_by_reason(found.unproven)
    if found.unbounded:
        print(f"\nPolicies of this root are attached to roles of others, without its boundary: {found.unbounded}.")


def lines_of(statement: Statement) -> Iterator[str]:
    yield textwrap.fill(" ".join(statement.actions), WIDTH, initial_indent="  ", subsequent_indent="  ")
    yield from (f"      {arn}" for arn in statement.resources)
    condition = json.loads(statement.condition) if statement.condition else {}
    for operator, keys in condition.items():
        for key, value in keys.items():
            yield f"      where {key} {operator} {value if isinstance(value, str) else ', '.join(value)}"


def show_by_reason(reasons: Mapping[str, str]) -> None:
    """Print each reason once, with all that it is one for."""
    by_reason = defaultdict(list)
    for name, reason in sorted(reasons.items()):
        by_reason[reason].append(name)
    for reason, names in by_reason.items():
        print(textwrap.fill(f"{reason}", WIDTH, initial_indent="  ", subsequent_indent="  "))
        print(textwrap.fill(" ".join(names), WIDTH, initial_indent="      ", subsequent_indent="      "))


def shortened(arn: str) -> str:
    return arn.split(":", 5)[-1] if arn.startswith("arn:") else arn


def show_sizes(policies: Sequence[RootPolicies]) -> None:
    for found in policies:
        print(sizes_of(found))


def sizes_of(found: RootPolicies) -> str:
    """Say how large the policies are beside AWS's quotas."""
    sizes = ", ".join(f"{one:,}" for one in found.sizes)
    reader = ", ".join(f"{size(one):,}" for one in found.reader)
    return (
        f"{found.root}: {len(found.sizes)} policies of {sizes} characters for the deployer, {len(found.reader)} of "
        f"{reader} for the reader, a boundary of {size(found.boundary):,}; AWS takes {MOST_CHARACTERS:,} in each, and "
        f"{MOST_POLICIES} a role."
    )
