"""The `sawhorse sync` command: what is the same in every root, written from the engine's template."""

from __future__ import annotations

from typing import Annotated

import typer

from sawhorse.cli.options import AsJson, print_json
from sawhorse.project import Project


def sync(
    roots: Annotated[
        list[str] | None,
        typer.Argument(metavar="[ROOT]...", help="Roots to write, or dev/all for every app of dev; all by default."),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; end with exit code 1 when something would be changed.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write into the roots what is the same in all of them: sawhorse.tf and the lock of the providers."""
    from sawhorse.terraform.sync import files_of
    from sawhorse.terraform.sync import sync as sync_roots

    project = Project.find()
    named = [root for name in roots for root in project.roots_named(name)] if roots else project.roots
    files = (files_of if check else sync_roots)(named)
    changed = [file for file in files if file.differs]
    if as_json:
        print_json([{"root": file.root.name, "path": file.shown, "changed": file.differs} for file in files])
    elif check:
        for file in changed:
            print(file.difference(), end="")
            print(f'{file.shown} is not what sync writes; run "sawhorse sync {file.root.name}".')
    else:
        for file in changed:
            print(f"{file.shown} written")
        print(f"{len(files) - len(changed)} of {len(files)} files were so already.")
    if check and changed:
        raise typer.Exit(1)
