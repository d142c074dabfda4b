"""Set another commit of this project up beside this one, to be measured in the same run."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sawhorse.toolchain.machine import say
from tests.benchmarks.peers import compile_harness
from tests.benchmarks.processes import NotMeasured, plain_environment


@dataclass(frozen=True)
class Before:
    """A checkout of another commit, with an environment of its own."""

    revision: str
    commit: str
    path: Path

    @property
    def title(self) -> str:
        return self.revision if self.commit.startswith(self.revision) else f"{self.revision} ({self.commit[:10]})"


@contextmanager
def other_checkout(project: Path, revision: str) -> Iterator[Before]:
    """Check a commit out in a scratch directory and set it up there; afterwards it is gone, with all that git notes.

    Raises NotMeasured when there is no such commit, or it cannot be set up.
    """
    commit = git(project, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    if not commit:
        raise NotMeasured(
            f"There is no commit {revision} in {project}; name one that git log shows (a shallow clone has few)."
        )
    bench = project / ".sawhorse/bench"
    bench.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(dir=bench, prefix="before-"))
    checkout = scratch / "checkout"
    try:
        if git(project, "worktree", "add", "--quiet", "--detach", str(checkout), commit) is None:
            raise NotMeasured(f"git could not check {revision} out in {checkout}; see what git worktree list tells.")
        set_up(checkout, revision)
        yield Before(revision, commit, checkout)
    finally:
        git(project, "worktree", "remove", "--force", str(checkout))
        shutil.rmtree(scratch, ignore_errors=True)
        git(project, "worktree", "prune")


def git(project: Path, *words: str) -> str | None:
    """Return what git prints, None when it fails."""
    done = subprocess.run(["git", *words], cwd=project, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else None


def set_up(checkout: Path, revision: str) -> None:
    """Run `make setup` there, whatever that does at this commit."""
    say(f"Setting {revision} up to be measured beside this one.")
    command = ["make", "setup", f"PYTHON={sys.executable}"]
    done = subprocess.run(command, cwd=checkout, env=plain_environment(), capture_output=True, text=True, check=False)
    if done.returncode != 0 or not (checkout / ".venv/bin/sawhorse").exists():
        raise NotMeasured(f"{revision} could not be set up; it says:\n  {done.stderr.strip()[-2000:]}")
    compile_harness(checkout)
