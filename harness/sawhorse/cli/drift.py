"""Look for what somebody changed since the last apply."""

from __future__ import annotations

from typing import Annotated

import typer

from sawhorse.cli.options import AsJson, Local, NoLock, open_workspace, print_json
from sawhorse.errors import DIFFERS, asking
from sawhorse.project import Project


@asking()
def drift(
    roots: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[ROOT]...", help="Roots, or dev/all; by default all of this account, or that are applied locally."
        ),
    ] = None,
    local: Local = False,
    no_verify: Annotated[
        bool, typer.Option("--no-verify", help="Build and download nothing: leave out what verify compares.")
    ] = False,
    no_lock: NoLock = False,
    as_json: AsJson = False,
) -> None:
    """Plan, compare what is live with its commit, and look for what plans do not see. Nothing is changed.

    Exit code 0: nothing differs; 3: something does; 1: a root, or a part of it, could not be asked, whatever else was
    found; 2: a mistake in what was asked.
    """
    from sawhorse.operate.drift.drift import COULD_NOT_ASK, drift_of
    from sawhorse.operate.drift.several import choose, drift_of_several
    from sawhorse.operate.drift.shown import show_drift, show_left_out

    chosen = choose(Project.find(), roots or [], local=local)
    if len(chosen.roots) == 1:
        # What changed in the checkout since it was built is no drift.
        workspace = open_workspace(chosen.roots[0].name, local=local, as_built=True, lock=not no_lock)
        found = [drift_of(workspace, verifying=not no_verify)]
    else:
        several = drift_of_several(chosen.roots, local=local, verifying=not no_verify, locking=not no_lock)
        found = sorted(several, key=lambda one: one.root)
    if as_json:
        print_json({"roots": [one.as_json() for one in found], "left_out": chosen.left_out})
    else:
        show_drift(found)
        show_left_out(chosen.left_out)
    codes = {one.code for one in found}
    code = COULD_NOT_ASK if COULD_NOT_ASK in codes else DIFFERS if DIFFERS in codes else 0
    if code:
        raise typer.Exit(code)
