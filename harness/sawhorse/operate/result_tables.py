"""Show results to people: tables in a terminal, plain lines where there is none."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.table import Table
from rich.text import Text

from sawhorse.operate.smoke import Result
from sawhorse.printable import printable
from sawhorse.toolchain.doctor import Finding


def show_results(title: str, results: Sequence[Result]) -> None:
    """Show checks with their times, and what was found where one failed."""
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    table.add_column("check", overflow="fold")
    table.add_column("result", no_wrap=True)
    table.add_column("seconds", justify="right")
    for result in results:
        table.add_row(printable(result.name), state_of(result), f"{result.seconds:.2f}")
    console = plain_console()
    console.print(table)
    for result in results:
        if result.finding:
            console.print(printable(f"{result.name}: {result.finding}", lines=True), style="red")
        if result.not_run or result.skipped:
            why = result.not_run or result.skipped
            console.print(printable(f"{result.name}: {why}.", lines=True), style="yellow")


def state_of(result: Result) -> Text:
    if result.not_run:
        return Text("not run", "yellow")
    if result.skipped:
        return Text("skipped", "yellow")
    return Text("passed", "green") if result.passed else Text("FAILED", "red")


def show_findings(findings: Sequence[Finding]) -> None:
    """Show what a machine has and lacks, with advice: a line each, which no width cuts, so that paths can be copied."""
    console = plain_console()
    width = max((len(finding.name) for finding in findings), default=0)
    for finding in findings:
        line = Text.assemble(
            ("ok     ", "green") if finding.ok else ("missing", "red"),
            f" {finding.name:<{width}} ",
            printable(finding.found if finding.ok else f"{finding.found} {finding.advice}"),
        )
        console.print(line, soft_wrap=True)


def plain_console(*, stderr: bool = False) -> Console:
    """Return a console that takes no text for markup, and never breaks lines where no terminal sets a width.

    What is to have a colour is a `Text` or is printed with a style: what users, apps and AWS wrote means nothing here.
    """
    console = Console(stderr=stderr, highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = 200
    return console


@contextmanager
def steps_of(console: Console | None = None) -> Iterator[Callable[[str], object]]:
    """Give a function that shows each step that begins on standard error: a status in a terminal, else lines."""
    console = console or plain_console(stderr=True)
    if not console.is_terminal:
        yield lambda step: console.print(f"{printable(step)} ...", soft_wrap=True, markup=False)
        return
    with console.status("Beginning ...") as status:
        yield lambda step: status.update(Text(f"{printable(step)} ..."))
