"""Measure how functions start and respond: ours, and the same application installed with pip and zipped by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sawhorse.local.emulators import LocalAWS, Running
from sawhorse.project import Project
from sawhorse.toolchain import installed
from sawhorse.toolchain.machine import say
from tests.benchmarks.builders import BEFORE
from tests.benchmarks.extracted import OURS, VARIANTS, Earlier, Extracted
from tests.benchmarks.functions import Event, Function, Started, empty_handler, last_words_of, started
from tests.benchmarks.packages import Packaged, read_only
from tests.benchmarks.peers import Peers
from tests.benchmarks.processes import NotMeasured
from tests.benchmarks.scenarios import Account, Scenario, Start, Variables, make_scenarios, makers, refusal_of

EMPTY = "(a handler that does nothing)"
# How many warm requests a process gets before the next one has its turn. With one, each finds the processor's caches
# cold, and takes twice as long.
AT_ONCE = 10


@dataclass
class Starts:
    """What was measured of one function from one package; all times in seconds, one of each for a start.

    `imports` is from the process's start to its first question for an event; `firsts` is the first request, and
    `health_totals` import and first request when that is the health route. `reads` and `healths` are warm requests of
    all starts, `others` those of what else the function is asked, by its words. `rss` is in bytes, after the first
    request.
    """

    imports: list[float] = field(default_factory=list)
    firsts: list[float] = field(default_factory=list)
    health_totals: list[float] = field(default_factory=list)
    reads: list[float] = field(default_factory=list)
    healths: list[float] = field(default_factory=list)
    others: dict[str, list[float]] = field(default_factory=dict)
    rss: list[int] = field(default_factory=list)

    @property
    def totals(self) -> list[float]:
        """Return import and first request together, start by start."""
        return [cold + first for cold, first in zip(self.imports, self.firsts, strict=True)]


@dataclass
class StartTimes:
    """What was measured of all functions: by their title and the package, what they were asked, what was left out.

    `before` is the other commit that was measured, and `not_before` says what of it was not.
    """

    starts: dict[str, dict[str, Starts]] = field(default_factory=dict)
    asked: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    before: str | None = None
    not_before: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Subject:
    """A function from a package that was extracted read-only, and what it is asked."""

    function: Function
    scenario: Scenario


# By the function's title and the package.
Subjects = dict[str, dict[str, Subject]]


def function_of(peers: Peers, packaged: Packaged, places: Sequence[Path], variables: Variables) -> Function:
    directory, *layers = places
    return Function(directory, packaged.handler, peers.functions, variables, layers[0] if layers else None)


def measure(found: Extracted, *, runs: int, warm: int) -> StartTimes:
    """Start every function `runs` times from every package, with `warm` warm requests of each kind a start."""
    with prepared(found) as (subjects, times):
        measure_all(subjects, found.peers.functions, times, runs=runs, warm=warm)
    return times


def measure_all(subjects: Subjects, runtime: Path, times: StartTimes, *, runs: int, warm: int) -> None:
    with empty_handler(runtime) as function:
        nothing = {OURS: Subject(function, Scenario({}, "nothing", {}))}
        for number in range(runs):
            for title, by_variant in [*subjects.items(), (EMPTY, nothing)]:
                say(f"Starts: run {number + 1} of {runs}, {title}.")
                variants = [variant for variant in VARIANTS if variant in by_variant]
                # Each package is the first one in its turn.
                first = number % len(variants)
                turn = {variant: by_variant[variant] for variant in variants[first:] + variants[:first]}
                measured = times.starts.setdefault(title, {variant: Starts() for variant in variants})
                measure_turn(turn, measured, warm=warm)


def measure_turn(subjects: Mapping[str, Subject], measured: Mapping[str, Starts], *, warm: int) -> None:
    """Start a function from each package for a read, ask the processes in turns, and start each for its health route.

    What disturbs the machine for longer than a request then disturbs every package alike.
    """
    with ExitStack() as stack:
        processes: dict[str, Started] = {}
        for variant, subject in subjects.items():
            subject.scenario.restore()
            process = processes[variant] = stack.enter_context(started(subject.function))
            measured[variant].imports.append(process.import_seconds)
            measured[variant].firsts.append(asked(process, subject.scenario.read))
            measured[variant].rss.append(process.rss())
        requests = {variant: warm_requests(subjects[variant].scenario, measured[variant]) for variant in subjects}
        for of_one_kind in zip(*requests.values(), strict=True):
            for begun in range(0, warm, AT_ONCE):
                for process, (event, samples) in zip(processes.values(), of_one_kind, strict=True):
                    samples += [asked(process, event) for _ in range(min(AT_ONCE, warm - begun))]
    for variant, subject in subjects.items():
        if subject.scenario.health is not None:
            with started(subject.function) as process:
                seconds = process.import_seconds + asked(process, subject.scenario.health)
                measured[variant].health_totals.append(seconds)


def warm_requests(scenario: Scenario, starts: Starts) -> list[tuple[Event, list[float]]]:
    """Give what a warm process is asked, with the list for its seconds."""
    others = [(event, starts.others.setdefault(words, [])) for words, event in scenario.others.items()]
    health = [(scenario.health, starts.healths)] if scenario.health is not None else []
    return [(scenario.read, starts.reads), *others, *health]


def asked(process: Started, event: Event) -> float:
    with last_words_of(process):
        response, seconds = process.invoke(event)
        refusal = refusal_of(response)
        if refusal:
            raise NotMeasured(f"A function was to respond to a request, but {refusal}.")
    return seconds


@contextmanager
def prepared(found: Extracted) -> Iterator[tuple[Subjects, StartTimes]]:
    """Start a local AWS for the packages, and write what the tables hold."""
    times = StartTimes(left_out=dict(found.left_out), before=found.earlier.revision if found.earlier else None)
    with ExitStack() as stack:
        for directories in found.places.values():
            for directory in directories:
                stack.enter_context(read_only(directory))
        say("Starts: starting a local AWS, and filling tables.")
        aws = LocalAWS(local_aws_project(found))
        stack.callback(aws.stop)
        running = aws.up(port=0)
        ours = {packaged.title: packaged for packaged in found.packages}
        scenarios = make_scenarios(Account(running, starter(found, ours, OURS)))
        for title in ours.keys() - scenarios.keys():
            times.left_out[title] = f"tests/apps/{ours[title].app}/benchmark.py does not say what to ask it."
        times.asked = {title: scenarios[title].reads for title in ours if title in scenarios}
        before = subjects_before(found, found.earlier, running, times) if found.earlier else {}
        subjects: Subjects = {
            title: {
                variant: subject_of(found, ours[title], variant, scenarios[title])
                for variant in VARIANTS
                if variant != BEFORE
            }
            for title in times.asked
        }
        for title, subject in before.items():
            subjects[title][BEFORE] = subject
        yield subjects, times


def subject_of(found: Extracted, packaged: Packaged, variant: str, scenario: Scenario) -> Subject:
    places = found.places[packaged.app, variant]
    return Subject(function_of(found.peers, packaged, places, scenario.variables), scenario)


def starter(found: Extracted, packages: Mapping[str, Packaged], variant: str) -> Start:
    """Give what starts a function of one package for a while."""

    @contextmanager
    def start(app: str, name: str, variables: Variables) -> Iterator[Started]:
        packaged = packages[f"{app}/{name}"]
        with started(function_of(found.peers, packaged, found.places[app, variant], variables)) as process:
            yield process

    return start


def subjects_before(found: Extracted, earlier: Earlier, running: Running, times: StartTimes) -> dict[str, Subject]:
    """Let another commit's functions fill tables of their own and do once what is measured; note what they cannot."""
    subjects: dict[str, Subject] = {}
    account = Account(running, starter(found, earlier.packages, BEFORE))
    for app, make in makers().items():
        titles = [title for title in times.asked if title.startswith(f"{app}/")]
        there = [title for title in titles if title in earlier.packages]
        times.not_before |= {title: earlier.reason(title) for title in titles if title not in there}
        try:
            scenarios = make(account) if there else {}
        except Exception as error:  # noqa: BLE001 # whatever it cannot do, the others are measured
            times.not_before |= dict.fromkeys(there, f"Its tables could not be filled: {type(error).__name__}: {error}")
            continue
        for title in there:
            subject = subject_of(found, earlier.packages[title], BEFORE, scenarios[title])
            try:
                measure_turn({BEFORE: subject}, {BEFORE: Starts()}, warm=1)
                subjects[title] = subject
            except NotMeasured as error:
                times.not_before[title] = str(error)
    return subjects


def local_aws_project(found: Extracted) -> Project:
    """Give the scratch checkout the emulators of the real one, which are installed there if they are not yet."""
    installed.ensure_emulators(found.project)
    emulators = found.checkout.private / "emulators"
    if not emulators.exists():
        emulators.symlink_to(found.project / ".sawhorse/emulators")
    return found.checkout
