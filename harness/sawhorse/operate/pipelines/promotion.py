"""Refuse what is not to be deployed: a commit that is not on main, an older one, contents that nobody found good."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

from sawhorse.build.manifest import Entry
from sawhorse.errors import NotApplied, SawhorseError
from sawhorse.operate.pipelines.github import GitHub, Standing
from sawhorse.operate.releases.record import Kept, Record, Release
from sawhorse.operate.saved_plan import listed
from sawhorse.project import Project, Root
from sawhorse.terraform.render import packages_of
from sawhorse.workspace import Workspace


class Compares(Protocol):
    """Who knows how commits stand to each other: GitHub."""

    def compare(self, base: str, head: str) -> Standing | None: ...


class Refused(SawhorseError):
    """A deployment that may not happen; nothing was changed."""


def refuse_not_on(github: GitHub, branch: str, commit: str) -> None:
    """Raise unless a commit is one of a branch's, as GitHub has it."""
    standing = github.compare(branch, commit)
    if standing in ("behind", "identical"):
        return
    known = "GitHub does not know one of the two" if standing is None else f"it is {standing} of it"
    raise Refused(
        f"Commit {commit[:12]} is not on {branch} of {github.repository} ({known}), and only what is there is "
        "deployed. Nothing was changed. Merge it first."
    )


def refuse_older(github: Compares, root: str, record: Record, commit: str) -> None:
    """Raise where a root was applied from, or runs, a later commit than the one to deploy: that would be a way back.

    What was applied may be later than what is live: changes of Terraform alone make no release. Where no commit is
    known, or GitHub does not know it, nobody is kept back.
    """
    for later, how in commits_of(record).items():
        if later != commit and github.compare(later, commit) == "behind":
            raise Refused(
                f"{root} {how} commit {later[:12]}, which is later than {commit[:12]}. Nothing was changed. Deploy the "
                f'newest commit, or go back with "sawhorse rollback {root} --why REASON".'
            )


def commits_of(record: Record) -> dict[str, str]:
    """Return the commits that stand behind a root, each with how."""
    found = {}
    live = record.release(record.live) if record.live else None
    if live and live.commit:
        found[live.commit] = f"runs, as release {live.id},"
    if record.applied and record.applied.commit:
        found.setdefault(record.applied.commit, "was applied last from")
    return found


def refuse_untried(project: Project, target: Root, source: str) -> None:
    """Raise where an app has no root in the environment that its packages come from."""
    if f"{source}/{target.app}" not in {root.name for root in project.roots}:
        raise Refused(
            f"{target.name} was refused: {target.app} has no root in {source}, so nothing was tried there. Nothing was "
            f"changed. Write environments/{source}/{target.app}, or deploy {target.name} by hand."
        )


def refuse_unproven_release(workspace: Workspace, project: Project, target: Root) -> Release:
    """Return the live release of another environment's root that has the contents of `dist/` and was found good.

    `workspace` is that root's. Raises Refused, which says what of it is missing, for a deployment of `target`.
    """
    root = workspace.root
    if workspace.state() is None:
        raise Refused(refusal(target, f"{root.name} is not applied, so nothing was tried there"))
    packages = packages_of(project.path / "dist", root.app)
    record = Kept(workspace.state_store, root.name).read()
    complaints = list(against(record, packages))
    if complaints:
        raise Refused(refusal(target, f"{root.name} {', and '.join(complaints)}"))
    release = record.release(record.live or 0)
    if release is None:
        raise NotApplied(f"{root.name} has no live release.")
    return release


def refusal(target: Root, why: str) -> str:
    source = f"{target.name} was refused: {why}."
    return f"{source} Nothing was changed. Deploy this commit there until its checks pass, and run this job again."


def against(record: Record, packages: Mapping[str, Entry]) -> Iterator[str]:
    """Walk what speaks against packages: that they are not what is live, or that what is live was not found good."""
    live = record.release(record.live) if record.live else None
    if live is None:
        yield "has no live release in its record"
        return
    if record.moving:
        yield f"is being moved by {record.moving.command} of {record.moving.by} since {record.moving.at}"
    differing = sorted(not_of(live, packages))
    if differing:
        verb = "differs" if len(differing) == 1 else "differ"
        yield f"runs other contents than these packages (release {live.id}): {listed(differing)} {verb}"
    if live.smoke is None:
        yield f"has not checked release {live.id}"
    elif not live.smoke.passed:
        failed = listed(sorted(live.smoke.failed)) or "no check passed"
        yield f"did not find release {live.id} good ({failed})"
    if live.was_taken_back and live.ended:
        yield f"took release {live.id} back ({live.ended.why})"


def not_of(release: Release, packages: Mapping[str, Entry]) -> Iterator[str]:
    """Walk the names of packages whose contents no function of a release has, and of functions with others."""
    code = {one.content_sha256 for one in release.functions.values()}
    layers = {content for one in release.functions.values() for content in one.layers.values()}
    for name, entry in packages.items():
        if entry.content_sha256 not in code:
            yield f"package {name}"
        if entry.layer and entry.layer.content_sha256 not in layers:
            yield f"layer of {name}"
    ours = {entry.content_sha256 for entry in packages.values()}
    # An image has no content of a package.
    yield from (
        f"function {name}" for name, one in release.functions.items() if one.content_sha256 not in {None, *ours}
    )
