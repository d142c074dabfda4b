"""Open a zip that anybody may have made, and refuse what could do harm before anything is unpacked."""

from __future__ import annotations

import calendar
import os
import stat
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from sawhorse.build.lambda_limits import UNZIPPED_LIMIT
from sawhorse.build.packed_names import fault_of_name
from sawhorse.errors import SawhorseError

ENCRYPTED = 0x1
# What `zipfile` raises for damage, as fuzzing brought out: a bad directory or checksum, a bad stream, a header cut
# short, content cut short, a version or flag of the format that it lacks, and names that are no UTF-8.
DAMAGED = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, ValueError)
# A local file header before the name (APPNOTE.TXT, 4.3.7): 26 bytes, then the lengths of the name and the extra field.
LOCAL_HEADER = struct.Struct("<26xHH")
EXECUTABLE = 0o100
# Zips made on other systems say no kind at all.
PLAIN = (0, stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK)
SHOWN = 5


@dataclass(frozen=True)
class Opened:
    """A zip whose members are known to be plain files within the limits."""

    path: Path
    archive: zipfile.ZipFile

    @property
    def infos(self) -> list[zipfile.ZipInfo]:
        """The members in their order, directories too."""
        return self.archive.infolist()

    @cached_property
    def files(self) -> dict[str, zipfile.ZipInfo]:
        return {info.filename: info for info in self.infos if not info.is_dir()}

    @property
    def unzipped(self) -> int:
        return sum(info.file_size for info in self.infos)

    def read(self, name: str) -> bytes:
        """Return a member's content."""
        try:
            return self.archive.read(name)
        except DAMAGED as error:
            raise SawhorseError(
                f"{self.path}: {name} cannot be unpacked ({str(error) or 'too short'}); build or fetch it again."
            ) from error

    def stored(self, info: zipfile.ZipInfo) -> bytes:
        """Return the bytes of a member as they lie in the zip."""
        with self.path.open("rb") as file:
            file.seek(info.header_offset)
            header = file.read(LOCAL_HEADER.size)
            if len(header) < LOCAL_HEADER.size:
                return b""
            file.seek(sum(LOCAL_HEADER.unpack(header)), os.SEEK_CUR)
            return file.read(info.compress_size)

    def extract(self, directory: Path) -> None:
        """Write all files below a directory, with the dates and the executable bits that the zip has."""
        for name, info in self.files.items():
            target = directory / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(self.read(name))
            target.chmod(0o755 if mode_of(info) & EXECUTABLE else 0o644)
            os.utime(target, (seconds_of(info), seconds_of(info)))


def seconds_of(info: zipfile.ZipInfo) -> int:
    """Return a member's date in seconds, taken as UTC; a date that cannot be counts as the first one of the format."""
    try:
        return calendar.timegm((*info.date_time, 0, 0, 0))
    except ValueError:
        return calendar.timegm((1980, 1, 1, 0, 0, 0, 0, 0, 0))


def mode_of(info: zipfile.ZipInfo) -> int:
    """Return the permissions of a member, 0 where the zip has none."""
    return stat.S_IMODE(info.external_attr >> 16)


@contextmanager
def opened(path: Path) -> Iterator[Opened]:
    """Open a zip and check it; what is wrong with it is a sentence, and nothing of it was unpacked."""
    if not path.is_file():
        raise SawhorseError(f'{path} is no file; name a zip, or run "sawhorse build" first.')
    try:
        archive = zipfile.ZipFile(path)
    except DAMAGED as error:
        raise SawhorseError(f"{path} is no whole zip ({error}); build or fetch it again.") from error
    with archive:
        checked = Opened(path, archive)
        refuse_harm(checked)
        yield checked


def refuse_harm(package: Opened) -> None:
    """Refuse members that leave the directory, meet each other, or are more than Lambda would take."""
    counted = Counter(info.filename for info in package.infos)
    size = package.path.stat().st_size
    for info in package.infos:
        wrong = fault_of(info, size) or ("is there twice" if counted[info.filename] > 1 else None)
        if wrong:
            raise SawhorseError(f"{package.path}: {info.filename!r} {wrong}; nothing was unpacked. Build it again.")
    for name in package.files:
        inside = next((str(parent) for parent in PurePosixPath(name).parents if str(parent) in package.files), None)
        if inside:
            raise SawhorseError(
                f"{package.path}: {inside!r} is a file and holds {name!r}; nothing was unpacked. Build it again."
            )
    if package.unzipped > UNZIPPED_LIMIT:
        sizes: Counter[str] = Counter()
        for info in package.infos:
            sizes[info.filename.split("/")[0]] += info.file_size
        largest = ", ".join(f"{name} ({size:,})" for name, size in sizes.most_common(SHOWN))
        raise SawhorseError(
            f"{package.path} would have {package.unzipped:,} bytes unzipped, and Lambda takes {UNZIPPED_LIMIT:,}; "
            f"nothing was unpacked. Take something out: the largest at its top are {largest}."
        )


def fault_of(info: zipfile.ZipInfo, size: int) -> str | None:
    """Say what is wrong with a member's name, kind or place in a zip of `size` bytes."""
    name = info.orig_filename
    parts = name.removesuffix("/").split("/")
    wrong = fault_of_name(name)
    leaves = "\\" in name or "\0" in name or name.startswith("/") or any(part in {"", ".", ".."} for part in parts)
    faults = {
        "does not stay in the directory that it is unpacked in": leaves,
        str(wrong): wrong is not None,
        "is a link and not a file": stat.S_ISLNK(info.external_attr >> 16),
        "is a device or a pipe and not a file": stat.S_IFMT(info.external_attr >> 16) not in PLAIN,
        "does not lie in the zip": not 0 <= info.header_offset < size,
        "is neither stored nor deflated": info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED},
        "is encrypted": bool(info.flag_bits & ENCRYPTED),
    }
    return next((words for words, holds in faults.items() if holds), None)


def names_in_zip(path: Path) -> set[str]:
    """Return the names in a zip, none where it is no zip, a damaged one or not there."""
    try:
        with zipfile.ZipFile(path) as package:
            return set(package.namelist())
    except (OSError, *DAMAGED):
        return set()
