"""Compare what is live of a root with a commit."""

from __future__ import annotations

from typing import Annotated

import typer

from sawhorse.cli.options import AsJson, Local, RootName, open_workspace, print_json
from sawhorse.errors import DIFFERS, asking
from sawhorse.printable import printable


@asking()
def verify(
    root: RootName,
    commit: Annotated[
        str | None,
        typer.Option("--commit", metavar="REV", help="The commit; by default that of the live release, else HEAD."),
    ] = None,
    local: Local = False,
    as_json: AsJson = False,
) -> None:
    """Build a commit, download the code behind live and its layers, and compare both, and the configuration.

    Exit code 0: what was compared is the same; 3: it differs; 1: it could not be asked; 2: a mistake in what was asked.
    """
    from sawhorse.operate.releases.verify import sentences
    from sawhorse.operate.releases.verify import verify as compare

    found = compare(open_workspace(root, local=local), commit)
    if as_json:
        print_json(found.as_json())
    else:
        for sentence in sentences(found):
            print(printable(sentence))
    if found.differs:
        raise typer.Exit(DIFFERS)
