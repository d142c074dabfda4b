"""Run programs on this machine, say what is done, and know where things are looked for.

Needs the standard library alone.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sawhorse.errors import MissingTool


@dataclass(frozen=True)
class Machine:
    """Where things are looked for: replaced in tests by a machine of their own."""

    environ: Mapping[str, str]
    home: Path
    opt: Path = Path("/opt")
    # Where Terraform is fetched from.
    releases: str = "https://releases.hashicorp.com/terraform"

    @classmethod
    def this(cls) -> Machine:
        return cls(environ=os.environ, home=Path.home())

    def which(self, program: str) -> Path | None:
        found = shutil.which(program, path=self.environ.get("PATH"))
        return Path(found) if found else None


def say(sentence: str) -> None:
    """Report a step on standard error, so that standard output stays for results."""
    print(sentence, file=sys.stderr, flush=True)


def run(command: Sequence[str | Path]) -> str:
    """Run a step and return what it printed, or raise its last words when it fails."""
    result = run_tool(command)
    if result.returncode != 0:
        last = (result.stderr or result.stdout).strip().splitlines()[-6:]
        raise MissingTool(f"{Path(command[0]).name} failed:\n  " + "\n  ".join(last or ["it printed nothing."]))
    return result.stdout


def run_tool(
    command: Sequence[str | Path], variables: Mapping[str, str] | None = None, *, directory: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run pip or uv as this machine trusts others, also behind a company's proxy, and whatever shell this is.

    In `directory`, whose uv.toml uv reads; by default in this process's own.
    """
    # An environment that is active in this shell has no part in it.
    environment = {name: value for name, value in os.environ.items() if name not in {"VIRTUAL_ENV", "PYTHONPATH"}}
    environment.setdefault("UV_SYSTEM_CERTS", "true")
    environment.update(variables or {})
    words = [str(part) for part in command]
    # Others may read what is installed, where they may go at all, and never write it.
    return subprocess.run(
        words, capture_output=True, text=True, env=environment, cwd=directory, check=False, umask=0o022
    )


def python_of(environment: Path) -> Path:
    return environment / "bin/python"
