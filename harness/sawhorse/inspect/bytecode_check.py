"""Judge the bytecode of a package: which Python it is for, how it is checked, and whether it fits its source.

The header of a `.pyc` is described in PEP 552 (https://peps.python.org/pep-0552/).
"""

from __future__ import annotations

import _imp
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sawhorse.build.bytecode_client import MAGIC
from sawhorse.build.zip_reader import Opened, seconds_of
from sawhorse.build.zip_writer import BYTECODE_HEADER
from sawhorse.inspect.ownership import source_of

if TYPE_CHECKING:
    import zipfile

PYTHON_OF = {number: python for python, number in MAGIC.items()}
HEADER = BYTECODE_HEADER
HASHED, CHECKED = 0b01, 0b10
TAG = re.compile(r"\.cpython-3(\d+)(\.opt-[12])?\.pyc$")
# What a zip's dates are exact to, and what they may be off by: they have no time zone.
ZIP_SECONDS = 2
QUARTER = 15 * 60
WIDEST_ZONE = 14 * 60 * 60


@dataclass(frozen=True)
class Bytecode:
    """What is in a package of bytecode.

    `pythons` and `checks` count files; `missing` counts sources without bytecode, `sourceless` the reverse. `stale`
    says for each file that does not fit its source, or that no Python will take, why.
    """

    files: int
    pythons: dict[str, int]
    checks: dict[str, int]
    missing: int
    sourceless: int
    stale: dict[str, str]

    @property
    def python(self) -> str | None:
        """The minor version that most of it is for."""
        known = {version: count for version, count in self.pythons.items() if version in MAGIC}
        return max(known, key=lambda version: known[version]) if known else None


def examine_bytecode(package: Opened) -> Bytecode:
    """Read every `.pyc` and the source beside it."""
    files = package.files
    pythons: Counter[str] = Counter()
    checks: Counter[str] = Counter()
    compiled = {name: source_of(name) for name in files if name.endswith(".pyc")}
    for name in compiled:
        python, check = kind_of(package.read(name))
        pythons[python] += 1
        checks[check] += 1
    stale = faults_in(package)
    sources = {name for name in files if name.endswith(".py")}
    return Bytecode(
        files=len(compiled),
        pythons=dict(sorted(pythons.items())),
        checks=dict(sorted(checks.items())),
        missing=len(sources - set(compiled.values())),
        sourceless=sum(source == name or source not in files for name, source in compiled.items()),
        stale=dict(sorted(stale.items())),
    )


def faults_in(package: Opened) -> dict[str, str]:
    """Say of each `.pyc` that does not fit its source, or that no Python will take, why."""
    files = package.files
    faults = {}
    for name in files:
        if not name.endswith(".pyc"):
            continue
        source, content = source_of(name), package.read(name)
        fault = fault_of(name, kind_of(content)[0], content) or (
            fault_against_source(content, package.read(source), files[source])
            # Outside of __pycache__ it is loaded without a source, and compared with none.
            if source != name and source in files
            else None
        )
        if fault:
            faults[name] = fault
    return faults


def kind_of(content: bytes) -> tuple[str, str]:
    """Return the Python that bytecode is for and how it is checked."""
    number = int.from_bytes(content[:2], "little")
    if len(content) < HEADER or content[2:4] != b"\r\n":
        return "unknown", "unknown"
    flags = int.from_bytes(content[4:8], "little")
    check = {0: "timestamp", HASHED: "unchecked-hash", HASHED | CHECKED: "checked-hash"}.get(flags, "unknown")
    return PYTHON_OF.get(number, f"unknown (magic number {number})"), check


def fault_of(name: str, python: str, content: bytes) -> str | None:
    """Say why no Python takes this file."""
    if len(content) <= HEADER or kind_of(content)[1] == "unknown":
        return "is not bytecode"
    tag = TAG.search(name)
    if tag and python != f"3.{tag[1]}":
        return f"is named for Python 3.{tag[1]} and made for {python}"
    return None


def fault_against_source(content: bytes, source: bytes, info: zipfile.ZipInfo) -> str | None:
    """Say why bytecode is not that of the source beside it."""
    check = kind_of(content)[1]
    if check != "timestamp":
        # The key is the whole magic number, so any Python can compute the hash that another one wrote.
        right = _imp.source_hash(int.from_bytes(content[:4], "little"), source)
        return None if content[8:16] == right else f"({check}) was made from another source"
    written, size = int.from_bytes(content[8:12], "little"), int.from_bytes(content[12:16], "little")
    if size != len(source) & 0xFFFFFFFF:
        return f"({check}) was made from a source of {size:,} bytes, and this one has {len(source):,}"
    return None if is_same_time(written, info) else f"({check}) has another time than its source has in the zip"


def is_same_time(written: int, info: zipfile.ZipInfo) -> bool:
    """Say whether a time in seconds can be a member's date in some time zone."""
    off = abs(written - seconds_of(info))
    return off <= WIDEST_ZONE + ZIP_SECONDS and min(off % QUARTER, -off % QUARTER) <= ZIP_SECONDS


def sentence(bytecode: Bytecode) -> str:
    """Say how many files are stale, name some, and what to do."""
    shown = [f"{name} {fault}" for name, fault in list(bytecode.stale.items())[:3]]
    more = len(bytecode.stale) - len(shown)
    which = "; ".join(shown) + (f"; and {more:,} more" if more else "")
    return (
        f"{len(bytecode.stale):,} of {bytecode.files:,} files of bytecode are stale: {which}. Build the package again."
    )
