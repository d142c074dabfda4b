"""Resolve the requirements of an app or a tool into the lock that builds read; `make lock` does it."""

from __future__ import annotations

import os
import re
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote, unquote

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from sawhorse.build.compilers import find_compiler
from sawhorse.build.index_messages import refusal_of_index
from sawhorse.build.lock_files import (
    HARNESS,
    exported,
    python_of,
    refuse_missing_pyproject,
    refuse_other_python,
    refuse_python_of_uv,
    refuse_two,
)
from sawhorse.build.lock_reader import check_source, read_lock
from sawhorse.build.packed_names import SHARED
from sawhorse.build.platform import Target
from sawhorse.build.requirement_files import PYPROJECT, UV_LOCK, declared_in, requirements_of
from sawhorse.build.wheel_builder import WheelBuilder, check_build_system
from sawhorse.build.wheel_cache import Cache
from sawhorse.checkout import TOOL_LOCKS
from sawhorse.errors import BuildFailed, UnknownName
from sawhorse.files import write_shared
from sawhorse.project import Project, one_of
from sawhorse.toolchain import python_environments
from sawhorse.toolchain.machine import run_tool, say

# A path in a line that uv wrote: `./x`, `../x`, `/x`, `file:///x`, with `-e` or a name before it.
LOCAL = re.compile(r"^(?P<editable>-e )?([A-Za-z0-9._-]+(\[[^]]*\])? @ )?(?P<path>(file:|\.{1,2}/|/)\S+)", re.MULTILINE)
LOCK_AGAIN = "run make lock again"
# A line that pins, without its hashes, as uv writes it.
PIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*==\S")
NO_EXTRA = re.compile(r"[Pp]ackage `([A-Za-z0-9._-]+)(?:==)?([^` ]*)[^`]*` does not have an extra named `([^`]+)`")
# The extras that are asked for, by the canonical names of their distributions and their own.
Extras = set[tuple[str, str]]


def make_lock(project: Project, name: str, *, upgrade: bool, preferred: Path | None = None) -> Path:
    """Resolve the requirements of an app or a tool, or an app's pyproject.toml, and write the lock with its hashes.

    With `upgrade` every version may change, else only what has to. Where several versions would do, that of the lock
    `preferred` is taken. A lock that a build would refuse is not written. Raises BuildFailed.
    """
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
            raise BuildFailed(refusal_of_index(f"{failed}{together}", result.stderr, LOCK_AGAIN))
        refuse_extras(project.shown(source), extras, result.stderr)
        return made.read_text()


def refuse_extras(shown: str, asked: Extras, words: str) -> None:
    """Refuse an extra that a distribution has not, where it is asked for here, and warn where another one asks."""
    for name, version, extra in NO_EXTRA.findall(words):
        sentence = f"{shown}: {name}{version and f' {version}'} has no extra {extra}"
        if asked & {(canonicalize_name(name), canonicalize_name(extra)), ("", canonicalize_name(extra))}:
            raise BuildFailed(f"{sentence}, so nothing would come of it; correct the name, or leave it out.")
        say(f"{sentence}, which another distribution asks for; nothing comes of that.")


def check_pyproject(project: Project, path: Path) -> Extras:
    """Refuse a pyproject.toml that says nothing of dependencies, of which uv makes an empty lock.

    Returns the extras that it asks for.
    """
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
    numbered = lock.suffix == ".txt"
    declared = declared_in(str(project.path), name)
    read = read_lock(content, project.shown(lock), base, None, declared=declared, numbered=numbered)
    if read.trees:
        # Few locks name directories.
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
        raise BuildFailed(refusal_of_index(f"{shown} could not be locked", result.stderr, LOCK_AGAIN))
    try:
        refuse_extras(project.shown(uv_lock), extras, result.stderr)
        content = exported(project, app, uv_lock, python, interpreter)
        refuse_unbuildable(project, app, content, uv_lock, uv_lock.parent)
    except BaseException:
        write_shared(uv_lock, before)
        raise
    return uv_lock
