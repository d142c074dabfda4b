"""The `sawhorse local` commands: start, stop and reach the local AWS."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Annotated

import typer

from sawhorse.cli.options import AsJson, Commands, RootName, open_workspace, print_json
from sawhorse.errors import BadConfiguration
from sawhorse.outputs import ROLE_ARN
from sawhorse.project import Project

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sawhorse.local.emulators import Running

local_app = Commands(name="local", help="Start, stop and reach the local AWS.", no_args_is_help=True)


@local_app.command("up")
def local_up(
    port: Annotated[int | None, typer.Option(help="Where to listen; 0 takes any free port.", min=0, max=65535)] = None,
    as_json: AsJson = False,
) -> None:
    """Start the local AWS and wait until it responds."""
    from sawhorse.local.emulators import LocalAWS

    show_running(LocalAWS(Project.find()).up(port), as_json=as_json)


@local_app.command("down")
def local_down() -> None:
    """Stop the local AWS, and forget all that it held."""
    from sawhorse.local.emulators import LocalAWS

    print("The local AWS is stopped." if LocalAWS(Project.find()).down() else "The local AWS was not running.")


@local_app.command("status")
def local_status(as_json: AsJson = False) -> None:
    """Say whether the local AWS runs, and where. Exit code 2 when it does not."""
    from sawhorse.local.emulators import LocalAWS

    show_running(LocalAWS(Project.find()).required(), as_json=as_json)


@local_app.command("reset")
def local_reset(as_json: AsJson = False) -> None:
    """Start the local AWS afresh: all that was applied locally is gone."""
    from sawhorse.local.emulators import LocalAWS

    show_running(LocalAWS(Project.find()).reset(), as_json=as_json)


@local_app.command("env")
def local_env(
    name: Annotated[
        str,
        typer.Argument(
            metavar="[ENVIRONMENT|ROOT]", help="Act in this environment's account, or as this root's local runs do."
        ),
    ] = "dev",
    as_json: AsJson = False,
) -> None:
    """Print the exports that point any tool at the local AWS: eval "$(sawhorse local env)".

    They hold the secret of this start, so evaluate them and keep them nowhere; after a reset, evaluate them again.
    Version 1 of the AWS CLI sends `aws sqs` to AWS all the same: use version 2, or `--endpoint-url $AWS_ENDPOINT_URL`.
    """
    from sawhorse.local.exports import exports

    print_exports(exports(Project.find(), name), as_json=as_json)


def print_exports(variables: Mapping[str, str], *, as_json: bool) -> None:
    """Print variables for a shell to take over, rid of what would lead its tools astray; or as JSON."""
    from sawhorse.local.exports import superseded

    if as_json:
        print_json(variables)
        return
    print(f"unset {' '.join(superseded())}")
    for variable, value in variables.items():
        print(f"export {variable}={shlex.quote(value)}")


@local_app.command("credentials")
def local_credentials(
    root: RootName,
    role: Annotated[
        str, typer.Option(metavar="OUTPUT", help="The root's output that names the role, such as worker_role_arn.")
    ] = ROLE_ARN.name,
    as_json: AsJson = False,
) -> None:
    """Print the exports that let any tool act as a function's role on the local AWS, to try what it may not do."""
    from sawhorse.local.credentials import role_exports
    from sawhorse.local.emulators import LocalAWS

    workspace = open_workspace(root, local=True)
    deployment, running = workspace.deployment(), LocalAWS(workspace.root.project).required()
    exports = role_exports(running, deployment.environment, deployment.client, deployment.output(role))
    print_exports(exports, as_json=as_json)


@local_app.command("token")
def local_token(
    root: RootName,
    subject: Annotated[str, typer.Option(help="Who the token is for.")] = "sample-user",
    lifetime: Annotated[
        int, typer.Option(metavar="SECONDS", help="When it expires; below zero makes one that has expired.")
    ] = 3600,
    scope: Annotated[list[str] | None, typer.Option(help="A scope that it has; name several one by one.")] = None,
) -> None:
    """Print a token of the local issuer, which the root's API takes on the local AWS in the place of Auth0's."""
    from sawhorse.environment import read_environment
    from sawhorse.local.issuer import Issuer

    found = Project.find().root(root)
    tenant = read_environment(found.project, found.environment).auth0
    if tenant is None:
        raise BadConfiguration(
            f"environments/{found.environment}/environment.yaml names no auth0 tenant, so no API takes tokens; "
            "add its domain and audience there."
        )
    if "var.environment.jwt" not in (found.path / "main.tf").read_text():
        raise BadConfiguration(f"The API of {found.name} takes no tokens of an issuer; its README says what it takes.")
    issuer = Issuer.of(found.project)
    claims = {"scope": " ".join(scope)} if scope else {}
    print(issuer.token(subject=subject, audience=tenant.audience, lifetime_seconds=lifetime, **claims))


def show_running(running: Running, *, as_json: bool) -> None:
    if as_json:
        print_json({emulator.name: {"url": emulator.url, "pid": emulator.pid} for emulator in running.all})
        return
    for emulator in running.all:
        print(f"{emulator.name} listens at {emulator.url} (process {emulator.pid}).")
