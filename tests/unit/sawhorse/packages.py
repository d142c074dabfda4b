"""What tests of packages share: zips made by hand, and what lies in them."""

from __future__ import annotations

import _imp
import json
import marshal
import stat
import struct
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tests.unit.sawhorse.support import Ended

EPOCH = (1980, 1, 1, 0, 0, 0)
SOURCE = b"VALUE = 1\n"
# The magic number of Python 3.11.
FIRST = 3495
Pack = Callable[..., Path]


def write_zip(path: Path, members: Mapping[str, bytes], **fields: Any) -> Path:
    """Write members as a build does; `fields` are those of every ZipInfo."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo(name, date_time=EPOCH)
            info.external_attr = (stat.S_IFREG | 0o644) << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            for field, value in fields.items():
                setattr(info, field, value)
            archive.writestr(info, content)
    return path


def compiled(source: bytes, *, flags: int = 1, magic: int = FIRST, rest: bytes | None = None) -> bytes:
    """Write bytecode as PEP 552 says; the body is that of this interpreter, which nothing here runs."""
    number = struct.pack("<H", magic) + b"\r\n"
    rest = rest or _imp.source_hash(int.from_bytes(number, "little"), source)
    return number + struct.pack("<I", flags) + rest + marshal.dumps(compile(source, "one.py", "exec"))


def metadata(name: str, version: str = "1.0", more: str = "") -> bytes:
    return f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\n{more}\n".encode()


def json_of(ended: Ended) -> dict[str, Any]:
    assert ended.code in {0, 1}, ended
    found: dict[str, Any] = json.loads(ended.out)
    return found
