"""Show every app of an environment at work, side by side on one local AWS."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from rich.table import Table

from harness import bootstrap
from harness.demo import Demonstrated
from harness.layout import Root
from harness.local.emulators import LocalAWS
from harness.report import plain_console

# The head of a step, as `harness.demo.step` prints it; its end has a time and is told by the next head.
STEP = re.compile(r"^\[\d+/\d+\] (?!\d+\.\d+ s$)")
SHOWN_LINES = 15


def run_demos(roots: Sequence[Root]) -> list[Demonstrated]:
    """Run every root's demo in a process of its own, telling its steps; a root that failed is left out of the answer.

    What each said in full lies in a log of its own beside the local AWS.
    """
    project = roots[0].project
    # What all of them need is made once, before they start.
    bootstrap.ensure_terraform(project.path)
    running = LocalAWS(project).up()
    print(f"The local AWS answers at {running.url}.", flush=True)
    with ThreadPoolExecutor(max_workers=at_once()) as pool:
        found = list(pool.map(run_one, roots))
    return [demonstrated for demonstrated in found if demonstrated]


def at_once() -> int:
    """Return how many demos run side by side: one more than processors, since each waits for AWS at times."""
    return (os.cpu_count() or 1) + 1


def run_one(root: Root) -> Demonstrated | None:
    """Run one demo, tell its steps, and return what it came to, None when it did not get there."""
    log = root.project.local / "demos" / f"{root.environment}-{root.app}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with (
        log.open("w") as said,
        subprocess.Popen(
            [sys.executable, "-m", "harness.cli", "demo", root.name, "--json"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "SAWHORSE_PROJECT": str(root.project.path), "PYTHONUNBUFFERED": "1"},
        ) as process,
    ):
        for line in process.stderr or ():
            said.write(line)
            if STEP.match(line):
                print(f"{root.app:<20} {line.rstrip()}", flush=True)
        answer = process.stdout.read() if process.stdout else ""
    try:
        demonstrated = Demonstrated(**json.loads(answer))
    except (ValueError, TypeError):
        tell_failure(root, log)
        return None
    print(f"{root.app:<20} {demonstrated.passed} of {demonstrated.checks} checks passed", flush=True)
    if not demonstrated.good:
        tell_failure(root, log)
    return demonstrated


def tell_failure(root: Root, log: Path) -> None:
    """Show the last that a demo said, and where the rest is."""
    words = "\n  ".join(log.read_text(errors="replace").strip().splitlines()[-SHOWN_LINES:])
    print(f"{root.app} did not come through; all it said is in {root.project.shown(log)}:\n  {words}", flush=True)


def show_demonstrated(demonstrated: Sequence[Demonstrated]) -> None:
    """Show the table of what stands now."""
    table = Table(box=None, pad_edge=False)
    for name in ("app", "URL"):
        table.add_column(name)
    for name in ("resources", "checks passed", "seconds"):
        table.add_column(name, justify="right")
    for one in demonstrated:
        colour = "green" if one.good else "red"
        checks = f"[{colour}]{one.passed} of {one.checks}[/{colour}]"
        table.add_row(one.root.partition("/")[2], one.url, str(one.resources), checks, f"{one.seconds:.1f}")
    plain_console().print(table)
