"""Read and write the manifest: what the build measured of every package."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from harness.errors import BuildFailed
from harness.files import write_atomically


@dataclass(frozen=True)
class Entry:
    """One function's package.

    `path` is relative to the project, `sha256` is base64 as in Lambda's CodeSha256, `size` is in bytes.
    """

    path: str
    sha256: str
    size: int
    handler: str
    runtime: str
    architecture: str


Manifest = dict[str, dict[str, Entry]]


def code_sha256(content: bytes) -> str:
    """Return a package's hash as Lambda reports it (CodeSha256)."""
    return base64.b64encode(hashlib.sha256(content).digest()).decode()


def read_manifest(dist: Path) -> Manifest:
    """Return the manifest of a directory of packages, by app and function; empty when nothing was built."""
    path = dist / "manifest.json"
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text())
        return {app: {name: Entry(**entry) for name, entry in functions.items()} for app, functions in content.items()}
    except (ValueError, TypeError, AttributeError) as error:
        shown = f"{path.parent.name}/{path.name}"
        raise BuildFailed(f'{shown} is not what the build writes; delete it and run "make build".') from error


def write_manifest(dist: Path, manifest: Manifest) -> None:
    content = {
        app: {name: asdict(entry) for name, entry in sorted(functions.items())}
        for app, functions in sorted(manifest.items())
    }
    write_atomically(dist / "manifest.json", json.dumps(content, indent=2) + "\n")
