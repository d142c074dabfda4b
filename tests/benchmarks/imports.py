"""Show what a function's start imports, and what each import takes."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sawhorse.toolchain.machine import say
from tests.benchmarks.extracted import OURS, extracted
from tests.benchmarks.functions import Function
from tests.benchmarks.peers import ensure_peers
from tests.benchmarks.processes import NotMeasured
from tests.benchmarks.starts import prepared

SHOWN = 15
MICROSECONDS = 1_000_000
LINE = re.compile(r"^import time:\s*(\d+) \|\s*(\d+) \| ( *)(\S+)$")


@dataclass(frozen=True)
class Import:
    """A module's own time and that with all that it was first to import, in seconds."""

    module: str
    own: float
    cumulative: float


def read_import_times(text: str) -> list[Import]:
    """Read what `python -X importtime` wrote."""
    found = (LINE.match(line) for line in text.splitlines())
    return [
        Import(module=match[4], own=int(match[1]) / MICROSECONDS, cumulative=int(match[2]) / MICROSECONDS)
        for match in found
        if match
    ]


def slowest(imports: Sequence[Import]) -> list[Import]:
    """Return the imports that take longest with all that is below them."""
    return sorted(imports, key=lambda each: -each.cumulative)[:SHOWN]


def by_distribution(imports: Sequence[Import]) -> list[tuple[str, float]]:
    """Return the own times of modules added up by the first part of their names, the largest first."""
    sums: dict[str, float] = {}
    for each in imports:
        name = each.module.partition(".")[0]
        sums[name] = sums.get(name, 0.0) + each.own
    return sorted(sums.items(), key=lambda pair: -pair[1])[:SHOWN]


def show(project: Path) -> str:
    """Return the slowest imports of every function of ours, in Markdown."""
    sections = []
    with extracted(project, ensure_peers(project)) as found, prepared(found) as (subjects, _):
        for title, by_variant in subjects.items():
            function = by_variant[OURS].function
            if function.is_script:
                continue
            say(f"Imports: {title}.")
            sections.append(section(title, imports_of(function)))
    return "\n".join(sections)


def imports_of(function: Function) -> list[Import]:
    """Import a handler's module in a fresh process and return what that took, module by module."""
    module = function.handler.rpartition(".")[0]
    command = [str(function.runtime / "bin/python"), "-X", "importtime", "-c", f"import {module}"]
    done = subprocess.run(
        command, cwd=function.directory, env=function.environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise NotMeasured(f"{module} could not be imported:\n  {done.stderr.strip()[-2000:]}")
    return read_import_times(done.stderr)


def section(title: str, imports: Sequence[Import]) -> str:
    lines = [f"### {title}: {len(imports)} modules", "", "| with all below | alone | module |", "| ---: | ---: | --- |"]
    lines += [
        f"| {each.cumulative * 1000:.1f} ms | {each.own * 1000:.1f} ms | `{each.module}` |" for each in slowest(imports)
    ]
    sums = ", ".join(f"{name} {seconds * 1000:.0f}" for name, seconds in by_distribution(imports))
    return "\n".join([*lines, "", f"Own times by package, in ms: {sums}.", ""])
