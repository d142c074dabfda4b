"""Build a wheel of a directory or of a source archive that is pure Python: the same one on any machine.

What builds is locked in locks/build.txt and runs under the functions' own Python, without a network and without
a compiler: what would need one is refused.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tomllib
import warnings
import zipfile
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeGuard

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from packaging.version import Version
from pyproject_hooks import (
    BackendUnavailable,
    BuildBackendHookCaller,
    BuildBackendWarning,
    HookMissing,
    UnsupportedOperation,
)

from sawhorse.build.archive_fetch import Archive, tag_ranks
from sawhorse.build.lock_reader import Tree
from sawhorse.build.locked_directory import listed_files, tree_digest, untracked_files
from sawhorse.build.platform import Target
from sawhorse.build.wheel_cache import Cache
from sawhorse.build.wheel_reader import content_of, read_wheel
from sawhorse.build.zip_reader import DAMAGED, fault_of
from sawhorse.checkout import TOOL_LOCKS
from sawhorse.errors import BuildFailed
from sawhorse.project import Project
from sawhorse.toolchain import installed, python_environments
from sawhorse.toolchain.machine import python_of, say

# Part of the name of what was built: another number when it is built otherwise.
RECIPE = "1"
# What a build may not start: a wheel of it would be for one machine alone.
COMPILERS = (
    "c++", "cargo", "cc", "clang", "clang++", "cmake", "f77", "f95", "g++", "gcc", "gfortran", "go", "ld", "make",
    "meson", "ninja", "nvcc", "rustc", "swig",
)  # fmt: skip
# Names of what they compile end so.
COMPILED = {".c", ".cc", ".cpp", ".cxx", ".f", ".f90", ".go", ".m", ".pyx", ".rs"}
# How machine code begins: ELF, Mach-O (of one processor, in both orders, and of several), PE.
MACHINE_CODE = (b"\x7fELF", b"\xcf\xfa\xed\xfe", b"\xfe\xed\xfa\xcf", b"\xca\xfe\xba\xbe", b"MZ")
# What a project without a [build-system] is built with (PEP 517).
DEFAULT_REQUIRES = ("setuptools", "wheel")
DEFAULT_BACKEND = "setuptools.build_meta:__legacy__"
# 1980-01-01, the first date that a zip can hold.
SOURCE_DATE = "315532800"
LAST_LINES = 8
# A build that ends badly, a backend without what PEP 517 asks of it, and one that returns or leaves something else.
FAILURES = (
    subprocess.SubprocessError, BackendUnavailable, HookMissing, UnsupportedOperation, InvalidWheelFilename, OSError,
    TypeError, ValueError, AttributeError,
)  # fmt: skip
TIMEOUT_SECONDS = 300
SHOWN = 3


@dataclass(frozen=True)
class Built:
    """A wheel that was built here, and the key that says of what."""

    filename: str
    content: bytes
    key: str
    # The digest of the sources, where they may change.
    source: str = ""


@dataclass(frozen=True)
class WheelBuilder:
    """Builds wheels for a target with an interpreter of its minor version."""

    project: Project
    cache: Cache
    target: Target
    interpreter: Path | None

    def of_archive(self, archive: Archive, content: bytes) -> Built:
        """Build a source archive, once for everybody who has this cache. Raises BuildFailed."""
        what = f"{archive.filename} (a source archive: no wheel of it fits)"
        return self.built(f"sdist {archive.sha256}", what, lambda into: unpack(archive.filename, content, into))

    def of_tree(self, tree: Tree) -> Built:
        """Build what git tracks of a directory. Raises BuildFailed."""
        files = tracked_files(tree)
        what = described(self.project, tree)
        digest = tree_digest(tree.path, files)
        built = self.built(f"tree {digest}", what, lambda into: copy(tree.path, files, into))
        return replace(built, source=digest)

    def built(self, identity: str, what: str, lay_out: Callable[[Path], Path]) -> Built:
        if self.interpreter is None:
            raise BuildFailed(
                f"{what} has to be built, and Python {self.target.python} is not on this machine and could not be "
                "fetched. Install it and build again."
            )
        lock = python_environments.LOCKS / "build.txt"
        words = [RECIPE, identity, self.target.python, hashlib.sha256(lock.read_bytes()).hexdigest()]
        key = hashlib.sha256("\n".join(words).encode()).hexdigest()
        kept = self.cache.built(key)
        if kept is None:
            say(f"Building a wheel of {what}.")
            with self.cache.workplace() as place:
                source = lay_out(place / "source")
                filename, content = self.build(source, place, self.interpreter, what)
            kept = filename.encode() + b"\n" + content
            self.cache.keep_built(key, kept)
        name, _, content = kept.partition(b"\n")
        return Built(name.decode(), content, key)

    def build(self, source: Path, place: Path, interpreter: Path, what: str) -> tuple[str, bytes]:
        """Run the backend of a laid out source, and return the name and content of its wheel."""
        requires, backend, backend_path = build_system_of(source, what)
        environment = installed.ensure_build_environment(self.project.path, self.target.python, interpreter)
        locked = locked_versions(python_environments.LOCKS / "build.txt")
        refuse_unlocked(requires, locked, what)
        started = place / "started"
        started.touch()
        run = Runner(place, started, python_of(environment))
        given = hashes_below(source)
        out = place / "out"
        out.mkdir()
        try:
            hooks = BuildBackendHookCaller(
                str(source), backend, backend_path=backend_path, runner=run, python_executable=str(run.python)
            )
            with warnings.catch_warnings():
                # What a backend warns of is for the author of what it builds.
                warnings.simplefilter("ignore", BuildBackendWarning)
                refuse_unlocked(hooks.get_requires_for_build_wheel(), locked, what)
                filename = hooks.build_wheel(str(out))
            content = (out / filename).read_bytes()
            *_, tags = parse_wheel_filename(filename)
        except FAILURES as error:
            refuse_compilers(started, what)
            last = "\n  ".join((run.words or str(error) or type(error).__name__).strip().splitlines()[-LAST_LINES:])
            code = compiled_code(source)
            advice = (
                f"It holds code that has to be compiled ({code}), and gets no compiler, since what that makes "
                "is for one machine alone. Use a version with a wheel. Its build says"
                if code
                else "Correct what its build says, or use a version with a wheel"
            )
            raise BuildFailed(f"{what} could not be built. {advice}:\n  {last}") from error
        refuse_compilers(started, what)
        refuse_machine_code(content, filename, given, what)
        if not any(tag.platform == "any" for tag in tags) or not tags & tag_ranks(self.target).keys():
            raise BuildFailed(
                f"{what} was built into {filename}, which is not pure Python for Python {self.target.python}; use a "
                f"version that has a wheel for {self.target.name}."
            )
        return filename, content


class Runner:
    """Runs a backend with nothing of this shell, no network and no compiler, and keeps what it says."""

    def __init__(self, place: Path, started: Path, python: Path) -> None:
        self.place, self.python = place, python
        self.words = ""
        self.programs = place / "programs"
        self.programs.mkdir()
        for name in COMPILERS:
            program = self.programs / name
            program.write_text(f'#!/bin/sh\necho {name} >> "{started}"\nexit 1\n')
            program.chmod(0o755)

    def __call__(
        self, cmd: Sequence[str], cwd: str | None = None, extra_environ: Mapping[str, str] | None = None
    ) -> None:
        environment = {
            "PATH": f"{self.programs}:{self.python.parent}:{os.defpath}",
            "HOME": str(self.place),
            "TMPDIR": str(self.place),
            "TZ": "UTC",
            "LC_ALL": "C.UTF-8",
            "PYTHONHASHSEED": "0",
            "PYTHONDONTWRITEBYTECODE": "1",
            "SOURCE_DATE_EPOCH": SOURCE_DATE,
            "CC": str(self.programs / "cc"),
            "CXX": str(self.programs / "c++"),
            # Where no namespace of its own can be had, a proxy that is not there keeps most from the network.
            **dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9"),
            **(extra_environ or {}),
        }
        ended = subprocess.run(
            [*without_network(), *cmd],
            cwd=cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
            timeout=TIMEOUT_SECONDS,
            umask=0o022,
        )
        self.words += ended.stdout
        if ended.returncode != 0:
            raise subprocess.CalledProcessError(ended.returncode, list(cmd))


def without_network() -> list[str]:
    """Return what starts a program in a network of its own, with nothing in it, where this Linux lets a user do so."""
    if sys.platform != "linux" or not shutil.which("unshare"):
        return []
    command = ["unshare", "--map-root-user", "--net"]
    tried = subprocess.run([*command, "true"], capture_output=True, check=False)
    return command if tried.returncode == 0 else []


def build_system_of(source: Path, what: str) -> tuple[list[str], str, list[str] | None]:
    """Read what a project is built with (PEP 518)."""
    path = source / "pyproject.toml"
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BuildFailed(
            f"{what} has a pyproject.toml that is not valid TOML ({error}); correct that line."
        ) from error
    system = content.get("build-system", {})
    if not isinstance(system, dict):
        raise BuildFailed(f"{what} has a pyproject.toml whose [build-system] is no table; correct it.")
    requires = system.get("requires", list(DEFAULT_REQUIRES))
    backend, paths = system.get("build-backend", DEFAULT_BACKEND), system.get("backend-path")
    if not is_words(requires) or not isinstance(backend, str) or not (paths is None or is_words(paths)):
        raise BuildFailed(
            f"{what} has a pyproject.toml whose [build-system] needs words: requires and backend-path are lists of "
            "them, build-backend is one; correct it."
        )
    return requires, backend, paths


def is_words(value: object) -> TypeGuard[list[str]]:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def check_build_system(project: Project, tree: Tree) -> None:
    """Refuse a directory that is built with what is not locked. Raises BuildFailed."""
    what = described(project, tree)
    requires, _, _ = build_system_of(tree.path, what)
    refuse_unlocked(requires, locked_versions(python_environments.LOCKS / "build.txt"), what)


def described(project: Project, tree: Tree) -> str:
    return f"{project.shown(tree.path)} ({tree.line.where})"


def locked_versions(lock: Path) -> dict[str, Version]:
    """Return what the environment that builds holds; the lock is this project's own, one line a distribution."""
    lines = (line.split(";")[0].split()[0] for line in lock.read_text().splitlines() if "==" in line)
    pairs = (line.partition("==") for line in lines)
    return {canonicalize_name(name): Version(version) for name, _, version in pairs}


def refuse_unlocked(requires: Sequence[str], locked: Mapping[str, Version], what: str) -> None:
    """Refuse a project that is built with what is not locked, or not in the version that it wants."""
    for words in requires:
        try:
            requirement = Requirement(words)
        except InvalidRequirement as error:
            raise BuildFailed(f"{what} is built with {words!r}, which is not a requirement; correct it.") from error
        if requirement.marker and not requirement.marker.evaluate():
            continue
        version = locked.get(canonicalize_name(requirement.name))
        if version is None or not requirement.specifier.contains(version, prereleases=True):
            there = f"has {version}" if version else "lacks"
            raise BuildFailed(
                f"{what} is built with {words}, which build.in {there}. Add it to {TOOL_LOCKS[0]}/build.in and run "
                "make lock NAMES=build, or use a version that has a wheel."
            )


def hashes_below(directory: Path) -> set[bytes]:
    return {hashlib.sha256(path.read_bytes()).digest() for path in directory.rglob("*") if path.is_file()}


def refuse_machine_code(content: bytes, filename: str, given: Collection[bytes], what: str) -> None:
    """Refuse a wheel that holds machine code which its source did not have: whoever compiled it, and how."""
    for file in read_wheel(content, filename).files:
        inside = content_of(file, filename)
        if inside.startswith(MACHINE_CODE) and hashlib.sha256(inside).digest() not in given:
            raise BuildFailed(
                f"{what} holds code that has to be compiled ({file.name} was made by its build), so what it builds is "
                "for one machine alone. Use a version that has a wheel for the functions' platform."
            )


def refuse_compilers(started: Path, what: str) -> None:
    programs = sorted(set(started.read_text().split()))
    if programs:
        raise BuildFailed(
            f"{what} holds code that has to be compiled (its build starts {', '.join(programs)}), so what it builds is "
            "for one machine alone. Use a version that has a wheel for the functions' platform."
        )


def compiled_code(source: Path) -> str | None:
    """Name a file of a source that only a compiler takes, if there is one."""
    found = (path for path in sorted(source.rglob("*")) if path.suffix in COMPILED and path.is_file())
    return next((path.relative_to(source).as_posix() for path in found), None)


# --- What is built -----------------------------------------------------------------------------------------------


def tracked_files(tree: Tree) -> Sequence[str]:
    """Return what git tracks below a directory, and say what it does not track."""
    names = listed_files(tree.path)
    left_out = untracked_files(tree.path)
    if left_out:
        shown = ", ".join(left_out[:SHOWN]) + (f" and {len(left_out) - SHOWN} more" if len(left_out) > SHOWN else "")
        say(f"{tree.line.text.strip()}: git does not track {shown}, so the package leaves that out; git add it.")
    return names


def copy(path: Path, files: Sequence[str], into: Path) -> Path:
    """Copy files with the modes that git knows, and no dates of this machine."""
    for name in files:
        target = into / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((path / name).read_bytes())
        target.chmod(0o755 if (path / name).stat().st_mode & 0o100 else 0o644)
        os.utime(target, (int(SOURCE_DATE), int(SOURCE_DATE)))
    return into


def unpack(filename: str, content: bytes, into: Path) -> Path:
    """Unpack a source archive, and return the one directory that it holds."""
    try:
        if filename.endswith(".zip"):
            with zipfile.ZipFile(io.BytesIO(content)) as zipped:
                faults = [fault for info in zipped.infolist() if (fault := fault_of(info, len(content)))]
                if faults:
                    raise BuildFailed(f"{filename} holds a file that {faults[0]}; nothing was unpacked.")
                zipped.extractall(into)  # noqa: S202 # checked above
        else:
            # Unpacked whole first, since tarfile takes a stream that was cut for one that ended.
            with tarfile.open(fileobj=io.BytesIO(gzip.decompress(content)), mode="r:") as tar:
                tar.extractall(into, filter="data")  # the filter refuses what leaves the directory
    except (tarfile.TarError, *DAMAGED, OSError) as error:
        raise BuildFailed(f"{filename} could not be unpacked ({error}); use another version of it.") from error
    directories = [path for path in into.iterdir() if path.is_dir()]
    if len(directories) != 1:
        raise BuildFailed(f"{filename} is not a source archive: it does not hold one directory; use another version.")
    return directories[0]
