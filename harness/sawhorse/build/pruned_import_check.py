"""Check once for a lock that what was pruned of its wheels breaks no import, and name the pattern that would."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from sawhorse.build.pruning_trial import Broken, Side, broken_imports, lay_out, modules_among, runs_here
from sawhorse.build.wheel_cache import Cache, Part
from sawhorse.build.wheel_preparation import Origin
from sawhorse.build.wheel_pruning import USUAL
from sawhorse.build.wheel_reader import content_of, read_wheel
from sawhorse.build.wheel_request import Wanted, plural
from sawhorse.build.zip_writer import content_of_member, directories_of
from sawhorse.errors import BuildFailed
from sawhorse.project import Project
from sawhorse.toolchain.machine import say

WORD = re.compile(rb"\w+")


def check_imports(project: Project, wanted: Wanted, cache: Cache, parts: Mapping[Origin, Part]) -> None:
    """Refuse a lock of whose wheels something was pruned that an import needs. Raises BuildFailed.

    Where the wheels are for another machine, or the functions' Python is not here, nothing can be imported: what the
    usual rule prunes was decided by reading the wheel alone. Parts that cannot lie in one directory are refused where
    the package is made of them.
    """
    pruned = {origin: part for origin, part in parts.items() if part.pruned}
    if not pruned or wanted.interpreter is None or not runs_here(wanted.target.platform) or meet(parts.values()):
        return
    words = [wanted.target.name, wanted.preparation, wanted.services, *(origin.whole_identity for origin in parts)]
    key = hashlib.sha256("\n".join(words).encode()).hexdigest()
    if cache.imports_checked(key):
        return
    modules = modules_among(name for part in pruned.values() for names in part.pruned.values() for name in names)
    checked = [part for part in parts.values() if part.pruned or may_import(part, modules)]
    say(f"Importing {plural(len(checked), 'wheel')} of {project.shown(wanted.lock)}, whole and pruned.")
    with cache.workplace() as place:
        whole, less = (Side(place / name, wanted.interpreter, place / f"{name}-home") for name in ("whole", "pruned"))
        for home in (whole.home, less.home):
            home.mkdir()
        for origin, part in parts.items():
            lay_out_part(whole.directory, less.directory, origin, part, cache)
        for part in checked:
            broken = broken_imports(whole, less, modules_among(member.name for member in part.members))
            if broken:
                raise BuildFailed(refusal(wanted, [part] if part.pruned else list(pruned.values()), broken[0]))
    cache.keep_imports_checked(key)


def may_import(part: Part, modules: Collection[str]) -> bool:
    """Say whether a source of a part has the first and the last word of one of these modules in it."""
    ends = {(module.partition(".")[0].encode(), module.rpartition(".")[2].encode()) for module in modules}
    for member in part.members:
        if member.name.endswith(".py"):
            words = set(WORD.findall(content_of_member(member)))
            if any(first in words and last in words for first, last in ends):
                return True
    return False


def meet(parts: Iterable[Part]) -> bool:
    """Say whether a file of one part is a directory of another."""
    names = {member.name for part in parts for member in part.members}
    return any(directory in names for name in names for directory in directories_of(name))


def lay_out_part(whole: Path, pruned: Path, origin: Origin, part: Part, cache: Cache) -> None:
    """Install a part pruned and whole, each file once where both have it."""
    kept = {member.name: (content_of_member(member), member.executable) for member in part.members}
    lay_out(pruned, kept)
    for name in kept:
        if not (whole / name).exists():
            (whole / name).parent.mkdir(parents=True, exist_ok=True)
            os.link(pruned / name, whole / name)
    if part.pruned:
        wheel = read_wheel(origin.content(cache), origin.filename)
        left_out = [file for file in wheel.files if file.name not in kept and not file.script]
        lay_out(whole, {file.name: (content_of(file, origin.filename), file.executable) for file in left_out})


def refusal(wanted: Wanted, pruned: Sequence[Part], broken: Broken) -> str:
    """Say which module breaks, by which pattern of which wheels, and what to do."""
    names = " and ".join(f"{part.name} {part.version}" for part in pruned)
    patterns = sorted({pattern for part in pruned for pattern in part.pruned})
    # A uv.lock may be that of a workspace; uv is run in the directory of the app.
    app = wanted.settings.name if wanted.lock.suffix == ".lock" and wanted.settings else wanted.lock.parent.name
    where = f"lambda/{app}/package.toml"
    advice = (
        f"Say prune = [] in {where} to keep everything"
        if USUAL in patterns and wanted.prune is None
        else f"Take that pattern out of prune in {where}"
    )
    return (
        f"{names} cannot be pruned by {' or '.join(patterns)}: {broken.module} imports whole, and then fails with "
        f"{broken.error}. {advice}, and build again."
    )
