"""Measure builders, sizes and starts against their peers, and write what came out: `make bench`."""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sawhorse.errors import SawhorseError
from sawhorse.toolchain.machine import say
from tests.benchmarks import builders, imports, starts, tables
from tests.benchmarks.before import Before, other_checkout
from tests.benchmarks.extracted import Extracted, extracted
from tests.benchmarks.machine import Machine
from tests.benchmarks.peers import Peers, compile_harness, ensure_peers
from tests.benchmarks.results import Measured, Results
from tests.benchmarks.scenarios import sources_of_builders

PROJECT = Path(__file__).resolve().parents[2]
RESULTS = PROJECT / ".sawhorse/bench"
PARTS = ("builders", "sizes", "starts")
EXAMPLES = """\
rows of the builders' table:
  empty      nothing at all, downloads included: every cache is empty
  strict     nothing prepared, downloads kept: the first build of a machine, such as a runner of CI
  cold       nothing built before, caches warm
  changed    one source file changed
  unchanged  no change

examples:
  python -m tests.benchmarks --only builders --rows strict --peers sam-uv --runs 3
  python -m tests.benchmarks --only builders --before HEAD~5 --runs 3
  python -m tests.benchmarks --only starts --before HEAD~5 --runs 3
"""


def main(arguments: list[str] | None = None) -> int:
    options = parse(arguments)
    try:
        if options.imports:
            sys.stdout.write(imports.show(PROJECT))
            return 0
        with ExitStack() as stack:
            return measure(options, stack)
    except SawhorseError as error:
        say(str(error))
        return error.exit_code
    except KeyboardInterrupt:
        say("Stopped; nothing was measured.")
        return 130


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks",
        description="Measure packages against peers. Each part is written to .sawhorse/bench when it ends.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", choices=PARTS, nargs="+", help="measure these parts alone")
    parser.add_argument("--runs", type=at_least_one, default=7, help="how often everything is measured (7)")
    parser.add_argument(
        "--rows", choices=builders.ROWS, nargs="+", help="measure these rows of the builders' table alone"
    )
    parser.add_argument("--peers", choices=builders.PEERS, nargs="+", help="build with these peers alone")
    parser.add_argument("--before", metavar="REV", help="measure this commit of the project as well, in the same run")
    parser.add_argument("--warm", type=at_least_one, default=100, help="warm requests of each kind after a start (100)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every single figure to this file as well")
    parser.add_argument("--imports", action="store_true", help="show the slowest imports of every function instead")
    return parser.parse_args(arguments)


def at_least_one(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("it has to be 1 or more")
    return number


def measure(options: argparse.Namespace, stack: ExitStack) -> int:
    """Measure what is asked for, part by part, and return the exit code."""
    # A commit that is not there is told before anything takes its time.
    before = stack.enter_context(other_checkout(PROJECT, options.before)) if options.before else None
    peers = ensure_peers(PROJECT)
    machine = Machine.this(version_of(peers.python))
    compile_harness(PROJECT)
    versions = peers.versions()
    head = f"Machine: {machine.sentence}\n\nWith {', '.join(f'{name} {number}' for name, number in versions.items())}."
    content: dict[str, Any] = {"machine": asdict(machine), "versions": versions}
    if before:
        content["before"] = before.commit
    results = Results(RESULTS, head, content, options.json)
    parts = make_parts(options, peers, before, stack)
    return results.measure({name: parts[name] for name in options.only or PARTS})


def make_parts(
    options: argparse.Namespace, peers: Peers, before: Before | None, stack: ExitStack
) -> dict[str, Callable[[], Measured]]:
    shared: list[Extracted] = []

    def packages() -> Extracted:
        """Build and extract them once for the parts that look at them."""
        if not shared:
            shared.append(stack.enter_context(extracted(PROJECT, peers, before)))
        return shared[0]

    def measure_builders() -> Measured:
        wanted = builders.Wanted(
            runs=options.runs,
            rows=options.rows or builders.ROWS,
            peers=[builders.PEERS[name] for name in options.peers or builders.PEERS],
            sources=sources_of_builders(),
            before=before.path if before else None,
        )
        times = builders.measure(PROJECT, peers, wanted)
        return Measured(times, tables.builder_tables(times, before.title if before else None))

    def measure_sizes() -> Measured:
        return Measured(packages().sizes, tables.size_table(packages().sizes))

    def measure_starts() -> Measured:
        found = starts.measure(packages(), runs=options.runs, warm=options.warm)
        return Measured(asdict(found), tables.start_tables(found))

    return {"builders": measure_builders, "sizes": measure_sizes, "starts": measure_starts}


def version_of(python: Path) -> str:
    question = "import platform; print(platform.python_version())"
    return subprocess.run([str(python), "-c", question], capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
