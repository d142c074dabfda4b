"""Run whole processes for measuring, without what is special in this shell."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from sawhorse.errors import SawhorseError

# These change what Python does, which Python is found, or what a tool believes of its surroundings.
LEFT_OUT = ("AWS_", "PYTHON", "SAWHORSE_", "SAM_", "TF_", "VIRTUAL_ENV")


class NotMeasured(SawhorseError):
    """A figure that cannot be had: a program that failed, or one that did something else than was to be measured."""


def plain_environment() -> dict[str, str]:
    """Return this process's environment without what would make a measurement depend on the shell.

    PYTHONDONTWRITEBYTECODE is the worst: programs that were installed without bytecode would compile themselves at
    every run. How pip and uv reach their index (PIP_*, UV_*) stays.
    """
    return {name: value for name, value in os.environ.items() if not name.startswith(LEFT_OUT)}


def seconds_of(command: Sequence[str | Path], *, directory: Path, variables: Mapping[str, str]) -> float:
    """Run a program in a directory to its end and return the wall time in seconds, from its start to its exit.

    Raises NotMeasured with the program's last words when it fails.
    """
    words = [str(part) for part in command]
    environment = plain_environment() | dict(variables)
    started = time.perf_counter()
    done = subprocess.run(words, cwd=directory, env=environment, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - started
    if done.returncode != 0:
        last = "\n  ".join((done.stderr.strip() or done.stdout.strip() or "it printed nothing.").splitlines()[-8:])
        raise NotMeasured(f"{' '.join(words)} failed in {directory}; fix that and measure again:\n  {last}")
    return seconds
