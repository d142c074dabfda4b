"""Rendered files say to Terraform what the environment and the manifest say, and are written whole or not at all."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from sawhorse.build.build import build
from sawhorse.build.manifest import read_manifest, write_manifest
from sawhorse.errors import BadConfiguration, BuildFailed
from sawhorse.plans.plan import Tool
from sawhorse.project import Project, Root
from sawhorse.terraform import render as rendering
from sawhorse.terraform.filling import fill
from sawhorse.terraform.render import archives_of, render, render_unbuilt
from tests.unit.sawhorse.support import make_layer, tree

BUCKET = 'account_id: "111111111111"\nregion: eu-central-1\nproduction: false\nstate_bucket: a-bucket\n'


@pytest.fixture
def root(tiny: Project) -> Root:
    """The root of the tiny app, its package built."""
    build(tiny, "tiny")
    return tiny.root("dev/tiny")


@pytest.fixture
def layered(root: Root) -> Root:
    """The root of the tiny app, its dependencies in a layer."""
    dist = root.project.path / "dist"
    package = replace(read_manifest(dist)["tiny"]["api"], layer=make_layer(dist))
    write_manifest(dist, {"tiny": {"api": package, "worker": package}})
    return root


def given_to(tool: Tool, root: Root) -> Any:
    """Return the variables of a root as Terraform reads them."""
    directory = root.project.path / "given"
    directory.mkdir(exist_ok=True)
    shutil.copy(root.path / "terraform.tfvars", directory)
    (directory / "main.tf").write_text(
        'variable "environment" { type = any }\nvariable "packages" { type = any }\n'
        'output "given" { value = { environment = var.environment, packages = var.packages } }\n'
    )
    for command in (["apply", "-auto-approve", "-input=false"], ["output", "-json", "given"]):
        result = subprocess.run(
            [str(tool.binary), *command],
            cwd=directory,
            env={**os.environ, **tool.environment},
            capture_output=True,
            text=True,
            check=True,
        )
    return json.loads(result.stdout)


def test_a_rendered_file_holds_the_environment_and_the_manifest(terraform: Tool, root: Root) -> None:
    (root.path.parent / "environment.yaml").write_text(
        'account_id: "012345678901"\nregion: us-east-1\nproduction: true\nalarm_email: a@example.com\n'
        'tags:\n  "a:b": "@ = +"\n  z: "1"\n'
    )
    render(root)
    manifest = json.loads((root.project.path / "dist/manifest.json").read_text())["tiny"]["api"]
    # What the package was made of is the harness's alone.
    del manifest["sources_sha256"], manifest["compiled_by"]
    assert given_to(terraform, root) == {
        "environment": {
            "name": "dev",
            "app": "tiny",
            "account_id": "012345678901",
            "region": "us-east-1",
            "alarm_email": "a@example.com",
            "alarms_unheard": False,
            "local": False,
            "production": True,
            "tags": {"a:b": "@ = +", "z": "1"},
        },
        "packages": {"api": {**manifest, "path": "../../../dist/tiny.zip"}},
    }


@pytest.mark.parametrize(
    ("lines", "refused"),
    [
        ("production: true\n", True),
        ("production: true\nalarms_unheard: false\n", True),
        ("production: true\nalarms_unheard: true\n", False),
        ("production: true\nalarm_email: a@example.com\n", False),
        ("production: false\n", False),
    ],
)
def test_a_production_whose_alarms_nobody_hears_is_refused_unless_that_is_meant(
    root: Root, lines: str, *, refused: bool
) -> None:
    (root.path.parent / "environment.yaml").write_text(f'account_id: "111111111111"\nregion: us-east-1\n{lines}')

    if refused:
        with pytest.raises(
            BadConfiguration, match=r"dev/environment\.yaml says production: true, and nobody would hear"
        ):
            render(root)
        # What was applied before can be destroyed all the same.
        render_unbuilt(root, root.path)
    else:
        render(root)
    assert (root.path / "terraform.tfvars").is_file()


def test_a_rendered_file_holds_the_layer_of_every_function(terraform: Tool, layered: Root) -> None:
    render(layered)

    packages = given_to(terraform, layered)["packages"]
    layer = asdict(make_layer(layered.project.path / "dist"))
    assert [package["layer"] for package in packages.values()] == 2 * [
        {**layer, "path": "../../../dist/tiny-layer.zip"}
    ]


def test_a_package_without_a_layer_says_nothing_of_layers(root: Root) -> None:
    assert "layer" not in render(root).files[0].read_text()


def test_every_zip_of_an_app_is_named_once(layered: Root) -> None:
    packages = read_manifest(layered.project.path / "dist")["tiny"]

    assert [archive.path for archive in archives_of(packages.values())] == ["dist/tiny.zip", "dist/tiny-layer.zip"]


def test_the_path_of_the_package_leads_there_from_the_root(root: Root) -> None:
    text = render(root).files[0].read_text()

    assert 'path           = "../../../dist/tiny.zip"' in text
    assert (root.path / "../../../dist/tiny.zip").is_file()


def test_rendering_again_changes_nothing(root: Root) -> None:
    assert render(root).changed
    before = (root.path / "terraform.tfvars").stat().st_mtime_ns

    again = render(root)

    assert not again.changed
    assert (root.path / "terraform.tfvars").stat().st_mtime_ns == before


def test_a_backend_is_rendered_while_a_bucket_is_named_and_removed_afterwards(root: Root) -> None:
    facts = root.path.parent / "environment.yaml"
    without = facts.read_text()
    assert [path.name for path in render(root).files] == ["terraform.tfvars"]
    assert not (root.path / "backend.tf").exists()

    facts.write_text(BUCKET)
    rendered = render(root)
    assert [path.name for path in rendered.files] == ["terraform.tfvars", "backend.tf"]
    backend = (root.path / "backend.tf").read_text()
    for line in ('bucket       = "a-bucket"', 'key          = "dev/tiny.tfstate"', 'region       = "eu-central-1"'):
        assert line in backend
    assert "use_lockfile = true" in backend

    facts.write_text(without)
    assert render(root).changed
    assert not (root.path / "backend.tf").exists()
    assert not render(root).changed


def test_what_is_rendered_is_formatted_as_terraform_formats(terraform: Tool, layered: Root) -> None:
    (layered.path.parent / "environment.yaml").write_text(BUCKET)
    files = [str(path) for path in render(layered).files]

    result = subprocess.run(
        [str(terraform.binary), "fmt", "-check", "-diff", *files], capture_output=True, text=True, check=False
    )

    assert result.stdout == ""


@pytest.mark.parametrize("missing", ["dist/manifest.json", "dist/tiny.zip"])
def test_a_package_that_is_not_built_is_named_and_nothing_is_rendered(root: Root, missing: str) -> None:
    (root.project.path / missing).unlink()
    before = tree(root.path)

    with pytest.raises(BuildFailed, match=r'^dist/tiny\.zip does not exist; run "make build"\.$'):
        render(root)

    assert tree(root.path) == before


def test_a_layer_that_is_not_built_is_named_and_nothing_is_rendered(layered: Root) -> None:
    before = tree(layered.path)
    layer = layered.project.path / "dist/tiny-layer.zip"

    layer.write_bytes(b"another layer")
    with pytest.raises(
        BuildFailed, match=r'^dist/tiny-layer\.zip is not the one that was measured; run "make build"\.$'
    ):
        render(layered)
    layer.unlink()
    with pytest.raises(BuildFailed, match=r'^dist/tiny-layer\.zip does not exist; run "make build"\.$'):
        render(layered)

    assert tree(layered.path) == before


def test_nothing_is_written_when_the_second_template_fails(
    root: Root, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root.path.parent / "environment.yaml").write_text(BUCKET)
    original = fill

    def broken(name: str, **values: Any) -> str:
        if name == "backend.tf.j2":
            (tmp_path / name).write_text("{{ gone.colour }}")
            return original(name, templates=tmp_path, **values)
        return original(name, **values)

    before = tree(root.path)
    monkeypatch.setattr(rendering, "fill", broken)
    with pytest.raises(BadConfiguration, match=r"backend\.tf\.j2 wants a value"):
        render(root)

    assert tree(root.path) == before
