"""What the commands share: their arguments and options, the way to a root, and JSON for a machine to read."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from sawhorse.errors import BadConfiguration
from sawhorse.project import Project

if TYPE_CHECKING:
    from typer.models import CommandFunctionType

    from sawhorse.workspace import Workspace

RootName = Annotated[str, typer.Argument(metavar="ROOT", help="A root, such as dev/shop.")]
RootNames = Annotated[str, typer.Argument(metavar="ROOT", help="A root, or dev/all for every app of dev.")]
Local = Annotated[bool, typer.Option("--local", help="Use the local AWS instead of AWS.")]
StateBucket = Annotated[
    bool,
    typer.Option(
        "--state-bucket",
        help="With --local: keep the root's state in the local S3, now and in every later local run of it.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for a machine to read.")]
AsBuilt = Annotated[
    bool, typer.Option("--as-built", help="Take the package as it was built, although its sources changed.")
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask before changing AWS.")]
Variables = Annotated[
    list[str] | None,
    typer.Option("--var", metavar="NAME=VALUE", help="Override a variable of the root, as terraform's -var does."),
]

NoLock = Annotated[
    bool, typer.Option("--no-lock", help="Read the state without its lock, as a role that may only read has to.")
]


class CommandOfOurs(TyperCommand):
    """A command that takes no empty text, as an unset variable of a shell gives it, for an option that was left out."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse what was typed. Raises BadParameter for an option or argument that is empty and may not be.

        It is looked at before it is converted: an empty path would be that of this directory.
        """
        given, _, _ = self.make_parser(ctx).parse_args(args=list(args))
        parameters: list[Any] = [*self.params]
        for parameter in parameters:
            value = given.get(str(parameter.name))
            # What is handed on as it was typed is read by whom it is for.
            if ctx.ignore_unknown_options and parameter.nargs == -1:
                continue
            # One whose default is the empty text says what it says without it.
            if parameter.default != "" and any(
                text == "" for text in (value if isinstance(value, (list, tuple)) else [value])
            ):
                raise typer.BadParameter("It is empty; give it a value, or leave it out.", ctx, parameter)
        return super().parse_args(ctx, args)


class Commands(typer.Typer):
    """Commands, or a group of them, each a `CommandOfOurs`."""

    def command(self, *words: Any, **options: Any) -> Callable[[CommandFunctionType], CommandFunctionType]:
        """Enter a command, as typer does."""
        return super().command(*words, **{"cls": CommandOfOurs, **options})


def refuse_unlocked(out: Path | None, *, no_lock: bool) -> None:
    """Raise where a plan is to be saved that nobody kept the state for."""
    if out and no_lock:
        raise BadConfiguration("A plan that is to be applied is made under the state's lock; leave out --no-lock.")


def open_workspace(
    name: str, *, local: bool, as_built: bool = False, state_bucket: bool = False, lock: bool = True
) -> Workspace:
    """Open a root by its name."""
    # Imports boto3, which a build with nothing to do has no use for.
    from sawhorse.workspace import Workspace

    return Workspace(Project.find().root(name), local=local, as_built=as_built, state_bucket=state_bucket, lock=lock)


def workspace_of(context: typer.Context, *, local: bool) -> Workspace:
    """Open the root that `sawhorse run ROOT COMMAND` named, from the context of the app's command."""
    from sawhorse.workspace import Workspace

    return Workspace(context.obj, local=local)


def print_callable(workspace: Workspace) -> None:
    """Print the outputs that are called at other addresses on the local AWS; on AWS Terraform has printed them."""
    found = workspace.callable_here()
    if found:
        print("\nOn the local AWS these are called at other addresses than Terraform's:")
        print_outputs(found)


def print_outputs(outputs: Mapping[str, Any]) -> None:
    """Print outputs for people, a line each."""
    for name, value in sorted(outputs.items()):
        print(f"{name} = {value if isinstance(value, str) else json.dumps(value)}")


def print_json(value: Any) -> None:
    """Print a value on standard output."""
    print(json.dumps(value, indent=2, sort_keys=True))


def say_what_stands(workspace: Workspace) -> None:
    """Say at a command's end what keeps what is applied from being live, where something does."""
    from sawhorse.operate.releases.standing import lines_of

    for line in lines_of(workspace):
        print(f"\n{line}", flush=True)
