"""A link is packed as what it leads to where every checkout of the project has that, and is refused elsewhere."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sawhorse.build.sources import read_sources
from sawhorse.errors import BuildFailed
from sawhorse.project import Project
from tests.unit.sawhorse.support import assert_refused, sawhorse

TRACKED = ("docs/terms.txt", "README.md", "lambda/tiny/data.txt", "lambda/other/data.txt", "libs/a b/*?.txt")
UNTRACKED = ("docs/draft.txt", "notes.txt", "ignored.txt", "ignored/x.txt", "libs/new/x.txt")
ALONE = (".git/config", ".sawhorse/local/state", "dist/tiny.zip", ".venv/pyvenv.cfg", "libs/.venv/x", "dist")
NO_SOURCES = (".env", "docs/.env", ".envrc", "docs/.coverage", "lambda/other/.env", "lambda/other/.env.local")
OWN_UNTRACKED = ("lambda/tiny/new.txt", "lambda/other/ignored.txt")


def git(project: Path, *words: str) -> None:
    identity = ["-c", "user.name=x", "-c", "user.email=x@example.com"]
    subprocess.run(["git", "-C", str(project), *identity, *words], check=True, capture_output=True)


def put(project: Path, name: str) -> None:
    path = project / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        path.write_text(name)


def make_checkout(project: Path) -> None:
    for name in TRACKED:
        put(project, name)
    (project / ".gitignore").write_text("ignored*\n.sawhorse\ndist\n.env*\n.coverage\n.venv\n")
    git(project, "init", "-q")
    git(project, "add", "-A")
    for name in (*UNTRACKED, *ALONE, *NO_SOURCES, *OWN_UNTRACKED):
        put(project, name)


@pytest.fixture
def checkout(tiny: Project) -> Project:
    make_checkout(tiny.path)
    return tiny


def link(project: Project, target: str | Path) -> Path:
    path = project.lambda_path / "tiny/l"
    path.symlink_to(target)
    return path


def taken(project: Project) -> bytes:
    return read_sources(str(project.path), "tiny")["tiny/l"][0]


@pytest.mark.parametrize("name", [*TRACKED, *OWN_UNTRACKED])
@pytest.mark.parametrize("absolute", [False, True])
def test_a_link_to_what_every_checkout_has_is_packed(checkout: Project, name: str, absolute: bool) -> None:  # noqa: FBT001
    link(checkout, checkout.path / name if absolute else f"../../{name}")

    assert taken(checkout) == (checkout.path / name).read_bytes()


@pytest.mark.parametrize("name", [*UNTRACKED, *ALONE[:-1], *NO_SOURCES])
@pytest.mark.parametrize("through", [(), ("docs/step.txt",), ("lambda/tiny/a", "docs/step.txt")])
def test_a_link_to_what_this_checkout_alone_has_is_refused_with_both_names(
    checkout: Project, name: str, through: tuple[str, ...]
) -> None:
    target = checkout.path / name
    for step in through:
        (checkout.path / step).symlink_to(target)
        git(checkout.path, "add", "-f", step)
        target = checkout.path / step
    link(checkout, target)

    with pytest.raises(BuildFailed) as refused:
        read_sources(str(checkout.path), "tiny")

    assert str(refused.value).startswith("lambda/tiny/")
    assert f"is a link that leads to {name}, " in str(refused.value)
    assert str(refused.value).endswith("copy the file.")


def test_a_link_through_a_link_that_git_does_not_track_is_refused(checkout: Project) -> None:
    (checkout.path / "docs/step.txt").symlink_to("terms.txt")
    link(checkout, "../../docs/step.txt")

    with pytest.raises(
        BuildFailed,
        match=r"leads to docs/step\.txt, which git does not track, so .*; add that to git, or copy the file\.$",
    ):
        taken(checkout)
    git(checkout.path, "add", "docs/step.txt")

    assert taken(checkout) == b"docs/terms.txt"


def test_a_link_through_a_directory_that_git_does_not_track_is_refused(checkout: Project) -> None:
    (checkout.path / "elsewhere").symlink_to("docs")
    link(checkout, "../../elsewhere/terms.txt")

    with pytest.raises(BuildFailed, match=r"leads to elsewhere, which git does not track"):
        taken(checkout)


def test_a_link_that_comes_back_from_outside_is_refused(checkout: Project, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.symlink_to(checkout.path / "docs/terms.txt")
    link(checkout, outside)

    with pytest.raises(BuildFailed, match="leaves the project, so another checkout builds another package; copy the"):
        taken(checkout)


@pytest.mark.parametrize(("target", "words"), [("../.sawhorse/x", "this checkout alone"), ("../new", "git does not")])
def test_a_shared_directory_that_this_checkout_alone_has_is_refused(checkout: Project, target: str, words: str) -> None:
    (checkout.lambda_path / "shared/__init__.py").unlink()
    (checkout.lambda_path / "shared").rmdir()
    put(checkout.path, f"lambda/{target}/x.py")
    (checkout.lambda_path / "shared").symlink_to(target)

    with pytest.raises(BuildFailed, match=rf"^lambda/shared is a link that leads to .*{words}.* copy what it holds\.$"):
        read_sources(str(checkout.path), "tiny")


def test_a_shared_directory_that_git_tracks_is_taken(checkout: Project) -> None:
    (checkout.lambda_path / "shared").rename(checkout.path / "libs/shared")
    (checkout.lambda_path / "shared").symlink_to("../libs/shared")
    git(checkout.path, "add", "-A")

    assert "shared/__init__.py" in read_sources(str(checkout.path), "tiny")


def test_without_a_checkout_what_is_made_here_is_refused_and_the_rest_taken(tiny: Project) -> None:
    put(tiny.path, "docs/terms.txt")
    put(tiny.path, ".sawhorse/x")
    path = link(tiny, "../../docs/terms.txt")
    assert taken(tiny) == b"docs/terms.txt"
    path.unlink()
    link(tiny, "../../.sawhorse/x")

    with pytest.raises(
        BuildFailed, match=r"leads to \.sawhorse/x, which belongs to this checkout alone; copy the file"
    ):
        taken(tiny)


def test_without_git_a_link_into_a_checkout_names_what_to_install(
    checkout: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    link(checkout, "../../docs/terms.txt")
    monkeypatch.setenv("PATH", "/nowhere")

    with pytest.raises(BuildFailed, match=r"there is no git on this machine; install it, or copy the file\.$"):
        taken(checkout)


def test_a_build_says_it_in_a_sentence_and_leaves_the_last_package(checkout: Project) -> None:
    assert sawhorse(checkout, "build").code == 0
    before = (checkout.path / "dist/tiny.zip").read_bytes()
    link(checkout, "../../.git/config")

    assert_refused(sawhorse(checkout, "build"), "lambda/tiny/l is a link that leads to .git/config, which belongs to")
    assert (checkout.path / "dist/tiny.zip").read_bytes() == before


NAMES = st.sampled_from([*TRACKED, *UNTRACKED, *ALONE[:-1], *NO_SOURCES, *OWN_UNTRACKED])
WAYS: dict[str, Callable[[Path, str], str | Path]] = {
    "up": lambda _, name: f"../../{name}",
    "around": lambda _, name: f"../tiny/.././../{name}",
    "absolute": lambda project, name: project / name,
}


@settings(max_examples=40, deadline=None)
@given(NAMES, st.sampled_from(sorted(WAYS)), st.lists(st.sampled_from(["docs", "lambda/tiny", "libs"]), max_size=3))
def test_another_checkout_builds_the_same_of_whatever_link_is_taken(name: str, way: str, steps: list[str]) -> None:
    """What is taken is taken equally from a clone, which has what git tracks, and what was put below `lambda`."""
    with TemporaryDirectory() as directory:
        project = Path(directory) / "here"
        for one in ("lambda/tiny/__init__.py", "lambda/shared/__init__.py"):
            put(project, one)
        make_checkout(project)
        target = WAYS[way](project, name) if not steps else project / name
        for number, step in enumerate(steps):
            (project / f"{step}/step{number}").symlink_to(target)
            target = project / f"{step}/step{number}"
        (project / "lambda/tiny/l").symlink_to(target)
        git(project, "add", "-f", *(f"{step}/step{number}" for number, step in enumerate(steps)), "lambda")
        git(project, "commit", "-q", "-m", "all")
        try:
            here = read_sources(str(project), "tiny")
        except BuildFailed:
            return
        there = Path(directory) / "there"
        project.rename(Path(directory) / "kept")
        git(Path(directory), "clone", "-q", "kept", "there")
        # Absolute links lead to where the project was.
        there.rename(project)

        assert read_sources(str(project), "tiny") == here
