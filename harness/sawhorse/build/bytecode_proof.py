"""Prove what a zip holds: that it has the form which a build gives it, and that its bytecode is that of its sources.

Bytecode counts in `content_sha256`, which decides about a deployment, as what it was made from. That the rest of it is
what comes of that is proven here, by compiling again.
"""

from __future__ import annotations

import _imp
import re
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from sawhorse.build.bytecode_client import compile_sources, is_kept_unchecked
from sawhorse.build.compiler_process import WrongInterpreter, version_of
from sawhorse.build.zip_reader import LOCAL_HEADER, Opened
from sawhorse.build.zip_writer import BYTECODE_HEADER, Member, content_sha256, hash_of, write_archive

NAMED_AT_MOST = 3
MAGIC_BYTES = 4
DATE = (1980, 1, 1, 0, 0, 0)
EXECUTABLE = 0o111
MODES = {False: 0o100644, True: 0o100755}
# Where Python looks for a module's bytecode when it runs without -O (PEP 3147).
COMPILED = re.compile(r"^((?:.*/)?)__pycache__/([^/]+)\.cpython-(\d)([1-9]\d*)\.pyc$")
# How a marshalled string begins (CPython's Python/marshal.c): the kinds with a length of one byte, and of four. The
# highest bit says that something refers to it later.
SHORT_STRINGS, LONG_STRINGS = b"zZ", b"aAtu"
REFERRED_TO = 0x80
LONGEST_SHORT = 0xFF


@dataclass(frozen=True)
class Compiled:
    """Bytecode and the source beside it: the name of the one, both contents, and the minor version in that name.

    `named` is what the source was called when it was compiled.
    """

    name: str
    bytecode: bytes
    named: str
    source: bytes
    python: str

    def is_what(self, made: bytes) -> bool:
        """Say whether this is what was made now. What stands between the two parts says how a source is checked."""
        same_python = self.bytecode[:MAGIC_BYTES] == made[:MAGIC_BYTES]
        return same_python and self.bytecode[BYTECODE_HEADER:] == made[BYTECODE_HEADER:]


@dataclass(frozen=True)
class Held:
    """What a zip holds: its members as a build has them, and the bytecode that counts as what it was made from."""

    members: Sequence[Member]
    compiled: Sequence[Compiled]

    @property
    def content_sha256(self) -> str:
        return content_sha256(self.members)


@dataclass(frozen=True)
class Proof:
    """What compiling again showed: how many files are proven, and why others are wrong or not proven, by their names.

    `pythons` are the whole versions that compiled, by the minor ones.
    """

    proven: int = 0
    wrong: dict[str, str] = field(default_factory=dict)
    unproven: dict[str, str] = field(default_factory=dict)
    pythons: dict[str, str] = field(default_factory=dict)


def held_in(package: Opened, prefix: str = "") -> Held:
    """Read a zip whose names begin with `prefix`, as a build counts its members. Raises SawhorseError for damage."""
    contents = {name.removeprefix(prefix): package.read(name) for name in package.files}
    compiled = {name: found for name in contents if (found := compiled_of_source(name, contents))}
    archive = package.path.read_bytes()
    members = []
    for full, info in package.files.items():
        name = full.removeprefix(prefix)
        members.append(
            Member(
                name,
                stored_in(archive, info),
                executable=bool((info.external_attr >> 16) & EXECUTABLE),
                method=info.compress_type,
                crc=info.CRC,
                size=info.file_size,
                sha256=hash_of(contents[name], from_source=name in compiled),
                from_source=name in compiled,
            )
        )
    return Held(members, list(compiled.values()))


def stored_in(archive: bytes, info: zipfile.ZipInfo) -> bytes:
    """Return the bytes of a member as they lie in the zip; one that was read has a whole header."""
    begin = info.header_offset + LOCAL_HEADER.size + sum(LOCAL_HEADER.unpack_from(archive, info.header_offset))
    return archive[begin : begin + info.compress_size]


def compiled_of_source(name: str, contents: Mapping[str, bytes]) -> Compiled | None:
    """Return bytecode as a build writes it; None for what Python would not look for, or what says something else.

    That is bytecode without its source, of another source or another Python, and what is compared with its source.
    """
    place = place_of_source(name)
    if place is None or place[0] not in contents:
        return None
    source_name, python = place
    bytecode, source = contents[name], contents[source_name]
    if not is_kept_unchecked(bytecode, python) or bytecode[8:BYTECODE_HEADER] != source_hash(bytecode, source):
        return None
    return Compiled(name, bytecode, source_name, source, python)


def place_of_source(name: str) -> tuple[str, str] | None:
    """Return the source that Python takes this bytecode for, and the minor version that does."""
    found = COMPILED.match(name)
    return (f"{found[1]}{found[2]}.py", f"{found[3]}.{found[4]}") if found else None


def source_hash(bytecode: bytes, source: bytes) -> bytes:
    """Return the hash that bytecode of this source has; its key is the magic number, so any Python can compute it."""
    return _imp.source_hash(int.from_bytes(bytecode[:MAGIC_BYTES], "little"), source)


def fault_of_form(package: Opened, held: Held, prefix: str = "") -> str | None:
    """Say what of a zip is not as a build writes it; None when every byte is.

    Of such a zip all programs see the same: no member twice, none under another name where its content lies, nothing
    that belongs to no member, and no attribute but the one that counts.
    """
    try:
        expected, _ = write_archive(held.members, prefix)
    except ValueError as error:
        return str(error)
    if expected == package.path.read_bytes():
        return None
    for info in package.infos:
        fault = fault_of_member(info, prefix)
        if fault:
            return f"{info.filename} {fault}"
    return "it holds bytes that belong to no file, files in another order, or a file that is described twice"


def fault_of_member(info: zipfile.ZipInfo, prefix: str) -> str | None:
    mode = info.external_attr >> 16
    faults = {
        f"does not lie below {prefix}": not info.filename.startswith(prefix),
        "is a directory": info.is_dir(),
        "has an extra field": bool(info.extra),
        "has a comment": bool(info.comment),
        "has another date than 1980-01-01": info.date_time != DATE,
        f"has the mode {mode:o}": mode not in MODES.values() or bool(info.external_attr & 0xFFFF),
    }
    return next((words for words, holds in faults.items() if holds), None)


def foreign_bytecode(held: Held) -> list[str]:
    """Name the bytecode that Python may look for beside sources and that no build writes there."""
    return [
        member.name
        for member in held.members
        if member.name.endswith(".pyc") and "__pycache__/" in member.name and not member.from_source
    ]


def prove(
    compiled: Sequence[Compiled],
    find: Callable[[str], Path | None],
    compiled_by: str | None,
    *,
    under_any_name: bool = False,
) -> Proof:
    """Compile every source again and compare.

    `find` returns the interpreter of a minor version, `compiled_by` is the whole version that compiled as far as one
    knows. With `under_any_name` a source may have had another name then, as paths of other builders are.
    """
    proofs = [
        prove_of_python(
            python,
            [one for one in compiled if one.python == python],
            find,
            compiled_by,
            under_any_name=under_any_name,
        )
        for python in sorted({one.python for one in compiled})
    ]
    return Proof(
        sum(proof.proven for proof in proofs),
        {name: why for proof in proofs for name, why in proof.wrong.items()},
        {name: why for proof in proofs for name, why in proof.unproven.items()},
        {python: version for proof in proofs for python, version in proof.pythons.items()},
    )


def prove_of_python(
    python: str,
    compiled: Sequence[Compiled],
    find: Callable[[str], Path | None],
    compiled_by: str | None,
    *,
    under_any_name: bool,
) -> Proof:
    interpreter = find(python)
    if interpreter is None:
        return Proof(unproven=dict.fromkeys(names_of(compiled), f"was not compiled again: Python {python} is not here"))
    try:
        version = version_of(str(interpreter))
        differing = differing_from(str(interpreter), version, compiled)
        if differing and under_any_name:
            renamed = [replace(one, named=named_in(one, made) or one.named) for one, made in differing]
            differing = differing_from(str(interpreter), version, renamed)
    except WrongInterpreter as error:
        return Proof(unproven=dict.fromkeys(names_of(compiled), f"was not compiled again: {error}".rstrip(".")))
    names = names_of(one for one, _ in differing)
    proven, pythons = len(compiled) - len(names), {python: version}
    if compiled_by and compiled_by != version:
        # Neither is it proven that somebody changed it.
        why = f"is not what Python {version} compiles of its source, and Python {compiled_by} compiled it"
        return Proof(proven, unproven=dict.fromkeys(names, why), pythons=pythons)
    wrong = dict.fromkeys(names, f"is not what Python {version} compiles of its source")
    return Proof(proven, wrong=wrong, pythons=pythons)


def names_of(compiled: Iterable[Compiled]) -> list[str]:
    return [one.name for one in compiled]


def differing_from(interpreter: str, version: str, compiled: Sequence[Compiled]) -> list[tuple[Compiled, bytes]]:
    """Return the bytecode that is another one than the interpreter makes now, each with that; empty where it fails."""
    made = compile_sources(interpreter, version, [(one.named, one.source) for one in compiled])
    pairs = [(one, now.bytecode or b"") for one, now in zip(compiled, made, strict=True)]
    return [(one, now) for one, now in pairs if not one.is_what(now)]


def named_in(compiled: Compiled, made: bytes) -> str | None:
    """Return what bytecode calls its source; None unless that is the first thing in which it differs from `made`.

    There, `made` calls it by `compiled.named`. Nothing is unmarshalled: that is not for what anybody may have written.
    """
    theirs, known = compiled.bytecode, compiled.named.encode()
    short = compiled.named.isascii() and len(known) <= LONGEST_SHORT
    written = len(known).to_bytes(1 if short else 4, "little") + known
    pairs = enumerate(zip(theirs[BYTECODE_HEADER:], made[BYTECODE_HEADER:], strict=False), BYTECODE_HEADER)
    differs = next((place for place, (one, other) in pairs if one != other), len(made))
    # The kind stands before the length.
    begin = made.rfind(written, BYTECODE_HEADER, differs + 1 + len(written)) - 1
    if begin < BYTECODE_HEADER or differs > begin + len(written):
        return None
    kind = theirs[begin] & ~REFERRED_TO
    width = 1 if kind in SHORT_STRINGS else 4 if kind in LONG_STRINGS else 0
    size = int.from_bytes(theirs[begin + 1 : begin + 1 + width], "little")
    return theirs[begin + 1 + width : begin + 1 + width + size].decode(errors="replace") if width else None


def some_of(found: Mapping[str, str] | Sequence[str]) -> str:
    """Name the first few files, each with what is to be said of it."""
    told = [f"{name} {why}" for name, why in found.items()] if isinstance(found, Mapping) else list(found)
    more = [f"{len(told) - NAMED_AT_MOST:,} more"] if len(told) > NAMED_AT_MOST else []
    return "; ".join([*told[:NAMED_AT_MOST], *more])
