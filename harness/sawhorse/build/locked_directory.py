"""Say what belongs to a directory that a lock names: the files that git tracks, with their executable bits."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sawhorse.git import git

NO_GIT = "there is no git on this machine"
# What building leaves in a source, whoever builds: nothing that a package could be made of.
LEFT_BY_BUILDS = re.compile(r"(^|/)([^/]+\.egg-info|__pycache__)/")


@dataclass(frozen=True)
class Listing:
    """What git tracks below a directory: files of its own, what is none, and why git says nothing."""

    files: Sequence[str]
    foreign: Sequence[str] = ()
    error: str = ""


def list_files(path: Path) -> Listing:
    """Ask git what it tracks below a directory. What was removed since is not there."""
    ended = git(path, "ls-files", "-z", "--cached", "--", ".")
    if ended is None:
        return Listing((), error=NO_GIT)
    if ended.returncode != 0:
        return Listing((), error=" ".join(os.fsdecode(ended.stderr).split()))
    names = [name for name in os.fsdecode(ended.stdout).split("\0") if name and os.path.lexists(path / name)]
    top = path.resolve()
    foreign = [name for name in names if not (path / name).is_file() or top not in (path / name).resolve().parents]
    return Listing(sorted(set(names) - set(foreign)), sorted(foreign))


def listed_files(path: Path) -> Sequence[str]:
    """Return what git tracks below a directory; nothing where it is in no checkout."""
    return list_files(path).files


def untracked_files(path: Path) -> list[str]:
    """Return what lies in a directory and is neither tracked nor ignored, nor left there by a build."""
    ended = git(path, "ls-files", "-z", "--others", "--exclude-standard", "--", ".")
    names = os.fsdecode(ended.stdout).split("\0") if ended else []
    return sorted(name for name in names if name and not LEFT_BY_BUILDS.search(name))


def tree_digest_now(path: Path) -> str:
    """Stand for what git tracks of a directory at this moment."""
    return tree_digest(path, listed_files(path))


def tree_digest(path: Path, files: Sequence[str]) -> str:
    """Stand for names, executable bits and contents."""
    digest = hashlib.sha256()
    for name in files:
        file = path / name
        mode = bool(file.stat().st_mode & 0o100)
        digest.update(b"%s\0%d\0%s\n" % (os.fsencode(name), mode, hashlib.sha256(file.read_bytes()).digest()))
    return digest.hexdigest()
