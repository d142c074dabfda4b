"""What tests of swapped packages share: other contents in a zip as a build writes it, and a manifest that says so."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from sawhorse.build.bytecode_client import compile_sources
from sawhorse.build.bytecode_proof import Held, held_in
from sawhorse.build.manifest import code_sha256, read_manifest, write_manifest
from sawhorse.build.zip_reader import opened
from sawhorse.build.zip_writer import pack, write_archive
from sawhorse.project import Project

SOURCE = "def handler(event, context):\n    return 1\n"
SWAPPED = "tiny/__pycache__/main.cpython-313.pyc"
BUILD_AGAIN = 'Run "sawhorse build tiny".'
ISSUER = "http://127.0.0.1:1/"
MADE = b"VALUE = 1\n"
Contents = dict[str, tuple[bytes, bool]]


def own_bytecode(python: Path) -> bytes:
    [made] = compile_sources(str(python), "3.13", [("a/b.py", MADE)])
    assert made.bytecode
    return made.bytecode


def package_of(project: Project) -> Path:
    return project.path / "dist/tiny.zip"


def contents_of(path: Path) -> Contents:
    with zipfile.ZipFile(path) as archive:
        return {
            info.filename: (archive.read(info), bool(info.external_attr >> 16 & 0o111)) for info in archive.infolist()
        }


def evil(python: Path, name: str = "tiny/main.py", source: str = SOURCE) -> bytes:
    """Bytecode of another program that says it was made from this source."""
    made, other = compile_sources(
        str(python), "3.13", [(name, source.encode()), (name, b"def handler(event, context):\n    return 'evil'\n")]
    )
    assert made.bytecode
    assert other.bytecode
    return made.bytecode[:16] + other.bytecode[16:]


def write_canonical(path: Path, contents: Contents) -> None:
    """Write a zip exactly as a build does."""
    path.write_bytes(write_archive([pack(name, data, executable=mode) for name, (data, mode) in contents.items()])[0])


def swap(path: Path, changes: Mapping[str, bytes]) -> None:
    """Put other contents into a package, whose zip stays one as a build writes it."""
    contents = contents_of(path)
    write_canonical(path, {**contents, **{name: (data, False) for name, data in changes.items()}})


def enter(project: Project, *, content: bool = False, compiled_by: str | None = None) -> None:
    """Let the manifest say the hash of the zip that lies there now; with `content`, also that of its content."""
    dist = project.path / "dist"
    entry = read_manifest(dist)["tiny"]["api"]
    written = package_of(project).read_bytes()
    entry = replace(entry, sha256=code_sha256(written), size=len(written), compiled_by=compiled_by or entry.compiled_by)
    if content:
        entry = replace(entry, content_sha256=held(package_of(project)).content_sha256)
    write_manifest(dist, {"tiny": {"api": entry}})


def held(path: Path) -> Held:
    with opened(path) as package:
        return held_in(package)
