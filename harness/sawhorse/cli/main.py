"""The `sawhorse` command: build, render, plan, apply, seed and smoke-check, on AWS or on the local AWS.

Commands import what they need when they run, so that `--help` and a build with nothing to do stay fast.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from sawhorse.cli.applying import apply_here, destroy_what_was_shown
from sawhorse.cli.deployer import deployer_app
from sawhorse.cli.drift import drift
from sawhorse.cli.job_summary import reported, tell
from sawhorse.cli.local import local_app
from sawhorse.cli.operations import redrive, seed, smoke
from sawhorse.cli.options import (
    AsBuilt,
    AsJson,
    Commands,
    Local,
    NoLock,
    RootName,
    RootNames,
    StateBucket,
    Variables,
    Yes,
    open_workspace,
    print_callable,
    print_json,
    print_outputs,
    refuse_unlocked,
    say_what_stands,
)
from sawhorse.cli.package import package_app
from sawhorse.cli.pipelines import pipeline_app
from sawhorse.cli.releases import deploy, freeze, release, releases, rollback, say, unfreeze
from sawhorse.cli.run import TO_THE_APP, run
from sawhorse.cli.state import state_app
from sawhorse.cli.sync import sync
from sawhorse.cli.verify import verify
from sawhorse.errors import DIFFERS, INTERRUPTED, BadConfiguration, SawhorseError, asking
from sawhorse.project import Project
from sawhorse.trusted_files import keep_to_this_user

app = Commands(
    name="sawhorse",
    help="Build, compose, prove and release serverless applications on DynamoDB.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.add_typer(deployer_app)
app.add_typer(local_app)
app.add_typer(package_app)
app.add_typer(pipeline_app)
app.add_typer(state_app)
app.command("run", context_settings=TO_THE_APP)(run)
app.command("sync")(sync)
for operation in (seed, smoke, redrive):
    app.command(operation.__name__)(operation)
for command in (deploy, release, releases, rollback, freeze, unfreeze):
    app.command(command.__name__)(command)
app.command("drift")(drift)
app.command("verify")(verify)


@app.command()
def build(
    apps: Annotated[list[str] | None, typer.Argument(metavar="[APP]...", help="Apps to build; all by default.")] = None,
    as_json: AsJson = False,
) -> None:
    """Build the packages of the apps and enter them in dist/manifest.json."""
    from sawhorse.build.build_apps import build_apps, report

    project = Project.find()
    packages = build_apps(str(project.path), apps or [])
    if as_json:
        print_json(
            [
                {
                    "app": p.app,
                    "path": project.shown(Path(p.path)),
                    "sha256": p.sha256,
                    "size": p.size,
                    "changed": p.changed,
                    "warnings": list(p.warnings),
                }
                for p in packages
            ]
        )
        return
    for package in packages:
        report(package, str(project.path))


@app.command()
def render(
    roots: Annotated[
        list[str] | None, typer.Argument(metavar="[ROOT]...", help="Roots to render; all by default.")
    ] = None,
    as_built: AsBuilt = False,
) -> None:
    """Render terraform.tfvars of the roots, and backend.tf where a state bucket is named."""
    from sawhorse.terraform.render import render as render_root

    project = Project.find()
    for root in [project.root(name) for name in roots] if roots else project.roots:
        rendered = render_root(root, as_built=as_built)
        state = "rendered" if rendered.changed else "unchanged"
        print(f"{', '.join(project.shown(path) for path in rendered.files)} {state}")


@app.command()
def plan(  # noqa: PLR0913, PLR0917 # its options
    root: RootNames,
    local: Local = False,
    state_bucket: StateBucket = False,
    var: Variables = None,
    as_built: AsBuilt = False,
    no_lock: NoLock = False,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="FILE", help="Save the plan of one root, with a receipt beside it, for apply --plan."
        ),
    ] = None,
    exit_code: Annotated[
        bool,
        typer.Option(
            "--exit-code",
            help=f"End with exit code {DIFFERS} when there are changes, and 1 when Terraform could not plan.",
        ),
    ] = False,
) -> None:
    """Show what an apply would change."""
    refuse_unlocked(out, no_lock=no_lock)
    if out and (several := len(Project.find().roots_named(root))) > 1:
        raise BadConfiguration(f"--out saves the plan of one root, and {root} is {several}; plan each by its name.")
    changes = []
    with asking() if exit_code else contextlib.nullcontext():
        for name in names_of(root, heading="Plan of"):
            workspace = open_workspace(
                name, local=local, as_built=as_built, state_bucket=state_bucket, lock=not no_lock
            )
            if out:
                from sawhorse.operate.saved_plan import command, save_plan

                changed = save_plan(workspace, out, var or [])
                print(f'Saved in {out}, with its receipt; "{command(workspace, "apply", "--plan", out)}" applies it.')
            else:
                changed = workspace.terraform.plan(var or [])
            changes += [name] if changed else []
            say_what_stands(workspace)
    if changes and exit_code:
        raise typer.Exit(DIFFERS)


@app.command()
def apply(  # noqa: PLR0913, PLR0917 # its options
    root: RootName,
    local: Local = False,
    state_bucket: StateBucket = False,
    var: Variables = None,
    as_built: AsBuilt = False,
    yes: Yes = False,
    saved: Annotated[
        Path | None,
        typer.Option(
            "--plan", metavar="FILE", help="Apply the plan that plan --out saved, without a question, or refuse it."
        ),
    ] = None,
    delete_tables: Annotated[
        bool, typer.Option("--delete-tables", help="Go on where tables of AWS are destroyed or replaced.")
    ] = False,
    restore: Annotated[
        bool,
        typer.Option(
            "--restore-code", help="First put back what the last apply uploaded, where somebody uploaded other code."
        ),
    ] = False,
) -> None:
    """Apply a root, and finish one that was cut off. Against AWS, show the plan, and ask first."""
    if saved and (var or as_built or restore):
        raise BadConfiguration(
            "A saved plan has its variables, its packages and the code that was there; leave out --var, --as-built and "
            "--restore-code."
        )
    workspace = open_workspace(root, local=local, as_built=as_built, state_bucket=state_bucket)
    if saved:
        from sawhorse.operate.releases.publishing import apply_alone
        from sawhorse.operate.saved_plan import apply_saved_plan

        apply_alone(workspace, lambda: apply_saved_plan(workspace, saved, delete_tables=delete_tables), say=say)
    else:
        from sawhorse.operate.releases.publishing import apply_and_release

        apply_and_release(
            workspace,
            lambda: apply_here(workspace, var, ask=not yes, delete_tables=delete_tables),
            say=say,
            restore=restore,
        )
    print_callable(workspace)
    say_what_stands(workspace)


@app.command()
def destroy(
    root: RootNames,
    local: Local = False,
    state_bucket: StateBucket = False,
    var: Variables = None,
    yes: Yes = False,
) -> None:
    """Destroy what a root, or each of several, made. A protected table stops it before anything is touched."""
    from sawhorse.operate.protection import refuse_protected_tables
    from sawhorse.operate.releases.publishing import note_destroy

    workspaces = {
        one.name: open_workspace(one.name, local=local, state_bucket=state_bucket)
        for one in Project.find().roots_named(root)
    }
    for workspace in workspaces.values():
        workspace.refuse_unfinished("Nothing was destroyed.", "destroy")
        refuse_protected_tables(workspace)
    for name in names_of(root, heading="Destroying"):
        if local or yes:
            workspaces[name].terraform_as_applied.destroy(var or [])
        else:
            destroy_what_was_shown(workspaces[name], var or [])
        if not workspaces[name].resources():
            note_destroy(workspaces[name])


@app.command()
def outputs(root: RootName, local: Local = False, state_bucket: StateBucket = False, as_json: AsJson = False) -> None:
    """Print the outputs of the last apply, with addresses that can be called from here."""
    found = open_workspace(root, local=local, state_bucket=state_bucket).outputs()
    if as_json:
        print_json(found)
        return
    print_outputs(found)


@app.command()
def demo(root: RootNames, as_json: AsJson = False) -> None:
    """Build, apply, seed and smoke-check a root, or all of them, on the local AWS, and leave it running."""
    from dataclasses import asdict

    from sawhorse.operate.demo import progress_on_standard_error, run_demo
    from sawhorse.operate.demo_all import run_demos, show_demo_results

    roots = Project.find().roots_named(root)
    start = time.monotonic()
    with progress_on_standard_error() if as_json else contextlib.nullcontext():
        demonstrated = [run_demo(roots[0])] if len(roots) == 1 else run_demos(roots)
    if as_json:
        found = [asdict(one) for one in demonstrated]
        print_json(found if len(roots) > 1 else found[0])
    elif len(roots) > 1:
        show_demo_results(demonstrated)
        print(f"{len(demonstrated)} of {len(roots)} apps after {time.monotonic() - start:.1f} s.")
    if len(demonstrated) < len(roots) or not all(one.all_passed for one in demonstrated):
        raise typer.Exit(1)


@app.command()
def dev(
    root: RootName,
    local: Local = False,
    port: Annotated[int, typer.Option(help="Where to listen, on loopback.", min=1, max=65535)] = 8000,
    reload: Annotated[bool, typer.Option("--reload", help="Start again when the code changes.")] = False,
    prepare: Annotated[
        bool, typer.Option("--prepare", help="Bring it up on the local AWS first, and seed it once.")
    ] = False,
) -> None:
    """Run an app as a plain process on this machine, against what was deployed."""
    from sawhorse.operate.serve import maker_of, serve

    if prepare:
        from sawhorse.operate.demo import bring_up

        found = Project.find().root(root)
        maker_of(found)
        bring_up(found)
        local = True
    deployment = open_workspace(root, local=local).deployment()
    raise typer.Exit(serve(deployment, port=port, reload=reload))


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Say what this machine has, what it lacks, and how to get it."""
    from sawhorse.operate.result_tables import show_findings
    from sawhorse.toolchain.doctor import examine

    findings = examine(Project.find())
    if as_json:
        print_json([{"name": f.name, "ok": f.ok, "found": f.found, "advice": f.advice} for f in findings])
    else:
        show_findings(findings)
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)


def names_of(root: str, *, heading: str) -> Iterator[str]:
    """Name the roots one after the other, each with a heading when there are several."""
    roots = Project.find().roots_named(root)
    for one in roots:
        if len(roots) > 1:
            print(f"\n{heading} {one.name}", flush=True)
        yield one.name


def who_failed(error: Exception) -> str | None:
    """Name who responded with an error, without importing what a command did not use; None for an error of our own."""
    for culprit, module, names in (
        ("AWS", "botocore.exceptions", ("BotoCoreError", "ClientError")),
        ("The app's API", "httpx", ("HTTPError",)),
        ("The app", "shared.api_errors", ("ApiError",)),
    ):
        found = sys.modules.get(module)
        if found is not None and isinstance(error, tuple(getattr(found, name) for name in names)):
            return culprit
    return None


def main() -> NoReturn:
    """Run the command line; a user's mistake is a sentence on standard error, never a traceback."""
    keep_to_this_user()
    try:
        app(standalone_mode=True)
    except SystemExit as end:
        if end.code == INTERRUPTED:
            print("sawhorse: stopped.", file=sys.stderr)
        tell(end.code if isinstance(end.code, int) else int(end.code is not None))
        raise
    except (SawhorseError, OSError) as error:
        sys.exit(reported(error))
    except Exception as error:
        culprit = who_failed(error)
        if culprit is None:
            raise
        sentence = (
            f"{culprit} refused or did not respond: {error}. Fix that and run it again; "
            "what was done before it is not taken back."
        )
        print(f"sawhorse: {sentence}", file=sys.stderr)
        tell(1, sentence)
        sys.exit(1)
    sys.exit(0)


if __name__ == "__main__":
    main()
