"""The commit that a record names is one that the published code is of, whoever built it and whatever is checked out."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from sawhorse.build.build import build
from sawhorse.build.manifest import Entry, read_manifest
from sawhorse.operate.releases.built_from import built_from
from sawhorse.operate.releases.deploying import take_packages
from sawhorse.operate.releases.record import Code
from sawhorse.project import Project
from sawhorse.workspace import Workspace
from tests.commits import commit_all, said


class Checkout:
    """The tiny app in git, and what it says of code that was published."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.source = project.lambda_path / "tiny/main.py"
        (project.path / ".gitignore").write_text(".sawhorse\ndist\npromoted\n__pycache__\n")
        self.first = self.commit()

    def commit(self) -> str:
        return commit_all(self.project.path)

    def edit(self, text: str = "edited") -> None:
        self.source.write_text(f'def handler(event, context):\n    return "{text}"\n')

    def built(self) -> Entry:
        """Build, and return what the manifest says; what is published is that."""
        build(self.project, "tiny")
        return read_manifest(self.project.path / "dist")["tiny"]["api"]

    def of(self, entry: Entry | None) -> tuple[str | None, bool]:
        root = SimpleNamespace(project=self.project, app="tiny")
        workspace = cast("Workspace", cast("Any", SimpleNamespace(root=root, local=None)))
        content = entry.content_sha256 if entry else None
        return built_from(workspace, [Code(version="1", content_sha256=content, code_sha256="")])


@pytest.fixture
def checkout(tiny: Project) -> Checkout:
    return Checkout(tiny)


def test_a_package_is_of_the_commit_that_it_was_built_from(checkout: Checkout) -> None:
    entry = checkout.built()
    assert (entry.commit, entry.dirty) == (checkout.first, False)
    assert checkout.of(entry) == (checkout.first, False)


def test_packages_of_an_edited_tree_are_not_of_a_checkout_that_is_clean_again(
    checkout: Checkout, tmp_path: Path
) -> None:
    checkout.edit()
    edited = checkout.built()
    (checkout.project.path / "dist").rename(tmp_path / "promoted")
    said(checkout.project.path, "checkout", "--quiet", ".")
    clean = checkout.built()

    take_packages(tmp_path / "promoted", checkout.project.path / "dist", "tiny")

    assert checkout.of(edited) == (checkout.first, True)
    # What was published is not what lies there.
    assert checkout.of(clean) == (None, False)


def test_packages_of_another_commit_are_of_that_one(checkout: Checkout) -> None:
    entry = checkout.built()
    checkout.edit()
    second = checkout.commit()

    assert checkout.of(entry) == (checkout.first, False)
    assert checkout.of(checkout.built()) == (second, False)


def test_a_package_that_a_later_commit_makes_as_well_is_of_what_is_checked_out(checkout: Checkout) -> None:
    checkout.edit()
    edited = checkout.built()
    assert (edited.commit, edited.dirty) == (checkout.first, True)
    assert checkout.of(edited) == (checkout.first, True)
    noted = (checkout.project.path / "dist/manifest.json").read_bytes()

    second = checkout.commit()

    # Nothing is made anew, and git is not asked: the manifest says what it said.
    assert not build(checkout.project, "tiny").changed
    assert (checkout.project.path / "dist/manifest.json").read_bytes() == noted
    assert checkout.of(edited) == (second, False)


def test_a_commit_decides_about_no_deployment(checkout: Checkout) -> None:
    entry, content = checkout.built(), (checkout.project.path / "dist/tiny.zip").read_bytes()
    second = checkout.commit()
    for path in (checkout.project.path / "dist").glob("tiny*"):
        path.unlink()

    again = checkout.built()

    assert again.commit == second
    # Equality leaves out what Terraform never sees.
    assert again == entry
    assert (checkout.project.path / "dist/tiny.zip").read_bytes() == content


def test_what_nobody_knows_is_of_no_commit(checkout: Checkout) -> None:
    assert checkout.of(None) == (None, False)
    entry = checkout.built()
    assert checkout.of(None) == (None, False)
    (checkout.project.path / ".git").rename(checkout.project.path / "elsewhere")
    assert checkout.of(entry) == (None, False)
    checkout.edit("outside of git")
    build(checkout.project, "tiny")
    assert read_manifest(checkout.project.path / "dist")["tiny"]["api"].commit is None
