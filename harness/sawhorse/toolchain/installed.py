"""Make the environments that this project needs: the harness, the local AWS, linters, what builds wheels.

Needs the standard library alone.
"""

from __future__ import annotations

import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from sawhorse.errors import MissingTool
from sawhorse.toolchain.interpreters import FUNCTIONS_PYTHON, find_python
from sawhorse.toolchain.machine import Machine, python_of, run, say
from sawhorse.toolchain.python_environments import LOCKS, PIP_INSTALL, ensure_up_to_date, ensure_uv, make_environment


def ensure_harness(project: Path) -> Path:
    """Make `.venv` from locks/harness.txt and return it."""
    environment = project / ".venv"
    locks = [LOCKS / "harness.txt", project / "pyproject.toml"]

    def install() -> None:
        uv = ensure_uv(project)
        say("Setting up the harness: .venv from locks/harness.txt.")
        run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, environment])
        python = python_of(environment)
        # Where Python may not write bytecode, every command would compile all that it imports.
        compiled = ["--compile-bytecode"] if sys.dont_write_bytecode else []
        run([uv, *PIP_INSTALL, *compiled, "--python", python, "-r", locks[0]])
        run([uv, "pip", "install", "--quiet", "--python", python, "--no-deps", "--no-build-isolation", "-e", project])

    ensure_up_to_date(project, environment, locks, install, extra=sys.version)
    return environment


def ensure_checkov(project: Path) -> Path:
    """Make the environment of checkov, whose pins do not agree with the harness's, and return it."""
    return ensure_tool(project, "checkov", lock="checkov")


def ensure_pip_audit(project: Path) -> Path:
    """Make the environment of pip-audit, whose pins do not agree with the harness's, and return it."""
    return ensure_tool(project, "pip-audit", lock="audit")


def ensure_tool(project: Path, name: str, *, lock: str) -> Path:
    """Make an environment of a tool's own from requirements/<lock>.txt, and return it."""
    environment = project / ".sawhorse/tools" / lock
    requirements = LOCKS / f"{lock}.txt"

    def install() -> None:
        say(f"Setting up {name} from locks/{lock}.txt.")
        make_environment(project, environment, requirements, python=Path(sys.executable))

    ensure_up_to_date(project, environment, [requirements], install, extra=sys.version)
    return environment


@dataclass(frozen=True)
class Emulators:
    """The environments of the local AWS.

    `runtime` is what functions run under, so it holds nothing that Lambda has not. MiniStack's own libraries are kept
    aside in `ministack`, a plain directory that only the emulator's process imports from; moto has its own environment.
    """

    runtime: Path
    ministack: Path
    moto: Path

    @property
    def python_version(self) -> str:
        """The minor version that functions run under here, such as `3.13`."""
        config = (self.runtime / "pyvenv.cfg").read_text()
        found = re.search(r"^version_info = (\d+\.\d+)", config, re.MULTILINE)
        if found is None:
            raise MissingTool(f'{self.runtime} is not an environment of Python; delete it and run "make setup".')
        return found[1]


def ensure_emulators(project: Path, machine: Machine | None = None) -> Emulators:
    """Make the environments of the local AWS from their locks and return them."""
    home = project / ".sawhorse/emulators"
    emulators = Emulators(runtime=home / "runtime", ministack=home / "ministack", moto=home / "moto")
    runtime, ministack, moto = (LOCKS / f"{name}.txt" for name in ("runtime", "ministack", "moto"))

    def install_runtime() -> None:
        python = find_python(FUNCTIONS_PYTHON, project, machine or Machine.this())
        say("Setting up the functions' runtime from locks/runtime.txt.")
        make_environment(project, emulators.runtime, runtime, python=python)

    def install_ministack() -> None:
        say("Setting up MiniStack from locks/ministack.txt.")
        shutil.rmtree(emulators.ministack, ignore_errors=True)
        uv, python = ensure_uv(project), python_of(emulators.runtime)
        run([uv, *PIP_INSTALL, "--python", python, "--target", emulators.ministack, "-r", ministack])

    def install_moto() -> None:
        say("Setting up moto from locks/moto.txt.")
        make_environment(project, emulators.moto, moto, python=python_of(emulators.runtime))

    ensure_up_to_date(project, emulators.runtime, [runtime], install_runtime)
    ensure_up_to_date(project, emulators.ministack, [ministack], install_ministack, extra=emulators.python_version)
    ensure_up_to_date(project, emulators.moto, [moto], install_moto, extra=emulators.python_version)
    return emulators


def ensure_build_environment(project: Path, version: str, python: Path) -> Path:
    """Make the environment in which wheels are built under one minor version of Python, and return it."""
    environment = project / f".sawhorse/tools/build-{version}"
    lock = LOCKS / "build.txt"

    def install() -> None:
        say(f"Setting up what builds wheels under Python {version} from locks/build.txt.")
        make_environment(project, environment, lock, python=python)

    ensure_up_to_date(project, environment, [lock], install, extra=str(python))
    return environment
