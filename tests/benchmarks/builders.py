"""Measure builders of packages, ours and peers in turns, as whole processes on the same application."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sawhorse.toolchain.machine import say
from tests.benchmarks.peers import Peers
from tests.benchmarks.processes import NotMeasured, plain_environment, seconds_of
from tests.benchmarks.scratch import (
    Sources,
    change,
    make_chalice_application,
    make_checkout,
    make_sam_application,
)

OURS = "sawhorse build"
BEFORE = "before"
SAM = "sam build"
SAM_UV = "sam build, python-uv"
SAM_CACHED = "sam build --cached"
CHALICE = "chalice package"
# By the names that the command line has for them.
PEERS = {"sam": SAM, "sam-uv": SAM_UV, "sam-cached": SAM_CACHED, "chalice": CHALICE}
EMPTY, STRICT, COLD, CHANGED, UNCHANGED = ROWS = "empty", "strict", "cold", "changed", "unchanged"
# What our cache has of downloads. uv keeps those of the peers, and nobody's are taken away in the strict row.
DOWNLOADS = ("archives", "selections")

Times = dict[str, dict[str, list[float]]]


@dataclass(frozen=True)
class Builder:
    """A builder at work in a directory of its own.

    `state` is what it remembers there: deleted, nothing was built before. `product` reads the changed file back from
    what it built. `variables` come on top of a plain environment. `cache` is what it keeps for other applications as
    well, apart from downloads, None when it keeps nothing. `caches` are the variables that name all its caches,
    downloads included; empty when they cannot be taken away.
    """

    name: str
    directory: Path
    command: Sequence[str | Path]
    variables: Mapping[str, str]
    source: Path
    state: Sequence[Path]
    product: Callable[[], str]
    cache: Path | None = None
    caches: Sequence[str] = ()

    def forget(self) -> None:
        for path in self.state:
            remove(path)

    def forget_prepared(self) -> None:
        """Take away what it prepared for any application, and leave what it downloaded."""
        for path in self.cache.iterdir() if self.cache and self.cache.is_dir() else ():
            if path.name not in DOWNLOADS:
                remove(path)

    def seconds(self, variables: Mapping[str, str] | None = None) -> float:
        """Build once; NotMeasured when what was built is not of these sources."""
        seconds = seconds_of(self.command, directory=self.directory, variables={**self.variables, **(variables or {})})
        if self.product() != self.source.read_text():
            raise NotMeasured(f"{self.name} ended well in {self.directory}, but did not build what is there.")
        return seconds

    def seconds_from_nothing(self, scratch: Path) -> float:
        """Build once with every cache empty."""
        with tempfile.TemporaryDirectory(dir=scratch, prefix="caches-") as empty:
            return self.seconds({name: f"{empty}/{name}" for name in self.caches})


def remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)


@dataclass(frozen=True)
class Wanted:
    """What to measure: `runs` of each row, beside these peers and, if there is one, an older checkout of ours."""

    runs: int
    sources: Sources
    rows: Sequence[str] = ROWS
    peers: Sequence[str] = tuple(PEERS.values())
    before: Path | None = None


def measure(project: Path, peers: Peers, wanted: Wanted) -> Times:
    """Return the seconds of every run by row and builder; a first build, which fills caches, is not counted."""
    times: Times = {}
    with tempfile.TemporaryDirectory(dir=project / ".sawhorse/bench", prefix="builders-") as scratch:
        builders = make_builders(project, peers, wanted, Path(scratch))
        say("Builders: a build to fill caches.")
        for builder in builders:
            builder.forget()
            builder.seconds()
        for number in range(wanted.runs):
            say(f"Builders: round {number + 1} of {wanted.runs}.")
            # Each builder is the first one in its turn: what runs first may find colder disks.
            first = number % len(builders)
            found = measure_round(builders[first:] + builders[:first], wanted.rows, Path(scratch))
            for row, by_builder in found.items():
                for name, seconds in by_builder.items():
                    times.setdefault(row, {}).setdefault(name, []).append(seconds)
    return times


def measure_round(builders: Sequence[Builder], rows: Sequence[str], scratch: Path) -> dict[str, dict[str, float]]:
    """Run every builder once for every row."""
    times: dict[str, dict[str, float]] = {row: {} for row in rows}
    for builder in builders:
        for row, seconds in first_builds(builder, rows, scratch).items():
            times[row][builder.name] = seconds
    if CHANGED in rows:
        for builder in builders:
            change(builder.source)
            times[CHANGED][builder.name] = builder.seconds()
    if UNCHANGED in rows:
        for builder in builders:
            times[UNCHANGED][builder.name] = builder.seconds()
    return times


def first_builds(builder: Builder, rows: Sequence[str], scratch: Path) -> dict[str, float]:
    """Build where nothing was built before: with every cache empty, with nothing prepared, and with warm caches."""
    times: dict[str, float] = {}
    if EMPTY in rows and builder.caches:
        builder.forget()
        times[EMPTY] = builder.seconds_from_nothing(scratch)
    if STRICT in rows and builder.cache:
        builder.forget()
        builder.forget_prepared()
        times[STRICT] = builder.seconds()
    # Who keeps nothing else across applications has one run for both of these rows.
    for_both = [row for row in (COLD, STRICT) if row in rows and row not in times]
    if for_both:
        builder.forget()
        times |= dict.fromkeys(for_both, builder.seconds())
    return times


def make_builders(project: Path, peers: Peers, wanted: Wanted, scratch: Path) -> list[Builder]:
    sources = wanted.sources
    ours = [make_ours(project, scratch / "ours", OURS, sources)]
    if wanted.before:
        ours.append(make_ours(wanted.before, scratch / "before", BEFORE, sources))
    makers: Mapping[str, Callable[[], Builder]] = {
        SAM: lambda: make_sam(peers, scratch / "sam", SAM, project, sources),
        SAM_UV: lambda: make_sam(peers, scratch / "sam-uv", SAM_UV, project, sources),
        SAM_CACHED: lambda: make_sam(peers, scratch / "sam-cached", SAM_CACHED, project, sources),
        CHALICE: lambda: make_chalice(peers, scratch / "chalice", project, sources),
    }
    return [*ours, *(make() for name, make in makers.items() if name in wanted.peers)]


def make_ours(project: Path, scratch: Path, name: str, sources: Sources) -> Builder:
    """Make the builder that a checkout's own environment has."""
    checkout, cache = make_checkout(project, scratch / "checkout").path, scratch / "cache"
    return Builder(
        name=name,
        directory=checkout,
        command=[project / ".venv/bin/sawhorse", "build", sources.app],
        variables={"SAWHORSE_PROJECT": str(checkout), "SAWHORSE_CACHE_DIR": str(cache)},
        source=checkout / "lambda" / sources.changed,
        state=[checkout / "dist", checkout / ".sawhorse/cache"],
        product=Member(checkout / f"dist/{sources.app}.zip", sources.changed),
        cache=cache,
        caches=("SAWHORSE_CACHE_DIR", "UV_CACHE_DIR"),
    )


def make_sam(peers: Peers, directory: Path, name: str, project: Path, sources: Sources) -> Builder:
    with_uv = name == SAM_UV
    make_sam_application(project, directory, sources, with_uv=with_uv)
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
        source=directory / "code" / sources.changed,
        state=[built],
        product=(built / "build/Api" / sources.changed).read_text,
        # pip's cache would have to go as well, and it does not tell of all that it keeps.
        caches=("UV_CACHE_DIR",) if with_uv else (),
    )


def make_chalice(peers: Peers, directory: Path, project: Path, sources: Sources) -> Builder:
    directory.mkdir()
    make_chalice_application(project, directory, sources)
    return Builder(
        name=CHALICE,
        directory=directory,
        command=[peers.chalice / "bin/chalice", "package", "out"],
        variables={"AWS_DEFAULT_REGION": "us-east-1"},
        source=directory / "vendor" / sources.changed,
        state=[directory / "out", directory / ".chalice/deployments", directory / ".chalice/deployed"],
        product=Member(directory / "out/deployment.zip", sources.changed),
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
