"""Apply and destroy what was shown: on AWS a plan comes first, and a question."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from sawhorse.errors import SawhorseError
from sawhorse.trusted_files import make_own_directory

if TYPE_CHECKING:
    from sawhorse.workspace import Workspace


def apply_here(
    workspace: Workspace, variables: list[str] | None = None, *, ask: bool, delete_tables: bool = False
) -> bool:
    """Apply a root, on AWS what was shown, and say whether anything was applied."""
    if workspace.local:
        workspace.apply(variables or [])
        return True
    return apply_what_was_shown(workspace, variables or [], ask=ask, delete_tables=delete_tables)


def apply_what_was_shown(workspace: Workspace, variables: list[str], *, ask: bool, delete_tables: bool) -> bool:
    """Plan, refuse to lose a table that nobody meant to lose, ask, and apply that very plan unless it is empty."""
    from sawhorse.operate.protection import refuse_lost_tables

    with plan_file(workspace) as saved, workspace.finishing(variables) as finishing:
        if not finishing.terraform.plan(variables, out=saved):
            return False
        if not delete_tables:
            refuse_lost_tables(workspace, saved)
        if ask:
            refuse_unless_meant(workspace)
        finishing.remove()
        finishing.terraform.apply(plan=saved)
        return True


def destroy_what_was_shown(workspace: Workspace, variables: list[str]) -> None:
    """Plan to destroy, ask, and carry out that very plan."""
    with plan_file(workspace) as saved:
        if workspace.terraform_as_applied.plan(variables, out=saved, destroy=True):
            refuse_unless_meant(workspace)
            workspace.terraform_as_applied.apply(plan=saved)


@contextlib.contextmanager
def plan_file(workspace: Workspace) -> Iterator[Path]:
    """Give a place for a plan, which holds the values of variables, and remove what was put there."""
    saved = workspace.root.project.private / f"plans/{workspace.root.name.replace('/', '-')}.tfplan"
    make_own_directory(saved.parent)
    saved.unlink(missing_ok=True)
    try:
        yield saved
    finally:
        saved.unlink(missing_ok=True)


def refuse_unless_meant(workspace: Workspace) -> None:
    """Ask for the root's name. Raises SawhorseError for another one, and where nobody can be asked."""
    name = workspace.root.name
    question = f"This changes {name} in account {workspace.environment.account_id}. Type its name to go on"
    if not sys.stdin.isatty() or typer.prompt(question, default="", show_default=False) != name:
        raise SawhorseError(f"Nothing was applied to {name}. Add --yes to go on without a question.")
