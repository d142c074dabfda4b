"""Commands for what was applied: put in what the app needs, check it, send its dead letters back."""

from __future__ import annotations

from typing import Annotated

import typer

from sawhorse.cli.alarms import send_alarm_through
from sawhorse.cli.options import AsJson, Local, RootName, open_workspace, print_json, say_what_stands


def seed(root: RootName, local: Local = False, as_json: AsJson = False) -> None:
    """Put in what the app needs before its first call. A new API key is shown once."""
    from sawhorse.operate.seed import seed_module

    deployment = open_workspace(root, local=local).deployment()
    seeded = seed_module(deployment.root).seed(deployment)
    if as_json:
        print_json({"lines": seeded.lines, "secrets": seeded.secrets})
        return
    for line in seeded.lines:
        print(line)
    for name, value in seeded.secrets.items():
        print(f"{name} = {value}")


def smoke(
    root: RootName,
    local: Local = False,
    alarms: Annotated[
        bool, typer.Option("--alarms", help="Send one alarm through instead, and say who was told of it.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Check that what was applied does what its operators count on. Exit code 1 names what failed.

    SAWHORSE_SMOKE_VARIABLES, a JSON object, gives the checks variables such as a token, and hides their values.
    """
    if alarms:
        send_alarm_through(root, local=local, as_json=as_json)
        return
    from sawhorse.operate.result_tables import show_results
    from sawhorse.operate.smoke import as_json as results_as_json
    from sawhorse.operate.smoke import run_checks

    workspace = open_workspace(root, local=local)
    deployment = workspace.deployment()
    results = list(run_checks(deployment))
    if as_json:
        print_json(results_as_json(results))
    else:
        show_results(f"Smoke checks of {deployment.root.name}", results)
        say_what_stands(workspace)
    if not all(result.passed for result in results):
        raise typer.Exit(1)


def redrive(
    root: RootName,
    local: Local = False,
    queue: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only this queue, or this dead-letter queue.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Send the messages of a root's dead-letter queues back to their queues. Fix what made them fail first."""
    from sawhorse.operate.redrive import Tally, pairs_of
    from sawhorse.operate.redrive import redrive as send_back

    deployment = open_workspace(root, local=local).deployment()
    sqs, pairs = deployment.client("sqs"), pairs_of(deployment, queue)
    tallies: list[Tally] = []

    def show_progress(tally: Tally) -> None:
        if not as_json:
            print(f"{tally.pair.dead_letters}: {tally.sent_back} sent back so far", flush=True)

    try:
        for pair in pairs:
            tallies.append(Tally(pair))
            send_back(sqs, tallies[-1], show_progress)
    finally:
        # Also when it was stopped or failed in the middle: what was done stays done.
        if as_json:
            print_json({"queues": [tally.as_json() for tally in tallies]})
        else:
            print("\n".join(tally.sentence() for tally in tallies))
