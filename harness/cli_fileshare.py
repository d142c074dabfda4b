"""The commands that only fileshare has: migrate SQLite, deploy its service, give a user a token."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli_parts import AsJson, Local, RootName, open_workspace, print_json
from harness.errors import BadConfiguration, UnknownName

if TYPE_CHECKING:
    from harness.migration.run import Report
    from harness.workspace import Workspace

fileshare_app = typer.Typer()


@fileshare_app.command()
def migrate(
    root: RootName,
    source: Annotated[Path, typer.Option("--from", metavar="FILE", help="The SQLite file to copy; it is only read.")],
    local: Local = False,
    as_json: AsJson = False,
) -> None:
    """Copy fileshare's SQLite file into its tables. Stop it and run it again as you like; it checks itself."""
    from harness.migration.run import migrate as copy

    deployment = fileshare(root, local=local).deployment()
    tables = {name: str(deployment.outputs[f"dynamodb_{name}_table"]) for name in ("users", "urls")}
    report = copy(deployment.client("dynamodb"), source, **tables)
    if as_json:
        print_json(
            {
                "passed": report.passed,
                "counts": report.counts,
                "problems": [asdict(problem) for problem in report.problems],
            }
        )
    else:
        tell(report)
    if not report.passed:
        raise typer.Exit(1)


@fileshare_app.command("service-environment")
def service_environment(root: RootName, local: Local = False, as_json: AsJson = False) -> None:
    """Print the variables that fileshare's service gets, as its SSM parameters say now."""
    from harness.service import service_environment as variables_from

    workspace = fileshare(root, local=local)
    variables = variables_from(workspace.client, workspace.environment)
    if as_json:
        print_json(variables)
        return
    for name, value in variables.items():
        print(f"{name}={value}")


@fileshare_app.command("deploy-service")
def deploy_service(  # typer makes options of them
    root: RootName,
    cluster: Annotated[str, typer.Option(help="Name of the ECS cluster.")],
    service: Annotated[str, typer.Option(help="Name of the ECS service.")],
    container: Annotated[
        str, typer.Option(help="Name of the container that takes the variables; not needed when it is alone.")
    ] = "",
    image: Annotated[
        str,
        typer.Option(
            help="Image to run, in production as REPOSITORY@sha256:DIGEST; left out or empty, the one that runs now."
        ),
    ] = "",
) -> None:
    """Deploy fileshare's ECS service with the variables of its parameters, and wait until it is stable."""
    from harness.service import ServiceName
    from harness.service import deploy_service as deploy
    from harness.service import service_environment as variables_from

    for option, value in {"--cluster": cluster, "--service": service}.items():
        if not value.strip():
            raise BadConfiguration(f"{option} is empty; name it, or set the variable that it comes from.")
    workspace = fileshare(root, local=False)
    variables = variables_from(workspace.client, workspace.environment)
    for name, value in variables.items():
        print(f"{name}={value}", flush=True)
    wanted = ServiceName(cluster, service, container or None)
    production = workspace.environment.name == "production"
    revision = deploy(workspace.client("ecs"), wanted, variables, image=image or None, by_digest=production)
    print(f"{service} runs {revision}.")


@fileshare_app.command("user-token")
def user_token(
    root: RootName,
    email: Annotated[str, typer.Argument(help="The address of a user of fileshare.")],
    local: Local = False,
) -> None:
    """Give a user of fileshare a new token, shown once: whoever came from SQLite has none."""
    from harness.seed.fileshare import issue_token

    print(issue_token(fileshare(root, local=local).deployment(), email))


def fileshare(root: str, *, local: bool) -> Workspace:
    """Open a root of fileshare, and no other app's."""
    workspace = open_workspace(root, local=local)
    if workspace.root.app != "fileshare":
        raise UnknownName(f"{workspace.root.app} has no such thing; name a root of fileshare, such as dev/fileshare.")
    return workspace


def tell(report: Report) -> None:
    for table, counts in report.counts.items():
        others = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in counts.items() if name != "rows")
        print(f"{table}: {counts['rows']:,} rows: {others or 'none'}.")
    for problem in report.problems:
        print(f"{problem.table} {problem.key}: {problem.reason}.", file=sys.stderr)
    if report.problems:
        print(
            f"{len(report.problems)} rows are not as they should be in DynamoDB. Mend them and run it again; "
            "all others are there.",
            file=sys.stderr,
        )
    else:
        print("Everything was read back from DynamoDB and is as it should be.")
