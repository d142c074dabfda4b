"""Measure builders and starts against their peers, and write what came out: `make bench`."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from harness import bootstrap
from harness.errors import SawhorseError
from harness.files import write_atomically
from tests.benchmarks import builders, imports, starts, tables
from tests.benchmarks.machine import Machine
from tests.benchmarks.peers import compile_harness, ensure_peers

PROJECT = Path(__file__).resolve().parents[2]
RESULTS = PROJECT / ".sawhorse/bench"
PARTS = ("builders", "starts")


def main(arguments: list[str] | None = None) -> int:
    options = parse(arguments)
    try:
        if options.imports:
            sys.stdout.write(imports.show(PROJECT))
        else:
            sys.stdout.write(measure(options))
    except SawhorseError as error:
        bootstrap.say(str(error))
        return error.exit_code
    except KeyboardInterrupt:
        bootstrap.say("Stopped; nothing was written.")
        return 130
    return 0


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description="Measure packages against peers.")
    parser.add_argument("--only", choices=PARTS, help="measure one part alone")
    parser.add_argument("--runs", type=at_least_one, default=7, help="how often everything is measured (7)")
    parser.add_argument("--warm", type=at_least_one, default=100, help="warm requests of each kind after a start (100)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every single figure to this file as well")
    parser.add_argument("--imports", action="store_true", help="show the slowest imports of every function instead")
    return parser.parse_args(arguments)


def at_least_one(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("it has to be 1 or more")
    return number


def measure(options: argparse.Namespace) -> str:
    """Measure what is asked for, write it below `.sawhorse/bench`, and return it in Markdown."""
    peers = ensure_peers(PROJECT)
    machine = Machine.this(version_of(peers.python))
    compile_harness()
    versions = peers.versions()
    sections = [
        f"Machine: {machine.sentence}",
        "With " + ", ".join(f"{name} {number}" for name, number in versions.items()) + ".",
    ]
    content: dict[str, Any] = {"machine": asdict(machine), "versions": versions}
    if options.only != "starts":
        built = builders.measure(PROJECT, peers, runs=options.runs)
        content["builders"] = built
        sections += ["## Builders", tables.builder_tables(built)]
    if options.only != "builders":
        found = starts.measure(PROJECT, peers, runs=options.runs, warm=options.warm)
        content["starts"] = asdict(found)
        sections += ["## Starts", tables.start_tables(found)]
    text = "\n\n".join(part.rstrip("\n") for part in sections) + "\n"
    write_atomically(RESULTS / "results.md", text)
    for path in [RESULTS / "results.json", *([options.json] if options.json else [])]:
        write_atomically(path, json.dumps(content, indent=2) + "\n")
    return text


def version_of(python: Path) -> str:
    question = "import platform; print(platform.python_version())"
    return subprocess.run([str(python), "-c", question], capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
