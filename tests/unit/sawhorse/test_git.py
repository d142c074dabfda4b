"""Which commit a project is, and what differs from it, is what git says."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sawhorse.build.build import build
from sawhorse.build.checked_out import checked_out
from sawhorse.errors import BuildFailed
from sawhorse.git import Commit, commit_of, git
from sawhorse.project import Project
from tests.commits import commit_all
from tests.unit.sawhorse.support import script


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A project within a larger repository, committed."""
    place = tmp_path / "repository/project"
    place.mkdir(parents=True)
    for name in ("kept", "changed", "removed", "renamed", ".gitignore"):
        (place / name).write_text("ignored\n" if name == ".gitignore" else f"{name}\n")
    commit_all(place.parent)
    return place


def asked(project: Path) -> Commit:
    """Ask in both ways, of which a build takes the faster one: they say the same."""
    found = commit_of(project)
    assert checked_out(str(project)) == (
        {"commit": found.revision, "dirty": bool(found.dirty)} if found.revision else {}
    )
    return found


@pytest.mark.parametrize("name", ["changed", "new", "# new", "two\nlines"])
def test_one_file_that_differs_makes_a_checkout_dirty(checkout: Path, name: str) -> None:
    (checkout / name).write_text("another\n")
    assert len(asked(checkout).dirty) == 1


def test_a_clean_checkout_is_its_commit(checkout: Path) -> None:
    found = asked(checkout)
    assert found.revision is not None
    assert len(found.revision) == 40
    assert found.dirty == {}


def test_what_differs_is_named_and_what_is_ignored_is_not(checkout: Path) -> None:
    (checkout / "changed").write_text("another\n")
    (checkout / "removed").unlink()
    (checkout / "renamed").rename(checkout / "re named \N{SNOWMAN}")
    git(checkout, "add", "--all", "renamed")
    (checkout / "ignored").write_text("")
    (checkout / "directory").mkdir()
    (checkout / "directory/new").write_text("")
    (checkout.parent / "beside the project").write_text("")

    dirty = asked(checkout).dirty

    assert {name.removeprefix("project/"): path.exists() for name, path in dirty.items()} == {
        "changed": True,
        "removed": False,
        "renamed": False,
        "re named \N{SNOWMAN}": True,
        "directory/new": True,
    }


def test_a_repository_without_a_commit_and_no_repository_have_none(tmp_path: Path) -> None:
    assert asked(tmp_path).revision is None
    git(tmp_path, "init", "--quiet")
    assert asked(tmp_path).revision is None


def test_a_hook_of_another_repository_changes_nothing(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_DIR", str(checkout / "nowhere"))
    assert asked(checkout).revision is not None


def test_without_git_there_is_no_commit(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(checkout))
    assert asked(checkout).revision is None


def test_a_build_that_is_refused_leaves_no_git_running(
    tiny: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = script(tmp_path / "bin/git", f"sleep 0.5\ntouch {tmp_path}/ended")
    monkeypatch.setenv("PATH", f"{slow.parent}{os.pathsep}{os.environ['PATH']}")
    # Known by then what it is built of, so that what is wrong with the source is found while git is still asked.
    build(tiny, "tiny")
    (tmp_path / "ended").unlink()
    (tiny.lambda_path / "tiny/main.py").write_text("import absent\ndef handler(event, context): ...\n")

    with pytest.raises(BuildFailed, match="imports absent"):
        build(tiny, "tiny")

    assert (tmp_path / "ended").exists()
