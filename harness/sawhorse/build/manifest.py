"""Read and write the manifest: what the build measured of every package."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from sawhorse.build.config import ARCHITECTURES, UPLOADS
from sawhorse.errors import BuildFailed
from sawhorse.files import write_shared
from sawhorse.trusted_files import read_own

# What to do about packages that are not as a build left them.
BUILD_AGAIN = 'run "make build"'


@dataclass(frozen=True)
class Archive:
    """A zip that goes to AWS.

    `path` is relative to the project, `sha256` is base64 as in Lambda's CodeSha256, `size` is in bytes.
    `content_sha256`, base64 too, stays when the same content is compressed otherwise: it decides about a deployment.
    `upload` says how it gets to Lambda: "direct" in the call, "s3" from the environment's bucket of packages.
    """

    path: str
    sha256: str
    content_sha256: str
    size: int
    upload: str = field(default="direct", kw_only=True)


@dataclass(frozen=True)
class Entry(Archive):
    """One function's package, and the layer that its dependencies lie in when its app wants one.

    `sources_sha256`, base64 too, stands for all that the package was made of; None where an older build wrote the
    entry. `compiled_by` is the whole version of the Python that compiled the bytecode, None where there is none.
    `commit` is what was checked out when the package was made, `dirty` whether the checkout differed from it; None
    outside of git. Terraform sees none of these, and they decide about nothing.
    """

    handler: str
    runtime: str
    architecture: str
    layer: Archive | None = None
    sources_sha256: str | None = None
    compiled_by: str | None = None
    commit: str | None = field(default=None, compare=False)
    dirty: bool | None = field(default=None, compare=False)
    # The digests of the directories that the lock names, by their paths from the project.
    directories: dict[str, str] = field(default_factory=dict, hash=False)


Manifest = dict[str, dict[str, Entry]]


def code_sha256(content: bytes) -> str:
    """Return a package's hash as Lambda reports it (CodeSha256)."""
    return base64.b64encode(hashlib.sha256(content).digest()).decode()


def read_manifest(dist: Path, next_step: str = BUILD_AGAIN) -> Manifest:
    """Return the manifest of a directory of packages, by app and function; empty when nothing was built.

    Raises Untrusted for one that somebody else may have written, and BuildFailed, with the next step, for one that no
    build writes.
    """
    path = dist / "manifest.json"
    try:
        content = json.loads(read_own(path, private=False, link=True))
        return {
            app: {name: read_entry(entry) for name, entry in functions.items()} for app, functions in content.items()
        }
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise unreadable(path, next_step) from error


# A newer harness may know more runtimes than this one.
RUNTIME = re.compile(r"python3\.\d{1,2}")
# The id of a commit, in SHA-1 or SHA-256.
COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
# The zips that a build writes.
ZIP_PATH = re.compile(r"dist/[^/\x00-\x1f]+\.zip")


def read_entry(entry: dict[str, Any]) -> Entry:
    """Read a function's entry. Raises ValueError or TypeError for one that no build writes."""
    layer = entry.get("layer")
    found = Entry(**{**entry, "layer": None if layer is None else Archive(**layer)})
    directories = found.directories
    if not (
        is_archive(found)
        and (found.layer is None or is_archive(found.layer))
        and isinstance(found.handler, str)
        and found.handler
        and isinstance(found.runtime, str)
        and RUNTIME.fullmatch(found.runtime)
        and found.architecture in ARCHITECTURES
        and (found.sources_sha256 is None or is_sha256(found.sources_sha256))
        and (found.commit is None or (isinstance(found.commit, str) and COMMIT.fullmatch(found.commit)))
        and (found.dirty is None or isinstance(found.dirty, bool))
        and isinstance(directories, dict)
        and all(isinstance(word, str) for word in (*directories, *directories.values()))
    ):
        raise ValueError
    return found


def is_archive(archive: Archive) -> bool:
    """Say whether all that is measured of a zip is of the kind that a build writes."""
    return (
        isinstance(archive.path, str)
        and ZIP_PATH.fullmatch(archive.path) is not None
        and is_sha256(archive.sha256)
        and is_sha256(archive.content_sha256)
        and type(archive.size) is int
        and archive.size >= 0
        and archive.upload in UPLOADS
    )


def is_sha256(word: object) -> bool:
    """Say whether this is a SHA-256 in base64."""
    try:
        return isinstance(word, str) and len(base64.b64decode(word, validate=True)) == hashlib.sha256().digest_size
    except (binascii.Error, ValueError):
        return False


def write_manifest(dist: Path, manifest: Manifest) -> None:
    """Write the manifest; a package without a layer says nothing of layers."""
    content = {
        app: {
            name: {key: value for key, value in asdict(entry).items() if value not in (None, {})}
            for name, entry in sorted(functions.items())
        }
        for app, functions in sorted(manifest.items())
    }
    write_shared(dist / "manifest.json", json.dumps(content, indent=2) + "\n")


def enter_fragment(dist: Path | str, fragment: str) -> None:
    """Put the entries of one app, as they are written in a manifest, into the one that is there.

    Entries of an older build, which say less than today's, are left out: their apps are to be built anew.
    """
    path, found = Path(dist) / "manifest.json", {}
    try:
        with suppress(FileNotFoundError):
            found = json.loads(read_own(path, private=False, link=True))
        entered = {**found, **json.loads(f"{{{fragment}}}")}
    except (ValueError, TypeError, RecursionError) as error:
        raise unreadable(path) from error
    manifest = {}
    for app, functions in entered.items():
        try:
            manifest[app] = {name: read_entry(entry) for name, entry in functions.items()}
        except (ValueError, TypeError, AttributeError):
            continue
    write_manifest(Path(dist), manifest)


def unreadable(path: Path, next_step: str = BUILD_AGAIN) -> BuildFailed:
    return BuildFailed(f"{path.parent.name}/{path.name} is not what the build writes; delete it and {next_step}.")
