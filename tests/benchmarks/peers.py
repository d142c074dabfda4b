"""Install what is measured against, aside in `.sawhorse/bench`, from locks of their own."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from sawhorse.errors import MissingTool
from sawhorse.toolchain import interpreters, python_environments
from sawhorse.toolchain.machine import Machine, python_of, run, run_tool, say

DISTRIBUTIONS = {
    "sam": ("aws-sam-cli", "aws-lambda-builders"),
    "chalice": ("chalice",),
    "functions": ("awslambdaric", "boto3", "botocore"),
}


@dataclass(frozen=True)
class Peers:
    """Programs that are measured with and against.

    `python` is the interpreter of the functions' minor version. `pip` is the pip of the harness's own Python and
    `functions_pip` the one of the functions' Python. `functions` is an environment with what Lambda's runtime has.
    """

    sam: Path
    chalice: Path
    functions: Path
    uv: Path
    python: Path
    pip: Path
    functions_pip: Path

    def versions(self) -> dict[str, str]:
        """Return the version of every distribution that is measured with or against."""
        found = {
            name: version_in(environment, name)
            for environment, key in ((self.sam, "sam"), (self.chalice, "chalice"), (self.functions, "functions"))
            for name in DISTRIBUTIONS[key]
        }
        return found | {
            "uv": version_in(self.uv.parent.parent, "uv"),
            "pip": version_in(self.pip, "pip"),
            f"pip of Python {interpreters.FUNCTIONS_PYTHON}": version_in(self.functions_pip, "pip"),
        }


def version_in(environment: Path, name: str) -> str:
    """Return the version of a distribution in an environment, or a dash when it is not there."""
    places = [str(place) for place in environment.glob("lib/python*/site-packages")]
    found = next(iter(metadata.distributions(name=name, path=places)), None)
    return found.version if found else "-"


def ensure_peers(project: Path) -> Peers:
    """Make the peers' environments from their locks, with bytecode as pip would leave it, and return them."""
    uv = python_environments.ensure_uv(project)
    python = interpreters.find_python(interpreters.FUNCTIONS_PYTHON, project, Machine.this())
    if interpreters.python_version(python) != interpreters.FUNCTIONS_PYTHON:
        raise MissingTool(
            f"The benchmarks start functions under Python {interpreters.FUNCTIONS_PYTHON}, which is not on this "
            "machine and could not be fetched; install it and put it on PATH."
        )
    return Peers(
        sam=ensure(project, "sam", python),
        chalice=ensure(project, "chalice", python),
        functions=ensure(project, "functions", python),
        uv=uv,
        python=python,
        pip=ensure_pip(project, "pip", Path(sys.executable)),
        functions_pip=ensure_pip(project, "pip_functions", python),
    )


def ensure(project: Path, name: str, python: Path) -> Path:
    """Make one peer's environment from `tests/benchmarks/locks/<name>.txt`."""
    environment = project / ".sawhorse/bench" / name
    lock = project / f"tests/benchmarks/locks/{name}.txt"

    def install() -> None:
        say(f"Setting up {', '.join(DISTRIBUTIONS[name])} from {lock.relative_to(project)}.")
        python_environments.make_environment(project, environment, lock, python=python)
        # uv leaves bytecode out and pip does not; files that are templates of programs cannot be compiled.
        for place in environment.glob("lib/python*/site-packages"):
            run_tool([python_of(environment), "-m", "compileall", "-q", place])

    python_environments.ensure_up_to_date(project, environment, [lock], install, extra=f"{python} with bytecode")
    return environment


def ensure_pip(project: Path, name: str, python: Path) -> Path:
    """Make an environment with the pip that a Python brings along."""
    environment = project / ".sawhorse/bench" / name

    def install() -> None:
        shutil.rmtree(environment, ignore_errors=True)
        run([python, "-m", "venv", environment])

    python_environments.ensure_up_to_date(
        project, environment, [], install, extra=f"{python} {interpreters.python_version(python)}"
    )
    return environment


def compile_harness(project: Path) -> None:
    """Give a checkout's environment bytecode, as its first runs would: some shells forbid Python to write any."""
    environment = project / ".venv"
    for place in [*environment.glob("lib/python*/site-packages"), project / "harness"]:
        run_tool([python_of(environment), "-m", "compileall", "-q", place])
