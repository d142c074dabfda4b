"""Prove that what was pruned of a wheel breaks no import: every module that imports whole imports pruned as well.

Each side is imported in a process of its own from a directory of its own, with the functions' Python and all wheels of
the lock. A module that fails on both sides is none of the pruning's fault. Only wheels of which something was pruned
are asked, once for a lock; what was found is kept beside the wheels.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

# A module that takes longer is taken for one that does not import.
MODULE_SECONDS = 60
SUFFIXES = (".py", ".pyc", ".abi3.so", ".so")
# Imports modules one after another and writes what happened, line by line, since any of them may end the process.
PROGRAM = """
import importlib, os, sys
report, directory = sys.argv[1:3]
names = sys.stdin.read().split()
sys.stdin = open(os.devnull)
sys.path.insert(0, directory)
sys.argv = [""]
out = os.open(report, os.O_WRONLY | os.O_APPEND)
def say(*words):
    os.write(out, ("\\t".join(words) + "\\n").encode("utf-8", "replace"))
for name in names:
    say("begin", name)
    try:
        importlib.import_module(name)
    except BaseException as error:
        say("failed", name, "%s: %s" % (type(error).__name__, str(error).replace("\\n", " ").replace("\\t", " ")))
    else:
        say("imported", name)
os._exit(0)
"""


@dataclass(frozen=True)
class Side:
    """A directory with installed wheels, and the interpreter that imports from it."""

    directory: Path
    interpreter: Path
    # Where reports and what modules write go.
    home: Path

    def imported(self, names: Sequence[str]) -> dict[str, str | None]:
        """Import modules in their order; None for each that imports, else why it does not."""
        found: dict[str, str | None] = {}
        while ahead := [name for name in names if name not in found]:
            report = self.home / f"report-{len(found)}"
            report.touch()
            ended = self.run(report, ahead)
            for line in report.read_text(encoding="utf-8", errors="replace").splitlines():
                kind, _, words = line.partition("\t")
                name, _, reason = words.partition("\t")
                if kind == "begin":
                    # What comes next says more, unless the process ended there.
                    found[name] = ended
                else:
                    found[name] = None if kind == "imported" else reason
            if all(name not in found for name in ahead):
                found[ahead[0]] = ended
        return found

    def run(self, report: Path, names: Sequence[str]) -> str:
        """Run one process until it ends, or until one module takes too long; return how it ended."""
        command = [str(self.interpreter), "-I", "-S", "-B", "-c", PROGRAM, str(report), str(self.directory)]
        with (
            (self.home / "output").open("ab") as output,
            subprocess.Popen(
                command, cwd=self.home, env=self.variables(), stdin=subprocess.PIPE, stdout=output, stderr=output
            ) as process,
        ):
            assert process.stdin is not None  # noqa: S101 # a pipe was asked for
            process.stdin.write("\n".join(names).encode())
            process.stdin.close()
            size, since = -1, time.monotonic()
            while process.poll() is None:
                if report.stat().st_size != size:
                    size, since = report.stat().st_size, time.monotonic()
                if time.monotonic() - since > MODULE_SECONDS:
                    process.kill()
                    return f"it was not imported after {MODULE_SECONDS} s"
                time.sleep(0.02)
        return f"its process ended with code {process.returncode}"

    def variables(self) -> dict[str, str]:
        """Return the variables of a process that is no business of this shell's."""
        home = str(self.home)
        return {"PATH": os.defpath, "HOME": home, "TMPDIR": home, "LANG": "C.UTF-8", "MPLBACKEND": "Agg"}


@dataclass(frozen=True)
class Broken:
    """A module that imports whole and not pruned, and what it says then."""

    module: str
    error: str


def broken_imports(whole: Side, pruned: Side, modules: Iterable[str]) -> list[Broken]:
    """Return the modules that import from `whole` and not from `pruned`."""
    names = sorted(modules)
    with ThreadPoolExecutor(2) as pool:
        before, after = pool.map(lambda side: side.imported(names), (whole, pruned))
    suspects = [name for name in names if before[name] is None and after[name] is not None]
    # Each in a process of its own, since what was imported before it has no part in it.
    alone = {name: pruned.imported([name])[name] for name in suspects if whole.imported([name])[name] is None}
    return [Broken(name, error) for name, error in alone.items() if error is not None]


def modules_among(names: Iterable[str]) -> list[str]:
    """Return the modules that files are, by their dotted names, without programs (`__main__`)."""
    modules = set()
    for name in names:
        path = next((name.removesuffix(suffix) for suffix in SUFFIXES if name.endswith(suffix)), None)
        if path is None or "__pycache__/" in name:
            continue
        # `x.cpython-313-x86_64-linux-gnu.so` is the module x.
        parts = [*path.split("/")[:-1], path.rpartition("/")[2].partition(".cpython-")[0]]
        if parts[-1] == "__init__":
            parts.pop()
        if parts and parts[-1] != "__main__" and all(part.isidentifier() for part in parts):
            modules.add(".".join(parts))
    return sorted(modules)


def lay_out(directory: Path, files: Mapping[str, tuple[bytes, bool]]) -> None:
    """Write files by their names, with their executable bits."""
    for name, (content, executable) in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        if executable:
            path.chmod(0o755)


def runs_here(target_platform: str | None) -> bool:
    """Say whether wheels for a platform, None for this machine's own, can be imported here."""
    if target_platform is None:
        return True
    machine = os.uname().machine
    return sys.platform == "linux" and target_platform.startswith(f"{machine}-")
