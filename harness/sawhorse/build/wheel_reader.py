"""Read a wheel: its files under the names that they have once they are installed, compressed as they are.

What a wheel is: https://packaging.python.org/en/latest/specifications/binary-distribution-format/
"""

from __future__ import annotations

import base64
import configparser
import csv
import hashlib
import io
import re
import zipfile
import zlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from email.parser import HeaderParser

from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from sawhorse.build.zip_reader import DAMAGED, LOCAL_HEADER, fault_of
from sawhorse.build.zip_writer import DEFLATED, UTF8_NAMES, Member, directories_of, pack
from sawhorse.errors import BuildFailed

# What a wheel's `.data` directories become; headers are for compilers, which functions have not.
SCHEMES = {"purelib": "", "platlib": "", "data": "", "scripts": "bin/"}
LEFT_OUT = ("headers",)
# What an installer writes itself, and signatures of what it writes.
WRITTEN = ("RECORD", "RECORD.jws", "RECORD.p7s", "INSTALLER", "REQUESTED", "direct_url.json")
EXECUTABLE = 0o111
LOCAL_SIGNATURE = b"PK\3\4"
# As pip names itself; importlib.metadata hands it out.
INSTALLER = b"sawhorse\n"
# Lambda and every machine with Python find their own interpreter so.
SHEBANG = b"#!/usr/bin/env python3\n"
SCRIPT = """import sys

from {module} import {first}

if __name__ == "__main__":
    sys.exit({attribute}())
"""
WORDS = re.compile(r"[\w.]+")


@dataclass(frozen=True)
class File:
    """A file of a wheel by its name once it is installed; `data` is its content, as it is compressed.

    `script` says that an installer would put it beside its own programs, and not where modules are.
    """

    name: str
    script: bool
    executable: bool
    method: int
    crc: int
    size: int
    data: bytes

    def content(self) -> bytes:
        """Return what is inside. Raises zlib.error for damage."""
        # Never more than was announced, however much would come.
        unpacked = zlib.decompressobj(-zlib.MAX_WBITS)
        content = unpacked.decompress(self.data, self.size + 1) if self.method == DEFLATED else self.data
        if len(content) != self.size or zlib.crc32(content) != self.crc:
            raise zlib.error(f"{self.name} has another length or checksum than the wheel says")
        if self.method == DEFLATED and (not unpacked.eof or unpacked.unused_data):
            # It is packed as it is, and what stands behind the content would count for nothing.
            raise zlib.error(f"{self.name} does not end where its compressed content does")
        return content

    def member(self, content: bytes) -> Member:
        """Return it for a package, compressed as its author did, so that no machine's zlib has a part in it."""
        if self.method != DEFLATED or len(self.data) >= self.size:
            return pack(self.name, content, executable=self.executable)
        name, data, size = self.name, self.data, self.size
        sha256 = hashlib.sha256(content).digest()
        return Member(name, data, executable=self.executable, method=DEFLATED, crc=self.crc, size=size, sha256=sha256)


@dataclass(frozen=True)
class Wheel:
    """A distribution as its wheel has it; `information` is its dist-info directory, with a slash."""

    filename: str
    name: str
    version: str
    information: str
    metadata: str
    files: Sequence[File]

    def by_name(self) -> dict[str, File]:
        """Return the files; where a command has the name of one that is imported, the latter."""
        return {file.name: file for file in sorted(self.files, key=lambda file: not file.script)}


def read_wheel(content: bytes, filename: str) -> Wheel:
    """Read a wheel of this content. Raises BuildFailed for one that is damaged, or that leaves its directory."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            infos = [info for info in archive.infolist() if not info.is_dir()]
    except (*DAMAGED, OSError) as error:
        raise refused(filename, f"is not a whole zip ({error})") from error
    for info in infos:
        fault = fault_of(info, len(content))
        if fault:
            raise refused(filename, f"has {info.orig_filename!r}, which {fault}")
    information = information_of(infos, filename)
    files: dict[tuple[str, bool], File] = {}
    for info in infos:
        name = installed_name(info.filename, information, filename)
        if name is None:
            continue
        script = is_command(info.filename)
        file = File(
            name,
            script,
            script or bool((info.external_attr >> 16) & EXECUTABLE),
            info.compress_type,
            info.CRC,
            info.file_size,
            compressed(content, info, filename),
        )
        # An installer has two directories for these.
        other = files.setdefault((name, script), file)
        if other is not file and content_of(other, filename) != content_of(file, filename):
            raise refused(filename, f"has two different files that are installed as {name}")
    refuse_unwritable({name for name, _ in files}, filename)
    text = content_of(files[f"{information}METADATA", False], filename).decode(errors="replace")
    metadata = HeaderParser().parsestr(text, headersonly=True)
    name, version = str(metadata["Name"] or "").strip(), str(metadata["Version"] or "").strip()
    if not name or not version:
        raise refused(filename, "has a METADATA without a name or a version")
    if not is_named(filename, name, version):
        raise refused(filename, f"says in its METADATA that it is {name} {version}")
    ordered = sorted(files.values(), key=lambda file: (file.name, file.script))
    return Wheel(filename, name, version, information, text, ordered)


def is_named(filename: str, name: str, version: str) -> bool:
    """Say whether a wheel's file name is that of this distribution and version, however either spells them."""
    try:
        of_file, version_of_file, _, _ = parse_wheel_filename(filename)
        return canonicalize_name(name) == of_file and Version(version) == version_of_file
    except (InvalidWheelFilename, InvalidVersion):
        return False


def information_of(infos: Iterable[zipfile.ZipInfo], filename: str) -> str:
    """Find the one dist-info directory, which belongs to the distribution that the file's name says."""
    names = {info.filename for info in infos}
    directories = sorted({name.partition("/")[0] for name in names if re.match(r"[^/]+\.dist-info/", name)})
    expected = canonicalize_name(filename.partition("-")[0])
    if [canonicalize_name(one.removesuffix(".dist-info").rpartition("-")[0]) for one in directories] != [expected]:
        there = ", ".join(directories) or "none"
        raise refused(filename, f"needs one .dist-info directory, of {expected}, and has {there}")
    missing = [name for name in ("METADATA", "WHEEL") if f"{directories[0]}/{name}" not in names]
    if missing:
        raise refused(filename, f"has no {directories[0]}/{missing[0]}")
    return f"{directories[0]}/"


def installed_name(name: str, information: str, filename: str) -> str | None:
    """Return a file's name once it is installed; None for what an installer leaves out or writes itself."""
    top, _, inside = name.partition("/")
    if top.endswith(".data") and inside:
        # Installers take any spelling of the distribution's name here.
        scheme, _, rest = inside.partition("/")
        if not rest or scheme not in {*SCHEMES, *LEFT_OUT}:
            raise refused(filename, f"has {name}, and no installer knows where that would go")
        if scheme in LEFT_OUT:
            return None
        name = f"{SCHEMES[scheme]}{rest}"
    return None if name.startswith(information) and name.removeprefix(information) in WRITTEN else name


def is_command(name: str) -> bool:
    """Say whether an installer puts a member beside its own programs, as its scheme says and not its name."""
    top, _, inside = name.partition("/")
    return top.endswith(".data") and inside.startswith(("scripts/", "data/bin/"))


def refuse_unwritable(files: Collection[str], filename: str) -> None:
    """Refuse names that no file system takes: a file that is a directory as well."""
    for name in files:
        above = next((one for one in directories_of(name) if one in files), None)
        if above:
            raise refused(filename, f"has the file {above}, and {name} below it")


def compressed(content: bytes, info: zipfile.ZipInfo, filename: str) -> bytes:
    """Return a member's bytes as they lie in the zip."""
    begin = info.header_offset + LOCAL_HEADER.size
    header = content[info.header_offset : begin]
    if len(header) < LOCAL_HEADER.size or not header.startswith(LOCAL_SIGNATURE):
        raise refused(filename, f"has {info.filename}, which does not begin where the zip says")
    length, extra = LOCAL_HEADER.unpack(header)
    encoding = "utf-8" if info.flag_bits & UTF8_NAMES else "cp437"
    if content[begin : begin + length] != info.orig_filename.encode(encoding, errors="replace"):
        # Programs that believe the one name would see another wheel than those that believe the other.
        raise refused(filename, f"has {info.filename}, which has another name where its content lies")
    begin += length + extra
    return content[begin : begin + info.compress_size]


def content_of(file: File, filename: str) -> bytes:
    try:
        return file.content()
    except zlib.error as error:
        raise refused(filename, f"has {file.name}, which cannot be unpacked ({error})") from error


def scripts_of(wheel: Wheel) -> dict[str, bytes]:
    """Write the commands that a wheel's entry points stand for, as installers do, by their names in `bin/`."""
    file = wheel.by_name().get(f"{wheel.information}entry_points.txt")
    if file is None:
        return {}
    parser = configparser.ConfigParser(delimiters=("=",), interpolation=None, strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign] # names of commands keep their capitals
    try:
        parser.read_string(content_of(file, wheel.filename).decode(errors="replace"))
    except configparser.Error:
        # importlib.metadata reads nothing of it either.
        return {}
    scripts = {}
    for group in ("console_scripts", "gui_scripts"):
        for name, value in parser.items(group) if parser.has_section(group) else []:
            module, _, attribute = re.sub(r"\[.*", "", value).strip().partition(":")
            if all(map(WORDS.fullmatch, (module, attribute))) and re.fullmatch(r"[\w.-]+", name):
                scripts[f"bin/{name}"] = (
                    SHEBANG + SCRIPT.format(module=module, first=attribute.split(".")[0], attribute=attribute).encode()
                )
    return scripts


def with_shebang(content: bytes) -> bytes:
    """Put an interpreter that is found everywhere in the place of a script's `#!python`, as installers do."""
    first, newline, rest = content.partition(b"\n")
    return SHEBANG + rest if newline and re.match(rb"#!pythonw?\b", first) else content


def record_of(members: Mapping[str, Member], information: str) -> bytes:
    """Write RECORD for these files, bytecode without its hash, as pip does: it is made anew by another Python.

    https://packaging.python.org/en/latest/specifications/recording-installed-packages/
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for name in sorted({*members, f"{information}RECORD"}):
        member = members.get(name)
        if member is None or (name.endswith(".pyc") and "__pycache__/" in name):
            writer.writerow((name, "", ""))
        else:
            digest = base64.urlsafe_b64encode(member.sha256).decode().rstrip("=")
            writer.writerow((name, f"sha256={digest}", member.size))
    return text.getvalue().encode()


def refused(filename: str, why: str) -> BuildFailed:
    return BuildFailed(f"The wheel {filename} {why}, so nothing was taken of it; use another version of it.")
