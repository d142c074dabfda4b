"""Make environments of Python from locks with hashes, each once, with the uv that a lock pins.

Needs the standard library alone.
"""

from __future__ import annotations

import hashlib
import shutil
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from sawhorse.errors import MissingTool
from sawhorse.files import locked, write_shared
from sawhorse.toolchain.machine import python_of, run, say
from sawhorse.trusted_files import own_private

PIP_INSTALL = ("pip", "install", "--quiet", "--require-hashes")
# What is wanted (.in) and what is locked with hashes (.txt): of the harness, of tools and of the emulators.
LOCKS = Path(__file__).resolve().parent / "locks"


def ensure_up_to_date(
    project: Path, made: Path, locks: Iterable[Path], install: Callable[[], None], *, extra: str = ""
) -> None:
    """Call `install` unless `made` was made from these very locks; a half-made one counts as not made.

    Of several processes at once one installs and the others wait.
    """
    # Programs in an environment name its path, so one that was moved is made anew.
    digest = hashlib.sha256(f"{made.parent.resolve() / made.name} {extra}".encode())
    private = project / ".sawhorse"
    if made.is_relative_to(private):
        own_private(project, *made.relative_to(private).parts)
    for lock in locks:
        if not lock.is_file():
            raise MissingTool(f"{lock} does not exist; run this from a whole checkout of the project.")
        digest.update(lock.read_bytes())
    stamp = made / ".sawhorse-stamp"
    if is_stamped(stamp, digest.hexdigest()):
        return
    with locked(lock_of(made, project)):
        if is_stamped(stamp, digest.hexdigest()):
            return
        stamp.unlink(missing_ok=True)
        install()
        write_shared(stamp, digest.hexdigest())


def lock_of(made: Path, project: Path) -> Path:
    """Return the lock of what is made: beside it, where several checkouts may link to; that of .venv in .sawhorse."""
    place = project / ".sawhorse" if made.parent == project else made.parent
    return place / f".{made.name.lstrip('.')}.lock"


def is_stamped(stamp: Path, digest: str) -> bool:
    return stamp.is_file() and stamp.read_text() == digest


def ensure_uv(project: Path) -> Path:
    """Install uv from locks/uv.txt with pip and return its path."""
    environment = project / ".sawhorse/tools/uv"
    lock = LOCKS / "uv.txt"

    def install() -> None:
        say("Setting up uv from locks/uv.txt.")
        shutil.rmtree(environment, ignore_errors=True)
        try:
            run([sys.executable, "-m", "venv", environment])
        except MissingTool as error:
            raise MissingTool(
                "This Python cannot make environments. Install its venv module (Debian: apt-get install python3-venv)."
            ) from error
        run([python_of(environment), "-m", *PIP_INSTALL, "--disable-pip-version-check", "-r", lock])

    # uv is a program of its own: whichever Python installed it, it is the same.
    ensure_up_to_date(project, environment, [lock], install)
    return environment / "bin/uv"


def make_environment(project: Path, environment: Path, lock: Path, *, python: Path) -> None:
    uv = ensure_uv(project)
    run([uv, "venv", "--quiet", "--clear", "--python", python, environment])
    run([uv, *PIP_INSTALL, "--python", python_of(environment), "-r", lock])
