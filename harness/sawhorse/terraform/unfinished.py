"""Remember an apply while it runs, so that one that was cut off is noticed, and finished by the next one."""

from __future__ import annotations

import getpass
import json
import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from sawhorse.errors import SawhorseError
from sawhorse.files import write_atomically
from sawhorse.trusted_files import read_own

# Beside what Terraform keeps of a root that was initialized; git ignores it.
RECORD = ".terraform/sawhorse-unfinished.json"
# How long Terraform may take to end a step after the command that started it was killed.
END_SECONDS = 60


@dataclass(frozen=True)
class Unfinished:
    """An apply that began and did not say that it ended."""

    started: datetime
    process: int
    process_started: float

    def runs(self) -> bool:
        """Whether its Terraform is still at work: killing what started it does not end it."""
        try:
            found = psutil.Process(self.process)
            # Another one may have its number by now.
            same = abs(found.create_time() - self.process_started) < 1
            return same and found.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False


def remember(directory: Path, process: int) -> None:
    """Record that an apply has begun, and the number of its Terraform."""
    try:
        process_started = psutil.Process(process).create_time()
    except psutil.NoSuchProcess:
        process_started = 0
    content = {"started": datetime.now(UTC).isoformat(), "process": process, "process_started": process_started}
    write_atomically(directory / RECORD, json.dumps(content))


def forget(directory: Path) -> None:
    (directory / RECORD).unlink(missing_ok=True)


def unfinished(directory: Path) -> Unfinished | None:
    """Return the apply that was cut off in a directory; None when the last one ended by itself."""
    try:
        found = json.loads(read_own(directory / RECORD, directory=False))
        started = datetime.fromisoformat(found["started"])
        return Unfinished(started, int(found["process"]), float(found["process_started"]))
    except FileNotFoundError:
        return None
    except (LookupError, TypeError, ValueError):
        # It was cut off all the same.
        return Unfinished(datetime.min.replace(tzinfo=UTC), 0, 0)


def wait_for_end(
    cut_off: Unfinished,
    shown: str,
    *,
    seconds: float = END_SECONDS,
    sleep: Callable[[float], object] = time.sleep,
) -> None:
    """Wait until the Terraform of an apply that was cut off has ended. Raises SawhorseError when it goes on."""
    deadline = time.monotonic() + seconds
    while cut_off.runs():
        if time.monotonic() > deadline:
            raise SawhorseError(
                f"The Terraform of an earlier apply in {shown} is still at work (process {cut_off.process}); wait "
                "until it ends, and run this again."
            )
        sleep(0.2)


def is_left_behind(lock: Mapping[str, Any], cut_off: Unfinished) -> bool:
    """Whether a lock of a state is that of an apply that was cut off: this user's on this machine, since it began."""
    try:
        # RFC 3339 with nanoseconds, of which Python reads six digits.
        created = datetime.fromisoformat(f"{str(lock['Created']).rstrip('Z')[:26]}+00:00")
    except (LookupError, ValueError):
        return False
    return lock.get("Who") == f"{getpass.getuser()}@{platform.node()}" and created >= cut_off.started
