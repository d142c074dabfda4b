"""Find the lock of an app's dependencies: requirements/<app>.txt, or the uv.lock beside a pyproject.toml of its own."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness import bootstrap
from harness.errors import BuildFailed, UnknownName
from harness.files import write_atomically
from harness.layout import Project, one_of
from harness.package.archives import refusal_of_index
from harness.package.state import lock_digest, lock_inputs

UV_LOCK = "uv.lock"
PYPROJECT = "pyproject.toml"


@dataclass(frozen=True)
class FoundLock:
    """An app's lock: its file, its lines as a requirements file has them, and what paths in it are relative to.

    `digest` stands for the files that it was read from.
    """

    path: Path
    content: bytes
    base: Path
    digest: bytes


def find_lock(project: Project, app: str) -> FoundLock:
    """Find the lock that a build of an app reads. Raises BuildFailed where there is none, or more than one."""
    inputs = lock_inputs(str(project.path), app)
    requirements, uv_lock = project.requirements / f"{app}.txt", project.lambda_path / app / UV_LOCK
    names = {name.rpartition("/")[2] for name in inputs}
    if requirements.name in names and UV_LOCK in names:
        raise BuildFailed(
            f"{app} has two locks, {project.shown(requirements)} and {project.shown(uv_lock)}; remove one of them."
        )
    digest = lock_digest(inputs)
    if requirements.name in names:
        return FoundLock(requirements, inputs[project.shown(requirements)], project.path, digest)
    if UV_LOCK in names:
        return FoundLock(uv_lock, exported(project, uv_lock), uv_lock.parent, digest)
    if (project.lambda_path / app / PYPROJECT).is_file():
        raise BuildFailed(
            f'lambda/{app}/{PYPROJECT} has no lock; run "make lock APP={app}", or "uv lock" in lambda/{app}.'
        )
    raise BuildFailed(
        f'requirements/{app}.txt does not exist; write requirements/{app}.in and run "make lock APP={app}".'
    )


def exported(project: Project, uv_lock: Path) -> bytes:
    """Return what a uv.lock pins, as requirements. Raises BuildFailed for one that does not fit its pyproject.toml."""
    shown = project.shown(uv_lock)
    if not (uv_lock.parent / PYPROJECT).is_file():
        raise BuildFailed(f"{shown} has no {PYPROJECT} beside it; put it there, or remove the lock.")
    command: list[str | Path] = [bootstrap.ensure_uv(project.path), "export", "--quiet", "--locked", "--no-dev"]
    command += ["--no-emit-project", "--no-annotate", "--no-header", "--format", "requirements.txt"]
    # Offline first: a lock that fits needs no index.
    for options in (["--offline"], []):
        result = bootstrap.run_tool([*command, *options], directory=uv_lock.parent)
        if result.returncode == 0:
            return result.stdout.encode()
    if "needs to be updated" in result.stderr:
        raise BuildFailed(f'{shown} does not fit {PYPROJECT} beside it; run "uv lock" in {uv_lock.parent.name}.')
    raise BuildFailed(refusal_of_index(f"{shown} could not be read", result.stderr))


def make_lock(project: Project, name: str, *, upgrade: bool, constraints: Sequence[Path] = ()) -> Path:
    """Resolve requirements/<name>.in, or an app's pyproject.toml, and write the lock with its hashes.

    With `upgrade` every version may change, else only what has to. A lock that a build would refuse is not written.
    Raises BuildFailed.
    """
    from harness.package.requirements import check_source, read_lock  # noqa: PLC0415 # heavy, and only here

    written = project.requirements / f"{name}.in"
    declared = project.lambda_path / name / PYPROJECT
    if (project.lambda_path / name / UV_LOCK).is_file():
        return relock(project, project.lambda_path / name / UV_LOCK, upgrade=upgrade)
    source = written if written.is_file() or not declared.is_file() else declared
    if not source.is_file():
        there = sorted(path.stem for path in project.requirements.glob("*.in"))
        raise UnknownName(f"There is no requirements/{name}.in; write it, or choose {one_of(there)}.")
    if source == written:
        check_source(source, project.shown(source), project.path)
    lock = project.requirements / f"{name}.txt"
    with tempfile.TemporaryDirectory(prefix="sawhorse-") as directory:
        made = Path(directory) / lock.name
        if lock.is_file() and not upgrade:
            # uv keeps the versions that stand in the file it writes to.
            made.write_bytes(lock.read_bytes())
        command: list[str | Path] = [bootstrap.ensure_uv(project.path), "pip", "compile", "--quiet", "--universal"]
        command += ["--python-version", "3.11", "--generate-hashes", "--no-emit-index-url", "--no-annotate"]
        command += ["--custom-compile-command", "make lock", "--output-file", made, source.relative_to(project.path)]
        command += [word for path in constraints for word in ("-c", path)]
        result = bootstrap.run_tool([*command, *(["--upgrade"] if upgrade else [])], directory=project.path)
        if result.returncode != 0:
            raise BuildFailed(refusal_of_index(f"{project.shown(source)} could not be locked", result.stderr))
        content = made.read_bytes()
    read_lock(content, project.shown(lock), project.path, None)
    write_atomically(lock, content)
    return lock


def relock(project: Project, uv_lock: Path, *, upgrade: bool) -> Path:
    """Have uv bring a uv.lock up to date with the pyproject.toml beside it."""
    command: list[str | Path] = [bootstrap.ensure_uv(project.path), "lock", "--quiet"]
    result = bootstrap.run_tool([*command, *(["--upgrade"] if upgrade else [])], directory=uv_lock.parent)
    if result.returncode != 0:
        raise BuildFailed(refusal_of_index(f"{project.shown(uv_lock)} could not be locked", result.stderr))
    return uv_lock
