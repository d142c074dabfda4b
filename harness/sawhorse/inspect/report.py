"""Tell what is in a package: its parts, what is largest, and what of it is source, bytecode or native."""

from __future__ import annotations

import base64
import hashlib
import os
import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sawhorse.build.bytecode_proof import Compiled, Proof, fault_of_form, held_in, place_of_source, prove, some_of
from sawhorse.build.lambda_limits import UNZIPPED_LIMIT, ZIPPED_LIMIT
from sawhorse.build.manifest import Archive, Entry, code_sha256, read_manifest
from sawhorse.build.package_writer import LAYER_PREFIX
from sawhorse.build.zip_reader import Opened
from sawhorse.errors import SawhorseError
from sawhorse.inspect.bytecode_check import Bytecode, examine_bytecode, faults_in, sentence
from sawhorse.inspect.ownership import Owner, owners
from sawhorse.project import Project, one_of

KINDS = ("source", "bytecode", "native", "metadata", "other")
NATIVE = re.compile(r"\.(so|pyd|dylib)(\.[0-9.]+)?$")
NATIVE_TAG = re.compile(r"\.cpython-3(\d+)-[^/]*\.so$")
METADATA = re.compile(r"(^|/)[^/]+\.(dist|egg)-info/")
SHARED = "shared"
OTHER_BYTES = "The manifest beside it was written for other bytes than these. Build the package again."


@dataclass(frozen=True)
class Part:
    """A distribution or a part of the app, with its sizes in bytes; `zipped` is without the zip's own headers."""

    name: str
    version: str | None
    kind: str
    files: int
    zipped: int
    unzipped: int


@dataclass(frozen=True)
class File:
    """A member with its sizes in bytes."""

    name: str
    zipped: int
    unzipped: int


@dataclass(frozen=True)
class Share:
    """What the files of one kind take, in bytes."""

    files: int
    zipped: int
    unzipped: int


@dataclass(frozen=True)
class Checked:
    """What compiling a package again showed, and sentences about what is not as its sources or its manifest say."""

    proof: Proof
    findings: list[str]


@dataclass(frozen=True)
class Inspection:
    """What is in a package. Sizes are in bytes, `sha256` is base64 as in Lambda's CodeSha256.

    `parts` and `files` are sorted by their size in the zip, the largest first. `python` is the minor version that the
    package is for, None where nothing tells. `findings` are sentences about what is wrong with it.
    """

    path: Path
    sha256: str
    zipped: int
    unzipped: int
    members: int
    python: str | None
    parts: list[Part]
    files: list[File]
    shares: dict[str, Share]
    bytecode: Bytecode
    proof: Proof
    findings: list[str]

    def as_json(self) -> dict[str, Any]:
        limits = {"zipped": ZIPPED_LIMIT, "unzipped": UNZIPPED_LIMIT}
        return {**asdict(self), "path": str(self.path), "limits": limits}


def package_path(project: Project, name: str) -> Path:
    """Find the zip of a path, or of an app's name."""
    if Path(name).is_file():
        return Path(name)
    if name in project.apps:
        path = project.path / "dist" / f"{name}.zip"
        if not path.is_file():
            raise SawhorseError(f'{project.shown(path)} is not there yet; run "sawhorse build {name}".')
        return path
    if Path(name).exists():
        raise SawhorseError(f"{name} is not a file; name a zip, or {one_of(project.apps)}.")
    raise SawhorseError(f"There is no file {name}, and no app of that name; name a zip, or {one_of(project.apps)}.")


def functions_of(path: Path) -> dict[str, Entry]:
    """Return the functions of a package by their name, when the manifest beside it knows it."""
    directory = path.resolve().parent
    # Whose directory it is matters where a manifest in it is read.
    manifest = read_manifest(directory) if os.path.lexists(directory / "manifest.json") else {}
    return {
        function: entry
        for functions in manifest.values()
        for function, entry in functions.items()
        if Path(entry.path).name == path.name
    }


def inspect(
    package: Opened, functions: Mapping[str, Entry], own: Collection[str], checked: Checked | None = None
) -> Inspection:
    """Measure a package.

    `functions` are what the manifest says of it, `own` the names at its top that belong to the app, and `checked` what
    compiling it again showed; None where that was not asked for.
    """
    checked = checked or Checked(Proof(), [])
    belonging = owners(package, own)
    bytecode = examine_bytecode(package)
    content = package.path.read_bytes()
    runtimes = {entry.runtime.removeprefix("python") for entry in functions.values()}
    python = min(runtimes, default=bytecode.python or native_python(package))
    digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
    files = [File(name, info.compress_size, info.file_size) for name, info in package.files.items()]
    return Inspection(
        path=package.path,
        sha256=digest,
        zipped=len(content),
        unzipped=package.unzipped,
        members=len(package.infos),
        python=python,
        parts=parts_of(files, belonging),
        files=sorted(files, key=lambda file: (-file.zipped, file.name)),
        shares=shares_of(files),
        bytecode=bytecode,
        proof=checked.proof,
        findings=[*findings(digest, len(content), bytecode, functions, python), *checked.findings],
    )


def parts_of(files: Collection[File], belonging: Mapping[str, Owner]) -> list[Part]:
    count: Counter[Owner] = Counter()
    zipped: Counter[Owner] = Counter()
    unzipped: Counter[Owner] = Counter()
    for file in files:
        owner = belonging[file.name]
        count[owner] += 1
        zipped[owner] += file.zipped
        unzipped[owner] += file.unzipped
    parts = [Part(one.name, one.version, one.kind, count[one], zipped[one], unzipped[one]) for one in count]
    return sorted(parts, key=lambda part: (-part.zipped, part.name))


def shares_of(files: Collection[File]) -> dict[str, Share]:
    sorted_files: dict[str, list[File]] = {kind: [] for kind in KINDS}
    for file in files:
        sorted_files[kind_of(file.name)].append(file)
    return {
        kind: Share(len(found), sum(file.zipped for file in found), sum(file.unzipped for file in found))
        for kind, found in sorted_files.items()
    }


def kind_of(name: str) -> str:
    if METADATA.search(name):
        return "metadata"
    if NATIVE.search(name):
        return "native"
    return {"py": "source", "pyc": "bytecode"}.get(name.rpartition(".")[2], "other")


def native_python(package: Opened) -> str | None:
    """Return the minor version that the native modules are for."""
    counted = Counter(found[1] for name in package.files if (found := NATIVE_TAG.search(name)))
    return f"3.{counted.most_common(1)[0][0]}" if counted else None


def findings(
    digest: str, zipped: int, bytecode: Bytecode, functions: Mapping[str, Entry], python: str | None
) -> list[str]:
    """Say what is wrong with a package, each in a sentence with what to do."""
    found = []
    if bytecode.stale:
        found.append(sentence(bytecode))
    foreign = {version: count for version, count in bytecode.pythons.items() if version != python}
    if functions and foreign:
        found.append(
            f"{sum(foreign.values()):,} files of bytecode are for Python {', '.join(foreign)}; the functions run on "
            f"Python {python}, which will not use them. Build the package again."
        )
    if functions and digest not in {entry.sha256 for entry in functions.values()}:
        found.append(OTHER_BYTES)
    through_s3 = bool(functions) and all(entry.upload == "s3" for entry in functions.values())
    if zipped > ZIPPED_LIMIT and not through_s3:
        found.append(
            f"It has {zipped:,} bytes, and Lambda takes {ZIPPED_LIMIT:,} when it is uploaded directly. Upload it "
            "through S3, use a layer or remove dependencies."
        )
    return found


def measured_as(path: Path) -> tuple[Archive, Entry] | None:
    """Return what the manifest beside a zip says of it, of a package or a layer, and of a function that has it."""
    for functions in read_manifest(path.resolve().parent).values():
        for entry in functions.values():
            for archive in (entry.layer, entry):
                if archive and Path(archive.path).name == path.name:
                    return archive, entry
    return None


def check(package: Opened, find: Callable[[str], Path | None]) -> Checked:
    """Compile a package again with the interpreters that `find` returns, and compare it with its manifest.

    Of a zip that no manifest beside it knows, sources may have had any name when they were compiled.
    """
    known = measured_as(package.path)
    if known is None:
        faults = faults_in(package)
        compiled = [one for name in package.files if name not in faults and (one := bytecode_of(package, name))]
        return checked_by(prove(compiled, find, None, under_any_name=True), [])
    archive, entry = known
    prefix = LAYER_PREFIX if archive is entry.layer else ""
    held = held_in(package, prefix)
    found = []
    if code_sha256(package.path.read_bytes()) == archive.sha256:
        fault = fault_of_form(package, held, prefix)
        if fault:
            found.append(f"It is no zip as a build writes it: {fault}. Build the package again.")
        if held.content_sha256 != archive.content_sha256:
            found.append("The manifest beside it says another content (content_sha256). Build the package again.")
    elif archive is entry.layer:
        found.append(OTHER_BYTES)
    return checked_by(prove(held.compiled, find, entry.compiled_by), found)


def bytecode_of(package: Opened, name: str) -> Compiled | None:
    """Return bytecode of whichever builder, with its source; None for any other file."""
    place = place_of_source(name)
    if place is None or place[0] not in package.files:
        return None
    return Compiled(name, package.read(name), place[0], package.read(place[0]), place[1])


def checked_by(proof: Proof, found: list[str]) -> Checked:
    """Add to what was found what compiling again showed."""
    if proof.wrong:
        found.append(
            f"{len(proof.wrong):,} files of bytecode are not those of their sources: {some_of(proof.wrong)}. "
            "Build the package again."
        )
    if proof.unproven:
        found.append(
            f"Whether {len(proof.unproven):,} files of bytecode are those of their sources is not known: "
            f"{some_of(proof.unproven)}. Inspect it with that Python, or build the package again."
        )
    return Checked(proof, found)


def own_names(project: Project, handlers: Collection[str], app: str) -> set[str]:
    """Return the names at the top of a package that belong to its app: code, `shared`, files of a function's start."""
    modules = {handler.split(".")[0] for handler in handlers}
    directory = project.lambda_path / app
    beside = {path.name for path in directory.iterdir()} if app in project.apps else set()
    at_top = {name for name in beside if "." in name and not name.endswith(".py")}
    return modules | set(handlers) | {SHARED, *project.apps} | at_top
