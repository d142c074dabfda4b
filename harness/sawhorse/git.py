"""Ask git about a checkout: what it tracks, and which commit it is."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Commit:
    """What is checked out, None outside of git, and the files that differ from it, by their paths from its top."""

    revision: str | None
    dirty: Mapping[str, Path] = field(default_factory=dict)


def git(directory: Path, *words: str) -> subprocess.CompletedProcess[bytes] | None:
    """Run git, whatever a hook of it says of another checkout; None where there is none."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        return subprocess.run(["git", "-C", str(directory), *words], capture_output=True, check=False, env=environment)
    except FileNotFoundError:
        return None


def commit_of(project: Path) -> Commit:
    """Ask which commit a project is, and what of it was changed, removed or added and is not ignored."""
    head = git(project, "rev-parse", "--verify", "HEAD")
    if head is None or head.returncode != 0:
        return Commit(None)
    status = git(project, "status", "--porcelain", "-z", "--no-renames", "--untracked-files=all", "--", ".")
    entries = status.stdout.split(b"\0") if status and status.returncode == 0 else [b"?? (git status failed)"]
    names = sorted(os.fsdecode(entry[3:]) for entry in entries if entry)
    ended = git(project, "rev-parse", "--show-toplevel")
    top = Path(os.fsdecode(ended.stdout.rstrip(b"\n"))) if ended else project
    return Commit(head.stdout.decode().strip(), {name: top / name for name in names})
