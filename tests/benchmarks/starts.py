"""Measure how functions start and answer: ours, and the same application installed with pip and zipped by hand."""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from harness import bootstrap
from harness.layout import Project
from harness.local.emulators import LocalAWS
from tests.benchmarks.functions import Event, Function, Started, empty_handler, started
from tests.benchmarks.packages import MACHINES, Packaged, pip_package, read_only, read_packages, unzip
from tests.benchmarks.peers import Peers
from tests.benchmarks.processes import NotMeasured, plain_environment
from tests.benchmarks.scenarios import Account, Scenario, Variables, make_scenarios, refusal_of
from tests.benchmarks.scratch import make_checkout

OURS, PIP, FUNCTIONS_PIP = "sawhorse", "pip", "pip of the functions' Python"
VARIANTS = (OURS, PIP, FUNCTIONS_PIP)
EMPTY = "(a handler that does nothing)"


@dataclass
class Starts:
    """What was measured of one function from one package; all times in seconds, one of each for a start.

    `imports` is from the process's start to its first question for an event; `firsts` is the first request, and
    `health_totals` import and first request when that is the health route. `reads` and `healths` are warm requests of
    all starts. `rss` is in bytes, after the first request.
    """

    imports: list[float] = field(default_factory=list)
    firsts: list[float] = field(default_factory=list)
    health_totals: list[float] = field(default_factory=list)
    reads: list[float] = field(default_factory=list)
    healths: list[float] = field(default_factory=list)
    rss: list[int] = field(default_factory=list)

    @property
    def totals(self) -> list[float]:
        """Return import and first request together, start by start."""
        return [cold + first for cold, first in zip(self.imports, self.firsts, strict=True)]


@dataclass
class StartTimes:
    """What was measured of all functions: by their title and the package, what they were asked, what was left out."""

    starts: dict[str, dict[str, Starts]] = field(default_factory=dict)
    asked: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    sizes: dict[str, dict[str, int]] = field(default_factory=dict)


@dataclass(frozen=True)
class Bench:
    """Packages extracted read-only, and what their functions are asked."""

    peers: Peers
    places: Mapping[tuple[str, str], Sequence[Path]]
    packages: Sequence[Packaged]
    scenarios: Mapping[tuple[str, str], Scenario]

    def function(self, packaged: Packaged, variant: str) -> Function:
        return function_of(
            self.peers,
            packaged,
            self.places[packaged.app, variant],
            self.scenarios[packaged.app, packaged.name].variables,
        )


def function_of(peers: Peers, packaged: Packaged, places: Sequence[Path], variables: Variables) -> Function:
    directory, *layers = places
    return Function(directory, packaged.handler, peers.functions, variables, layers[0] if layers else None)


def measure(project: Path, peers: Peers, *, runs: int, warm: int) -> StartTimes:
    """Start every function `runs` times from every package, with `warm` warm requests of each kind a start."""
    with prepared(project, peers) as (bench, times):
        for number in range(runs):
            for packaged in bench.packages:
                bootstrap.say(f"Starts: run {number + 1} of {runs}, {packaged.title}.")
                first = number % len(VARIANTS)
                for variant in VARIANTS[first:] + VARIANTS[:first]:
                    starts = times.starts.setdefault(packaged.title, {}).setdefault(variant, Starts())
                    scenario = bench.scenarios[packaged.app, packaged.name]
                    measure_start(bench.function(packaged, variant), scenario, starts, warm=warm)
            with empty_handler(peers.functions) as function:
                starts = times.starts.setdefault(EMPTY, {}).setdefault(OURS, Starts())
                measure_start(function, Scenario({}, "nothing", {}), starts, warm=warm)
    return times


def measure_start(function: Function, scenario: Scenario, starts: Starts, *, warm: int) -> None:
    """Start a function once for a read and once for its health route."""
    scenario.restore()
    with started(function) as process:
        starts.imports.append(process.import_seconds)
        starts.firsts.append(asked(process, scenario.read))
        starts.rss.append(process.rss())
        starts.reads += [asked(process, scenario.read) for _ in range(warm)]
        if scenario.health is not None:
            starts.healths += [asked(process, scenario.health) for _ in range(warm)]
    if scenario.health is not None:
        with started(function) as process:
            starts.health_totals.append(process.import_seconds + asked(process, scenario.health))


def asked(process: Started, event: Event) -> float:
    answer, seconds = process.invoke(event)
    refusal = refusal_of(answer)
    if refusal:
        raise NotMeasured(f"A function was to answer a request, but {refusal}.")
    return seconds


@contextmanager
def prepared(project: Path, peers: Peers) -> Iterator[tuple[Bench, StartTimes]]:
    """Build and extract all packages, start a local AWS, and write what the tables hold."""
    times = StartTimes()
    with ExitStack() as stack:
        kept = tempfile.mkdtemp(dir=project / ".sawhorse/bench", prefix="starts-")
        stack.callback(shutil.rmtree, kept, ignore_errors=True)
        scratch = Path(kept)
        checkout = make_checkout(project, scratch / "checkout")
        bootstrap.say("Starts: building every package, ours and with pip.")
        build_ours(checkout)
        packages = runnable(read_packages(checkout.path), times)
        places = extract_all(project, peers, packages, scratch, times)
        for directories in places.values():
            for directory in directories:
                stack.enter_context(read_only(directory))
        bootstrap.say("Starts: starting a local AWS, and filling tables.")
        aws = LocalAWS(checkout)
        stack.callback(aws.stop)
        running = aws.up(port=0)
        by_name = {(packaged.app, packaged.name): packaged for packaged in packages}

        @contextmanager
        def start(app: str, name: str, variables: Variables) -> Iterator[Started]:
            packaged = by_name[app, name]
            with started(function_of(peers, packaged, places[app, OURS], variables)) as process:
                yield process

        scenarios = make_scenarios(Account(running, start))
        for packaged in packages:
            if (packaged.app, packaged.name) not in scenarios:
                times.left_out[packaged.title] = "tests/benchmarks/scenarios.py does not say what to ask it."
            else:
                times.asked[packaged.title] = scenarios[packaged.app, packaged.name].reads
        known = [packaged for packaged in packages if packaged.title in times.asked]
        yield Bench(peers, places, known, scenarios), times


def build_ours(checkout: Project) -> None:
    """Build every package with the command itself."""
    environment = plain_environment() | {"SAWHORSE_PROJECT": str(checkout.path)}
    command = [str(Path(sys.prefix) / "bin/sawhorse"), "build"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise NotMeasured(f"sawhorse build failed:\n{done.stdout}{done.stderr}")


def runnable(packages: Sequence[Packaged], times: StartTimes) -> list[Packaged]:
    """Leave out what this machine cannot start."""
    here = {"arm64": "aarch64"}.get(platform.machine().lower(), platform.machine().lower())
    found = []
    for packaged in packages:
        if platform.system() != "Linux" or MACHINES[packaged.architecture] != here:
            times.left_out[packaged.title] = (
                f"It is built for Linux on {packaged.architecture}, which this machine is not."
            )
        elif packaged.runtime != f"python{bootstrap.FUNCTIONS_PYTHON}":
            times.left_out[packaged.title] = f"It runs on {packaged.runtime}."
        else:
            found.append(packaged)
    return found


def extract_all(
    project: Path, peers: Peers, packages: Sequence[Packaged], scratch: Path, times: StartTimes
) -> dict[tuple[str, str], list[Path]]:
    """Extract the packages of all apps; return the directories by app and variant, a layer's after its package's."""
    places: dict[tuple[str, str], list[Path]] = {}
    for packaged in {packaged.app: packaged for packaged in packages}.values():
        archives = {OURS: packaged.archives}
        for variant, pip in ((PIP, peers.pip), (FUNCTIONS_PIP, peers.functions_pip)):
            directory = scratch / f"{packaged.app}-{len(archives)}"
            archives[variant] = (pip_package(project, packaged, pip, directory),)
        for variant, parts in archives.items():
            # Names of one length, since the length of a path costs time as well.
            directories = [
                scratch / f"{packaged.app}-{VARIANTS.index(variant)}{number}" for number in range(len(parts))
            ]
            for archive, directory in zip(parts, directories, strict=True):
                unzip(archive, directory)
            places[packaged.app, variant] = directories
            times.sizes.setdefault(packaged.app, {})[variant] = sum(archive.stat().st_size for archive in parts)
    return places
