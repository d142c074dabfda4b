"""Find the lock of an app's dependencies: its requirements.txt, or the uv.lock beside a pyproject.toml of its own."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sawhorse.build.config import RUNTIMES
from sawhorse.build.index_messages import refusal_of_index, said_by_uv
from sawhorse.build.requirement_files import PYPROJECT, UV_LOCK, lock_digest, lock_inputs
from sawhorse.checkout import TOOL_LOCKS
from sawhorse.errors import BuildFailed
from sawhorse.project import Project
from sawhorse.toolchain import interpreters, python_environments
from sawhorse.toolchain.machine import run_tool

# The lock of the environment in which commands, tests and operations run.
HARNESS = "harness"
HARNESS_LOCK = f"{TOOL_LOCKS[0]}/{HARNESS}.txt"


@dataclass(frozen=True)
class FoundLock:
    """An app's lock: its file, its lines as a requirements file has them, and what paths in it are relative to.

    `digest` stands for the files that it was read from.
    """

    path: Path
    content: bytes
    base: Path
    digest: bytes


def find_lock(project: Project, app: str, python: str, interpreter: Path | None) -> FoundLock:
    """Find the lock that a build of an app reads. Raises BuildFailed where there is none, or more than one.

    `python` is the functions' minor version, `interpreter` one of it.
    """
    refuse_other_python(project, app, python)
    inputs = lock_inputs(str(project.path), app)
    requirements, own = project.lambda_path / app / "requirements.txt", project.lambda_path / app / UV_LOCK
    refuse_two(project, [path for path in (requirements, own) if project.shown(path) in inputs])
    digest = lock_digest(inputs)
    if project.shown(requirements) in inputs:
        return FoundLock(requirements, inputs[project.shown(requirements)], project.path, digest)
    uv_locks = [path for path in uv_locks_of(project, app) if project.shown(path) in inputs]
    if uv_locks:
        return FoundLock(
            uv_locks[0], exported(project, app, uv_locks[0], python, interpreter), uv_locks[0].parent, digest
        )
    raise no_lock(project, app)


def uv_locks_of(project: Project, app: str) -> list[Path]:
    """Return where an app's uv.lock may lie, its own before those of workspaces that it may be a member of."""
    return [directory / UV_LOCK for directory in (project.lambda_path / app, project.lambda_path, project.path)]


def settings_directory(project: Project, app: str) -> Path:
    """Return where uv is run for an app, which looks from there upwards for its settings: [tool.uv] and uv.toml."""
    directory = project.lambda_path / app
    return directory if (directory / PYPROJECT).is_file() else project.path


def refuse_two(project: Project, paths: Sequence[Path]) -> None:
    if len(paths) > 1:
        raise BuildFailed(f"There are two locks, {' and '.join(map(project.shown, paths))}; remove one of them.")


def no_lock(project: Project, app: str) -> BuildFailed:
    declared = project.lambda_path / app / PYPROJECT
    if declared.is_file():
        return BuildFailed(
            f'{project.shown(declared)} has no lock; run "make lock APP={app}", or "uv lock" in lambda/{app}.'
        )
    return BuildFailed(
        f'lambda/{app}/requirements.txt does not exist; write requirements.in beside it and run "make lock APP={app}".'
    )


def python_of(project: Project, app: str) -> str:
    """Return the minor version that an app's functions run under, as far as its package.toml can be read."""
    try:
        content = tomllib.loads((project.lambda_path / app / "package.toml").read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError):
        content = {}
    runtime = content.get("runtime")
    return runtime.removeprefix("python") if runtime in RUNTIMES else interpreters.FUNCTIONS_PYTHON


def refuse_other_python(project: Project, app: str, python: str) -> None:
    """Refuse a pyproject.toml of an app that is not for the Python of its functions. Raises BuildFailed."""
    path = project.lambda_path / app / PYPROJECT
    try:
        declared = tomllib.loads(path.read_text(encoding="utf-8")).get("project")
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError):
        # Where it is of use, it is read again, and refused.
        return
    requires = declared.get("requires-python") if isinstance(declared, dict) else None
    if not isinstance(requires, str):
        return
    from sawhorse.build.environment_markers import may_run  # noqa: PLC0415 # few apps have one

    try:
        runs = may_run(requires, python)
    except ValueError:
        # uv says what is wrong with it.
        return
    if not runs:
        raise BuildFailed(
            f"{project.shown(path)} has requires-python {requires}, and the functions of {app} run under {python}; "
            f"correct it, or runtime in lambda/{app}/package.toml."
        )


def exported(project: Project, app: str, uv_lock: Path, python: str, interpreter: Path | None) -> bytes:
    """Return what a uv.lock pins for an app, as requirements. Raises BuildFailed where it fits no pyproject.toml."""
    shown = project.shown(uv_lock)
    directory = project.lambda_path / app
    refuse_missing_pyproject(project, uv_lock)
    command: list[str | Path] = [
        python_environments.ensure_uv(project.path),
        "export",
        "--quiet",
        "--locked",
        "--no-dev",
    ]
    command += ["--no-emit-project", "--no-annotate", "--no-header", "--format", "requirements.txt"]
    # Else uv looks for one that the lock is for, also in the network.
    command += ["--python", interpreter or sys.executable]
    # Offline first: a lock that fits needs no index.
    for options in (["--offline"], []):
        result = run_tool([*command, *options], directory=directory)
        if result.returncode == 0:
            return result.stdout.encode()
        if "needs to be updated" in result.stderr:
            raise BuildFailed(f'{shown} does not fit the pyproject.toml of {app}; run "uv lock" in lambda/{app}.')
        if "Unable to find lockfile" in result.stderr:
            # The one further up is not of a workspace with this app.
            raise no_lock(project, app)
        refuse_python_of_uv(shown, app, python, result.stderr)
    raise BuildFailed(refusal_of_index(f"{shown} could not be read", result.stderr))


def refuse_python_of_uv(shown: str, app: str, python: str, words: str) -> None:
    """Refuse what uv takes for another Python: of a workspace, every member has a say. Raises BuildFailed."""
    if "incompatible with the project's Python requirement" in words:
        raise BuildFailed(
            f"{shown} is for another Python than {python}, which the functions of {app} run under; correct "
            f"requires-python in the {PYPROJECT} that uv names, or runtime in lambda/{app}/package.toml. "
            f"{said_by_uv(words)}"
        )


def refuse_missing_pyproject(project: Project, uv_lock: Path) -> None:
    if not (uv_lock.parent / PYPROJECT).is_file():
        raise BuildFailed(f"{project.shown(uv_lock)} has no {PYPROJECT} beside it; put it there, or remove the lock.")
