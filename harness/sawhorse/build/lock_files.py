"""Find the lock of an app's dependencies: its requirements.txt, or the uv.lock beside a pyproject.toml of its own."""

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

from sawhorse.build.config import RUNTIMES
from sawhorse.build.packed_names import SHARED
from sawhorse.build.platform import Target
from sawhorse.build.requirement_files import PYPROJECT, UV_LOCK, declared_in, lock_digest, lock_inputs, requirements_of
from sawhorse.checkout import TOOL_LOCKS
from sawhorse.errors import BuildFailed, UnknownName
from sawhorse.files import write_shared
from sawhorse.project import Project, one_of
from sawhorse.toolchain import interpreters, python_environments
from sawhorse.toolchain.machine import run_tool, say

# A path in a line that uv wrote: `./x`, `../x`, `/x`, `file:///x`, with `-e` or a name before it.
LOCAL = re.compile(r"^(?P<editable>-e )?([A-Za-z0-9._-]+(\[[^]]*\])? @ )?(?P<path>(file:|\.{1,2}/|/)\S+)", re.MULTILINE)
LOCK_AGAIN = "run make lock again"
# A line that pins, without its hashes, as uv writes it.
PIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*==\S")
NO_EXTRA = re.compile(r"[Pp]ackage `([A-Za-z0-9._-]+)(?:==)?([^` ]*)[^`]*` does not have an extra named `([^`]+)`")
# The lock of the environment in which commands, tests and operations run.
HARNESS = "harness"
HARNESS_LOCK = f"{TOOL_LOCKS[0]}/{HARNESS}.txt"
# The extras that are asked for, by the canonical names of their distributions and their own.
Extras = set[tuple[str, str]]


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
    raise BuildFailed(unanswered(f"{shown} could not be read", result.stderr))


def refuse_python_of_uv(shown: str, app: str, python: str, words: str) -> None:
    """Refuse what uv takes for another Python: of a workspace, every member has a say. Raises BuildFailed."""
    if "incompatible with the project's Python requirement" in words:
        from sawhorse.build.archive_fetch import said_by_uv  # noqa: PLC0415 # most locks are read without asking

        raise BuildFailed(
            f"{shown} is for another Python than {python}, which the functions of {app} run under; correct "
            f"requires-python in the {PYPROJECT} that uv names, or runtime in lambda/{app}/package.toml. "
            f"{said_by_uv(words)}"
        )


def refuse_missing_pyproject(project: Project, uv_lock: Path) -> None:
    if not (uv_lock.parent / PYPROJECT).is_file():
        raise BuildFailed(f"{project.shown(uv_lock)} has no {PYPROJECT} beside it; put it there, or remove the lock.")


def unanswered(failed: str, words: str, advice: str | None = None) -> str:
    """Say why an index did not give what was wanted."""
    from sawhorse.build.archive_fetch import refusal_of_index  # noqa: PLC0415 # most locks are read without asking

    return refusal_of_index(failed, words, advice) if advice else refusal_of_index(failed, words)


def make_lock(project: Project, name: str, *, upgrade: bool, preferred: Path | None = None) -> Path:
    """Resolve the requirements of an app or a tool, or an app's pyproject.toml, and write the lock with its hashes.

    With `upgrade` every version may change, else only what has to. Where several versions would do, that of the lock
    `preferred` is taken. A lock that a build would refuse is not written. Raises BuildFailed.
    """
    from sawhorse.build.lock_reader import check_source  # noqa: PLC0415 # heavy, and only here

    stem = requirements_of(str(project.path), name)
    written, lock = project.path / f"{stem}.in", project.path / f"{stem}.txt"
    declared, uv_lock = project.lambda_path / name / PYPROJECT, project.lambda_path / name / UV_LOCK
    refuse_two(project, [path for path in (lock, uv_lock) if path.is_file()])
    if name in project.apps:
        refuse_other_python(project, name, python_of(project, name))
    if uv_lock.is_file():
        return relock(project, name, uv_lock, upgrade=upgrade)
    source = written if written.is_file() or not declared.is_file() else declared
    if not source.is_file():
        tools = (path.stem for directory in TOOL_LOCKS for path in (project.path / directory).glob("*.in"))
        choice = one_of(sorted({*tools, *project.apps}))
        raise UnknownName(f"There is no {stem}.in; write it, or choose {choice}.")
    if source == written:
        extras = check_source(source, project.shown(source), project.path, declared_in(str(project.path), name))
    else:
        extras = check_pyproject(project, source)
    sources = [source, *(operated_with(project) if name == HARNESS else [])]
    made = resolved(project, sources, pins_before(lock, preferred, upgrade=upgrade), extras, upgrade=upgrade)
    content = portable(made, project.path, source).encode()
    refuse_unbuildable(project, name, content, lock, project.path)
    write_shared(lock, content)
    return lock


def operated_with(project: Project) -> list[Path]:
    """Return what every app asks for: their tests and their operations run in the harness's environment."""
    directories = [project.lambda_path / name for name in (SHARED, *project.apps)]
    written = [directory / "requirements.in" for directory in directories]
    return [one if one.is_file() else one.with_name(PYPROJECT) for one in written if is_asking(one)]


def is_asking(written: Path) -> bool:
    return written.is_file() or written.with_name(PYPROJECT).is_file()


def pins_before(lock: Path, preferred: Path | None, *, upgrade: bool) -> str:
    """Return the lines whose versions uv keeps where it can: those of a lock, then those of the preferred one."""
    own = lock.read_text() if lock.is_file() and not upgrade else ""
    if preferred is None or not preferred.is_file():
        return own
    # Without its hashes: another index may have other files of the same version.
    lines = (line.removesuffix("\\").rstrip() for line in preferred.read_text().splitlines())
    return "\n".join([own, *(line for line in lines if PIN.match(line))]) + "\n"


def resolved(project: Project, sources: Sequence[Path], before: str, extras: Extras, *, upgrade: bool) -> str:
    """Have uv resolve requirements together, and return the lock that it writes. Raises BuildFailed."""
    source = sources[0]
    directory_of_uv = source.parent if source.name == PYPROJECT else project.path
    with tempfile.TemporaryDirectory(prefix="sawhorse-") as directory:
        made = Path(directory) / "made.txt"
        # uv keeps the versions that stand in the file it writes to.
        made.write_text(before)
        command: list[str | Path] = [python_environments.ensure_uv(project.path), "pip", "compile", "--universal"]
        command += ["--python-version", "3.11", "--generate-hashes", "--no-emit-index-url", "--no-annotate"]
        # Else uv looks for a Python 3.11, also in the network.
        command += ["--python", sys.executable]
        command += ["--custom-compile-command", "make lock", "--output-file", made]
        command += [os.path.relpath(one, directory_of_uv) for one in sources]
        # --upgrade asks the index anew, and would pass over the preferred versions.
        result = run_tool([*command, *(["--upgrade"] if upgrade and not before else [])], directory=directory_of_uv)
        if result.returncode != 0:
            failed = f"{project.shown(source)} could not be locked"
            together = ", with what every app asks for, since their operations run there" if sources[1:] else ""
            raise BuildFailed(unanswered(f"{failed}{together}", result.stderr, LOCK_AGAIN))
        refuse_extras(project.shown(source), extras, result.stderr)
        return made.read_text()


def refuse_extras(shown: str, asked: Extras, words: str) -> None:
    """Refuse an extra that a distribution has not, where it is asked for here, and warn where another one asks."""
    from packaging.utils import canonicalize_name  # noqa: PLC0415 # takes 7 ms, and a build locks nothing

    for name, version, extra in NO_EXTRA.findall(words):
        sentence = f"{shown}: {name}{version and f' {version}'} has no extra {extra}"
        if asked & {(canonicalize_name(name), canonicalize_name(extra)), ("", canonicalize_name(extra))}:
            raise BuildFailed(f"{sentence}, so nothing would come of it; correct the name, or leave it out.")
        say(f"{sentence}, which another distribution asks for; nothing comes of that.")


def check_pyproject(project: Project, path: Path) -> Extras:
    """Refuse a pyproject.toml that says nothing of dependencies, of which uv makes an empty lock.

    Returns the extras that it asks for.
    """
    from packaging.requirements import InvalidRequirement, Requirement  # noqa: PLC0415 # takes 25 ms, as above
    from packaging.utils import canonicalize_name  # noqa: PLC0415 # the same

    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BuildFailed(f"{project.shown(path)} is not valid TOML ({error}); correct that line.") from error
    declared = content.get("project")
    if not isinstance(declared, dict):
        raise BuildFailed(
            f"{project.shown(path)} has no [project] whose dependencies could be locked; add it, or write "
            "requirements.in beside it."
        )
    extras: Extras = set()
    dependencies = declared.get("dependencies")
    for words in dependencies if isinstance(dependencies, list) else []:
        try:
            requirement = Requirement(str(words))
        except InvalidRequirement:
            # uv says what is wrong with it.
            continue
        extras |= {(canonicalize_name(requirement.name), canonicalize_name(extra)) for extra in requirement.extras}
    return extras


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
    from sawhorse.build.lock_reader import read_lock  # noqa: PLC0415 # heavy, and only here

    numbered = lock.suffix == ".txt"
    declared = declared_in(str(project.path), name)
    read = read_lock(content, project.shown(lock), base, None, declared=declared, numbered=numbered)
    if read.trees:
        # Few locks name directories.
        from sawhorse.build.compilers import find_compiler  # noqa: PLC0415 # few locks need it
        from sawhorse.build.wheel_builder import WheelBuilder, check_build_system  # noqa: PLC0415
        from sawhorse.build.wheel_cache import Cache  # noqa: PLC0415

        for tree in read.trees:
            check_build_system(project, tree)
        if name in project.apps:
            # Whether it is pure Python, only building shows; the build finds what is built here.
            cache, python = Cache.of_user(), python_of(project, name)
            interpreter = find_compiler(project, python, cache)
            builder = WheelBuilder(project, cache, Target(python, "x86_64-manylinux_2_28"), interpreter)
            with cache.preparing():
                for tree in read.trees if interpreter else []:
                    tree.line.check_name(builder.of_tree(tree).filename.partition("-")[0])


def relock(project: Project, app: str, uv_lock: Path, *, upgrade: bool) -> Path:
    """Have uv bring a uv.lock up to date with the pyproject.toml beside it; one that is refused is as it was."""
    refuse_missing_pyproject(project, uv_lock)
    before = uv_lock.read_bytes()
    extras = check_pyproject(project, project.lambda_path / app / PYPROJECT)
    from sawhorse.build.compilers import find_compiler  # noqa: PLC0415 # few locks need it
    from sawhorse.build.wheel_cache import Cache  # noqa: PLC0415 # the same

    python = python_of(project, app)
    interpreter = find_compiler(project, python, Cache.of_user())
    # Else uv looks for one that the lock is for, also in the network.
    command: list[str | Path] = [
        python_environments.ensure_uv(project.path),
        "lock",
        "--python",
        interpreter or sys.executable,
    ]
    result = run_tool([*command, *(["--upgrade"] if upgrade else [])], directory=uv_lock.parent)
    if result.returncode != 0:
        shown = project.shown(uv_lock)
        refuse_python_of_uv(shown, app, python, result.stderr)
        raise BuildFailed(unanswered(f"{shown} could not be locked", result.stderr, LOCK_AGAIN))
    try:
        refuse_extras(project.shown(uv_lock), extras, result.stderr)
        content = exported(project, app, uv_lock, python, interpreter)
        refuse_unbuildable(project, app, content, uv_lock, uv_lock.parent)
    except BaseException:
        write_shared(uv_lock, before)
        raise
    return uv_lock
