"""Install an app's locked wheels for the platform that its functions run on, and prepare each of them once.

Prepared means pruned, compiled to bytecode and compressed: all that takes time, and that depends on the wheel alone.
"""

from __future__ import annotations

import csv
import hashlib
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path

from harness import bootstrap
from harness.errors import BuildFailed
from harness.layout import Project
from harness.package.archive import Member, pack
from harness.package.cache import Cache, Part
from harness.package.compiling import bytecode_name, compile_sources
from harness.package.state import builder_digest
from harness.package.target import Target

# Made by an installer for the machine that it runs on, so never part of a package.
OF_THE_MACHINE = (
    "bin/*",
    "*.pyc",
    "*.dist-info/RECORD",
    "*.dist-info/INSTALLER",
    "*.dist-info/REQUESTED",
    "*.dist-info/direct_url.json",
    "*.dist-info/uv_*.json",
)
# What no function reads, unless its app says otherwise (`prune` in package.toml): stubs, tests, and metadata for
# installers. METADATA, entry points and licences stay, for `importlib.metadata` and for the law.
PRUNED = (
    "*.pyi",
    "*/py.typed",
    "tests/*",
    "*/tests/*",
    "*.dist-info/WHEEL",
    "*.dist-info/top_level.txt",
    "*.dist-info/zip-safe",
)
# Four fifths of botocore describe services that one function never calls; what all share lies beside their directories.
SERVICE_DESCRIPTION = re.compile(r"botocore/data/([^/]+)/")
# Compiling takes about five times as long as compressing the same bytes.
WEIGHT_OF_SOURCE = 5
MOST_PROCESSES = 4


@dataclass(frozen=True)
class Wanted:
    """What parts are asked for: a lock, the platform, the interpreter that compiles, and the files to leave out.

    `locked` is what the lock said when it was read: that, and not what the file says later. Without an interpreter
    there is no bytecode.
    """

    lock: Path
    locked: bytes
    target: Target
    interpreter: Path | None
    prune: tuple[str, ...] = PRUNED
    # The services whose descriptions botocore keeps; None keeps all of them.
    aws_services: tuple[str, ...] | None = None

    @property
    def preparation(self) -> str:
        """What the files of a part depend on besides the wheel's own that are kept."""
        return f"{builder_digest()}\n{self.target.python if self.interpreter else 'none'}"

    def keeps(self, name: str) -> bool:
        """Say whether a file of a wheel, by its path as installed, belongs into the package."""
        if name.startswith(("../", "/")) or any(fnmatchcase(name, pattern) for pattern in OF_THE_MACHINE):
            return False
        described = SERVICE_DESCRIPTION.match(name)
        if described and self.aws_services is not None and described[1] not in self.aws_services:
            return False
        return not any(fnmatchcase(name, pattern) for pattern in self.prune)

    @cached_property
    def key(self) -> str:
        """Stands for the lock on this platform, prepared like this."""
        services = ["all"] if self.aws_services is None else sorted(self.aws_services)
        words = [self.target.name, self.preparation, *self.prune, "services", *services, ""]
        digest = hashlib.sha256("\n".join(words).encode())
        digest.update(self.locked)
        return digest.hexdigest()


@dataclass(frozen=True)
class Installed:
    """A distribution as uv installed it, with the lines of its RECORD."""

    name: str
    version: str
    metadata: str
    files: Mapping[str, Path]
    hashes: tuple[str, ...]

    def part_name(self, preparation: str) -> str:
        digest = hashlib.sha256("\n".join([preparation, *self.hashes]).encode())
        return f"{self.name}-{self.version}-{digest.hexdigest()[:32]}.part"


def prepared_parts(project: Project, wanted: Wanted, cache: Cache) -> list[Part]:
    """Return the distributions of a lock, from the cache or prepared now, by their names. Raises BuildFailed."""
    parts = cache.parts_of(wanted.key)
    if parts is not None:
        return parts
    with cache.preparing() as aside:
        # Another build may have done it meanwhile.
        parts = cache.parts_of(wanted.key)
        if parts is not None:
            return parts
        directory = aside / "installed"
        directory.mkdir()
        install(project, wanted, directory)
        distributions = {found.part_name(wanted.preparation): found for found in installed(directory, wanted)}
        missing = {name: found for name, found in distributions.items() if cache.part(name) is None}
        if missing:
            bootstrap.say(
                f"Preparing {plural(len(missing), 'wheel')} of {project.shown(wanted.lock)} for {wanted.target.name}."
            )
        for name, part in prepare(missing, wanted).items():
            cache.keep_part(name, part, aside)
        cache.keep_lock(wanted.key, list(distributions), aside)
        parts = cache.parts_of(wanted.key)
    if parts is None:
        raise BuildFailed(f"What was written to {cache.path} is not what is there; look at that disk, and build again.")
    return parts


def install(project: Project, wanted: Wanted, directory: Path) -> None:
    """Install the wheels of a lock below `directory` with uv, from its cache alone when that has them."""
    if not re.search(rb"^[a-zA-Z0-9]", wanted.locked, re.MULTILINE):
        return
    requirements = directory.parent / wanted.lock.name
    requirements.write_bytes(wanted.locked)
    target = wanted.target
    command: list[str | Path] = [bootstrap.ensure_uv(project.path), "pip", "install", "--quiet", "--no-config"]
    command += ["--target", directory, "--python-version", target.python, "--only-binary", ":all:", "--no-deps"]
    command += ["--require-hashes", "--link-mode", "hardlink", "--python", sys.executable, "-r", requirements]
    if target.platform:
        command += ["--python-platform", target.platform]
    # Offline first: asking the index whether anything is new takes longer than the installation, and a lock knows.
    result = bootstrap.run_tool([*command, "--offline"])
    if result.returncode != 0:
        result = bootstrap.run_tool(command)
    if result.returncode != 0:
        raise BuildFailed(refusal(project.shown(wanted.lock), target, result.stderr))


def refusal(lock: str, target: Target, words: str) -> str:
    """Say what uv could not do, and what to do about it."""
    said = "\n  ".join(words.strip().splitlines()[-8:])
    names = sorted(set(re.findall(r"([A-Za-z0-9._-]+)==\S+ has no usable wheels", words)))
    failed = f"The dependencies in {lock} could not be installed for {target.name}"
    if names:
        source = Path(lock).with_suffix(".in")
        sentence = (
            f"{' and '.join(names)} in {lock} has no wheel for {target.name}; choose versions with wheels for it "
            f'in {source}, run "make lock" and build again.'
        )
    elif "hash mismatch" in words.lower():
        sentence = (
            f"{failed}: what the index gave is not what was locked. Do not lock it anew before you know who changed it."
        )
    elif "network was disabled" in words.lower():
        sentence = f"{failed}: uv may not reach the index, and its cache lacks some. Build once with the network."
    else:
        sentence = f"{failed}. Mend what uv names, and build again."
    return f"{sentence} uv says:\n  {said}"


def installed(directory: Path, wanted: Wanted) -> Iterator[Installed]:
    """Find the distributions below a directory, by their names; files that nobody recorded belong to none."""
    for information in sorted(directory.glob("*.dist-info")):
        rows = [row for row in csv.reader((information / "RECORD").read_text().splitlines()) if row]
        kept = sorted(row for row in rows if wanted.keeps(row[0]))
        name, _, version = information.name.removesuffix(".dist-info").partition("-")
        yield Installed(
            name=name,
            version=version,
            metadata=(information / "METADATA").read_text(errors="replace"),
            files={row[0]: directory / row[0] for row in kept if (directory / row[0]).is_file()},
            hashes=tuple(" ".join(row[:2]) for row in kept),
        )


def prepare(distributions: Mapping[str, Installed], wanted: Wanted) -> dict[str, Part]:
    """Compile and compress every file, on all cores."""
    files = [(key, name, path) for key, found in distributions.items() for name, path in found.files.items()]
    chunks = balanced(files, min(os.cpu_count() or 1, MOST_PROCESSES))
    members: dict[str, list[Member]] = {key: [] for key in distributions}
    with ThreadPoolExecutor(len(chunks)) as pool:
        for packed in pool.map(lambda chunk: pack_files(chunk, wanted), chunks):
            for key, member in packed:
                members[key].append(member)
    return {
        key: Part(
            found.name, found.version, found.metadata, tuple(sorted(members[key], key=lambda member: member.name))
        )
        for key, found in distributions.items()
    }


File = tuple[str, str, Path]


def balanced(files: Sequence[File], count: int) -> list[list[File]]:
    """Share files out so that all shares take about as long, the heaviest files first."""

    def weight(file: File) -> int:
        return file[2].stat().st_size * (WEIGHT_OF_SOURCE if file[1].endswith(".py") else 1)

    shares: list[list[File]] = [[] for _ in range(count)]
    loads = [0] * count
    for file in sorted(files, key=lambda file: (-weight(file), file[1])):
        least = loads.index(min(loads))
        shares[least].append(file)
        loads[least] += weight(file)
    return shares


def pack_files(files: Sequence[File], wanted: Wanted) -> list[tuple[str, Member]]:
    """Compress files, and the bytecode of those that are sources. One process compiles them."""
    contents = [(key, name, path.read_bytes(), bool(path.stat().st_mode & 0o100)) for key, name, path in files]
    packed = [(key, pack(name, content, executable=executable)) for key, name, content, executable in contents]
    if wanted.interpreter is None:
        return packed
    sources = [(key, name, content) for key, name, content, _ in contents if name.endswith(".py")]
    given = [(name, content) for _, name, content in sources]
    compiled = compile_sources(str(wanted.interpreter), wanted.target.python, given)
    for (key, name, _), one in zip(sources, compiled, strict=True):
        # A file that is no Python of this version, such as a template, stays a source; pip does the same.
        if one.bytecode is not None:
            packed.append((key, pack(bytecode_name(name, wanted.target.python), one.bytecode)))
    return packed


def plural(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"
