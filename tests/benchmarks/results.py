"""Write what was measured, part by part: what a later part fails at takes nothing away."""

from __future__ import annotations

import json
import subprocess
import sys
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from sawhorse.errors import SawhorseError, file_error_sentence
from sawhorse.files import write_atomically
from sawhorse.toolchain.machine import say


@dataclass(frozen=True)
class Measured:
    """What came of a part: every single figure, for JSON, and the tables as Markdown."""

    figures: Any
    text: str


@dataclass
class Results:
    """The results of one run: printed, and written to `directory`, whenever a part ends.

    `head` is what stands above all parts, `content` the same for JSON, `json` another file for the figures.
    """

    directory: Path
    head: str
    content: dict[str, Any]
    json: Path | None = None
    out: TextIO = field(default_factory=lambda: sys.stdout)
    sections: dict[str, str] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)

    def measure(self, parts: Mapping[str, Callable[[], Measured]]) -> int:
        """Measure part after part and return the exit code: 1 when one failed, 130 when it was interrupted."""
        self.show(self.head)
        for name, part in parts.items():
            try:
                self.add(name, part())
            except KeyboardInterrupt:
                self.failures[name] = "Interrupted."
                self.write()
                say(f"Stopped while measuring {name}. {self.summary}")
                return 130
            except Exception as error:  # noqa: BLE001 # whatever one part dies of, the others are measured
                self.failures[name] = sentence_of(error)
                self.write()
                say(f"The part {name} failed: {self.failures[name]}")
        if self.failures:
            say(f"Not measured: {', '.join(self.failures)}. {self.summary}")
        return 1 if self.failures else 0

    def add(self, name: str, measured: Measured) -> None:
        """Take a part's results, print and write them."""
        section = f"## {name.capitalize()}\n\n{measured.text.rstrip()}"
        self.show(f"\n{section}")
        self.sections[name] = section
        self.content[name] = measured.figures
        self.write()

    def write(self) -> None:
        lost = [f"Not measured: {name}. {reason}" for name, reason in self.failures.items()]
        write_atomically(self.directory / "results.md", "\n\n".join([self.head, *self.sections.values(), *lost]) + "\n")
        content = self.content | ({"failures": self.failures} if self.failures else {})
        for path in [self.directory / "results.json", *([self.json] if self.json else [])]:
            write_atomically(path, json.dumps(content, indent=2) + "\n")

    def show(self, text: str) -> None:
        print(text, file=self.out, flush=True)

    @property
    def summary(self) -> str:
        there = ", ".join(self.sections)
        return f"{self.directory / 'results.md'} has {there}." if there else "Nothing was measured."


def sentence_of(error: Exception) -> str:
    """Say what a part died of; what nobody thought of comes with its traceback on standard error."""
    if isinstance(error, SawhorseError):
        return str(error)
    if isinstance(error, OSError):
        return file_error_sentence(error)
    if isinstance(error, subprocess.CalledProcessError):
        return f"{error} It printed: {error.stderr or error.stdout or 'nothing'}"
    traceback.print_exception(error)
    return f"{type(error).__name__}: {error} (an error of the benchmarks themselves)."
