"""Find the lock of an app's dependencies: requirements/<app>.txt, or the uv.lock beside a pyproject.toml of its own."""

from __future__ import annotations

import os
import re
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote

from harness import bootstrap
from harness.errors import BuildFailed, UnknownName
from harness.files import write_shared
from harness.layout import Project, one_of
from harness.package.declared import PYPROJECT, UV_LOCK, declared_in
from harness.package.state import lock_digest, lock_inputs

# A path in a line that uv wrote: `./x`, `../x`, `/x`, `file:///x`, with `-e` or a name before it.
LOCAL = re.compile(r"^(?P<editable>-e )?([A-Za-z0-9._-]+(\[[^]]*\])? @ )?(?P<path>(file:|\.{1,2}/|/)\S+)", re.MULTILINE)
LOCK_AGAIN = "run make lock again"


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
    requirements, own = project.requirements / f"{app}.txt", project.lambda_path / app / UV_LOCK
    refuse_two(project, [path for path in (requirements, own) if project.shown(path) in inputs])
    digest = lock_digest(inputs)
    if project.shown(requirements) in inputs:
        return FoundLock(requirements, inputs[project.shown(requirements)], project.path, digest)
    uv_locks = [path for path in uv_locks_of(project, app) if project.shown(path) in inputs]
    if uv_locks:
        return FoundLock(uv_locks[0], exported(project, app, uv_locks[0]), uv_locks[0].parent, digest)
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
        f'requirements/{app}.txt does not exist; write requirements/{app}.in and run "make lock APP={app}".'
    )


def exported(project: Project, app: str, uv_lock: Path) -> bytes:
    """Return what a uv.lock pins for an app, as requirements. Raises BuildFailed where it fits no pyproject.toml."""
    shown = project.shown(uv_lock)
    directory = project.lambda_path / app
    refuse_missing_pyproject(project, uv_lock)
    command: list[str | Path] = [bootstrap.ensure_uv(project.path), "export", "--quiet", "--locked", "--no-dev"]
    command += ["--no-emit-project", "--no-annotate", "--no-header", "--format", "requirements.txt"]
    # Offline first: a lock that fits needs no index.
    for options in (["--offline"], []):
        result = bootstrap.run_tool([*command, *options], directory=directory)
        if result.returncode == 0:
            return result.stdout.encode()
        if "needs to be updated" in result.stderr:
            raise BuildFailed(f'{shown} does not fit the pyproject.toml of {app}; run "uv lock" in lambda/{app}.')
        if "Unable to find lockfile" in result.stderr:
            # The one further up is not of a workspace with this app.
            raise no_lock(project, app)
    raise BuildFailed(unanswered(f"{shown} could not be read", result.stderr))


def refuse_missing_pyproject(project: Project, uv_lock: Path) -> None:
    if not (uv_lock.parent / PYPROJECT).is_file():
        raise BuildFailed(f"{project.shown(uv_lock)} has no {PYPROJECT} beside it; put it there, or remove the lock.")


def unanswered(failed: str, words: str, advice: str | None = None) -> str:
    """Say why an index did not give what was wanted."""
    from harness.package.archives import refusal_of_index  # noqa: PLC0415 # most locks are read without asking

    return refusal_of_index(failed, words, advice) if advice else refusal_of_index(failed, words)


def make_lock(project: Project, name: str, *, upgrade: bool, constraints: Sequence[Path] = ()) -> Path:
    """Resolve requirements/<name>.in, or an app's pyproject.toml, and write the lock with its hashes.

    With `upgrade` every version may change, else only what has to. A lock that a build would refuse is not written.
    Raises BuildFailed.
    """
    from harness.package.requirements import check_source  # noqa: PLC0415 # heavy, and only here

    written, lock = project.requirements / f"{name}.in", project.requirements / f"{name}.txt"
    declared, uv_lock = project.lambda_path / name / PYPROJECT, project.lambda_path / name / UV_LOCK
    refuse_two(project, [path for path in (lock, uv_lock) if path.is_file()])
    if uv_lock.is_file():
        return relock(project, name, uv_lock, upgrade=upgrade)
    source = written if written.is_file() or not declared.is_file() else declared
    if not source.is_file():
        there = sorted(path.stem for path in project.requirements.glob("*.in"))
        raise UnknownName(f"There is no requirements/{name}.in; write it, or choose {one_of(there)}.")
    if source == written:
        check_source(source, project.shown(source), project.path, declared_in(str(project.path), name))
    else:
        check_pyproject(project, source)
    directory_of_uv = project.path if source == written else source.parent
    with tempfile.TemporaryDirectory(prefix="sawhorse-") as directory:
        made = Path(directory) / lock.name
        if lock.is_file() and not upgrade:
            # uv keeps the versions that stand in the file it writes to.
            made.write_bytes(lock.read_bytes())
        command: list[str | Path] = [bootstrap.ensure_uv(project.path), "pip", "compile", "--quiet", "--universal"]
        command += ["--python-version", "3.11", "--generate-hashes", "--no-emit-index-url", "--no-annotate"]
        # Else uv looks for a Python 3.11, also in the network.
        command += ["--python", sys.executable]
        command += ["--custom-compile-command", "make lock", "--output-file", made]
        command += [os.path.relpath(source, directory_of_uv)]
        command += [word for path in constraints for word in ("-c", path)]
        result = bootstrap.run_tool([*command, *(["--upgrade"] if upgrade else [])], directory=directory_of_uv)
        if result.returncode != 0:
            failed = f"{project.shown(source)} could not be locked"
            raise BuildFailed(unanswered(failed, result.stderr, LOCK_AGAIN))
        content = portable(made.read_bytes().decode(), project.path, source).encode()
    refuse_unbuildable(project, name, content, lock, project.path)
    write_shared(lock, content)
    return lock


def check_pyproject(project: Project, path: Path) -> None:
    """Refuse a pyproject.toml that says nothing of dependencies, of which uv makes an empty lock."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BuildFailed(f"{project.shown(path)} is not valid TOML ({error}); correct that line.") from error
    if not isinstance(content.get("project"), dict):
        raise BuildFailed(
            f"{project.shown(path)} has no [project] whose dependencies could be locked; add it, or write "
            f"requirements/{path.parent.name}.in."
        )


def portable(content: str, top: Path, source: Path) -> str:
    """Write the paths of a lock as they are seen from the top of the project.

    uv writes those of a pyproject.toml as that file has them, and the members of a workspace with this machine's path.
    """
    seen_from = source.parent if source.name == PYPROJECT else top

    def replace(found: re.Match[str]) -> str:
        quoted = found["path"].removeprefix("file://").removeprefix("file:")
        path = Path(os.path.normpath(seen_from / unquote(quoted)))
        is_inside = path.is_relative_to(top) and path.exists()
        if not is_inside and (seen_from == top or quoted.startswith("/")):
            return found[0]
        shown = quote(os.path.relpath(path, top))
        return f"{found['editable'] or ''}{shown if shown.startswith('.') else f'./{shown}'}"

    return LOCAL.sub(replace, content)


def refuse_unbuildable(project: Project, name: str, content: bytes, lock: Path, base: Path) -> None:
    """Refuse to write a lock of which no build could install every line."""
    from harness.package.requirements import read_lock  # noqa: PLC0415 # heavy, and only here

    numbered = lock.suffix == ".txt"
    declared = declared_in(str(project.path), name)
    read = read_lock(content, project.shown(lock), base, None, declared=declared, numbered=numbered)
    if read.trees:
        from harness.package.wheel_build import check_build_system  # noqa: PLC0415 # few locks name directories

        for tree in read.trees:
            check_build_system(project, tree)


def relock(project: Project, app: str, uv_lock: Path, *, upgrade: bool) -> Path:
    """Have uv bring a uv.lock up to date with the pyproject.toml beside it; one that is refused is as it was."""
    refuse_missing_pyproject(project, uv_lock)
    before = uv_lock.read_bytes()
    command: list[str | Path] = [bootstrap.ensure_uv(project.path), "lock", "--quiet"]
    result = bootstrap.run_tool([*command, *(["--upgrade"] if upgrade else [])], directory=uv_lock.parent)
    if result.returncode != 0:
        failed = f"{project.shown(uv_lock)} could not be locked"
        raise BuildFailed(unanswered(failed, result.stderr, LOCK_AGAIN))
    try:
        refuse_unbuildable(project, app, exported(project, app, uv_lock), uv_lock, uv_lock.parent)
    except BaseException:
        write_shared(uv_lock, before)
        raise
    return uv_lock
