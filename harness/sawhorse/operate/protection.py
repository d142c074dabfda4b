"""Refuse to destroy a root whose tables are protected, and applies that would lose one, before anything is touched."""

from __future__ import annotations

from pathlib import Path

from sawhorse.errors import Protected
from sawhorse.workspace import Workspace


def protected_tables(workspace: Workspace) -> list[str]:
    """Return the names of the tables with deletion protection in the state."""
    return sorted(
        resource["values"]["name"]
        for resource in workspace.resources()
        if resource["type"] == "aws_dynamodb_table" and resource["values"].get("deletion_protection_enabled")
    )


def refuse_protected_tables(workspace: Workspace) -> None:
    """Raise when the state has tables with deletion protection.

    AWS would refuse to delete them as well, but only after Terraform had destroyed what stands around them.
    """
    tables = protected_tables(workspace)
    if tables:
        way_out = (
            'To drop the local AWS with all it holds, run "sawhorse local down".'
            if workspace.local
            else "Turn deletion_protection_enabled off in its main.tf and apply that first."
        )
        raise Protected(
            f"{workspace.root.name} has protected tables: {', '.join(tables)}. Nothing was destroyed. {way_out}"
        )


def refuse_lost_tables(workspace: Workspace, plan: Path) -> None:
    """Raise when a saved plan of an apply would destroy or replace a table, with all that it holds."""
    lost = sorted(
        f"{change['address']} ({(change['change']['before'] or {}).get('name')})"
        for change in workspace.terraform.changes_of(plan)
        if change["type"] == "aws_dynamodb_table" and "delete" in change["change"]["actions"]
    )
    if lost:
        raise Protected(
            f"This apply of {workspace.root.name} would destroy or replace tables, with all that they hold: "
            f"{', '.join(lost)}. Nothing was applied. Where that is meant, add --delete-tables."
        )
