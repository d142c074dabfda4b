"""What tests of wheels share: wheels and source archives made by hand, and what a package holds."""

from __future__ import annotations

import csv
import io
import stat
import tarfile
import zipfile
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from sawhorse.build.build import build
from sawhorse.project import Project
from tests.unit.sawhorse.packages import EPOCH
from tests.unit.sawhorse.support import sha256, urlsafe

Pairs = Sequence[tuple[str, bytes]]
# Each file of a package by its name: its content, and whether it may be executed.
Held = dict[str, tuple[bytes, bool]]


def make_wheel(  # noqa: PLR0913 # what one wheel may differ in from another
    directory: Path,
    name: str,
    files: Mapping[str, bytes] | Pairs,
    *,
    version: str = "1.0",
    build: str = "",
    tag: str = "py3-none-any",
    metadata: str = "",
    hashes: bool = True,
    executable: Collection[str] = (),
    compression: int = zipfile.ZIP_DEFLATED,
) -> Path:
    """Write a wheel that nobody publishes; names in `files` may stand twice when they are given as pairs."""
    directory.mkdir(parents=True, exist_ok=True)
    stem = name.replace("-", "_")
    path = directory / f"{stem}-{version}-{f'{build}-' if build else ''}{tag}.whl"
    information = f"{stem}-{version}.dist-info"
    pairs = [
        *(files.items() if isinstance(files, Mapping) else files),
        (f"{information}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{metadata}".encode()),
        (f"{information}/WHEEL", f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: {tag}\n".encode()),
    ]
    record = io.StringIO()
    rows = csv.writer(record, lineterminator="\n")
    for member, content in pairs:
        rows.writerow((member, f"sha256={urlsafe(content)}", len(content)) if hashes else (member, "", ""))
    rows.writerow((f"{information}/RECORD", "", ""))
    with zipfile.ZipFile(path, "w", compression) as wheel:
        for member, content in [*pairs, (f"{information}/RECORD", record.getvalue().encode())]:
            info = zipfile.ZipInfo(member, date_time=EPOCH)
            info.external_attr = (stat.S_IFREG | (0o755 if member in executable else 0o644)) << 16
            info.compress_type = compression
            wheel.writestr(info, content)
    return path


def make_source(
    directory: Path, name: str, files: Mapping[str, bytes], *, version: str = "1.0", core: str = "2.2"
) -> Path:
    """Write a source archive, `<name>-<version>.tar.gz`; `core` is the version of its metadata."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{name}-{version}.tar.gz"
    information = f"Metadata-Version: {core}\nName: {name}\nVersion: {version}\n".encode()
    with tarfile.open(path, "w:gz") as archive:
        for member, content in {"PKG-INFO": information, **files}.items():
            info = tarfile.TarInfo(f"{name}-{version}/{member}")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def pinned(path: Path) -> str:
    """Return the line that locks an archive as an index has it."""
    name, version = path.name.removesuffix(".tar.gz").split("-")[:2]
    return f"{name}=={version} --hash=sha256:{sha256(path)}\n"


def held(package: str | Path) -> Held:
    """Return what a package holds, without bytecode."""
    with zipfile.ZipFile(package) as archive:
        return {
            info.filename: (archive.read(info), bool((info.external_attr >> 16) & 0o100))
            for info in archive.infolist()
            if not info.filename.endswith(".pyc")
        }


PROJECT = '[project]\nname = "pure"\nversion = "1.0"\ndescription = "pure"\n'


def backend(requires: str, name: str, more: str = PROJECT) -> bytes:
    """A pyproject.toml."""
    return f'{more}[build-system]\nrequires = ["{requires}"]\nbuild-backend = "{name}"\n'.encode()


def packed(project: Project, name: str = "pure") -> Held:
    """Build, and return what is in the package of the one distribution."""
    return {file: content for file, content in held(build(project, "tiny").path).items() if file.startswith(name)}


def distributions(project: Project) -> list[str]:
    """Build, and return the names of the distributions in the package."""
    names = held(build(project, "tiny").path)
    return sorted(name.split("-")[0] for name in names if name.endswith(".dist-info/METADATA"))
