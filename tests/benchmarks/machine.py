"""Say what a measurement ran on: figures mean nothing without it."""

from __future__ import annotations

import os
import platform
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path


@dataclass(frozen=True)
class Machine:
    """A machine at a moment; `load` is the average of its last minute, `python` is the harness's."""

    date: str
    cpu: str
    cores: int
    system: str
    python: str
    functions_python: str
    load: float

    @classmethod
    def this(cls, functions_python: str) -> Machine:
        return cls(
            date=datetime.now(UTC).date().isoformat(),
            cpu=cpu_model(),
            cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
            system=f"{platform.system()} {platform.machine()}",
            python=platform.python_version(),
            functions_python=functions_python,
            load=round(os.getloadavg()[0], 1),
        )

    @property
    def sentence(self) -> str:
        return (
            f"{self.date}, {self.cpu}, {self.cores} cores, {self.system}; the harness under Python {self.python}, "
            f"functions under {self.functions_python}; load before the run {self.load}."
        )


def cpu_model() -> str:
    """Return the processor's name as Linux tells it, else what Python knows."""
    information = Path("/proc/cpuinfo")
    found = (
        re.search(r"^model name\s*: (.+)$", information.read_text(), re.MULTILINE) if information.is_file() else None
    )
    return found[1].strip() if found else platform.processor() or platform.machine()
