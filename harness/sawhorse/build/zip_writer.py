"""Write a zip whose bytes depend on its members' names, modes and contents alone.

Members are sorted, dated 1980-01-01 (the first date a zip can hold) and have one of two modes; nothing of the
machine, the user, the clock or the order of a directory listing gets in. A member that was compressed before is written
as it is, which is why this does not use `zipfile`: that one compresses anew.
"""

from __future__ import annotations

import base64
import hashlib
import struct
import zlib
from collections.abc import Iterable, Mapping
from operator import itemgetter
from typing import NamedTuple

LEVEL = 6
STORED, DEFLATED = 0, 8
# 1980-01-01 in the format of a zip (APPNOTE 4.4.6, https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT).
MIDNIGHT, FIRST_OF_1980 = 0, 0x21
VERSION = 20
MADE_ON_UNIX = 3 << 8 | VERSION
UTF8_NAMES = 0x800
LOCAL_HEADER = struct.Struct("<4s5H3L2H")
CENTRAL_HEADER = struct.Struct("<4s6H3L5H2L")
END = struct.Struct("<4s4H2LH")
# What a zip without its 64-bit extension can count.
MOST_MEMBERS = 0xFFFF
# Magic number, flags and the hash of the source: what a bytecode file was made from (PEP 552).
BYTECODE_HEADER = 16
# How a member counts besides its content: bit 0 says that it may be executed, bit 1 that it is bytecode which no
# compiler can prove.
WHOLE_BYTECODE = 2
# Orders members; of thousands, a function of Python's takes a tenth of the time of a zip.
by_name = itemgetter(0)
# A member's name, whether it may be executed, whether it was compiled from a source of the package, its method, crc,
# size, sha256, and compressed size.
Description = tuple[str, bool, bool, int, int, int, bytes, int]


class Member(NamedTuple):
    """A file of a package: its name, whether it may be executed, and its content, compressed.

    `sha256` is of the content. Bytecode that is `from_source`, compiled by the build from a source of the package,
    counts as what it was made from, its header: two patch releases of one Python may compile the same source to other
    bytes, which is no reason to deploy. Compiling again proves the rest of it (`bytecode_proof.py`); any
    other bytecode counts whole.
    """

    name: str
    data: bytes | memoryview
    executable: bool
    method: int
    crc: int
    size: int
    sha256: bytes
    from_source: bool = False

    def described(self) -> Description:
        """All but the data, for an index."""
        return (
            self.name, self.executable, self.from_source, self.method, self.crc, self.size, self.sha256, len(self.data),
        )  # fmt: skip


def pack(name: str, content: bytes, *, executable: bool = False, from_source: bool = False) -> Member:
    """Compress a file, unless it would not become smaller."""
    compressor = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    data = compressor.compress(content) + compressor.flush()
    smaller = len(data) < len(content)
    return Member(
        name,
        data if smaller else content,
        executable=executable,
        method=DEFLATED if smaller else STORED,
        crc=zlib.crc32(content),
        size=len(content),
        sha256=hash_of(content, from_source=from_source),
        from_source=from_source,
    )


def hash_of(content: bytes, *, from_source: bool = False) -> bytes:
    """Return the SHA-256 that a content counts by."""
    return hashlib.sha256(content[:BYTECODE_HEADER] if from_source else content).digest()


def described_again(description: Description, data: bytes | memoryview) -> Member:
    """Make a member of its description and its compressed data."""
    name, executable, from_source, method, crc, size, sha256, _ = description
    # A package has thousands, and names of arguments take twice the time.
    return Member(name, data, executable, method, crc, size, sha256, from_source)


def content_of_member(member: Member) -> bytes:
    """Return what is inside a member."""
    return zlib.decompress(member.data, -zlib.MAX_WBITS) if member.method == DEFLATED else bytes(member.data)


def write_archive(members: Iterable[Member], prefix: str = "") -> tuple[bytes, list[int]]:
    """Return the zip of these members below `prefix`, and where the data of each begins, sorted by their names."""
    local: list[bytes | memoryview] = []
    central: list[bytes] = []
    begins: list[int] = []
    offset = 0
    for member in sorted(members, key=by_name):
        name = (prefix + member.name).encode()
        flags = 0 if name.isascii() else UTF8_NAMES
        sizes = (member.crc, len(member.data), member.size, len(name))
        header = LOCAL_HEADER.pack(b"PK\3\4", VERSION, flags, member.method, MIDNIGHT, FIRST_OF_1980, *sizes, 0)
        attributes = (0o100755 if member.executable else 0o100644) << 16
        central.append(
            CENTRAL_HEADER.pack(
                b"PK\1\2", MADE_ON_UNIX, VERSION, flags, member.method, MIDNIGHT, FIRST_OF_1980, *sizes, 0, 0, 0, 0,
                attributes, offset,
            )
        )  # fmt: skip
        central.append(name)
        local += (header, name, member.data)
        begins.append(offset + len(header) + len(name))
        offset = begins[-1] + len(member.data)
    if len(begins) > MOST_MEMBERS:
        raise ValueError(f"{len(begins):,} files are more than a zip can list.")
    directory = b"".join(central)
    end = END.pack(b"PK\5\6", 0, 0, len(begins), len(begins), len(directory), offset, 0)
    return b"".join([*local, directory, end]), begins


def content_sha256(members: Iterable[Member]) -> str:
    """Return a hash, base64, of what a package holds however it is compressed: names, modes and contents."""
    digest = hashlib.sha256()
    for member in sorted(members, key=by_name):
        # Bytecode of nothing but a header must not count as what has the rest as well.
        whole = WHOLE_BYTECODE if member.name.endswith(".pyc") and not member.from_source else 0
        digest.update(b"%s\0%d\0%s\n" % (member.name.encode(), member.executable | whole, member.sha256))
    return base64_of(digest.digest())


def base64_of(digest: bytes) -> str:
    """Write a hash as Lambda does."""
    return base64.b64encode(digest).decode()


def zip_of(contents: Mapping[str, bytes]) -> bytes:
    """Return the zip of these contents by their names, none of them executable."""
    return write_archive([pack(name, content) for name, content in contents.items()])[0]


def directories_of(name: str) -> list[str]:
    """Return the directories that a file lies in: `a/b/c` -> a, a/b."""
    parts = name.split("/")[:-1]
    return ["/".join(parts[: length + 1]) for length in range(len(parts))]
