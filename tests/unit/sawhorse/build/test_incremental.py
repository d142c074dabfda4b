"""A build that has little to do proves that by hashes, and makes what a build from nothing would make."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sawhorse.build.build import build
from sawhorse.build.last_package import Package
from sawhorse.build.platform import Target
from sawhorse.build.wheel_cache import Cache
from sawhorse.project import Project
from tests.unit.sawhorse.support import make_tiny_project, sawhorse, tree, write_lock

# What a build that changes nothing, or a source alone, does not wait for.
BEYOND_QUICK = (
    "dataclasses", "inspect", "jinja2", "packaging", "pydantic", "rich", "subprocess", "tomllib", "typer", "yaml",
    "zipfile",
)  # fmt: skip


class SettledAnewError(Exception):
    """A build looks into configuration, lock and wheels."""


def quickly(project: Project, target: Target | None = None) -> Package | None:
    """Build with what the last build settled; None where that does not do."""

    def refuse(*_: object) -> None:
        raise SettledAnewError

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("sawhorse.build.build.settled", refuse)
        try:
            return build(project, "tiny", target=target)
        except SettledAnewError:
            return None


def main_of(project: Project) -> Path:
    return project.lambda_path / "tiny/main.py"


def change_a_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def anew(project: Project, dist: Path) -> dict[str, bytes]:
    """What a build makes that finds nothing of an earlier one."""
    build(project, "tiny", dist=dist)
    return {name: content for name, content in tree(dist).items() if not name.startswith(".")}


def test_nothing_is_quick_before_the_first_build(tiny: Project) -> None:
    assert quickly(tiny) is None
    assert not (tiny.path / "dist").exists()


def test_a_changed_source_makes_what_a_build_from_nothing_makes(tiny: Project, tmp_path: Path) -> None:
    build(tiny, "tiny")
    main_of(tiny).write_text("def handler(event, context):\n    return 'other'\n")

    package = quickly(tiny)
    assert package
    assert package.changed

    made = {name: content for name, content in tree(tiny.path / "dist").items() if not name.startswith(".")}
    assert made == anew(tiny, tmp_path / "anew")


@pytest.mark.parametrize("name", ["tiny.zip", "manifest.json", "tiny.cdx.json", "tiny.licences.json"])
@pytest.mark.parametrize("harm", ["changed", "gone"])
def test_what_is_not_as_it_was_written_is_made_again(tiny: Project, name: str, harm: str) -> None:
    build(tiny, "tiny")
    before = tree(tiny.path / "dist")
    path = tiny.path / "dist" / name
    if harm == "gone":
        path.unlink()
    else:
        content = path.read_bytes()
        path.write_bytes(content.replace(b"tiny", b"TINY"))

    assert quickly(tiny) is None
    if name == "manifest.json" and harm == "changed":
        # What it says of an app called TINY stays.
        path.unlink()
    build(tiny, "tiny")

    assert tree(tiny.path / "dist") == before


@pytest.mark.parametrize(
    "change",
    [
        lambda project: (project.lambda_path / "tiny/package.toml").write_text(
            'architecture = "arm64"\n[functions.api]\nhandler = "tiny.main.handler"\n'
        ),
        lambda project: write_lock(project, "# nothing\n"),
        lambda project: (project.lambda_path / "tiny/new.py").touch(),
        lambda project: (project.lambda_path / "shared/__init__.py").unlink(),
        lambda project: (project.lambda_path / "tiny/main.py").chmod(0o755),
        lambda project: (project.path / "dist/.build/tiny").write_bytes(b"half of it"),
        lambda project: change_a_byte(project.path / "dist/.build/tiny"),
        lambda project: (project.path / "dist/.build/tiny").unlink(),
    ],
    ids=["configuration", "lock", "new source", "lost source", "mode", "half a memory", "broken memory", "no memory"],
)
def test_more_than_changed_sources_is_left_to_the_whole_build(
    tiny: Project, change: Callable[[Project], object]
) -> None:
    build(tiny, "tiny")

    change(tiny)

    assert quickly(tiny) is None
    assert build(tiny, "tiny").sha256


def test_a_package_for_another_platform_is_never_taken_for_this_one(tiny: Project) -> None:
    build(tiny, "tiny")

    assert quickly(tiny, Target("3.13", "elsewhere")) is None


def test_an_interpreter_that_is_another_one_now_is_looked_for_again(tiny: Project) -> None:
    build(tiny, "tiny")
    cache = Cache.of_user()
    found = cache.interpreter("3.13")
    other = tiny.path / "python3.13"
    other.write_text('#!/bin/sh\nexec python3.12 "$@"\n')
    other.chmod(0o755)
    cache.remember_interpreter("3.13", other)

    assert build(tiny, "tiny", dist=tiny.path / "other").sha256 == build(tiny, "tiny").sha256
    assert cache.interpreter("3.13") == found


edits = st.lists(
    st.tuples(
        st.sampled_from(["tiny/main.py", "tiny/more.py", "shared/__init__.py", "tiny/data.txt", "tiny/run"]),
        st.sampled_from(["", "X = 1\n", "X = 2\n", "def handler(event, context): ...\n"]),
        st.booleans(),
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(edits, min_size=1, max_size=3))
def test_any_edits_one_after_another_end_as_if_built_from_nothing(
    tmp_path_factory: pytest.TempPathFactory, repository: Path, steps: list[list[tuple[str, str, bool]]]
) -> None:
    home = tmp_path_factory.mktemp("edited")
    project = make_tiny_project(home / "project", repository=repository)
    for step in steps:
        for name, text, executable in step:
            path = project.lambda_path / name
            # A package without what its handler names is refused.
            path.write_text(f"{text}handler = print\n" if name == "tiny/main.py" else text)
            path.chmod(0o755 if executable else 0o644)
        build(project, "tiny")

    made = {name: content for name, content in tree(project.path / "dist").items() if not name.startswith(".")}
    assert made == anew(project, home / "anew")
    shutil.rmtree(home)


@pytest.mark.parametrize("changed", [False, True])
def test_a_quick_build_imports_nothing_that_it_does_not_need(
    tiny: Project,
    repository: Path,
    changed: bool,  # noqa: FBT001
) -> None:
    build(tiny, "tiny")
    if changed:
        main_of(tiny).write_text("def handler(event, context):\n    return 'new'\n")
    code = (
        f"import sys; sys.path.insert(0, {str(repository / 'harness')!r}); sys.argv = ['sawhorse', 'build', 'tiny']; "
        f"import sawhorse.cli.start; sawhorse.cli.start.main(); print(sorted(set({BEYOND_QUICK!r}) & set(sys.modules)))"
    )
    environment = {**os.environ, "SAWHORSE_PROJECT": str(tiny.path)}
    command = [sys.executable, "-I", "-S", "-c", code]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)

    assert ended.stdout.splitlines()[0].startswith(f"dist/tiny.zip {'built' if changed else 'unchanged'}: ")
    assert ended.stdout.splitlines()[1:] == ["[]"]


def test_the_quick_way_and_the_whole_one_tell_the_same(tiny: Project) -> None:
    built, quick, whole = (sawhorse(tiny, "build", *words) for words in (["tiny"], ["tiny"], []))
    as_json = json.loads(sawhorse(tiny, "build", "tiny", "--json").out)

    assert built.out.replace("built", "unchanged") == quick.out == whole.out
    assert as_json == [
        {
            "app": "tiny",
            "changed": False,
            "path": "dist/tiny.zip",
            "sha256": as_json[0]["sha256"],
            "size": (tiny.path / "dist/tiny.zip").stat().st_size,
            "warnings": [],
        }
    ]
    assert f"{as_json[0]['size']:,} bytes, sha256 {as_json[0]['sha256']}" in quick.out
