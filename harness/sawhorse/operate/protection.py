"""Refuse to destroy a root whose tables are protected, or whose apply was cut off, before anything is touched."""

from __future__ import annotations

from sawhorse.errors import Protected, SawhorseError
from sawhorse.terraform.unfinished import unfinished
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


def refuse_unfinished(workspace: Workspace) -> None:
    """Raise when an apply was cut off: what it made and its state does not know would stay behind."""
    if unfinished(workspace.terraform_as_applied.directory):
        name, local = workspace.root.name, " --local" if workspace.local else ""
        raise SawhorseError(
            f"An apply of {name} was cut off, and may have made what its state does not know. Nothing was destroyed. "
            f'Run "sawhorse apply {name}{local}", which finds it and finishes, and then destroy.'
        )
