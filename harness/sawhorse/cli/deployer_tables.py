"""Show what a deployer may do, as tables for people."""

from __future__ import annotations

import json
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from sawhorse.operate.deployer.policies import RootPolicies
from sawhorse.plans.deployer.packing import MOST_CHARACTERS, MOST_POLICIES, size
from sawhorse.plans.deployer.statements import Statement


def show(found: RootPolicies) -> None:
    """Print the statements of a root's deployer, its wildcards with their reasons, and what only AWS can prove."""
    console = Console()
    table = Table(title=f"What the deployer of {found.root} may do", title_justify="left")
    for heading in ("policy", "actions", "resources", "under the condition"):
        table.add_column(heading, overflow="fold")
    for number, statements in enumerate(found.policies, start=1):
        for statement in statements:
            table.add_row(str(number), *columns(statement))
    console.print(table)
    print(f"It has {len(found.policy.actions)} actions in {len(found.policy.all)} statements.")
    print(sizes_of(found))
    print("\nWhat ends in a *:")
    for resource, reason in sorted(found.policy.wildcards.items()):
        print(f"  {resource}: {reason}")
    if found.unproven:
        print("\nNot proven on the local AWS:")
        for action, reason in sorted(found.unproven.items()):
            print(f"  {action}: {reason}")


def columns(statement: Statement) -> tuple[str, str, str]:
    condition = json.loads(statement.condition) if statement.condition else {}
    tests = [f"{key} {operator} {value}" for operator, keys in condition.items() for key, value in keys.items()]
    return "\n".join(statement.actions), "\n".join(statement.resources), "\n".join(tests)


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
