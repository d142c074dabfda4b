"""Find an interpreter of a minor version of Python, or fetch it with uv.

Needs the standard library alone.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from sawhorse.toolchain.machine import Machine, run_tool, say
from sawhorse.toolchain.python_environments import ensure_uv

# The minor version that functions run under where package.toml names no other.
FUNCTIONS_PYTHON = "3.13"


def find_python(version: str, project: Path, machine: Machine) -> Path:
    """Find an interpreter of this minor version, fetch it with uv, or fall back on the one that runs this.

    Functions then run locally under that one, and local packages are built for it.
    """
    found = exact_python(version, project, machine)
    if found:
        return found
    own = f"{sys.version_info.major}.{sys.version_info.minor}"
    say(
        f"Python {version} could not be fetched. On the local AWS functions will run under Python {own}, "
        "with packages built for it."
    )
    return Path(sys.executable)


def exact_python(version: str, project: Path, machine: Machine | None = None) -> Path | None:
    """Find an interpreter of this minor version, or fetch it with uv; None when neither is possible."""
    for candidate in python_candidates(version, machine or Machine.this()):
        if python_version(candidate) == version:
            return resolve_shim(candidate)
    uv = ensure_uv(project)
    below_checkout = {"UV_PYTHON_INSTALL_DIR": str(project / ".sawhorse/tools/python")}
    found = run_tool([uv, "python", "find", "--no-project", version], below_checkout)
    if found.returncode != 0:
        say(f"Python {version} is not on this machine; fetching it with uv.")
        run_tool([uv, "python", "install", "--quiet", "--no-bin", version], below_checkout)
        found = run_tool([uv, "python", "find", "--no-project", version], below_checkout)
    return Path(found.stdout.strip()) if found.returncode == 0 else None


def python_candidates(version: str, machine: Machine) -> list[Path]:
    """Places where interpreters usually are: PATH, then those that pyenv keeps beside its shims."""
    on_path = machine.which(f"python{version}")
    pyenv = Path(machine.environ.get("PYENV_ROOT", machine.home / ".pyenv"))
    kept = sorted(pyenv.glob(f"versions/{version}.*/bin/python{version}"), reverse=True)
    return [*([on_path] if on_path else []), *kept]


def python_version(interpreter: Path) -> str | None:
    """Ask an interpreter for its minor version; None when it does not run (a shim without its version, say)."""
    question = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        result = subprocess.run(
            [str(interpreter), "-c", question], capture_output=True, text=True, check=False, timeout=20
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return result.stdout.strip() if result.returncode == 0 else None


def resolve_shim(interpreter: Path) -> Path:
    """Return the program that a version manager's shim starts, which starts ten times faster."""
    if interpreter.parent.name != "shims":
        return interpreter
    question = [str(interpreter), "-c", "import sys; print(sys.executable)"]
    return Path(subprocess.run(question, capture_output=True, text=True, check=True).stdout.strip())
