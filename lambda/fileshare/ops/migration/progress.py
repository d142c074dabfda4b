"""Tell on standard error how far a migration is: a bar in a terminal, a line for each tenth elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

PARTS = 10

Advance = Callable[[int], None]


@contextmanager
def progress_of(work: str, total: int, console: Console | None = None) -> Iterator[Advance]:
    """Give a function that is told how many more are done."""
    console = console or Console(stderr=True, highlight=False)
    if console.is_terminal:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=console) as bar:
            task = bar.add_task(work, total=total)
            yield lambda count: bar.advance(task, count)
        return
    done = told = 0

    def advance(count: int) -> None:
        nonlocal done, told
        done += count
        if done * PARTS // max(total, 1) > told * PARTS // max(total, 1) or done == total:
            told = done
            console.print(f"{work}: {done:,} of {total:,}", soft_wrap=True)

    yield advance
