"""Build every package, ours and by hand, and extract them: what sizes, starts and imports look at."""

from __future__ import annotations

import platform
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sawhorse.project import Project
from sawhorse.toolchain import interpreters
from sawhorse.toolchain.machine import say
from tests.benchmarks.before import Before
from tests.benchmarks.builders import BEFORE
from tests.benchmarks.packages import MACHINES, Packaged, pip_package, read_packages, unzip
from tests.benchmarks.peers import Peers
from tests.benchmarks.processes import NotMeasured, plain_environment
from tests.benchmarks.scratch import make_checkout

OURS, PIP, FUNCTIONS_PIP = "sawhorse", "pip", "pip of the functions' Python"
VARIANTS = (OURS, BEFORE, PIP, FUNCTIONS_PIP)

Sizes = dict[str, dict[str, int]]


@dataclass(frozen=True)
class Earlier:
    """What another commit of ours packaged with its own command: its functions by title, and why others are not there.

    `otherwise` is the reason for all that is not named.
    """

    revision: str
    packages: Mapping[str, Packaged] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)
    otherwise: str = "It has no such function."

    def reason(self, title: str) -> str:
        return self.left_out.get(title, self.otherwise)


@dataclass(frozen=True)
class Extracted:
    """All packages in a scratch checkout.

    `places` are the directories by app and variant, `sizes` the bytes of the zips, `left_out` why a function is not
    among `packages`, by its title.
    """

    project: Path
    peers: Peers
    checkout: Project
    packages: Sequence[Packaged]
    places: Mapping[tuple[str, str], Sequence[Path]]
    sizes: Sizes
    left_out: Mapping[str, str]
    earlier: Earlier | None = None


@contextmanager
def extracted(project: Path, peers: Peers, before: Before | None = None) -> Iterator[Extracted]:
    """Build and extract the packages of every app, and those of another commit; afterwards they are gone."""
    kept = tempfile.mkdtemp(dir=project / ".sawhorse/bench", prefix="packages-")
    scratch = Path(kept)
    try:
        checkout = make_checkout(project, scratch / "checkout")
        say("Packages: building every one, ours and with pip.")
        build(checkout, project)
        found, left_out = read_startable(checkout.path)
        earlier = build_earlier(before, scratch) if before else None
        places, sizes = extract_all(project, peers, [found, earlier.packages if earlier else {}], scratch)
        yield Extracted(project, peers, checkout, list(found.values()), places, sizes, left_out, earlier)
    finally:
        shutil.rmtree(kept, ignore_errors=True)


def build(checkout: Project, project: Path, **variables: str) -> None:
    """Build every package of a checkout with a project's own command."""
    environment = plain_environment() | {"SAWHORSE_PROJECT": str(checkout.path)} | variables
    command = [str(project / ".venv/bin/sawhorse"), "build"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise NotMeasured(f"sawhorse build failed:\n{done.stdout}{done.stderr}")


def build_earlier(before: Before, scratch: Path) -> Earlier:
    """Let another commit build its own packages with its own command and cache, or say why it cannot."""
    say(f"Packages: building those of {before.title}.")
    try:
        checkout = make_checkout(before.path, scratch / "before")
        build(checkout, before.path, SAWHORSE_CACHE_DIR=str(scratch / "cache"))
        return Earlier(before.title, *read_startable(checkout.path))
    except (NotMeasured, OSError, KeyError, ValueError) as error:
        return Earlier(before.title, otherwise=f"Its packages could not be built: {type(error).__name__}: {error}")


def read_startable(checkout: Path) -> tuple[dict[str, Packaged], dict[str, str]]:
    """Read what was built, by title, and why this machine cannot start the rest."""
    found = {packaged.title: packaged for packaged in read_packages(checkout)}
    left_out = {title: reason for title, packaged in found.items() if (reason := reason_to_leave_out(packaged))}
    return {title: packaged for title, packaged in found.items() if title not in left_out}, left_out


def reason_to_leave_out(packaged: Packaged) -> str | None:
    """Say why this machine cannot start a function."""
    here = {"arm64": "aarch64"}.get(platform.machine().lower(), platform.machine().lower())
    if platform.system() != "Linux" or MACHINES[packaged.architecture] != here:
        return f"It is built for Linux on {packaged.architecture}, which this machine is not."
    if packaged.runtime != f"python{interpreters.FUNCTIONS_PYTHON}":
        return f"It runs on {packaged.runtime}."
    return None


def extract_all(
    project: Path, peers: Peers, packages: Sequence[Mapping[str, Packaged]], scratch: Path
) -> tuple[dict[tuple[str, str], list[Path]], Sizes]:
    """Extract the packages of all apps; return the directories, a layer's after its package's, and the zips' bytes.

    `packages` are ours and those of another commit.
    """
    places: dict[tuple[str, str], list[Path]] = {}
    sizes: Sizes = {}
    ours, earlier = ({packaged.app: packaged for packaged in found.values()} for found in packages)
    for app, packaged in ours.items():
        archives = {OURS: packaged.archives}
        if app in earlier:
            archives[BEFORE] = earlier[app].archives
        for variant, pip in ((PIP, peers.pip), (FUNCTIONS_PIP, peers.functions_pip)):
            directory = scratch / f"{app}-{len(archives)}"
            archives[variant] = (pip_package(project, packaged, pip, directory),)
        for variant, parts in archives.items():
            # Names of one length, since the length of a path costs time as well.
            directories = [scratch / f"{app}-{VARIANTS.index(variant)}{number}" for number in range(len(parts))]
            for archive, directory in zip(parts, directories, strict=True):
                unzip(archive, directory)
            places[app, variant] = directories
            sizes.setdefault(app, {})[variant] = sum(archive.stat().st_size for archive in parts)
    return places, sizes
