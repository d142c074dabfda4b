"""A package holds everything below its app but a short list, and what it cannot hold is refused by name."""

from __future__ import annotations

import os
import socket
import tempfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import BuildFailed
from harness.layout import Project
from harness.package.build import build
from harness.package.names import refuse_taken_names
from harness.package.sources import (
    DIRECTORIES_LEFT_OUT,
    ENDINGS_LEFT_OUT,
    FILES_LEFT_OUT,
    NOT_PACKAGED,
    SECRETS,
    read_sources,
)
from tests.unit.harness.support import assert_refused, sawhorse, tree

LETTERS = st.sampled_from("abAZ09._-~#$@ é\u0301ß漢\u00a0")
NAMES = st.text(LETTERS, min_size=1, max_size=12).filter(lambda name: name not in {".", ".."})


def app_file(project: Project, name: str, content: bytes = b"x") -> Path:
    path = project.lambda_path / "tiny" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def is_listed(name: str) -> bool:
    """Say whether docs/packages.md lists a path among those that are left out."""
    *directories, file = name.split("/")
    return (
        name in NOT_PACKAGED
        or file in FILES_LEFT_OUT
        or file.endswith(ENDINGS_LEFT_OUT)
        or any(directory in DIRECTORIES_LEFT_OUT for directory in directories)
    )


@settings(max_examples=200, deadline=None)
@given(parts=st.lists(NAMES, min_size=1, max_size=3))
def test_every_file_is_packed_listed_or_refused(parts: list[str]) -> None:
    name = "/".join(parts)
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "lambda/tiny", name)
        path.parent.mkdir(parents=True)
        path.touch()
        refused, packed = outcome(directory, name)

    if not name.isprintable() or any(part.startswith(SECRETS) for part in parts):
        # What is left out is not asked for its name, though its directory may be.
        assert not packed
        assert refused or is_listed(name)
    else:
        assert (refused, packed) == (False, not is_listed(name))


def outcome(project: str, name: str) -> tuple[bool, bool]:
    """Return whether a file is refused, and whether it is packed."""
    try:
        return False, f"tiny/{name}" in read_sources(project, "tiny")
    except BuildFailed:
        return True, False


@pytest.mark.parametrize(
    "name",
    ["sub/README.md", "sub/Dockerfile", "sub/package.toml", "sub/pyproject.toml", ".well-known/a.json", "a.bak", ".x"],
)
def test_what_only_looks_like_something_for_the_build_is_packed(tiny: Project, name: str) -> None:
    app_file(tiny, name)

    with zipfile.ZipFile(build(tiny, "tiny").path) as archive:
        assert f"tiny/{name}" in archive.namelist()


def test_documents_name_all_that_is_left_out(repository: Path) -> None:
    told = (repository / "docs/packages.md").read_text()

    for name in NOT_PACKAGED | DIRECTORIES_LEFT_OUT | FILES_LEFT_OUT:
        assert f"`{name}`" in told, name


@pytest.mark.parametrize("name", [b"\xff.txt", b"a\nb.py", b"a\\b.txt", b"\x1b[1m.py", b"\xff/inside.py"])
def test_a_name_that_no_package_can_hold_is_a_sentence_and_dist_stays(tiny: Project, name: bytes) -> None:
    build(tiny, "tiny")
    before = tree(tiny.path / "dist")
    path = os.path.join(os.fsencode(tiny.lambda_path / "tiny"), name)  # noqa: PTH118 # bytes
    os.makedirs(os.path.dirname(path), exist_ok=True)  # noqa: PTH103, PTH120
    Path(os.fsdecode(path)).write_bytes(b"")

    ended = sawhorse(tiny, "build", "tiny")

    assert_refused(ended, "lambda/tiny/", "rename it.")
    assert tree(tiny.path / "dist") == before


def test_a_link_is_followed_within_the_project_alone(tiny: Project, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("of the machine")
    app_file(tiny, "real.txt", b"real")
    link = tiny.lambda_path / "tiny/link.txt"
    link.symlink_to("real.txt")
    assert read_sources(str(tiny.path), "tiny")["tiny/link.txt"] == (b"real", False)

    for target, why in ((tmp_path / "secret", "leaves the project"), (tmp_path / "nowhere", "leads nowhere")):
        link.unlink()
        link.symlink_to(target)
        with pytest.raises(BuildFailed, match=why):
            read_sources(str(tiny.path), "tiny")


def test_what_is_no_file_is_refused(tiny: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tiny.lambda_path / "tiny/pipe")
    with pytest.raises(BuildFailed, match="neither a file nor a directory"):
        read_sources(str(tiny.path), "tiny")
    (tiny.lambda_path / "tiny/pipe").unlink()
    # A socket's path may have 100 bytes or so, which a test's directory has not.
    monkeypatch.chdir(tiny.lambda_path / "tiny")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket")
        with pytest.raises(BuildFailed, match="neither a file nor a directory"):
            read_sources(str(tiny.path), "tiny")


@pytest.mark.parametrize("name", [".env", ".env.production", "sub/.env", ".envrc"])
def test_a_file_of_secrets_is_refused_by_name(tiny: Project, name: str) -> None:
    app_file(tiny, name, b"KEY=sample")

    with pytest.raises(BuildFailed, match=r"looks like a file of secrets"):
        read_sources(str(tiny.path), "tiny")


# Names at the top


TOPS = st.sampled_from(["tiny", "shared", "run.sh", "six", "jwt", "yaml", "Tiny", "_x"])
ENDINGS = st.sampled_from(["", ".py", ".pyc", ".so", ".cpython-313-x86_64-linux-gnu.so", ".abi3.so", ".txt", ".libs"])


@settings(max_examples=300, deadline=None)
@given(brought=st.lists(st.tuples(TOPS, ENDINGS), max_size=6), provided=st.sets(TOPS, max_size=2))
def test_an_app_is_refused_exactly_when_it_takes_a_name_of_what_it_brings(
    brought: list[tuple[str, str]], provided: set[str]
) -> None:
    own = {"tiny", "shared", "run.sh"}
    names = {top + ending: "other-dist" for top, ending in brought}
    modules = {top for top, ending in brought if top.isidentifier() and ending.endswith((".py", ".pyc", ".so"))}
    taken = own & (modules | set(names) | provided)
    runtime = {f"dist-{module}": module for module in provided}

    if not taken:
        refuse_taken_names("tiny", own, names, runtime)
        return
    with pytest.raises(BuildFailed) as refusal:
        refuse_taken_names("tiny", own, names, runtime)
    assert any(f"bring {name} to the top" in str(refusal.value) for name in taken)


def test_an_app_named_like_a_dependency_or_the_standard_library_is_refused(tiny: Project, locked_wheel: str) -> None:
    (tiny.requirements / "tiny.txt").write_text(locked_wheel)
    config = tiny.lambda_path / "tiny/package.toml"
    for name in ("tinydep", "json"):
        (tiny.lambda_path / name).mkdir()
        (tiny.lambda_path / name / "main.py").write_text("def handler(event, context): ...\n")
        (tiny.lambda_path / name / "package.toml").write_text(config.read_text().replace("tiny.main", f"{name}.main"))
        (tiny.requirements / f"{name}.txt").write_text(locked_wheel)

    assert_refused(sawhorse(tiny, "build", "tinydep"), "lambda/tinydep and tinydep both bring tinydep to the top")
    assert_refused(
        sawhorse(tiny, "build", "json"), "The app json has the name of a module of Python's standard library"
    )
