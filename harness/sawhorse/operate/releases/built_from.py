"""Say which commit the packages are of that an apply has published: what built them says it, or the checkout does."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from sawhorse.build.manifest import Entry, read_manifest
from sawhorse.build.stale_check import is_of_checkout
from sawhorse.git import commit_of
from sawhorse.operate.releases.record import Code
from sawhorse.workspace import Workspace


def dist_of(workspace: Workspace) -> Path:
    """Return the directory that an apply takes a root's packages from."""
    project = workspace.root.project
    return project.local / "project/dist" if workspace.local else project.path / "dist"


def built_from(workspace: Workspace, published: Collection[Code]) -> tuple[str | None, bool]:
    """Return the commit that published code is of, and whether the tree had changes that are in no commit.

    Packages that are made of what stands in the checkout now are of what is checked out now, which may be a later
    commit than that of the build; any others of what their manifest says that they were built from. None where what was
    published is not what lies in `dist`, or where nobody has noted it, as of images.
    """
    dist, app = dist_of(workspace), workspace.root.app
    entries = list(read_manifest(dist).get(app, {}).values())
    if not are_of(published, entries):
        return None, False
    if is_of_checkout(workspace.root.project, dist, app):
        now = commit_of(workspace.root.project.path)
        return now.revision, bool(now.dirty)
    commits = {(entry.commit, bool(entry.dirty)) for entry in entries}
    commit, dirty = commits.pop() if len(commits) == 1 else (None, False)
    return commit, dirty if commit else False


def are_of(published: Collection[Code], entries: Collection[Entry]) -> bool:
    """Say whether the content of each function, and of the layers that were built for it, is that of a package."""
    contents = {(entry.content_sha256, entry.layer and entry.layer.content_sha256) for entry in entries}
    return bool(published) and all(
        any(code.content_sha256 == own and (layer is None or layer in code.layers.values()) for own, layer in contents)
        for code in published
    )
