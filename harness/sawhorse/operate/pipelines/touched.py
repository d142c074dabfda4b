"""Find the roots that a change touches: by their own files, the modules they use, their app, and what all share."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from sawhorse.errors import UnknownName
from sawhorse.git import git
from sawhorse.hcl import Block, read_hcl, text_of
from sawhorse.project import Project, Root

# What decides what a package is made of, or what Terraform is given: the engine, but for what runs, looks or tells.
ENGINE = "harness/sawhorse/"
OF_NO_ROOT = tuple(f"{ENGINE}{part}/" for part in ("cli", "inspect", "local", "operate", "plans"))
# What an app has that neither a package nor a plan is made of.
OF_NO_PACKAGE = ("ops", "tests")
A_ROOT = re.compile(r"environments/(?P<name>[^/]+/[^/]+)/main\.tf")
LITERAL = re.compile(r'"(\.{1,2}/[^"$%\\]*)"')


@dataclass(frozen=True)
class Touched:
    """The roots that a change touches, and the names of those that it takes away."""

    roots: tuple[Root, ...]
    removed: tuple[str, ...]


def changed_since(project: Project, revision: str) -> list[str]:
    """Return the files that differ between a commit and what is checked out, by their paths from the project.

    A file that was moved is named at both places. Raises UnknownName for a commit that git does not have.
    """
    ended = git(project.path, "diff", "--name-only", "--no-renames", "--relative", "-z", revision, "--", ".")
    if ended is None or ended.returncode != 0:
        raise UnknownName(
            f"git does not know {revision} here, so what changed since cannot be told; fetch it (fetch-depth in a "
            "workflow), or name another one."
        )
    return sorted(name for name in ended.stdout.decode(errors="surrogateescape").split("\0") if name)


def touched(project: Project, files: Iterable[str]) -> Touched:
    """Return the roots that changed files touch."""
    changed = [PurePosixPath(name) for name in files]
    found = tuple(root for root in project.roots if any(touches(path, root, parts_of(root)) for path in changed))
    named = [match["name"] for path in changed if (match := A_ROOT.fullmatch(str(path)))]
    there = {root.name for root in project.roots}
    return Touched(found, tuple(sorted(name for name in named if name not in there)))


def touches(path: PurePosixPath, root: Root, parts: Sequence[str]) -> bool:
    """Say whether a changed file decides about what a root plans; `parts` are the directories it is made of."""
    name = str(path)
    if path.suffix == ".md":
        return False
    of_every_root = name.startswith(ENGINE) and not name.startswith(OF_NO_ROOT)
    if of_every_root or name == f"environments/{root.environment}/environment.yaml":
        return True
    if path.parts[0] == "lambda":
        inside = path.parts[2:]
        return path.parts[1] in (root.app, "shared") and bool(inside) and inside[0] not in OF_NO_PACKAGE
    return any(name.startswith(f"{part}/") for part in parts)


def parts_of(root: Root) -> list[str]:
    """Return the directories of a root and of all modules that it uses, by their paths from the project."""
    project, found = root.project, dict[Path, None]()
    waiting = [root.path.resolve()]
    while waiting:
        place = waiting.pop()
        if place not in found and place.is_relative_to(project.path.resolve()):
            found[place] = None
            waiting += modules_called(place, project)
    return [str(place.relative_to(project.path.resolve())) for place in found]


def modules_called(place: Path, project: Project) -> Iterator[Path]:
    """Walk the directories that the Terraform files of a directory call as modules."""
    for file in sorted(place.glob("*.tf")):
        shown = project.shown(file)
        for block in read_hcl(text_of(file, shown), shown).blocks:
            if block.type == "module":
                yield from ((place / source).resolve() for source in sources_of(block))


def sources_of(block: Block) -> list[str]:
    said = [argument.expression for argument in block.arguments if argument.name == "source"]
    return [match[1] for expression in said if (match := LITERAL.fullmatch(expression))]


def as_matrix(roots: Iterable[Root]) -> list[dict[str, str]]:
    """Write roots as a matrix of jobs takes them; `name` is fit for a file."""
    return [
        {
            "root": root.name,
            "environment": root.environment,
            "app": root.app,
            "name": f"{root.environment}-{root.app}",
        }
        for root in roots
    ]
