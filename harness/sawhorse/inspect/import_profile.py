"""Measure what a package imports when a function starts, in a process of its own from the extracted package.

The figures are this machine's: Lambda's processors are shared out by memory, so only their proportions carry over.
"""

from __future__ import annotations

import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sawhorse.build.zip_reader import Opened, opened
from sawhorse.inspect.import_variables import PROBE
from sawhorse.project import Project
from sawhorse.toolchain import interpreters
from sawhorse.toolchain.machine import Machine

SHOWN = 15
TIMEOUT_SECONDS = 120
# The total is the median of so many processes.
RUNS = 3
MARK = "sawhorse: the import starts"
TIMED = re.compile(r"import time:\s*(\d+) \|\s*(\d+) \| ( *)(\S+)")
# Runs in the package's interpreter, which may be older than the harness's: imports the module and writes what happened.
PROGRAM = f"""
import json, sys, time
report, module = sys.argv[1:3]
sys.path[:0] = sys.argv[3:]
error = None
sys.stderr.write("\\n{MARK}\\n")
sys.stderr.flush()
start = time.perf_counter()
try:
    __import__(module)
except BaseException as raised:
    error = "%s: %s" % (type(raised).__name__, raised)
seconds = time.perf_counter() - start
origins = {{}}
for name, found in list(sys.modules.items()):
    spec = getattr(found, "__spec__", None)
    origins[name] = getattr(spec, "origin", None) or next(iter(getattr(found, "__path__", None) or []), None)
with open(report, "w") as file:
    json.dump({{"error": error, "seconds": seconds, "origins": {{n: str(o or "") for n, o in origins.items()}}}}, file)
"""


@dataclass(frozen=True)
class Timed:
    """A module's import in milliseconds: its own, and with all that it imported first."""

    module: str
    source: str
    own: float
    cumulative: float


@dataclass(frozen=True)
class ImportProfile:
    """What the import of a handler's module took, in milliseconds.

    `total` is taken without Python's own timing, `by_source` and `imports` with it. `error` is what the module raised:
    up to there it was measured. `placeholders` are the variables that had to have one.
    """

    handler: str
    python: str
    total: float
    modules: int
    by_source: dict[str, float]
    costly: list[Timed]
    costly_own: list[Timed]
    error: str | None = None
    placeholders: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Variables:
    """What the imports get besides what Lambda sets: `given` by the user, and `applied` ones by the handler.

    With `fill_in`, placeholders stand for what an import misses all the same.
    """

    given: Mapping[str, str]
    applied: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    fill_in: bool = False

    def of(self, handler: str) -> dict[str, str]:
        return {**self.applied.get(handler, {}), **self.given}


@dataclass(frozen=True)
class Places:
    """The directories that a function imports from, in the order of Lambda's, and what each is."""

    directories: Sequence[tuple[Path, str]]

    def source_of(self, module: str, origin: str | None) -> str:
        """Say where a module came from; one that raised has no origin, and is looked for as Python did."""
        path = module.replace(".", os.sep)
        for directory, kind in self.directories:
            at = directory / path
            if origin.startswith(f"{directory}{os.sep}") if origin else at.is_dir() or at.with_suffix(".py").is_file():
                return kind
        return "standard library"


@dataclass(frozen=True)
class Interpreter:
    """A Python of this machine: its minor version, and the directory of what Lambda's runtime has, where it is here."""

    path: Path
    version: str
    runtime: Path | None


def find_interpreter(version: str, project: Project) -> Interpreter | None:
    """Find an interpreter of this minor version without fetching one."""
    fetched = (project.private / "tools/python").glob(f"*/bin/python{version}")
    own = [Path(sys.executable)] if version == f"{sys.version_info.major}.{sys.version_info.minor}" else []
    runtime = project.private / "emulators/runtime/bin/python"
    candidates = [*interpreters.python_candidates(version, Machine.this()), *sorted(fetched), *own, runtime]
    found = next((one for one in candidates if interpreters.python_version(one) == version), None)
    packages = project.private / f"emulators/runtime/lib/python{version}/site-packages"
    return Interpreter(found, version, packages.resolve() if packages.is_dir() else None) if found else None


def measure_starts(
    package: Opened,
    handlers: Mapping[str, Path | None],
    interpreter: Interpreter,
    variables: Variables,
    step: Callable[[str], object] = lambda _: None,
) -> list[ImportProfile]:
    """Import the module of each handler; the mapping's values are the layers that they have.

    The package is unpacked into a temporary directory and its code runs, with Lambda's own variables, `variables`, and
    none of this shell's.
    `step` hears of each thing that takes a while.
    """
    with ExitStack() as stack:
        temporary = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sawhorse-"))).resolve()
        step(f"Unpacking {package.path.name}")
        package.extract(temporary / "task")
        layers: dict[Path, Path] = {}
        for layer in sorted({path for path in handlers.values() if path}):
            layers[layer] = temporary / f"layer-{len(layers)}"
            stack.enter_context(opened(layer)).extract(layers[layer])
        starts = []
        for handler, of_layer in handlers.items():
            directories = [(temporary / "task", "package")]
            directories += [(layers[of_layer] / "python", "layer")] if of_layer else []
            directories += [(interpreter.runtime, "runtime")] if interpreter.runtime else []
            own = lambda_variables(handler, temporary, variables.of(handler))
            starts.append(
                Run(interpreter, temporary, Places(directories), own, step).measure(handler, fill_in=variables.fill_in)
            )
        return starts


def lambda_variables(handler: str, temporary: Path, variables: Mapping[str, str]) -> dict[str, str]:
    """Return what Lambda sets for every function, with credentials that open nothing, and what the user adds."""
    return {
        "PATH": os.defpath,
        "HOME": str(temporary),
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "_HANDLER": handler,
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_LAMBDA_FUNCTION_NAME": "inspected",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "LAMBDA_TASK_ROOT": str(temporary / "task"),
        **variables,
    }


@dataclass(frozen=True)
class Report:
    """What the process says of an import: its error, its time, and the file of each module."""

    error: str | None
    seconds: float = 0.0
    origins: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Run:
    """One process that imports a module: its interpreter, where it runs and with which variables."""

    interpreter: Interpreter
    temporary: Path
    places: Places
    variables: Mapping[str, str]
    step: Callable[[str], object]

    def measure(self, handler: str, *, fill_in: bool) -> ImportProfile:
        """Import once with Python's own timing, which also fills the machine's caches, and a few times without."""
        if fill_in:
            self.step(f"Looking for variables that {handler} misses")
            variables = self.placeholders_for(handler)
            start = replace(self, variables={**self.variables, **variables}).measure(handler, fill_in=False)
            return replace(start, placeholders=sorted(variables))
        self.step(f"Importing {handler} with Python's timing")
        timed, words = self.imported(handler, ["-X", "importtime"])
        totals = [0.0]
        if timed.seconds:
            self.step(f"Importing {handler} {RUNS} times without")
            totals = [self.imported(handler, [])[0].seconds for _ in range(RUNS)]
        imports = [
            Timed(name, self.places.source_of(name, timed.origins.get(name)), own / 1000, cumulative / 1000)
            for name, own, cumulative in times(words)
        ]
        by_source = dict.fromkeys([*(kind for _, kind in self.places.directories), "standard library"], 0.0)
        for one in imports:
            by_source[one.source] += one.own
        return ImportProfile(
            handler=handler,
            python=self.interpreter.version,
            total=round(statistics.median(totals) * 1000, 1),
            modules=len(imports),
            by_source={kind: round(own, 1) for kind, own in by_source.items()},
            costly=sorted(imports, key=lambda one: (-one.cumulative, one.module))[:SHOWN],
            costly_own=sorted(imports, key=lambda one: (-one.own, one.module))[:SHOWN],
            error=timed.error,
        )

    def placeholders_for(self, handler: str) -> dict[str, str]:
        """Return placeholders for the variables that an import misses."""
        report, _ = self.run(handler, PROBE, [])
        return dict(report) if report else {}

    def imported(self, handler: str, options: Sequence[str]) -> tuple[Report, str]:
        """Return what the process reports, and what it wrote on standard error."""
        report, words = self.run(handler, PROGRAM, options)
        if report is None:
            return Report(words), ""
        return Report(**report), words

    def run(self, handler: str, program: str, options: Sequence[str]) -> tuple[dict[str, Any] | None, str]:
        """Run a program over the module of a handler; return its report and standard error, or why there is none."""
        report = self.temporary / "report.json"
        report.unlink(missing_ok=True)
        module = handler.rpartition(".")[0].replace("/", ".")
        paths = [str(directory) for directory, _ in self.places.directories]
        # Without site: an interpreter of this machine may have packages that Lambda's has not.
        command = [str(self.interpreter.path), *options, "-I", "-S", "-B", "-c", program, str(report), module, *paths]
        try:
            ended = subprocess.run(
                command,
                cwd=self.temporary / "task",
                env=dict(self.variables),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                check=False,
                timeout=TIMEOUT_SECONDS,
            )
        except subprocess.TimeoutExpired:
            return None, f"it was not imported after {TIMEOUT_SECONDS} s, and was stopped"
        if not report.is_file():
            last = (ended.stderr.strip().splitlines() or ["it said nothing"])[-1]
            return None, f"its process ended with code {ended.returncode}: {last}"
        found: dict[str, Any] = json.loads(report.read_text())
        return found, ended.stderr


def times(words: str) -> list[tuple[str, int, int]]:
    """Return module, own and cumulative microseconds from what `-X importtime` wrote after the mark."""
    return [
        (found[4], int(found[1]), int(found[2]))
        for found in map(TIMED.match, words.partition(f"\n{MARK}\n")[2].splitlines())
        if found
    ]
