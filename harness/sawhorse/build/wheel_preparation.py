"""Prepare the wheels of a lock, each once: from its own archive, pruned, compiled and compressed.

No directory that several wheels share is read. Imported where the cache lacks something alone.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from email.parser import HeaderParser

from packaging.utils import canonicalize_name

from sawhorse.build.archive_fetch import Archive, Place, bring_archives, read_archive
from sawhorse.build.bytecode_client import compile_sources, packed_bytecode
from sawhorse.build.environment_markers import marker_environment, may_run
from sawhorse.build.lock_reader import Line, read_lock
from sawhorse.build.pruned_mentions import named_elsewhere
from sawhorse.build.wheel_builder import Built, WheelBuilder
from sawhorse.build.wheel_cache import Cache, Part, Tracked
from sawhorse.build.wheel_pruning import names_of, pruned_by_patterns, pruned_usually
from sawhorse.build.wheel_reader import (
    INSTALLER,
    File,
    Wheel,
    content_of,
    is_named,
    read_wheel,
    record_of,
    refused,
    scripts_of,
    with_shebang,
)
from sawhorse.build.wheel_request import Wanted, plural
from sawhorse.build.zip_writer import Member, pack
from sawhorse.errors import BuildFailed
from sawhorse.project import Project
from sawhorse.toolchain.machine import say

SERVICE_DESCRIPTION = re.compile(r"botocore/data/([^/]+)/")
# Bytecode where Python looks for that of a source: ours takes its place, also where the source is another wheel's.
CACHED_BYTECODE = re.compile(r"^(?:.*/)?__pycache__/[^/]+\.pyc$")
# Compiling takes about five times as long as compressing the same bytes.
WEIGHT_OF_SOURCE = 5
MOST_PROCESSES = 4
# More shares than processes, so that one process compresses while another compiles.
SHARES_EACH = 2


@dataclass(frozen=True)
class Origin:
    """Where a part's wheel comes from, and the line that names it.

    `identity` stands for its bytes, `archive` is the SHA-256 that the lock names, empty for a directory.
    """

    line: Line
    name: str
    version: str
    filename: str
    identity: str
    archive: str
    # Of a wheel that was built here; others are read from the cache.
    built: bytes | None = None
    fetched: Archive | None = None
    # Files that the usual rule leaves in it, since another wheel of the lock names them.
    kept: frozenset[str] = frozenset()

    @property
    def whole_identity(self) -> str:
        """Stands for its bytes and for what is kept of them for others."""
        return "\n".join([self.identity, *sorted(self.kept)])

    def content(self, cache: Cache) -> bytes:
        """Return the wheel's bytes, those that the lock names or that were built."""
        return read_archive(self.fetched, cache) if self.fetched else (self.built or b"")


def origins_of(project: Project, wanted: Wanted, cache: Cache) -> tuple[dict[str, Origin], list[Tracked]]:
    """Read the lock, fetch and build what it names, and return each wheel's origin by its part's name, in order."""
    shown = project.shown(wanted.lock)
    numbered = wanted.lock.suffix == ".txt"
    environment = marker_environment(wanted.target)
    lock = read_lock(wanted.locked, shown, wanted.base, environment, declared=wanted.declared, numbered=numbered)
    settings = wanted.settings or wanted.base
    place = Place(project, shown, wanted.base, settings, wanted.declared, wanted.interpreter)
    archives = bring_archives(place, lock, wanted.target, cache)
    builder = WheelBuilder(project, cache, wanted.target, wanted.interpreter)
    origins = []
    for line, archive in archives:
        if archive.is_wheel:
            identity = f"sha256 {archive.sha256}"
            origins.append(
                Origin(line, archive.name, archive.version, archive.filename, identity, archive.sha256, fetched=archive)
            )
        else:
            built = builder.of_archive(archive, read_archive(archive, cache))
            if not is_named(built.filename, archive.name, archive.version):
                raise line.refused(
                    f"{archive.filename} is built into {built.filename}, which is another distribution; use another "
                    "version of it"
                )
            origins.append(origin_of(line, built, archive.sha256))
    trees = []
    for tree in lock.trees:
        built = builder.of_tree(tree)
        tree.line.check_name(built.filename.partition("-")[0])
        origins.append(origin_of(tree.line, built, ""))
        trees.append(Tracked(os.path.relpath(tree.path, wanted.base), built.source))
    refuse_twice(origins)
    return named_parts(origins, wanted), trees


def parts_in_cache(project: Project, wanted: Wanted, cache: Cache, origins: Mapping[str, Origin]) -> list[Part]:
    """Return the parts of these origins, and prepare and keep those that are missing."""
    missing = {name: origin for name, origin in origins.items() if cache.part(name) is None}
    if missing:
        say(f"Preparing {plural(len(missing), 'wheel')} of {project.shown(wanted.lock)} for {wanted.target.name}.")
    for name, part in prepare(missing, wanted, cache).items():
        cache.keep_part(name, part)
    parts = [cache.part(name) for name in origins]
    whole = [part for part in parts if part]
    if len(whole) != len(parts):
        raise BuildFailed(f"What was written to {cache.path} is not what is there; look at that disk, and build again.")
    return whole


def named_parts(origins: Iterable[Origin], wanted: Wanted) -> dict[str, Origin]:
    """Return origins by their parts' names, in order."""
    named = {wanted.part_name(origin.name, origin.version, origin.whole_identity): origin for origin in origins}
    return dict(sorted(named.items(), key=lambda pair: canonicalize_name(pair[1].name)))


def keep_for_others(origins: Mapping[str, Origin], parts: Sequence[Part], wanted: Wanted) -> dict[str, Origin]:
    """Return origins of which all is kept that another one's part names, by the names of the parts that are wanted."""
    if wanted.prune is not None or not any(part.pruned for part in parts):
        return dict(origins)
    named = named_elsewhere(dict(zip(origins, parts, strict=True)))
    return named_parts(
        (replace(origin, kept=origin.kept | named.get(name, set())) for name, origin in origins.items()), wanted
    )


def origin_of(line: Line, built: Built, archive: str) -> Origin:
    name, version = built.filename.split("-")[:2]
    return Origin(line, name, version, built.filename, f"built {built.key}", archive, built=built.content)


def refuse_twice(origins: Sequence[Origin]) -> None:
    """Refuse one distribution from two lines, such as an index and a directory."""
    seen: dict[str, Origin] = {}
    for origin in origins:
        other = seen.setdefault(canonicalize_name(origin.name), origin)
        if other is not origin:
            first, second = sorted((other.line, origin.line), key=lambda line: line.number)
            raise second.refused(f"{canonicalize_name(origin.name)} comes from {first.where} as well; keep one of them")


def refuse_python(origins: Iterable[Origin], parts: Iterable[Part], python: str) -> None:
    """Refuse a distribution that says of itself that it does not run under the functions' Python. Raises BuildFailed.

    Indexes say so as well, but not every archive comes from one.
    """
    for origin, part in zip(origins, parts, strict=True):
        requires = str(HeaderParser().parsestr(part.metadata, headersonly=True)["Requires-Python"] or "").strip()
        try:
            runs = not requires or may_run(requires, python)
        except ValueError:
            # Installers pass over what cannot be read, too.
            continue
        if not runs:
            raise origin.line.refused(
                f"{part.name} {part.version} is for Python {requires}, and the functions run under {python}; use a "
                "version that is for it, or another runtime in package.toml"
            )


def prepare(origins: Mapping[str, Origin], wanted: Wanted, cache: Cache) -> dict[str, Part]:
    """Read each wheel, and compile and compress its files, on all cores."""
    if not origins:
        return {}
    processes = min(os.cpu_count() or 1, MOST_PROCESSES)
    with ThreadPoolExecutor(processes) as pool:
        read = pool.map(lambda origin: read_origin(origin, wanted, cache), origins.values())
        chosen = dict(zip(origins, read, strict=True))
        files = [(key, one.wheel.filename, file) for key, one in chosen.items() for file in one.files]
        members: dict[str, dict[str, Member]] = {key: {} for key in origins}
        lines = {key: origin.line for key, origin in origins.items()}
        for packed in pool.map(
            lambda share: pack_files(share, wanted, lines), balanced(files, processes * SHARES_EACH)
        ):
            for key, member in packed:
                members[key][member.name] = member
    return {key: part_of(origins[key], one, members[key]) for key, one in chosen.items()}


@dataclass(frozen=True)
class Chosen:
    """A wheel, the files of it that a package keeps, those that are written for it, and what was left out."""

    wheel: Wheel
    files: Sequence[File]
    written: Mapping[str, bytes]
    pruned: Mapping[str, tuple[str, ...]]


def read_origin(origin: Origin, wanted: Wanted, cache: Cache) -> Chosen:
    content = origin.content(cache)
    with naming(origin.line):
        return choose_files(origin, content, wanted)


def choose_files(origin: Origin, content: bytes, wanted: Wanted) -> Chosen:
    """Read a wheel and decide which of its files are kept. Raises BuildFailed for one that is damaged."""
    wheel = read_wheel(content, origin.filename)
    there = {file.name: file for file in wheel.files if belongs(file, wanted)}
    commands = scripts_of(wheel) if wanted.commands else {}
    refuse_commands(wheel, [file for file in wheel.files if belongs(file, wanted)], commands)
    names = {name for name in there if not CACHED_BYTECODE.match(name)}
    pruned = (
        pruned_usually(names, lambda name: content_of(there[name], origin.filename), origin.kept)
        if wanted.prune is None
        else pruned_by_patterns(sorted(names), wanted.prune)
    )
    kept = names - names_of(pruned)
    written = {f"{wheel.information}INSTALLER": INSTALLER}
    if wanted.commands:
        written |= {name: with_shebang(content_of(there[name], origin.filename)) for name in kept if there[name].script}
        written |= commands
    files = [file for name, file in there.items() if name in kept and name not in written]
    return Chosen(wheel, files, written, pruned)


@contextmanager
def naming(line: Line) -> Iterator[None]:
    """Put the line before what is wrong with the wheel that it names."""
    try:
        yield
    except BuildFailed as error:
        raise BuildFailed(f"{line.where}: {error}") from error


def refuse_commands(wheel: Wheel, files: Sequence[File], commands: Iterable[str]) -> None:
    """Refuse a command with the name of a file that is imported: an installer has a directory for each."""
    imported = {file.name for file in files if not file.script}
    both = sorted(imported & {*commands, *(file.name for file in files if file.script)})
    if both:
        raise refused(
            wheel.filename, f"has {both[0]} as a module's file and as a command, and a package holds one of them"
        )


def belongs(file: File, wanted: Wanted) -> bool:
    """Say whether a file belongs into packages that are wanted like this, before anything is pruned."""
    if file.script and not wanted.commands:
        return False
    described = SERVICE_DESCRIPTION.match(file.name)
    return not described or wanted.aws_services is None or described[1] in wanted.aws_services


def part_of(origin: Origin, chosen: Chosen, members: dict[str, Member]) -> Part:
    wheel = chosen.wheel
    for name, content in chosen.written.items():
        members[name] = pack(name, content, executable=name.startswith("bin/"))
    record = f"{wheel.information}RECORD"
    members[record] = pack(record, record_of(members, wheel.information))
    ordered = tuple(members[name] for name in sorted(members))
    return Part(wheel.name, wheel.version, wheel.metadata, origin.archive, chosen.pruned, ordered)


Share = list[tuple[str, str, File]]


def balanced(files: Share, count: int) -> list[Share]:
    """Share files out so that all shares take about as long, the heaviest files first."""

    def weight(file: File) -> int:
        return file.size * (WEIGHT_OF_SOURCE if file.name.endswith(".py") else 1)

    shares: list[Share] = [[] for _ in range(count)]
    loads = [0] * count
    for one in sorted(files, key=lambda one: (-weight(one[2]), one[0], one[2].name)):
        least = loads.index(min(loads))
        shares[least].append(one)
        loads[least] += weight(one[2])
    return [share for share in shares if share]


def pack_files(files: Share, wanted: Wanted, lines: Mapping[str, Line]) -> list[tuple[str, Member]]:
    """Take files as their wheels compressed them, and compress the bytecode of sources. One process compiles them."""
    packed = []
    sources = []
    for key, filename, file in files:
        with naming(lines[key]):
            content = content_of(file, filename)
        packed.append((key, file.member(content)))
        if file.name.endswith(".py"):
            sources.append((key, file.name, content))
    if wanted.interpreter is None:
        return packed
    given = [(name, content) for _, name, content in sources]
    compiled = compile_sources(str(wanted.interpreter), wanted.compiled_by, given)
    for (key, name, _), one in zip(sources, compiled, strict=True):
        # A file that is no Python of this version, such as a template, stays a source; pip does the same.
        if one.bytecode is not None:
            packed.append((key, packed_bytecode(name, one.bytecode, wanted.target.python)))
    return packed
