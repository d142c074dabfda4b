"""Make packages by hand as a baseline, and extract them and ours the way Lambda has them: read-only."""

from __future__ import annotations

import json
import os
import shutil
import struct
import subprocess
import time
import tomllib
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sawhorse.toolchain.machine import python_of
from tests.benchmarks.processes import NotMeasured, plain_environment
from tests.benchmarks.scratch import IGNORED

PLATFORMS = {
    "x86_64": ("manylinux_2_28", "manylinux_2_17", "manylinux2014"),
    "arm64": ("manylinux_2_28", "manylinux2014"),
}
MACHINES = {"x86_64": "x86_64", "arm64": "aarch64"}
# Info-ZIP's field for the time of modification in whole seconds of UTC; without it a zip holds local time and even
# seconds alone (https://libzip.org/specifications/extrafld.txt, "Extended Timestamp Extra Field").
TIMESTAMP = 0x5455
TIMESTAMP_FORMAT = "<HHBl"
WRITABLE, READABLE = 0o200, 0o555


@dataclass(frozen=True)
class Packaged:
    """A function as the manifest has it: `archives` are its package and, when its app wants one, its layer."""

    app: str
    name: str
    handler: str
    runtime: str
    architecture: str
    archives: tuple[Path, ...]

    @property
    def title(self) -> str:
        return f"{self.app}/{self.name}"


def read_packages(checkout: Path) -> list[Packaged]:
    """Read what `sawhorse build` entered in a checkout's manifest, every function of every app."""
    manifest = json.loads((checkout / "dist/manifest.json").read_text())
    return [
        Packaged(
            app=app,
            name=name,
            handler=entry["handler"],
            runtime=entry["runtime"],
            architecture=entry["architecture"],
            archives=tuple(checkout / part["path"] for part in (entry, entry.get("layer")) if part),
        )
        for app, functions in manifest.items()
        for name, entry in functions.items()
    ]


def pip_package(project: Path, entry: Packaged, pip: Path, directory: Path) -> Path:
    """Make the zip that `pip install -t`, copying the sources and `zip -r` give, and return it.

    `pip` is the environment whose pip is used; what bytecode it leaves is of that environment's Python.
    """
    app, machine = entry.app, MACHINES[entry.architecture]
    platforms = [word for name in PLATFORMS[entry.architecture] for word in ("--platform", f"{name}_{machine}")]
    version = entry.runtime.removeprefix("python")
    command = [python_of(pip), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command += ["-t", directory, "-r", project / f"lambda/{app}/requirements.txt"]
    command += ["--python-version", version, "--implementation", "cp", *platforms, "--only-binary", ":all:"]
    words = [str(word) for word in command]
    done = subprocess.run(words, capture_output=True, text=True, env=plain_environment(), check=False)
    if done.returncode != 0:
        raise NotMeasured(
            f"pip could not install lambda/{app}/requirements.txt; it says:\n  {done.stderr.strip()[-2000:]}"
        )
    for name in (app, "shared"):
        shutil.copytree(project / "lambda" / name, directory / name, ignore=IGNORED)
    configuration = tomllib.loads((project / "lambda" / app / "package.toml").read_text())
    for name in configuration.get("root_files", []):
        shutil.copy2(project / "lambda" / app / name, directory / name)
    archive = directory.with_suffix(".zip")
    zip_directory(directory, archive)
    shutil.rmtree(directory)
    return archive


def zip_directory(directory: Path, archive: Path) -> None:
    """Zip a directory as `zip -r` does: with the files' modes, and their times in whole seconds."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as opened:
        for path in sorted(path for path in directory.rglob("*") if path.is_file()):
            info = zipfile.ZipInfo.from_file(path, path.relative_to(directory).as_posix(), strict_timestamps=False)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.extra = struct.pack(TIMESTAMP_FORMAT, TIMESTAMP, 5, 1, int(path.stat().st_mtime))
            opened.writestr(info, path.read_bytes())


def unzip(archive: Path, directory: Path) -> None:
    """Extract a zip as `unzip` does, with modes and times."""
    with zipfile.ZipFile(archive) as opened:
        for info in opened.infolist():
            path = Path(opened.extract(info, directory))
            if not info.is_dir():
                path.chmod(info.external_attr >> 16 & 0o777 or 0o644)
                modified = modified_at(info)
                os.utime(path, (modified, modified))


def modified_at(info: zipfile.ZipInfo) -> float:
    """Return when a member was changed: to the second if the zip says so, else by its clock of even seconds."""
    extra = info.extra
    while len(extra) >= struct.calcsize("<HH"):
        kind, size = struct.unpack_from("<HH", extra)
        if kind == TIMESTAMP and size >= struct.calcsize("<Bl") and extra[4] & 1:
            return float(struct.unpack_from("<l", extra, 5)[0])
        extra = extra[4 + size :]
    return time.mktime((*info.date_time, 0, 0, -1))


@contextmanager
def read_only(directory: Path) -> Iterator[None]:
    """Keep a directory from being written to; afterwards it can be deleted again.

    Raises NotMeasured when something was written all the same, which only root could do.
    """
    before = files_in(directory)
    change_modes(directory, writable=False)
    try:
        yield
        written = sorted(set(files_in(directory)) - set(before))
        if written:
            raise NotMeasured(f"{written[0]} was written into a package that Lambda has read-only.")
    finally:
        change_modes(directory, writable=True)


def files_in(directory: Path) -> Mapping[Path, int]:
    return {path: path.stat().st_size for path in directory.rglob("*") if path.is_file()}


def change_modes(directory: Path, *, writable: bool) -> None:
    for path in [directory, *directory.rglob("*")]:
        mode = path.stat().st_mode
        path.chmod(mode | WRITABLE if writable else mode & READABLE)
