"""The commands of fileshare, `sawhorse run ROOT COMMAND`: migrate SQLite, deploy its service, give a user a token."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sawhorse.api import AsJson, BadConfiguration, Local, print_json, workspace_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fileshare.addresses import Addresses
    from fileshare.ops.migration.addresses import AddressReport
    from fileshare.ops.migration.run import Report

app = typer.Typer()


@app.command()
def migrate(  # noqa: PLR0913, PLR0917 - typer makes options of them
    context: typer.Context,
    source: Annotated[
        Path | None, typer.Option("--from", metavar="FILE", help="The SQLite file to copy; it is only read.")
    ] = None,
    addresses: Annotated[
        bool, typer.Option("--addresses", help="Bring stored addresses into their one form, instead of copying a file.")
    ] = False,
    file: Annotated[
        Path | None,
        typer.Option(
            "--in", metavar="FILE", help="With --addresses: the SQLite file to change, instead of the tables."
        ),
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="With --addresses: change them; without it, only say what would be done.")
    ] = False,
    local: Local = False,
    as_json: AsJson = False,
) -> None:
    """Copy fileshare's SQLite file into its tables, or bring addresses into one form. Stop it and run it again."""
    from fileshare.ops.migration.run import migrate as copy
    from fileshare.ops.seed import addresses_of

    refuse_mixture(source, file, addresses=addresses, yes=yes)
    deployment = workspace_of(context, local=local).deployment()
    rule = addresses_of(deployment.outputs)
    tables = {name: deployment.output(f"dynamodb_{name}_table") for name in ("users", "urls")}
    if source is None:
        client = None if file else deployment.client("dynamodb")
        bring_into_one_form(client, file, tables, rule, yes=yes, as_json=as_json)
        return
    report = copy(deployment.client("dynamodb"), source, **tables, addresses=rule)
    if as_json:
        print_json(
            {
                "passed": report.passed,
                "counts": report.counts,
                "problems": [asdict(problem) for problem in report.problems],
            }
        )
    else:
        print_report(report)
    if not report.passed:
        raise typer.Exit(1)


def refuse_mixture(source: Path | None, file: Path | None, *, addresses: bool, yes: bool) -> None:
    """Refuse options that do not belong together."""
    if addresses == (source is not None):
        raise BadConfiguration("migrate copies a file or changes addresses: say --from FILE, or --addresses.")
    if not addresses and (file is not None or yes):
        raise BadConfiguration("--in and --yes belong to --addresses; a copy needs neither.")


def bring_into_one_form(  # noqa: PLR0913 - what the command was given
    client: Any, file: Path | None, tables: Mapping[str, str], rule: Addresses, *, yes: bool, as_json: bool
) -> None:
    """Migrate addresses in the tables or in a file, and print the report before its last notes are deleted."""
    from fileshare.ops.migration.address_file import AddressFile, open_file
    from fileshare.ops.migration.address_tables import AddressTables
    from fileshare.ops.migration.addresses import Migration, now

    def announce(report: AddressReport) -> None:
        if as_json:
            merges = [asdict(merge) for merge in report.merges]
            problems = [asdict(problem) for problem in report.problems]
            counts = dict(report.counts)
            print_json(
                {"changed": yes, "passed": report.passed, "counts": counts, "merges": merges, "problems": problems}
            )
        else:
            tell_addresses(report, done=yes)
        sys.stdout.flush()

    with ExitStack() as stack:
        store = (
            AddressFile(stack.enter_context(open_file(file)), addresses=rule, now=now)
            if file
            else AddressTables(client, **tables, addresses=rule, now=now)
        )
        migration = Migration(store, rule)
        if yes:
            passed = migration.run(announce).passed
        else:
            report = migration.look()
            announce(report)
            passed = report.passed
    if not passed:
        raise typer.Exit(1)


def tell_addresses(report: AddressReport, *, done: bool) -> None:
    """Say who becomes or became one, who was left alone, and how many there are."""
    from fileshare.ops.migration.merging import shown

    for merge in report.merges:
        moved = f", with {merge.links:,} links in this run" if done else ""
        print(
            f"{shown(merge.merged)} ({shown(merge.email)}) {'became' if done else 'becomes'} "
            f"{shown(merge.kept)} ({shown(merge.address)}){moved}."
        )
    for problem in report.problems:
        print(f"{shown(problem.user_id)} ({shown(problem.email)}) is left as it is: {problem.reason}.", file=sys.stderr)
    counts = report.counts
    print(
        f"{counts['users']:,} users{' are left' if done else ''}. {'Done' if done else 'To do'}: "
        f"{counts['merged']:,} merged into an older one, {counts['readdressed']:,} addresses written in one form, "
        f"{counts['reserved']:,} reserved. Left as they are: {len(report.problems):,}."
    )
    if not done:
        print("Nothing was changed. Run it again with --yes to do this.")
    elif counts["merged"]:
        print(
            "The tokens of users who were merged open nothing any more. "
            '"sawhorse run ROOT user-token" makes one for a user who stays and has none.'
        )


@app.command("service-environment")
def service_environment(context: typer.Context, local: Local = False, as_json: AsJson = False) -> None:
    """Print the variables that fileshare's service gets, as its SSM parameters say now."""
    from fileshare.ops.service import parameters_of
    from fileshare.ops.service import service_environment as variables_from

    workspace = workspace_of(context, local=local)
    variables = variables_from(workspace.client, workspace.environment, parameters_of(workspace.root))
    if as_json:
        print_json(variables)
        return
    for name, value in variables.items():
        print(f"{name}={value}")


@app.command("deploy-service")
def deploy_service(  # typer makes options of them
    context: typer.Context,
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
    from fileshare.ops.service import ServiceName, parameters_of
    from fileshare.ops.service import deploy_service as deploy
    from fileshare.ops.service import service_environment as variables_from

    for option, value in {"--cluster": cluster, "--service": service}.items():
        if not value.strip():
            raise BadConfiguration(f"{option} is empty; name it, or set the variable that it comes from.")
    workspace = workspace_of(context, local=False)
    variables = variables_from(workspace.client, workspace.environment, parameters_of(workspace.root))
    for name, value in variables.items():
        print(f"{name}={value}", flush=True)
    wanted = ServiceName(cluster, service, container or None)
    by_digest = workspace.environment.production
    revision = deploy(workspace.client("ecs"), wanted, variables, image=image or None, by_digest=by_digest)
    print(f"{service} runs {revision}.")


@app.command("user-token")
def user_token(
    context: typer.Context,
    email: Annotated[str, typer.Argument(help="The address of a user of fileshare.")],
    local: Local = False,
) -> None:
    """Give a user of fileshare a new token, shown once: whoever came from SQLite has none."""
    from fileshare.ops.seed import issue_token

    print(issue_token(workspace_of(context, local=local).deployment(), email))


def print_report(report: Report) -> None:
    for table, counts in report.counts.items():
        others = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in counts.items() if name != "rows")
        print(f"{table}: {counts['rows']:,} rows: {others or 'none'}.")
    for problem in report.problems:
        print(f"{problem.table} {problem.key}: {problem.reason}.", file=sys.stderr)
    if report.problems:
        print(
            f"{len(report.problems)} rows are not as they should be in DynamoDB. Fix them and run it again; "
            "all others are there.",
            file=sys.stderr,
        )
    else:
        print("Everything was read back from DynamoDB and is as it should be.")
