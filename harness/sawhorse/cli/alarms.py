"""Send one alarm of a root through, for `sawhorse smoke --alarms`."""

from __future__ import annotations

import typer

from sawhorse.cli.options import open_workspace, print_json


def send_alarm_through(root: str, *, local: bool, as_json: bool) -> None:
    """Set one alarm to ALARM and back, and show who was told; exit code 1 where somebody was not."""
    from sawhorse.operate.alarms import send_through
    from sawhorse.operate.releases.applied import applied_state

    workspace = open_workspace(root, local=local)
    sent = send_through(workspace.root.name, applied_state(workspace), workspace.client, account=workspace.account)
    if as_json:
        print_json(sent.as_json())
    else:
        print("\n".join(sent.sentences()))
    if not sent.passed:
        raise typer.Exit(1)
