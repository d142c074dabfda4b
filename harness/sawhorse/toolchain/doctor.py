"""Examine a machine: what the harness needs, where it found it, and how to get what is missing."""

from __future__ import annotations

import platform
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass

from sawhorse.errors import SawhorseError
from sawhorse.project import Project
from sawhorse.toolchain import interpreters, terraform_install
from sawhorse.toolchain.machine import Machine

# Emulators, provider and caches together take about this much (bytes).
ROOM = 3 * 1024**3


@dataclass(frozen=True)
class Finding:
    """One thing that the harness needs: whether it is there, what was found, and what to do when it is not."""

    name: str
    ok: bool
    found: str
    advice: str = ""


def examine(project: Project) -> list[Finding]:
    """Look at everything and install nothing."""
    machine = Machine.this()
    return [
        python(),
        program("git", "Install git.", machine),
        program("make", "Install make.", machine),
        terraform(project, machine),
        provider(machine),
        functions_python(project, machine),
        emulators(project),
        room(project),
    ]


def python() -> Finding:
    return Finding(
        "Python", sys.version_info >= (3, 11), f"{platform.python_version()} at {sys.executable}", "Use 3.11 or newer."
    )


def program(name: str, advice: str, machine: Machine) -> Finding:
    found = machine.which(name)
    return Finding(name, found is not None, str(found or "Not on PATH."), advice)


def terraform(project: Project, machine: Machine) -> Finding:
    on_path = terraform_install.terraform_on_path(machine)
    version = terraform_install.terraform_version(on_path) if on_path else None
    if on_path and version and version >= terraform_install.TERRAFORM_MINIMUM:
        return Finding("Terraform", True, f"{version[0]}.{version[1]} at {on_path}")
    fetched = project.private / f"tools/terraform-{terraform_install.TERRAFORM_VERSION}/terraform"
    if fetched.is_file():
        return Finding("Terraform", True, f"{terraform_install.TERRAFORM_VERSION} at {fetched}")
    return Finding(
        "Terraform",
        False,
        "Not on PATH, or older than 1.11.",
        f'Run ".venv/bin/python -m sawhorse.toolchain.setup terraform" to fetch {terraform_install.TERRAFORM_VERSION}, '
        "or install it.",
    )


def provider(machine: Machine) -> Finding:
    def look() -> str:
        mirror = terraform_install.provider_mirror(machine)
        return f"From the mirror {mirror}." if mirror else "From the registry, when Terraform needs it."

    return attempt("AWS provider", look)


def functions_python(project: Project, machine: Machine) -> Finding:
    """The local AWS runs functions under the runtime's own minor version, or under the harness's with a warning."""
    wanted = interpreters.FUNCTIONS_PYTHON
    for candidate in interpreters.python_candidates(wanted, machine):
        if interpreters.python_version(candidate) == wanted:
            return Finding("Functions' Python", True, f"{wanted} at {candidate}")
    made = project.private / "emulators/runtime/pyvenv.cfg"
    found = "uv fetches it, else functions run under the harness's version locally."
    return Finding(
        "Functions' Python", True, f"{wanted} is not here; {found}" if not made.is_file() else f"made: {made.parent}"
    )


def emulators(project: Project) -> Finding:
    made = (project.private / "emulators/ministack/.sawhorse-stamp").is_file()
    return Finding("Emulators", True, "Installed." if made else 'Not installed yet; "sawhorse local up" does it.')


def room(project: Project) -> Finding:
    free = shutil.disk_usage(project.path).free
    return Finding("Disk", free >= ROOM, f"{free / 1024**3:.1f} GiB free.", f"Make room for {ROOM / 1024**3:.0f} GiB.")


def attempt(name: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(name, True, look())
    except SawhorseError as error:
        return Finding(name, False, str(error))
