"""Build every package, ours and by hand, and extract them: what sizes, starts and imports look at."""

from __future__ import annotations

import platform
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sawhorse.project import Project
from sawhorse.toolchain import interpreters
from sawhorse.toolchain.machine import say
from tests.benchmarks.packages import MACHINES, Packaged, pip_package, read_packages, unzip
from tests.benchmarks.peers import Peers
from tests.benchmarks.processes import NotMeasured, plain_environment
from tests.benchmarks.scratch import make_checkout

OURS, PIP, FUNCTIONS_PIP = "sawhorse", "pip", "pip of the functions' Python"
VARIANTS = (OURS, PIP, FUNCTIONS_PIP)

Sizes = dict[str, dict[str, int]]


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


@contextmanager
def extracted(project: Path, peers: Peers) -> Iterator[Extracted]:
    """Build and extract the packages of every app; afterwards they are gone."""
    kept = tempfile.mkdtemp(dir=project / ".sawhorse/bench", prefix="packages-")
    scratch = Path(kept)
    try:
        checkout = make_checkout(project, scratch / "checkout")
        say("Packages: building every one, ours and with pip.")
        build_ours(checkout, project)
        found = read_packages(checkout.path)
        left_out = {packaged.title: reason for packaged in found if (reason := reason_to_leave_out(packaged))}
        packages = [packaged for packaged in found if packaged.title not in left_out]
        places, sizes = extract_all(project, peers, packages, scratch)
        yield Extracted(project, peers, checkout, packages, places, sizes, left_out)
    finally:
        shutil.rmtree(kept, ignore_errors=True)


def build_ours(checkout: Project, project: Path) -> None:
    """Build every package with the command itself."""
    environment = plain_environment() | {"SAWHORSE_PROJECT": str(checkout.path)}
    command = [str(project / ".venv/bin/sawhorse"), "build"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise NotMeasured(f"sawhorse build failed:\n{done.stdout}{done.stderr}")


def reason_to_leave_out(packaged: Packaged) -> str | None:
    """Say why this machine cannot start a function."""
    here = {"arm64": "aarch64"}.get(platform.machine().lower(), platform.machine().lower())
    if platform.system() != "Linux" or MACHINES[packaged.architecture] != here:
        return f"It is built for Linux on {packaged.architecture}, which this machine is not."
    if packaged.runtime != f"python{interpreters.FUNCTIONS_PYTHON}":
        return f"It runs on {packaged.runtime}."
    return None


def extract_all(
    project: Path, peers: Peers, packages: Sequence[Packaged], scratch: Path
) -> tuple[dict[tuple[str, str], list[Path]], Sizes]:
    """Extract the packages of all apps; return the directories, a layer's after its package's, and the zips' bytes."""
    places: dict[tuple[str, str], list[Path]] = {}
    sizes: Sizes = {}
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
            sizes.setdefault(packaged.app, {})[variant] = sum(archive.stat().st_size for archive in parts)
    return places, sizes
