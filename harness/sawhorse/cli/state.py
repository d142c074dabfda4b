"""Where states lie: `sawhorse state` makes and checks their bucket, moves them there and back, and releases locks."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from sawhorse.cli.options import AsJson, Commands, Local, RootName, RootNames, Yes, open_workspace, print_json
from sawhorse.errors import DIFFERS, SawhorseError, asking
from sawhorse.project import Project, one_and_all

if TYPE_CHECKING:
    from sawhorse.operate.state_bucket import Buckets, Finding

state_app = Commands(
    name="state", help="Make the bucket of an environment's states, move states, release locks.", no_args_is_help=True
)
EnvironmentName = Annotated[str, typer.Argument(metavar="ENVIRONMENT", help="An environment, such as production.")]


@state_app.command("make")
def make_state_bucket(
    environment: EnvironmentName, local: Local = False, yes: Yes = False, as_json: AsJson = False
) -> None:
    """Make the buckets that environment.yaml names, or change what is not as it must be, and check them."""
    from sawhorse.operate.demo import progress_on_standard_error
    from sawhorse.operate.state_bucket import Buckets, differing
    from sawhorse.operate.state_make import make_buckets

    buckets = Buckets(Project.find(), environment, local=local)
    with progress_on_standard_error() if as_json else contextlib.nullcontext():
        for difference in differing(buckets.findings()):
            print(difference, flush=True)
        changed = make_buckets(buckets, ask=lambda: None if local or yes else refuse_unless_meant(buckets))
    show_buckets(buckets.findings(), changed=changed, as_json=as_json)


@state_app.command("check")
@asking()
def check_state_bucket(environment: EnvironmentName, local: Local = False, as_json: AsJson = False) -> None:
    """Say field by field whether the buckets that environment.yaml names are as they must be. Changes nothing."""
    from sawhorse.operate.state_bucket import Buckets, differing

    findings = Buckets(Project.find(), environment, local=local).findings()
    show_buckets(findings, changed=False, as_json=as_json)
    if differing(findings):
        raise typer.Exit(DIFFERS)


def refuse_unless_meant(buckets: Buckets) -> None:
    """Ask for the environment's name. Raises SawhorseError for another one, and where nobody can be asked."""
    name, names = buckets.environment.name, one_and_all([bucket.name for bucket in buckets.all])
    question = f"This changes {names} in account {buckets.environment.account_id}. Type {name} to go on"
    if not sys.stdin.isatty() or typer.prompt(question, default="", show_default=False) != name:
        raise SawhorseError(f"Nothing was changed for {name}. Add --yes to go on without a question.")


def show_buckets(findings: Sequence[Finding], *, changed: bool, as_json: bool) -> None:
    from dataclasses import asdict

    if as_json:
        print_json({"changed": changed, "findings": [asdict(one) for one in findings]})
        return
    for one in findings:
        verdict = {True: "ok       ", False: "DIFFERS  ", None: "not tried"}[one.ok]
        print(f"{verdict} {one.bucket}: {one.field}: {one.found}{'' if one.ok else f' (wanted: {one.wanted})'}")


@state_app.command("show")
@asking()
def show_state(root: RootName, local: Local = False, as_json: AsJson = False) -> None:
    """Say where a root's state lies, what it holds, and who has its lock. Nothing is refreshed."""
    from dataclasses import asdict

    from sawhorse.operate.state_show import shown_state

    found = shown_state(open_workspace(root, local=local))
    if as_json:
        print_json(asdict(found))
    else:
        print("\n".join(found.sentences()))


@state_app.command("move")
def move_state(
    root: RootNames,
    to: Annotated[Literal["bucket", "local"], typer.Option("--to", help="Into the bucket, or into a file here.")],
    local: Local = False,
    from_bucket: Annotated[
        str | None,
        typer.Option("--from", metavar="BUCKET", help="The bucket that holds it, where this checkout never used it."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Move a root's state, with the record of its releases, into the bucket or back into a file."""
    from dataclasses import asdict

    from sawhorse.operate.state_move import move_state as moved_state

    moved = []
    for one in Project.find().roots_named(root):
        moved.append(moved_state(open_workspace(one.name, local=local), to=to, from_bucket=from_bucket))
        if not as_json:
            print(moved[-1].sentence(), flush=True)
    if as_json:
        print_json([asdict(one) for one in moved])


@state_app.command("unlock")
def unlock_state(
    root: RootName,
    lock: Annotated[str, typer.Argument(metavar="ID", help="The lock's id, as the refused command told it.")],
    local: Local = False,
) -> None:
    """Release the lock of a state that a run which is over has left. A run that still works then loses its changes."""
    from sawhorse.operate.state_show import release_lock

    print(release_lock(open_workspace(root, local=local), lock))
