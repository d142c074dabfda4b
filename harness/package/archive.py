"""Write a zip whose bytes depend on its members' names and contents alone.

Members are sorted, dated 1980-01-01 (the first date a zip can hold) and have one of two modes; nothing of the
machine, the user, the clock or the order of a directory listing gets in.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass

EPOCH = (1980, 1, 1, 0, 0, 0)
UNIX = 3
COMPRESSION_LEVEL = 6


@dataclass(frozen=True)
class Member:
    """A file of the package: its bytes, and whether it may be executed."""

    content: bytes
    executable: bool = False


def write_archive(members: Mapping[str, Member]) -> bytes:
    """Return the zip of these members by their path."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in sorted(members):
            member = members[name]
            info = zipfile.ZipInfo(name, date_time=EPOCH)
            info.create_system = UNIX
            info.external_attr = (0o100755 if member.executable else 0o100644) << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, member.content, compresslevel=COMPRESSION_LEVEL)
    return buffer.getvalue()
