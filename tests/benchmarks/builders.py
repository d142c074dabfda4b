"""Measure builders of packages, ours and peers in turns, as whole processes on the same application."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness import bootstrap
from tests.benchmarks.peers import Peers
from tests.benchmarks.processes import NotMeasured, plain_environment, seconds_of
from tests.benchmarks.scratch import (
    APP,
    CHANGED_FILE,
    change,
    make_chalice_application,
    make_checkout,
    make_sam_application,
)

OURS = "sawhorse build"
SAM = "sam build"
SAM_UV = "sam build, python-uv"
SAM_CACHED = "sam build --cached"
CHALICE = "chalice package"
COLD, STRICT, CHANGED, UNCHANGED = "cold", "strict", "changed", "unchanged"

Times = dict[str, dict[str, list[float]]]


@dataclass(frozen=True)
class Builder:
    """A builder at work in a directory of its own.

    `state` is what it remembers there: deleted, nothing was built before. `product` reads the changed file back from
    what it built. `variables` come on top of a plain environment.
    """

    name: str
    directory: Path
    command: Sequence[str | Path]
    variables: Mapping[str, str]
    source: Path
    state: Sequence[Path]
    product: Callable[[], str]

    def forget(self) -> None:
        for path in self.state:
            if path.is_dir():
                shutil.rmtree(path)
            path.unlink(missing_ok=True)

    def seconds(self, variables: Mapping[str, str] | None = None) -> float:
        """Build once; NotMeasured when what was built is not of these sources."""
        seconds = seconds_of(self.command, directory=self.directory, variables={**self.variables, **(variables or {})})
        if self.product() != self.source.read_text():
            raise NotMeasured(f"{self.name} ended well in {self.directory}, but did not build what is there.")
        return seconds


def measure(project: Path, peers: Peers, *, runs: int) -> Times:
    """Return the seconds of every run by row and builder; a first round, which fills caches, is not counted."""
    times: Times = {}
    with tempfile.TemporaryDirectory(dir=project / ".sawhorse/bench", prefix="builders-") as scratch:
        builders = make_builders(project, peers, Path(scratch))
        for number in range(runs + 1):
            bootstrap.say(f"Builders: round {number} of {runs}." if number else "Builders: a round to fill caches.")
            # Each builder is the first one in its turn: what runs first may find colder disks.
            first = number % len(builders)
            found = measure_round(builders[first:] + builders[:first], Path(scratch))
            for row, by_builder in found.items() if number else ():
                for name, seconds in by_builder.items():
                    times.setdefault(row, {}).setdefault(name, []).append(seconds)
    return times


def measure_round(builders: Sequence[Builder], scratch: Path) -> dict[str, dict[str, float]]:
    """Run every builder once for every row."""
    times: dict[str, dict[str, float]] = {COLD: {}, STRICT: {}, CHANGED: {}, UNCHANGED: {}}
    for builder in builders:
        if builder.name == OURS:
            builder.forget()
            with tempfile.TemporaryDirectory(dir=scratch, prefix="cache-") as empty:
                times[STRICT][builder.name] = builder.seconds({"SAWHORSE_CACHE_DIR": empty})
        builder.forget()
        times[COLD][builder.name] = builder.seconds()
        # Peers keep nothing else across applications, so the strict row compares with the same runs.
        times[STRICT].setdefault(builder.name, times[COLD][builder.name])
    for builder in builders:
        change(builder.source)
        times[CHANGED][builder.name] = builder.seconds()
    for builder in builders:
        times[UNCHANGED][builder.name] = builder.seconds()
    return times


def make_builders(project: Path, peers: Peers, scratch: Path) -> list[Builder]:
    return [
        make_ours(project, scratch),
        make_sam(project, peers, scratch / "sam", SAM),
        make_sam(project, peers, scratch / "sam-uv", SAM_UV),
        make_sam(project, peers, scratch / "sam-cached", SAM_CACHED),
        make_chalice(project, peers, scratch / "chalice"),
    ]


def make_ours(project: Path, scratch: Path) -> Builder:
    checkout = make_checkout(project, scratch / "checkout").path
    return Builder(
        name=OURS,
        directory=checkout,
        command=[Path(sys.prefix) / "bin/sawhorse", "build", APP],
        variables={"SAWHORSE_PROJECT": str(checkout), "SAWHORSE_CACHE_DIR": str(scratch / "cache")},
        source=checkout / "lambda" / CHANGED_FILE,
        state=[checkout / "dist", checkout / ".sawhorse/cache"],
        product=Member(checkout / f"dist/{APP}.zip", CHANGED_FILE),
    )


def make_sam(project: Path, peers: Peers, directory: Path, name: str) -> Builder:
    with_uv = name == SAM_UV
    make_sam_application(project, directory, with_uv=with_uv)
    options = {SAM: (), SAM_UV: ("--beta-features",), SAM_CACHED: ("--cached",)}[name]
    home = directory / "home"
    home.mkdir()
    # Once a week sam asks PyPI for a newer version of itself, by this file; it was asked a moment ago.
    (home / "metadata.json").write_text(json.dumps({"lastVersionCheck": time.time(), "telemetryEnabled": False}))
    path = [str(peers.python.parent), str(peers.uv.parent), plain_environment().get("PATH", "")]
    variables = {
        "SAM_CLI_TELEMETRY": "0",
        "__SAM_CLI_APP_DIR": str(home),
        "AWS_DEFAULT_REGION": "us-east-1",
        "PATH": ":".join(path),
    }
    built = directory / ".aws-sam"
    return Builder(
        name=name,
        directory=directory,
        command=[peers.sam / "bin/sam", "build", *options],
        variables=variables,
        source=directory / "code" / CHANGED_FILE,
        state=[built],
        product=(built / "build/Api" / CHANGED_FILE).read_text,
    )


def make_chalice(project: Path, peers: Peers, directory: Path) -> Builder:
    directory.mkdir()
    make_chalice_application(project, directory)
    return Builder(
        name=CHALICE,
        directory=directory,
        command=[peers.chalice / "bin/chalice", "package", "out"],
        variables={"AWS_DEFAULT_REGION": "us-east-1"},
        source=directory / "vendor" / CHANGED_FILE,
        state=[directory / "out", directory / ".chalice/deployments", directory / ".chalice/deployed"],
        product=Member(directory / "out/deployment.zip", CHANGED_FILE),
    )


@dataclass(frozen=True)
class Member:
    """A file in a zip, read when it is called."""

    archive: Path
    name: str
    encoding: str = field(default="utf-8")

    def __call__(self) -> str:
        with zipfile.ZipFile(self.archive) as opened:
            return opened.read(self.name).decode(self.encoding)
