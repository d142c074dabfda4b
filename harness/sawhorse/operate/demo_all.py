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
from typing import TextIO

from rich.table import Table
from rich.text import Text

from sawhorse.local.emulators import LocalAWS
from sawhorse.operate.demo import DemoResult
from sawhorse.operate.result_tables import plain_console
from sawhorse.operate.serve import ended_together
from sawhorse.printable import printable
from sawhorse.project import Root
from sawhorse.toolchain import terraform_install
from sawhorse.trusted_files import make_own_directory

# The head of a step, as `sawhorse.operate.demo.step` prints it; its end has a time and is told by the next head.
STEP = re.compile(r"^\[\d+/\d+\] (?!\d+\.\d+ s$)")
SHOWN_LINES = 15


def run_demos(roots: Sequence[Root]) -> list[DemoResult]:
    """Run every root's demo in a process of its own, telling its steps; a root that failed is left out of the result.

    What each said in full lies in a log of its own beside the local AWS.
    """
    project = roots[0].project
    # What all of them need is made once, before they start.
    terraform_install.ensure_terraform(project.path)
    running = LocalAWS(project).up()
    print(f"The local AWS listens at {running.url}.", flush=True)
    logs = project.local / "demos"
    # They hold what seeds show once.
    make_own_directory(logs)
    children: list[subprocess.Popen[str]] = []
    with ended_together(children), ThreadPoolExecutor(max_workers=parallel_demos()) as pool:
        running_demos = [pool.submit(run_one, root, logs, children) for root in roots]
        try:
            found = [demo.result() for demo in running_demos]
        except BaseException:
            # Stopped: what has not begun shall not begin.
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    print(f"How to call each app stands at the end of its log in {project.shown(logs)}.", flush=True)
    return [demonstrated for demonstrated in found if demonstrated]


def parallel_demos() -> int:
    """Return how many demos run side by side: one more than processors, since each waits for AWS at times."""
    return (os.cpu_count() or 1) + 1


def run_one(root: Root, logs: Path, children: list[subprocess.Popen[str]]) -> DemoResult | None:
    """Run one demo, tell its steps, and return what it came to, None when it did not get there."""
    log = logs / f"{root.environment}-{root.app}.log"
    with (
        for_this_user_alone(log) as said,
        subprocess.Popen(
            [sys.executable, "-m", "sawhorse.cli.main", "demo", root.name, "--json"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "SAWHORSE_PROJECT": str(root.project.path), "PYTHONUNBUFFERED": "1"},
        ) as process,
    ):
        children.append(process)
        for line in process.stderr or ():
            said.write(line)
            if STEP.match(line):
                print(f"{root.app:<20} {line.rstrip()}", flush=True)
        response = process.stdout.read() if process.stdout else ""
    try:
        demonstrated = DemoResult(**json.loads(response))
    except (ValueError, TypeError):
        show_failure(root, log)
        return None
    print(f"{root.app:<20} {demonstrated.passed} of {demonstrated.checks} checks passed", flush=True)
    if not demonstrated.all_passed:
        show_failure(root, log)
    return demonstrated


def for_this_user_alone(path: Path) -> TextIO:
    """Open a file for writing that nobody else may read."""
    path.unlink(missing_ok=True)
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w")


def show_failure(root: Root, log: Path) -> None:
    """Show the last that a demo said, and where the rest is."""
    words = "\n  ".join(log.read_text(errors="replace").strip().splitlines()[-SHOWN_LINES:])
    print(f"{root.app} did not come through; all it said is in {root.project.shown(log)}:\n  {words}", flush=True)


def show_demo_results(demonstrated: Sequence[DemoResult]) -> None:
    """Show the table of what stands now."""
    table = Table(box=None, pad_edge=False)
    for name in ("app", "URL"):
        table.add_column(name, overflow="fold")
    for name in ("resources", "checks passed", "seconds"):
        table.add_column(name, justify="right")
    for one in demonstrated:
        checks = Text(f"{one.passed} of {one.checks}", "green" if one.all_passed else "red")
        table.add_row(one.root.partition("/")[2], printable(one.url), str(one.resources), checks, f"{one.seconds:.1f}")
    plain_console().print(table)
