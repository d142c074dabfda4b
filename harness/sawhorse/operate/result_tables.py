"""Show results to people: tables in a terminal, plain lines where there is none."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from sawhorse.operate.smoke import Result
from sawhorse.toolchain.doctor import Finding


def show_results(title: str, results: Sequence[Result]) -> None:
    """Show checks with their times, and what was found where one failed."""
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    table.add_column("check", overflow="fold")
    table.add_column("result", no_wrap=True)
    table.add_column("seconds", justify="right")
    for result in results:
        table.add_row(result.name, state_of(result), f"{result.seconds:.2f}")
    console = plain_console()
    console.print(table)
    for result in results:
        if result.finding:
            console.print(f"{result.name}: {result.finding}", style="red", markup=False, highlight=False)
        if result.not_run or result.skipped:
            why = result.not_run or result.skipped
            console.print(f"{result.name}: {why}.", style="yellow", markup=False, highlight=False)


def state_of(result: Result) -> str:
    if result.not_run:
        return "[yellow]not run[/yellow]"
    if result.skipped:
        return "[yellow]skipped[/yellow]"
    return "[green]passed[/green]" if result.passed else "[red]FAILED[/red]"


def show_findings(findings: Sequence[Finding]) -> None:
    """Show what a machine has and lacks, with advice: a line each, which no width cuts, so that paths can be copied."""
    console = plain_console()
    width = max((len(finding.name) for finding in findings), default=0)
    for finding in findings:
        line = Text.assemble(
            ("ok     ", "green") if finding.ok else ("missing", "red"),
            f" {finding.name:<{width}} ",
            finding.found if finding.ok else f"{finding.found} {finding.advice}",
        )
        console.print(line, soft_wrap=True)


def plain_console() -> Console:
    """Return a console that never breaks lines where no terminal sets a width."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=200)


@contextmanager
def steps_of(console: Console | None = None) -> Iterator[Callable[[str], object]]:
    """Give a function that shows each step that begins on standard error: a status in a terminal, else lines."""
    console = console or Console(stderr=True, highlight=False)
    if not console.is_terminal:
        yield lambda step: console.print(f"{step} ...", soft_wrap=True, markup=False)
        return
    with console.status("Beginning ...") as status:
        yield lambda step: status.update(f"{escape(step)} ...")
