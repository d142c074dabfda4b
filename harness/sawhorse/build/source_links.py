"""Say whether what a link leads to is a source that every checkout has; imported where there is a link alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from sawhorse.build.packed_names import DIRECTORIES_LEFT_OUT, is_packaged, shown
from sawhorse.git import git

# What Linux follows at most in one path (path_resolution(7)).
MOST_LINKS = 40
# What the harness makes at the top of a project.
MADE_HERE = frozenset({".sawhorse", "dist"})
# The next step in every case; the caller says what to copy.
COPY, ADD_OR_COPY = "; copy", "; add that to git, or copy"


def fault_of_link(project: Path, link: Path) -> str | None:
    """Say what keeps a link from being packed as what it leads to, and what to do; None when nothing does.

    Whatever it leads through must lie in the project, as something that a package could hold: below `lambda`, or
    tracked by git. Where the project is no checkout, such as in an archive of one, nothing says what git would track.
    """
    top = project.resolve()
    for step in steps_of(link, (project.absolute(), top), top):
        if top not in step.parents:
            return f"leaves the project, so another checkout builds another package{COPY}"
        name = step.relative_to(top)
        fault = fault_of_place(name, is_file=step.is_file()) or fault_by_git(top, name)
        if fault:
            return f"leads to {shown(str(name))}, {fault}"
    return None


def steps_of(link: Path, tops: tuple[Path, ...], top: Path) -> Iterator[Path]:
    """Yield every link that is followed on the way, and where it ends.

    `tops` are the paths of the project and `top` the one without links, where an absolute link into the project begins.
    """
    current = link.parent.resolve()
    ahead = [link.name]
    followed = 0
    while ahead:
        name = ahead.pop(0)
        step = current.parent if name == ".." else current / name
        if not step.is_symlink() or followed == MOST_LINKS:
            current = step
            continue
        followed += 1
        yield step
        target = step.readlink()
        inside = next((one for one in tops if target.is_relative_to(one)), None)
        if inside:
            current, target = top, target.relative_to(inside)
        elif target.is_absolute():
            current, target = Path(target.anchor), target.relative_to(target.anchor)
        ahead = [*target.parts, *ahead]
    yield current


def fault_of_place(name: Path, *, is_file: bool) -> str | None:
    """Say why a path of the project is no source by its name."""
    directories = name.parts[:-1] if is_file else name.parts
    if name.parts[0] in MADE_HERE or not DIRECTORIES_LEFT_OUT.isdisjoint(directories):
        return f"which belongs to this checkout alone{COPY}"
    return f"which no package takes{COPY}" if is_file and not is_packaged(name.name, at_top=False) else None


def fault_by_git(top: Path, name: Path) -> str | None:
    """Say why a path outside of `lambda` is not in every checkout."""
    if name.parts[0] == "lambda" or not any((directory / ".git").exists() for directory in (top, *top.parents)):
        return None
    ended = git(top, "--literal-pathspecs", "ls-files", "-z", "--cached", "--recurse-submodules", "--", str(name))
    if ended is None:
        return f"and nobody can say whether git tracks that: there is no git on this machine; install it, or{COPY[1:]}"
    if ended.returncode != 0:
        words = shown(" ".join(os.fsdecode(ended.stderr).split()))
        return f"and git does not say whether it tracks that ({words}); correct that, or{COPY[1:]}"
    return None if ended.stdout else f"which git does not track, so another checkout has no such file{ADD_OR_COPY}"
