"""Packages laid out as Lambda does, and looked at: what importing them does, and whose bytecode they hold."""

from __future__ import annotations

import marshal
import os
import subprocess
import zipfile
from collections.abc import Sequence
from pathlib import Path

from sawhorse.build.bytecode_client import bytecode_name
from sawhorse.build.config import IN_RUNTIME, read_config
from sawhorse.project import Project
from sawhorse.toolchain import installed
from tests.projects import REPOSITORY

UNCHECKED_HASH = 1
# Imports every module of the app and of `shared` under an audit hook, and tells what was compiled or opened to write
# (https://docs.python.org/3/library/audit_events.html).
IMPORT_ALL = """
import os, sys
package, app, *provided = sys.argv[1:]
seen = []
watching = True
def hook(event, arguments):
    global watching
    if event not in ("compile", "open") or not watching:
        return
    # Asking for the frame is an event, too.
    watching = False
    if event == "compile":
        # A library may parse its own source, as anyio does for its lazy imports; only the import system's counts.
        by_import = sys._getframe(1).f_code.co_filename.startswith("<frozen importlib")
        if by_import and str(arguments[1]).startswith(package):
            seen.append(f"compiled {arguments[1]}")
    elif set(str(arguments[1] or "r")) & set("wax+") or arguments[2] & (os.O_WRONLY | os.O_RDWR):
        if str(arguments[0]).startswith(tuple(provided)):
            # Whether the runtime has bytecode is its own affair; in Lambda nobody can write there either.
            watching = True
            raise PermissionError
        seen.append(f"opened {arguments[0]} for writing")
    watching = True
sys.path[:0] = [package, *provided]
import importlib, pkgutil
sys.addaudithook(hook)
for part in (app, "shared"):
    for found in pkgutil.walk_packages([os.path.join(package, part)], f"{part}."):
        if found.name.rpartition(".")[2] not in ("main", "worker_main"):
            importlib.import_module(found.name)
ours = [m for m in list(sys.modules.values()) if (getattr(m, "__file__", None) or "").startswith(package)]
assert len(ours) > 20, ours
for module in ours:
    if module.__file__.endswith(".py"):
        assert module.__spec__.cached and os.path.isfile(module.__spec__.cached), module
print(*seen, sep="\\n")
"""


def extracted(package: str, directory: Path) -> Path:
    """Lay a package out as Lambda does, where nobody may write."""
    with zipfile.ZipFile(package) as archive:
        archive.extractall(directory)
    for path in [directory, *directory.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    return directory


def runtime_of(project: Project, app: str, directory: Path) -> list[Path]:
    """Link exactly what package.toml leaves to Lambda's runtime: what else the package lacks is not found there."""
    provided = read_config(project, app).provided
    if not provided:
        return []
    [runtime] = installed.ensure_emulators(REPOSITORY).runtime.glob("lib/python*/site-packages")
    directory.mkdir()
    for name in provided:
        [found] = [*runtime.glob(IN_RUNTIME[name]), *runtime.glob(f"{IN_RUNTIME[name]}.py")]
        (directory / found.name).symlink_to(found)
    return [directory]


def imported(python: Path, place: Path, app: str, runtime: Sequence[Path]) -> subprocess.CompletedProcess[str]:
    """Import all modules of an extracted package, with what the runtime brings behind it."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "AWS"))}
    environment |= {"AWS_DEFAULT_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none"}
    command: list[str | Path] = [python, "-S", "-c", IMPORT_ALL, place, app, *runtime]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def writable(place: Path) -> None:
    """Let a directory be removed again."""
    for path in [place, *place.rglob("*")]:
        if path.is_dir():
            path.chmod(0o755)


def assert_imports_alone(project: Project, app: str, package: str, python: Path, directory: Path) -> None:
    """Fail unless all modules of a package are imported without anything being compiled or written."""
    place = extracted(package, directory / "task")

    ended = imported(python, place, app, runtime_of(project, app, directory / "runtime"))

    assert ended.returncode == 0, ended.stderr[-2000:]
    assert ended.stdout.split() == []
    writable(place)


def assert_bytecode_of_every_source(package: str, python: Path) -> None:
    """Fail unless every module has bytecode of its own source, under a name of the package."""
    with zipfile.ZipFile(package) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    check = (
        "import sys, importlib.util as u, marshal; "
        "[print(n, u.MAGIC_NUMBER.hex(), u.source_hash(s).hex()) for n, s in marshal.loads(sys.stdin.buffer.read())]"
    )
    sources = [(name, content) for name, content in contents.items() if name.endswith(".py")]
    said = subprocess.run(
        [python, "-c", check], input=marshal.dumps(sources, 2), capture_output=True, check=True
    ).stdout

    for line in said.decode().splitlines():
        name, magic, source_hash = line.split()
        bytecode = contents[bytecode_name(name, "3.13")]
        flags = int.from_bytes(bytecode[4:8], "little")
        assert (bytecode[:4].hex(), flags, bytecode[8:16].hex()) == (magic, UNCHECKED_HASH, source_hash)
        assert f"{name}".encode() in bytecode
    assert len(said.splitlines()) == len(sources) > 500
