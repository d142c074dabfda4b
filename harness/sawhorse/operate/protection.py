"""Refuse to destroy a root whose tables are protected, before anything of it is touched."""

from __future__ import annotations

from sawhorse.errors import Protected
from sawhorse.workspace import Workspace


def protected_tables(workspace: Workspace) -> list[str]:
    """Return the names of the tables with deletion protection in the state."""
    return sorted(
        resource["values"]["name"]
        for resource in workspace.terraform_as_applied.resources()
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
