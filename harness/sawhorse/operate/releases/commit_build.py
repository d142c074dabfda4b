"""Build an app as a commit has it, in a worktree of its own that is removed whatever happens."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from sawhorse.build.build import build
from sawhorse.build.config import read_config
from sawhorse.build.manifest import Archive, Entry, read_manifest
from sawhorse.build.platform import lambda_target, local_target
from sawhorse.errors import BadConfiguration, CouldNotAsk, SawhorseError, UnknownName
from sawhorse.git import git
from sawhorse.project import Project
from sawhorse.signals import ended_as_interrupted
from sawhorse.toolchain import installed

# What this machine has of tools and caches serves every checkout.
SHARED = ("tools", "emulators", "cache")
PREFIX = "sawhorse-verify-"


@dataclass(frozen=True)
class Built:
    """What a commit's packages are: each zip by its name in dist, with what the manifest says of it."""

    commit: str
    dist: Path
    archives: Mapping[str, Archive]
    entries: Mapping[str, Entry]

    def path(self, archive: str) -> Path:
        return self.dist / archive


def commit_named(project: Project, revision: str) -> str:
    """Return the whole id of a commit. Raises UnknownName for one that is not here, BadConfiguration outside of git."""
    inside = git(project.path, "rev-parse", "--is-inside-work-tree")
    if inside is None or inside.returncode != 0:
        raise BadConfiguration(f"{project.path} is in no checkout of git, so no commit of it can be built.")
    # A revision that begins with a hyphen is no option.
    found = git(project.path, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    if found is None or found.returncode != 0:
        raise UnknownName(f"There is no commit {revision} here; fetch it (git fetch --all), or name another one.")
    return found.stdout.decode().strip()


@contextlib.contextmanager
def built(project: Project, app: str, commit: str, *, local: bool) -> Iterator[Built]:
    """Build an app as a commit has it, for Lambda or for the local AWS of this machine.

    Raises UnknownName where the commit has no such app, and CouldNotAsk where it cannot be built here.
    """
    with ended_as_interrupted(), worktree(project, commit) as path:
        then = Project(path)
        if app not in then.apps:
            raise UnknownName(f"Commit {commit[:12]} has no app {app}; name a commit that has it (--commit).")
        # Raises when there is none to link, and reads what the project itself has.
        runtime = installed.ensure_emulators(project.path) if local else None
        link_tools(project, then)
        dist = path / "dist"
        try:
            config = read_config(then, app)
            target = local_target(config, runtime.python_version) if runtime else lambda_target(config)
            build(then, app, dist=dist, target=target)
        except SawhorseError as error:
            raise CouldNotAsk(f"Commit {commit[:12]} cannot be built here: {error}") from error
        entries = read_manifest(dist)[app]
        archives: dict[str, Archive] = {}
        for entry in entries.values():
            archives[Path(entry.path).name] = entry
            if entry.layer:
                archives[Path(entry.layer.path).name] = entry.layer
        yield Built(commit, dist, archives, entries)


@contextlib.contextmanager
def worktree(project: Project, commit: str) -> Iterator[Path]:
    """Check a commit out into a directory of its own, and give where the project lies in it.

    What was changed here and is in no commit is not in it.
    """
    top = git(project.path, "rev-parse", "--show-prefix")
    inside = os.fsdecode(top.stdout.rstrip(b"\n")) if top else ""
    forget_what_is_gone(project)
    try:
        with TemporaryDirectory(prefix=PREFIX) as directory:
            place = Path(directory) / "worktree"
            try:
                added = git(project.path, "worktree", "add", "--detach", "--force", str(place), commit)
                if added is None or added.returncode != 0:
                    why = added.stderr.decode(errors="replace").strip() if added else "there is no git"
                    raise CouldNotAsk(f"Commit {commit[:12]} cannot be checked out: {why}")
                yield place / inside
            finally:
                # The second time for one that is locked, since the checkout was stopped in the middle.
                git(project.path, "worktree", "remove", "--force", "--force", str(place))
    finally:
        forget_what_is_gone(project)


def forget_what_is_gone(project: Project) -> None:
    """Let git forget the worktrees of runs that ended, or were killed, whose directory is not there any more."""
    listed = git(project.path, "worktree", "list", "--porcelain")
    for line in listed.stdout.splitlines() if listed else ():
        name, _, place = os.fsdecode(line).partition(" ")
        directory = Path(place).parent
        # That of a run that has just begun is there before git knows of it.
        if name == "worktree" and directory.name.startswith(PREFIX) and not directory.exists():
            git(project.path, "worktree", "unlock", place)
    git(project.path, "worktree", "prune")


def link_tools(project: Project, then: Project) -> None:
    """Give a checkout what this machine has installed for this one."""
    private = then.path / ".sawhorse"
    private.mkdir(mode=0o700, exist_ok=True)
    for name in SHARED:
        source = project.private / name
        if source.is_dir() and not (private / name).exists():
            (private / name).symlink_to(source.resolve())
