"""A directory that a lock names is built into a wheel from the files that git tracks."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from sawhorse.build.build import build
from sawhorse.errors import BuildFailed
from sawhorse.project import Project
from sawhorse.toolchain.machine import python_of
from tests.commits import commit_all
from tests.unit.sawhorse.build.made_wheels import backend, held, packed
from tests.unit.sawhorse.support import sawhorse, tree, write_lock

pytestmark = pytest.mark.usefixtures("wheel_builder", "cache")


@pytest.fixture
def with_library(tiny: Project) -> Project:
    """A checkout with `libs/x`, which git tracks, and a lock of it alone."""
    library = tiny.path / "libs/x"
    (library / "pure").mkdir(parents=True)
    (library / "pyproject.toml").write_bytes(backend("hatchling", "hatchling.build"))
    (library / "pure/__init__.py").write_text("VALUE = 1\n")
    (library / "pure/run.sh").write_text("#!/bin/sh\n")
    (library / "pure/run.sh").chmod(0o755)
    (library / ".gitignore").write_text("*.log\n")
    write_lock(tiny, "./libs/x\n")
    (tiny.path / ".gitignore").write_text(".sawhorse\ndist\n")
    commit_all(tiny.path)
    return tiny


def test_only_what_git_tracks_gets_in_and_the_rest_is_named(
    with_library: Project, capfd: pytest.CaptureFixture[str]
) -> None:
    library = with_library.path / "libs/x"
    (library / "pure/draft.py").write_text("")
    (library / "pure/noise.log").write_text("")

    names = set(packed(with_library))

    assert "pure/__init__.py" in names
    assert not names & {"pure/draft.py", "pure/noise.log"}
    said = capfd.readouterr().err
    assert "./libs/x: git does not track pure/draft.py, so the package leaves that out; git add it." in said
    assert "noise.log" not in said


def test_modes_are_kept_and_two_clones_give_the_same_bytes(
    with_library: Project, tmp_path: Path, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = build(with_library, "tiny").sha256
    assert packed(with_library)["pure/run.sh"] == (b"#!/bin/sh\n", True)
    clone = tmp_path / "clone"
    before = os.umask(0o077)
    try:
        subprocess.run(["git", "clone", "--quiet", str(with_library.path), str(clone)], check=True)
    finally:
        os.umask(before)
    (clone / ".sawhorse").mkdir()
    (clone / ".sawhorse/tools").symlink_to(repository / ".sawhorse/tools")
    monkeypatch.setenv("SAWHORSE_CACHE_DIR", str(tmp_path / "another-cache"))

    assert build(Project(clone), "tiny").sha256 == first


@pytest.mark.parametrize("change", ["content", "new file", "removed file", "mode"])
def test_a_changed_directory_makes_a_new_package_with_the_next_build(with_library: Project, change: str) -> None:
    library = with_library.path / "libs/x/pure"
    first = sawhorse(with_library, "build", "tiny")
    assert first.code == 0, first
    assert "unchanged" in sawhorse(with_library, "build", "tiny").out
    if change == "content":
        (library / "__init__.py").write_text("VALUE = 2\n")
    elif change == "new file":
        (library / "more.py").write_text("")
        subprocess.run(["git", "-C", str(library), "add", "more.py"], check=True)
    elif change == "removed file":
        (library / "run.sh").unlink()
    else:
        (library / "run.sh").chmod(0o644)

    again = sawhorse(with_library, "build", "tiny")

    assert " built: " in again.out
    names = held(with_library.path / "dist/tiny.zip")
    assert names["pure/__init__.py"][0] == (b"VALUE = 2\n" if change == "content" else b"VALUE = 1\n")
    assert ("pure/more.py" in names) is (change == "new file")
    assert names.get("pure/run.sh", (b"", None))[1] is {"removed file": None, "mode": False}.get(change, True)


def test_a_directory_outside_a_checkout_is_a_sentence(with_library: Project) -> None:
    shutil.rmtree(with_library.path / ".git")

    with pytest.raises(BuildFailed, match=r"line 1 \(\./libs/x\): git tracks nothing in it .* git add it in"):
        build(with_library, "tiny")


def test_without_git_the_next_step_is_to_install_it(with_library: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    build(with_library, "tiny")
    before = tree(with_library.path / "dist")
    (with_library.path / "libs/x/pure/__init__.py").write_text("VALUE = 2\n")
    nothing = with_library.path / "nothing"
    nothing.mkdir()
    monkeypatch.setenv("PATH", str(nothing))

    with pytest.raises(BuildFailed) as refusal:
        build(with_library, "tiny")

    assert "line 1 (./libs/x): there is no git on this machine" in str(refusal.value)
    assert "; install git, since" in str(refusal.value)
    assert "git add" not in str(refusal.value)
    assert tree(with_library.path / "dist") == before


def test_what_git_itself_complains_of_is_what_is_to_be_corrected(with_library: Project) -> None:
    (with_library.path / ".git/config").write_text("[core\n")

    with pytest.raises(BuildFailed) as refusal:
        build(with_library, "tiny")

    assert "git could not say what it tracks in it (fatal: bad config line 1" in str(refusal.value)
    assert "git add" not in str(refusal.value)


def test_what_locking_leaves_in_a_directory_is_not_asked_for(
    with_library: Project, capfd: pytest.CaptureFixture[str]
) -> None:
    library = with_library.path / "libs/x"
    (library / "pyproject.toml").unlink()
    (library / "setup.py").write_text(
        'from setuptools import setup\nsetup(name="pure", version="1.0", packages=["pure"])\n'
    )
    subprocess.run(["git", "-C", str(library), "add", "--all"], check=True)
    # As uv has it do to learn what it needs.
    python = python_of(with_library.path / ".sawhorse/tools/build-3.13")
    subprocess.run([python, "setup.py", "--quiet", "egg_info"], cwd=library, check=True)
    (library / "draft.egg-info.py").write_text("")

    packed(with_library)

    said = capfd.readouterr().err
    assert "git does not track draft.egg-info.py, so" in said
    assert list(library.glob("*.egg-info"))


@pytest.mark.parametrize("kind", ["outside", "broken", "directory"])
def test_a_link_that_leads_elsewhere_is_refused_by_name(with_library: Project, tmp_path: Path, kind: str) -> None:
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "directory").mkdir()
    target = {"outside": tmp_path / "secret", "broken": tmp_path / "nowhere", "directory": tmp_path / "directory"}[kind]
    (with_library.path / "libs/x/pure/leak").symlink_to(target)
    subprocess.run(["git", "-C", str(with_library.path), "add", "--all"], check=True)

    with pytest.raises(BuildFailed, match=r"line 1 \(\./libs/x\): pure/leak is a link that leads out of it"):
        build(with_library, "tiny")


def test_variables_of_a_git_hook_have_no_part(with_library: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_DIR", str(with_library.path / "nowhere"))
    monkeypatch.setenv("GIT_INDEX_FILE", "nowhere")

    assert "pure/__init__.py" in packed(with_library)
