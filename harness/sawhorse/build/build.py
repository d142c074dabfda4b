"""Build packages from `lambda/<app>`, what it reaches of `lambda/shared`, and the locked wheels.

One way for every build: what the package is made of is read; what is stale is decided; the parts are taken from the
last package, or made; the zip is written, and what was measured entered in the manifest. A build that changes nothing
ends after the second step.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from sawhorse.build.background import Background
from sawhorse.build.build_state import writing
from sawhorse.build.checked_out import checked_out
from sawhorse.build.code_packing import pack_sources
from sawhorse.build.compiler_process import CompilerProcess, WrongInterpreter, end_all
from sawhorse.build.incremental import Found, look
from sawhorse.build.last_package import Package
from sawhorse.build.package_writer import write_package
from sawhorse.build.reused_parts import Parts, last_parts
from sawhorse.build.sources import read_sources
from sawhorse.errors import BuildFailed

if TYPE_CHECKING:
    from sawhorse.build.platform import Target
    from sawhorse.project import Project


def build(project: Project, app: str, *, dist: Path | None = None, target: Target | None = None) -> Package:
    """Build an app's package into `dist` and enter it in the manifest there.

    `target` is the platform to build for; None stands for Lambda's. What did not change is not made again. Raises
    BuildFailed, BadConfiguration and UnknownName.
    """
    place = str(dist or project.path / "dist")
    found = look(str(project.path), app, place, target)
    return found.up_to_date() or build_stale(str(project.path), app, place, found, target)


def build_stale(project: str, app: str, dist: str, found: Found, target: Target | None = None) -> Package:
    """Build a package of which something was found to be stale; raises what `build` raises."""
    try:
        return build_once(project, app, dist, target, found)
    except WrongInterpreter:
        # What was found before is not what it was.
        forget_interpreter(project, app, target)
    try:
        return build_once(project, app, dist, target, Found(dist))
    except WrongInterpreter as error:
        raise BuildFailed(f"{error} Install that Python, and build again.") from error


def build_once(project: str, app: str, dist: str, target: Target | None, found: Found) -> Package:
    """Go the whole way with the interpreter that is known. Raises WrongInterpreter besides what `build` raises."""
    ready = found.compilers
    try:
        # It may take minutes, so that nobody waits for it who builds the same package.
        parts = None if found.state else settled(project, app, target, ready)
        with writing(dist, app):
            if not found.is_still():
                # Another build came first.
                found = look(project, app, dist, target)
                done = found.up_to_date()
                if done:
                    return done
            # It is asked meanwhile; a build that changes nothing has come to its end before this.
            with Background(partial(checked_out, project)) as commit:
                parts = parts or last_parts(found) or settled(project, app, target, ready)
                sources = found.sources or read_sources(project, app, parts.inputs.root_files)
                parts.check(sources)
                code = pack_sources(parts.inputs, sources, parts.known, ready)
                return write_package(
                    dist,
                    parts.inputs,
                    code,
                    parts.dependencies,
                    documents=parts.documents,
                    commit=commit.result,
                    before=found.before,
                )
    finally:
        end_all(ready)


def settled(project: str, app: str, target: Target | None, ready: list[CompilerProcess]) -> Parts:
    """Settle inputs and parts anew."""
    from sawhorse.build.build_inputs import settle  # noqa: PLC0415 # locks, wheels and their libraries take 60 ms
    from sawhorse.project import Project  # noqa: PLC0415 # the same

    return settle(Project(Path(project)), app, target, ready)


def forget_interpreter(project: str, app: str, target: Target | None) -> None:
    from sawhorse.build.build_inputs import forget_interpreter as forget  # noqa: PLC0415 # the same
    from sawhorse.project import Project  # noqa: PLC0415 # the same

    forget(Project(Path(project)), app, target)
