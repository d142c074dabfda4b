"""Say what a directory of installed distributions can import and what it says of itself, with nothing of the harness.

Run by the functions' own Python with `-I -S`: `look.py imports DIRECTORY REPORT`, which reads names of modules from
standard input, or `look.py metadata DIRECTORY REPORT`.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import importlib
import json
import os
import signal
import sys
from importlib import metadata
from typing import Any

SECONDS = 120


def main() -> None:
    kind, directory, report = sys.argv[1:4]
    names = sys.stdin.read().split()
    sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: PTH123, SIM115 # for the rest of this process
    sys.argv = [""]
    # The standard library before it, as the interpreter has it without site-packages; ours goes first, as in Lambda.
    sys.path.insert(0, directory)
    if kind == "metadata":
        with open(report, "w", encoding="utf-8") as file:  # noqa: PTH123 # the smallest program that works
            json.dump(said_by_metadata(directory), file)
        return
    out = os.open(report, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    import_below("", children_of(names), out)
    os._exit(0)


def children_of(names: list[str]) -> dict[str, list[str]]:
    """Return the modules below each package, also those that no name stands for: `a.b` -> {"": [a], "a": [a.b]}."""
    below: dict[str, set[str]] = {}
    for name in names:
        parts = name.split(".")
        for length in range(len(parts)):
            below.setdefault(".".join(parts[:length]), set()).add(".".join(parts[: length + 1]))
    return {name: sorted(found) for name, found in below.items()}


def import_below(package: str, below: dict[str, list[str]], out: int) -> None:
    """Import each module of a package in a process of its own, forked from the one that has imported the package.

    So a module sees what its package imported and nothing else, and a module that ends its process ends no other's.
    """
    for name in below.get(package, ()):
        child = os.fork()
        if not child:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(SECONDS)
            say(out, name, attempt(name))
            signal.alarm(0)
            import_below(name, below, out)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if status:
            say(out, name, f"its process ended with status {status}")


def attempt(name: str) -> str:
    """Import a module; return why that fails, or nothing."""
    try:
        importlib.import_module(name)
    except BaseException as error:  # noqa: BLE001 # modules may exit
        return f"{type(error).__name__}: {error}"
    return ""


def say(out: int, name: str, reason: str) -> None:
    os.write(out, (json.dumps([name, reason[:500]]) + "\n").encode())


def said_by_metadata(directory: str) -> dict[str, Any]:
    """Return everything that importlib.metadata says of the distributions in a directory."""
    distributions = {}
    for one in metadata.distributions(path=[directory]):
        files = one.files
        distributions[one.metadata["Name"].lower()] = {
            "version": one.version,
            "requires": one.requires,
            "metadata": {key: one.metadata.get_all(key) for key in sorted(set(one.metadata))},
            "entry_points": sorted([point.group, point.name, point.value] for point in one.entry_points),
            "top_level": one.read_text("top_level.txt"),
            "files": None if files is None else {str(file): fault_of(file) for file in files},
            "absent": absent_of(directory, one.read_text("RECORD")),
        }
    owners = {name: sorted(set(owned)) for name, owned in metadata.packages_distributions().items()}
    return {"distributions": distributions, "packages_distributions": owners}


def absent_of(directory: str, record: str | None) -> list[str]:
    """Return the files of a RECORD that are not there; `files` leaves them out from Python 3.12 on."""
    names = [row[0] for row in csv.reader((record or "").splitlines()) if row]
    return [name for name in names if not os.path.exists(os.path.join(directory, name))]  # noqa: PTH110, PTH118


def fault_of(file: metadata.PackagePath) -> str | None:
    """Say in which way a file is not what its RECORD says."""
    path = str(file.locate())
    if not os.path.isfile(path):  # noqa: PTH113 # the path of whatever class this version has
        return "is not there"
    if file.hash is None:
        return None
    with open(path, "rb") as opened:  # noqa: PTH123 # the same
        content = opened.read()
    digest = base64.urlsafe_b64encode(hashlib.new(file.hash.mode, content).digest()).decode().rstrip("=")
    return None if (digest, len(content)) == (file.hash.value, file.size) else "has another hash or size"


if __name__ == "__main__":
    main()
