"""The `sawhorse run` command: the commands that an app has of its own, in `lambda/<app>/ops/commands.py`."""

from __future__ import annotations

from typing import Annotated

import typer

from sawhorse.cli.options import RootName
from sawhorse.errors import BadConfiguration, UnknownName
from sawhorse.project import Project

# What follows the root is the app's own command line, options included.
TO_THE_APP = {"allow_interspersed_args": False, "ignore_unknown_options": True}


def run(
    root: RootName,
    command: Annotated[
        list[str] | None, typer.Argument(metavar="COMMAND ...", help="A command of the app; --help shows all of them.")
    ] = None,
) -> None:
    """Run a command that only this root's app has."""
    from sawhorse.operations import file_of, operation

    found = Project.find().root(root)
    module = operation(found.project, found.app, "commands")
    place = file_of(found.app, "commands")
    if module is None:
        raise UnknownName(f"{found.app} has no commands of its own; write {place}, which exports app, a typer.Typer.")
    commands = getattr(module, "app", None)
    if not isinstance(commands, typer.Typer):
        raise BadConfiguration(f"{place} exports no app that is a typer.Typer; name its commands' one app.")
    # A group also where there is one command alone, so that it is called by its name.
    group = typer.main.get_group(commands)
    group.no_args_is_help = True
    group(args=command or [], prog_name=f"sawhorse run {found.name}", obj=found)
