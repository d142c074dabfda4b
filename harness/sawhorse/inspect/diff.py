"""Say why two packages differ: what only one has, other contents, and what of a zip differs for the same content."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from sawhorse.build.zip_reader import Opened, mode_of
from sawhorse.inspect.ownership import distributions_of

LARGEST_SHOWN = 64 * 1024
LINES_SHOWN = 20


@dataclass(frozen=True)
class Changed:
    """A member whose content differs; `lines` is a unified diff of small texts, `more` counts what it leaves out."""

    name: str
    sizes: tuple[int, int]
    lines: list[str] = field(default_factory=list)
    more: int = 0


@dataclass(frozen=True)
class Comparison:
    """Why two zips differ. What stands in pairs is what the first has and what the other has.

    `compression` names members with the same content in other bytes; `elsewhere` says that the zips differ in nothing
    but what belongs to no member's content, mode, date or place.
    """

    path: Path
    other: Path
    equal: bool
    only_in_path: list[str]
    only_in_other: list[str]
    changed: list[Changed]
    compression: list[str]
    modes: dict[str, tuple[str, str]]
    dates: dict[str, tuple[str, str]]
    other_order: bool
    versions: dict[str, tuple[str | None, str | None]]
    elsewhere: bool

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "path": str(self.path), "other": str(self.other)}


def compare(one: Opened, two: Opened) -> Comparison:
    """Compare two packages, member by member."""
    mine, theirs = {info.filename: info for info in one.infos}, {info.filename: info for info in two.infos}
    common = [name for name in mine if name in theirs]
    changed = [found for name in common if (found := changed_content(one, two, name))]
    other_content = {found.name for found in changed}
    compression = [
        name for name in common if name not in other_content and one.stored(mine[name]) != two.stored(theirs[name])
    ]
    modes = {name: pair for name in common if (pair := differing(name, one, two, shown_mode))}
    dates = {name: pair for name in common if (pair := differing(name, one, two, shown_date))}
    equal = same_bytes(one.path, two.path)
    only_in_path, only_in_other = sorted(mine.keys() - theirs.keys()), sorted(theirs.keys() - mine.keys())
    other_order = common != [name for name in theirs if name in mine]
    differences = [only_in_path, only_in_other, changed, compression, modes, dates, other_order]
    return Comparison(
        path=one.path,
        other=two.path,
        equal=equal,
        only_in_path=only_in_path,
        only_in_other=only_in_other,
        changed=changed,
        compression=sorted(compression),
        modes=modes,
        dates=dates,
        other_order=other_order,
        versions=other_versions(one, two),
        elsewhere=not equal and not any(differences),
    )


def same_bytes(one: Path, two: Path) -> bool:
    return one.stat().st_size == two.stat().st_size and one.read_bytes() == two.read_bytes()


def changed_content(one: Opened, two: Opened, name: str) -> Changed | None:
    first, second = one.read(name), two.read(name)
    if first == second:
        return None
    lines = difference(name, text_of(first), text_of(second))
    return Changed(name, (len(first), len(second)), lines[:LINES_SHOWN], max(0, len(lines) - LINES_SHOWN))


def text_of(content: bytes) -> list[str] | None:
    """Return the lines of a small text; None for anything else."""
    if len(content) > LARGEST_SHOWN or b"\0" in content:
        return None
    try:
        # Kept ends show a line that differs in nothing else.
        return content.decode().splitlines(keepends=True)
    except UnicodeDecodeError:
        return None


def difference(name: str, first: list[str] | None, second: list[str] | None) -> list[str]:
    if first is None or second is None:
        return []
    lines = difflib.unified_diff(first, second, f"path/{name}", f"other/{name}", n=1, lineterm="")
    return [line.removesuffix("\n") for line in lines]


def differing(name: str, one: Opened, two: Opened, shown: Callable[[Opened, str], str]) -> tuple[str, str] | None:
    pair = (shown(one, name), shown(two, name))
    return pair if pair[0] != pair[1] else None


def shown_mode(package: Opened, name: str) -> str:
    return f"{mode_of(package.archive.getinfo(name)):04o}"


def shown_date(package: Opened, name: str) -> str:
    year, month, day, hour, minute, second = package.archive.getinfo(name).date_time
    return f"{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}"


def other_versions(one: Opened, two: Opened) -> dict[str, tuple[str | None, str | None]]:
    """Return the distributions whose versions differ, None where one is absent."""
    mine, theirs = (
        {canonicalize_name(found.name): found.version for found in distributions_of(package)} for package in (one, two)
    )
    return {
        name: (mine.get(name), theirs.get(name))
        for name in sorted(mine.keys() | theirs.keys())
        if mine.get(name) != theirs.get(name)
    }
