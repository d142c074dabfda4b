"""A package that was not made of what stands in the checkout is neither rendered, planned nor applied by mistake."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sawhorse.build.build import build
from sawhorse.build.manifest import read_manifest
from sawhorse.build.platform import Target
from sawhorse.build.stale_check import refuse_stale
from sawhorse.errors import BuildFailed
from sawhorse.local import overlay
from sawhorse.local.overlay import make_overlay
from sawhorse.project import Project, Root
from sawhorse.terraform.render import render
from tests.unit.sawhorse.support import assert_refused, make_tiny_project, sawhorse, tree

NEXT_STEP = 'Run "sawhorse build tiny", or add --as-built to take the package as it is.'
ISSUER = "http://127.0.0.1:1/"


@pytest.fixture
def root(tiny: Project) -> Root:
    """The root of the tiny app, its package built and its files rendered."""
    (tiny.lambda_path / "tiny/data.txt").write_text("one")
    change(tiny, "lambda/tiny/main.py", "import shared\n")
    build(tiny, "tiny")
    render(tiny.root("dev/tiny"))
    return tiny.root("dev/tiny")


def change(project: Project, name: str, text: str = "# changed\n") -> None:
    path = project.path / name
    path.write_text((path.read_text() if path.is_file() else "") + text)


def change_all(project: Project, *names: str) -> None:
    for name in names:
        change(project, name)


@pytest.mark.parametrize(
    ("edit", "named"),
    [
        (lambda p: change(p, "lambda/tiny/main.py"), "lambda/tiny/main.py changed"),
        (lambda p: change(p, "lambda/shared/__init__.py"), "lambda/shared/__init__.py changed"),
        (lambda p: change(p, "lambda/tiny/new.py"), "lambda/tiny/new.py is new"),
        (lambda p: (p.lambda_path / "tiny/data.txt").unlink(), "lambda/tiny/data.txt is gone"),
        (lambda p: (p.lambda_path / "tiny/data.txt").chmod(0o755), "lambda/tiny/data.txt has another mode"),
        (lambda p: change(p, "lambda/tiny/package.toml"), "lambda/tiny/package.toml changed"),
        (lambda p: change(p, "lambda/tiny/requirements.txt"), "lambda/tiny/requirements.txt changed"),
        (lambda p: (p.lambda_path / "tiny/requirements.txt").unlink(), "the lock is gone"),
        (lambda p: (p.lambda_path / "tiny/data.txt").rename(p.lambda_path / "tiny/b.txt"),
         "lambda/tiny/b.txt is new and lambda/tiny/data.txt is gone"),
        (lambda p: change_all(p, *(f"lambda/tiny/{name}.py" for name in "abcde")),
         "lambda/tiny/a.py is new, lambda/tiny/b.py is new, lambda/tiny/c.py is new and 2 more"),
    ],
)  # fmt: skip
def test_a_stale_package_is_refused_with_the_files_that_differ(
    root: Root, edit: Callable[[Project], object], named: str
) -> None:
    project = root.project
    edit(project)
    before = tree(root.path)

    ended = sawhorse(project, "render", "dev/tiny")

    assert_refused(ended, f"dist/tiny.zip was not made of what stands here now: {named}. {NEXT_STEP}")
    assert tree(root.path) == before
    with pytest.raises(BuildFailed, match="was not made of what stands here now"):
        make_overlay(root, "3.13", issuer=ISSUER)
    render(root, as_built=True)
    make_overlay(root, "3.13", issuer=ISSUER, as_built=True)
    assert sawhorse(project, "render", "dev/tiny", "--as-built").code == 0


@pytest.mark.parametrize(
    "edit",
    [
        lambda p: change(p, "lambda/tiny/README.md"),
        lambda p: change(p, "lambda/tiny/Dockerfile"),
        lambda p: change(p, "lambda/tiny/.main.py.swp"),
        lambda p: change(p, "lambda/other_requirements.txt"),
        lambda p: (p.lambda_path / "tiny/main.py").touch(),
        lambda p: (p.lambda_path / "tiny/main.py").chmod(0o600),
        lambda p: (p.lambda_path / "other").mkdir(),
    ],
)
def test_what_is_not_packed_makes_no_package_stale_and_changes_no_file(
    root: Root, edit: Callable[[Project], object]
) -> None:
    manifest, tfvars = (root.project.path / "dist/manifest.json").read_bytes(), tree(root.path)

    edit(root.project)

    assert not render(root).changed
    assert not build(root.project, "tiny").changed
    assert (root.project.path / "dist/manifest.json").read_bytes() == manifest
    assert tree(root.path) == tfvars


def test_terraform_never_sees_what_a_package_was_made_of(root: Root) -> None:
    made_of = read_manifest(root.project.path / "dist")["tiny"]["api"].sources_sha256
    assert made_of
    text = (root.path / "terraform.tfvars").read_text()
    assert made_of not in text

    # A comment in package.toml makes the package stale, and the same package again.
    change(root.project, "lambda/tiny/package.toml")
    build(root.project, "tiny")

    assert not render(root).changed
    assert read_manifest(root.project.path / "dist")["tiny"]["api"].sources_sha256 != made_of


def test_a_stale_package_is_built_and_taken(root: Root) -> None:
    change(root.project, "lambda/tiny/main.py")
    assert sawhorse(root.project, "render").code == 2

    assert sawhorse(root.project, "build", "tiny").code == 0

    assert sawhorse(root.project, "render").code == 0


def test_a_manifest_of_an_older_build_is_refused(root: Root) -> None:
    path = root.project.path / "dist/manifest.json"
    manifest = json.loads(path.read_text())
    del manifest["tiny"]["api"]["sources_sha256"]
    path.write_text(json.dumps(manifest))

    assert_refused(
        sawhorse(root.project, "render"), f"dist/manifest.json does not say what tiny.zip was made of. {NEXT_STEP}"
    )
    build(root.project, "tiny")
    assert not render(root).changed


@pytest.mark.parametrize("lost", ["gone", "damaged", "of another build"])
def test_without_what_the_build_remembered_no_file_is_named(root: Root, lost: str) -> None:
    project = root.project
    dist = project.path / "dist"
    kept = {name: (dist / name).read_bytes() for name in ("manifest.json", "tiny.zip")}
    if lost == "gone":
        shutil.rmtree(dist / ".build")
    elif lost == "damaged":
        (dist / ".build/tiny").write_bytes(b"half of it")
    change(project, "lambda/tiny/main.py")
    if lost == "of another build":
        build(project, "tiny")
        for name, content in kept.items():
            (dist / name).write_bytes(content)

    assert_refused(sawhorse(project, "render"), f"dist/tiny.zip was not made of what stands here now. {NEXT_STEP}")


def test_a_package_that_is_not_there_is_no_stale_one(root: Root) -> None:
    (root.project.path / "dist/tiny.zip").unlink()
    change(root.project, "lambda/tiny/main.py")

    assert_refused(sawhorse(root.project, "render"), 'dist/tiny.zip does not exist; run "make build".')


@pytest.mark.parametrize("command", ["plan", "apply"])
def test_plan_and_apply_can_take_a_package_as_it_is(root: Root, command: str) -> None:
    ended = sawhorse(root.project, command, "--help", variables={"COLUMNS": "200"})

    assert "--as-built" in ended.out


def test_a_package_for_this_machine_is_made_of_what_stands_here(root: Root, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overlay, "local_target", lambda _config, python: Target(python, None))
    dist = (make_overlay(root, "3.11", issuer=ISSUER) / "../../../dist").resolve()
    before = (dist / "tiny.zip").read_bytes()
    change(root.project, "lambda/tiny/main.py")

    make_overlay(root, "3.11", issuer=ISSUER, as_built=True)
    assert (dist / "tiny.zip").read_bytes() == before

    make_overlay(root, "3.11", issuer=ISSUER)
    assert (dist / "tiny.zip").read_bytes() != before
    refuse_stale(root.project, dist, "tiny")


places = st.sampled_from(
    [
        "lambda/tiny/__init__.py",
        "lambda/tiny/x.txt",
        "lambda/tiny/a/b.txt",
        "lambda/shared/y.txt",
        "lambda/tiny/requirements.txt",
    ]
)
contents = st.none() | st.sampled_from(["", "# one\n", "# two\n"])


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(edits=st.lists(st.tuples(places, contents, st.booleans()), min_size=1, max_size=4))
def test_a_package_is_stale_exactly_when_a_file_of_it_differs(
    tmp_path_factory: pytest.TempPathFactory, repository: Path, edits: list[tuple[str, str | None, bool]]
) -> None:
    project = make_tiny_project(tmp_path_factory.mktemp("edited") / "project", repository=repository)
    build(project, "tiny")

    def made_of() -> dict[str, tuple[bytes, bool]]:
        files = project.lambda_path.rglob("*.*")
        # A lock's mode means nothing.
        return {
            str(path): (path.read_bytes(), path.name != "requirements.txt" and bool(path.stat().st_mode & 0o100))
            for path in files
            if path.is_file()
        }

    before = made_of()
    for name, text, mode in edits:
        path = project.path / name
        if text is None:
            path.unlink(missing_ok=True)
        else:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
            path.chmod(0o755 if mode else 0o644)

    stale = None
    try:
        refuse_stale(project, project.path / "dist", "tiny")
    except BuildFailed as error:
        stale = str(error)

    assert (stale is not None) == (made_of() != before), stale
