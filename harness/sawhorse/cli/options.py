"""What the commands share: their arguments and options, the way to a root, and JSON for a machine to read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sawhorse.project import Project

if TYPE_CHECKING:
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


def open_workspace(name: str, *, local: bool, as_built: bool = False, state_bucket: bool = False) -> Workspace:
    """Open a root by its name."""
    # Imports boto3, which a build with nothing to do has no use for.
    from sawhorse.workspace import Workspace

    return Workspace(Project.find().root(name), local=local, as_built=as_built, state_bucket=state_bucket)


def workspace_of(context: typer.Context, *, local: bool) -> Workspace:
    """Open the root that `sawhorse run ROOT COMMAND` named, from the context of the app's command."""
    from sawhorse.workspace import Workspace

    return Workspace(context.obj, local=local)


def print_json(value: Any) -> None:
    """Print a value on standard output."""
    print(json.dumps(value, indent=2, sort_keys=True))
