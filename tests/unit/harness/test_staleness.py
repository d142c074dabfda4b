"""What is planned and applied was made of the sources that are there, or the plan says so and stops."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.layout import Project
from harness.package.build import build
from harness.package.manifest import read_manifest
from harness.package.staleness import refuse_stale
from harness.render import render
from tests.unit.harness.support import assert_refused, sawhorse, tree

Change = Callable[[Project], object]


def comment(path: Path) -> None:
    path.write_text(path.read_text() + "# a comment\n")


CHANGES: dict[str, tuple[Change, str]] = {
    "an edited source": (
        lambda project: (project.lambda_path / "tiny/main.py").write_text("def handler(event, context): ...\n"),
        "lambda/tiny/main.py",
    ),
    "a new source": (lambda project: (project.lambda_path / "tiny/more.py").write_text(""), "lambda/tiny/more.py"),
    "a source that is gone": (
        lambda project: (project.lambda_path / "tiny/__init__.py").unlink(),
        "lambda/tiny/__init",
    ),
    "a shared source": (
        lambda project: (project.lambda_path / "shared/__init__.py").write_text("X = 1\n"),
        "lambda/shared/__init__.py",
    ),
    "a mode": (lambda project: (project.lambda_path / "tiny/main.py").chmod(0o755), "lambda/tiny/main.py"),
    "package.toml": (
        lambda project: comment(project.lambda_path / "tiny/package.toml"),
        "lambda/tiny/package.toml",
    ),
    "the lock": (
        lambda project: (project.requirements / "tiny.txt").write_text("# nothing\n"),
        "requirements/tiny.txt",
    ),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_package_of_other_sources_is_refused_with_their_names(tiny: Project, what: str) -> None:
    build(tiny, "tiny")
    assert sawhorse(tiny, "render", "dev/tiny").code == 0
    before = tree(tiny.path / "environments")
    change, named = CHANGES[what]
    change(tiny)

    ended = sawhorse(tiny, "render", "dev/tiny")

    assert_refused(
        ended, "The sources of tiny have changed since dist/tiny.zip was built", named, "sawhorse build tiny"
    )
    assert tree(tiny.path / "environments") == before
    assert sawhorse(tiny, "render", "dev/tiny", "--as-built").code == 0
    build(tiny, "tiny")
    assert sawhorse(tiny, "render", "dev/tiny").code == 0


def test_what_no_package_holds_makes_none_stale(tiny: Project) -> None:
    build(tiny, "tiny")
    (tiny.lambda_path / "tiny/README.md").write_text("Told.\n")
    (tiny.lambda_path / "tiny/__pycache__").mkdir()
    (tiny.lambda_path / "tiny/__pycache__/main.cpython-313.pyc").write_bytes(b"")

    refuse_stale(tiny, "tiny", tiny.path / "dist", read_manifest(tiny.path / "dist")["tiny"])


def test_a_stale_package_is_told_without_the_memory_of_its_build(tiny: Project) -> None:
    build(tiny, "tiny")
    (tiny.path / "dist/.build/tiny").unlink()
    (tiny.lambda_path / "tiny/main.py").write_text("def handler(event, context): ...\n")

    assert_refused(sawhorse(tiny, "render", "dev/tiny"), "have changed since dist/tiny.zip was built.", "--as-built")


def test_a_manifest_that_notes_no_sources_asks_for_a_build(tiny: Project) -> None:
    build(tiny, "tiny")
    path = tiny.path / "dist/manifest.json"
    content = json.loads(path.read_text())
    del content["tiny"]["api"]["sources_sha256"]
    path.write_text(json.dumps(content))

    assert_refused(sawhorse(tiny, "render", "dev/tiny"), "built by an older Sawhorse", "sawhorse build tiny")


def test_another_comment_changes_no_tfvars(tiny: Project) -> None:
    """Of the notes about sources nothing reaches Terraform."""
    build(tiny, "tiny")
    root = tiny.root("dev/tiny")
    first = Path(render(root).files[0]).read_bytes()
    comment(tiny.lambda_path / "tiny/package.toml")
    build(tiny, "tiny")

    assert not render(root).changed
    assert Path(render(root).files[0]).read_bytes() == first
