"""Measure how functions start and answer: ours, and the same application installed with pip and zipped by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sawhorse.local.emulators import LocalAWS
from sawhorse.project import Project
from sawhorse.toolchain import installed
from sawhorse.toolchain.machine import say
from tests.benchmarks.extracted import OURS, VARIANTS, Extracted
from tests.benchmarks.functions import Event, Function, Started, empty_handler, started
from tests.benchmarks.packages import Packaged, read_only
from tests.benchmarks.peers import Peers
from tests.benchmarks.processes import NotMeasured
from tests.benchmarks.scenarios import Account, Scenario, Variables, make_scenarios, refusal_of

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


def measure(found: Extracted, *, runs: int, warm: int) -> StartTimes:
    """Start every function `runs` times from every package, with `warm` warm requests of each kind a start."""
    with prepared(found) as (bench, times):
        for number in range(runs):
            for packaged in bench.packages:
                say(f"Starts: run {number + 1} of {runs}, {packaged.title}.")
                first = number % len(VARIANTS)
                for variant in VARIANTS[first:] + VARIANTS[:first]:
                    starts = times.starts.setdefault(packaged.title, {}).setdefault(variant, Starts())
                    scenario = bench.scenarios[packaged.app, packaged.name]
                    measure_start(bench.function(packaged, variant), scenario, starts, warm=warm)
            with empty_handler(bench.peers.functions) as function:
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
def prepared(found: Extracted) -> Iterator[tuple[Bench, StartTimes]]:
    """Start a local AWS for the packages, and write what the tables hold."""
    times = StartTimes(left_out=dict(found.left_out))
    with ExitStack() as stack:
        for directories in found.places.values():
            for directory in directories:
                stack.enter_context(read_only(directory))
        say("Starts: starting a local AWS, and filling tables.")
        aws = LocalAWS(local_aws_project(found))
        stack.callback(aws.stop)
        running = aws.up(port=0)
        by_name = {(packaged.app, packaged.name): packaged for packaged in found.packages}

        @contextmanager
        def start(app: str, name: str, variables: Variables) -> Iterator[Started]:
            packaged = by_name[app, name]
            with started(function_of(found.peers, packaged, found.places[app, OURS], variables)) as process:
                yield process

        scenarios = make_scenarios(Account(running, start))
        for packaged in found.packages:
            if (packaged.app, packaged.name) not in scenarios:
                times.left_out[packaged.title] = "tests/benchmarks/scenarios.py does not say what to ask it."
            else:
                times.asked[packaged.title] = scenarios[packaged.app, packaged.name].reads
        known = [packaged for packaged in found.packages if packaged.title in times.asked]
        yield Bench(found.peers, found.places, known, scenarios), times


def local_aws_project(found: Extracted) -> Project:
    """Give the scratch checkout the emulators of the real one, which are installed there if they are not yet."""
    installed.ensure_emulators(found.project)
    emulators = found.checkout.private / "emulators"
    if not emulators.exists():
        emulators.symlink_to(found.project / ".sawhorse/emulators")
    return found.checkout
