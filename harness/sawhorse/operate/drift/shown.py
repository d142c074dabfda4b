"""Show people what drifted: a table of the roots, then every finding with what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.table import Table
from rich.text import Text

from sawhorse.errors import DIFFERS
from sawhorse.operate.drift.drift import COULD_NOT_ASK, Drift
from sawhorse.operate.result_tables import plain_console
from sawhorse.printable import printable

COLOURS = {0: "green", DIFFERS: "red", COULD_NOT_ASK: "yellow"}


def show_drift(found: Sequence[Drift]) -> None:
    """Show a line for each root, and below them what was found and what could not be asked."""
    table = Table(box=None, pad_edge=False)
    table.add_column("root", no_wrap=True)
    table.add_column("drift", no_wrap=True)
    table.add_column("findings", justify="right")
    table.add_column("seconds", justify="right")
    for drift in found:
        result = Text(drift.result, style=COLOURS[drift.code])
        table.add_row(drift.root, result, str(len(drift.findings)), f"{drift.seconds:.1f}")
    console = plain_console()
    console.print(table)
    for drift in found:
        for finding in drift.findings:
            told = printable(f": {finding.sentence}; {finding.fix}.")
            console.print(Text.assemble(f"{drift.root}: ", (finding.kind, "red"), told), soft_wrap=True)
        for sentence in drift.not_asked:
            line = Text.assemble(f"{drift.root}: ", ("could not ask", "yellow"), printable(f" {sentence}", lines=True))
            console.print(line, soft_wrap=True)


def show_left_out(left_out: Mapping[str, str]) -> None:
    """Say which roots were not asked, and why."""
    for name, why in left_out.items():
        plain_console().print(printable(f"{name} was not asked: {why}", lines=True), soft_wrap=True)
