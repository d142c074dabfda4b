"""Another commit of a project is set up beside it, and nothing of it is left."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.benchmarks.before import other_checkout
from tests.benchmarks.processes import NotMeasured
from tests.commits import commit_all

# Stands for what sets a checkout up: makes the command, as quickly as can be.
SET_UP = """
import os, pathlib, sys
if {broken}:
    sys.exit("no room left")
place = pathlib.Path(__file__).parent / ".venv/bin"
place.mkdir(parents=True)
os.symlink(sys.executable, place / "python")
(place / "sawhorse").touch()
"""


@pytest.fixture
def commits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, str, str]:
    """A repository of two commits; the first one cannot be set up."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    project = tmp_path / "project"
    project.mkdir()
    (project / ".gitignore").write_text(".sawhorse/\n.venv/\n")
    (project / "value").write_text("old")
    (project / "Makefile").write_text("setup:\n\t@$(PYTHON) set_up.py\n")
    (project / "set_up.py").write_text(SET_UP.format(broken=True))
    broken = commit_all(project)
    (project / "set_up.py").write_text(SET_UP.format(broken=False))
    old = commit_all(project)
    (project / "value").write_text("new")
    commit_all(project)
    (project / "value").write_text("not committed")
    return project, broken, old


def assert_nothing_is_left(project: Path) -> None:
    assert list((project / ".sawhorse/bench").iterdir()) == []
    listed = subprocess.run(["git", "worktree", "list"], cwd=project, check=True, capture_output=True, text=True).stdout
    assert len(listed.splitlines()) == 1
    assert (project / "value").read_text() == "not committed"


def test_another_commit_is_set_up_in_a_checkout_of_its_own(commits: tuple[Path, str, str]) -> None:
    project, _, old = commits
    for revision, title in ((old, old), (old[:8], old[:8]), ("HEAD~1", f"HEAD~1 ({old[:10]})")):
        with other_checkout(project, revision) as before:
            assert (before.path / "value").read_text() == "old"
            assert (before.path / ".venv/bin/sawhorse").exists()
            assert (before.commit, before.title) == (old, title)
        assert_nothing_is_left(project)


@pytest.mark.parametrize("revision", ["nowhere", "", "--all", "HEAD~9", "value"])
def test_a_commit_that_is_not_there_is_refused(commits: tuple[Path, str, str], revision: str) -> None:
    project, *_ = commits

    with pytest.raises(NotMeasured, match="There is no commit "), other_checkout(project, revision):
        pytest.fail("it was set up")


def test_a_commit_that_cannot_be_set_up_says_why_and_leaves_nothing(commits: tuple[Path, str, str]) -> None:
    project, broken, _ = commits

    with (
        pytest.raises(NotMeasured, match="could not be set up; it says:\n  no room left"),
        other_checkout(project, broken),
    ):
        pytest.fail("it was set up")
    assert_nothing_is_left(project)


def test_what_fails_while_it_is_measured_leaves_nothing(commits: tuple[Path, str, str]) -> None:
    project, _, old = commits

    with pytest.raises(KeyboardInterrupt), other_checkout(project, old):
        raise KeyboardInterrupt
    assert_nothing_is_left(project)
