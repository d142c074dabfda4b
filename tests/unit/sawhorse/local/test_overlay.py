"""Terraform runs for the local AWS beside the roots, with everything of theirs but their backend and variables."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sawhorse.build.build import build
from sawhorse.build.manifest import read_manifest, write_manifest
from sawhorse.build.platform import Target
from sawhorse.errors import BuildFailed
from sawhorse.local import overlay
from sawhorse.local.overlay import make_overlay
from sawhorse.project import Project, Root
from sawhorse.terraform.render import render
from tests.unit.sawhorse.support import make_layer, tree

ISSUER = "http://127.0.0.1:1/"


@pytest.fixture
def root(tiny: Project) -> Root:
    """The root of the tiny app, its package built, its files rendered for AWS with a bucket."""
    build(tiny, "tiny")
    root = tiny.root("dev/tiny")
    (root.path.parent / "environment.yaml").write_text(
        'account_id: "111111111111"\nregion: us-east-1\nproduction: false\nstate_bucket: a-bucket\n'
    )
    render(root)
    return root


@pytest.fixture(autouse=True)
def _same_machine_as_lambda(monkeypatch: pytest.MonkeyPatch) -> None:
    """What runs on this machine is what runs in Lambda, unless a test says otherwise."""
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    monkeypatch.setattr("sys.platform", "linux")


def test_the_overlay_links_the_roots_files_and_the_modules(root: Root) -> None:
    directory = make_overlay(root, "3.13", issuer=ISSUER)

    assert directory == root.project.local / "project/environments/dev/tiny"
    assert (directory / "main.tf").readlink() == root.path / "main.tf"
    assert not (directory / ".terraform.lock.hcl").exists()
    assert (directory / "../../../modules").resolve() == root.project.path / "modules"


def test_the_root_stays_untouched(root: Root) -> None:
    before = tree(root.path)

    make_overlay(root, "3.13", issuer=ISSUER)

    assert tree(root.path) == before


def test_an_s3_backend_never_gets_into_the_overlay(root: Root) -> None:
    assert '"s3"' in (root.path / "backend.tf").read_text()

    backend = make_overlay(root, "3.13", issuer=ISSUER) / "backend.tf"

    assert not backend.is_symlink()
    assert '"s3"' not in backend.read_text()
    assert f'path = "{root.path}/terraform.tfstate.d/local/terraform.tfstate"' in backend.read_text()
    assert '"s3"' in (root.path / "backend.tf").read_text()


def test_a_new_file_is_linked_and_a_removed_one_unlinked(root: Root) -> None:
    make_overlay(root, "3.13", issuer=ISSUER)
    (root.path / "main.tf").rename(root.path / "renamed.tf")

    directory = make_overlay(root, "3.13", issuer=ISSUER)

    assert sorted(path.name for path in directory.glob("*.tf")) == ["backend.tf", "renamed.tf", "sawhorse.tf"]
    assert (directory / "renamed.tf").read_bytes() == (root.path / "renamed.tf").read_bytes()


def test_what_terraform_keeps_in_the_overlay_stays(root: Root) -> None:
    directory = make_overlay(root, "3.13", issuer=ISSUER)
    (directory / ".terraform").mkdir()

    make_overlay(root, "3.13", issuer=ISSUER)

    assert (directory / ".terraform").is_dir()


def test_the_package_is_the_one_for_lambda_where_that_runs_here(root: Root) -> None:
    directory = make_overlay(root, "3.13", issuer=ISSUER)

    assert (directory / "../../../dist/tiny.zip").resolve() == root.project.path / "dist/tiny.zip"
    # All but where it is applied.
    here, there = ((place / "terraform.tfvars").read_text() for place in (directory, root.path))
    assert here == there.replace("local          = false", "local          = true")


def test_the_layer_is_the_one_for_lambda_where_that_runs_here(root: Root) -> None:
    dist = root.project.path / "dist"
    layer = make_layer(dist)
    write_manifest(dist, {"tiny": {"api": replace(read_manifest(dist)["tiny"]["api"], layer=layer)}})

    directory = make_overlay(root, "3.13", issuer=ISSUER)

    assert (directory / "../../../dist/tiny-layer.zip").resolve() == dist / "tiny-layer.zip"
    assert 'path           = "../../../dist/tiny-layer.zip"' in (directory / "terraform.tfvars").read_text()


def test_elsewhere_a_package_for_this_machine_is_built_beside_it(root: Root, monkeypatch: pytest.MonkeyPatch) -> None:
    for_lambda = (root.project.path / "dist/tiny.zip").read_bytes()
    make_overlay(root, "3.13", issuer=ISSUER)
    source = root.project.lambda_path / "tiny/main.py"
    source.write_text(source.read_text() + "# changed\n")
    monkeypatch.setattr(overlay, "local_target", lambda _config, python: Target(python, None))

    dist = (make_overlay(root, "3.11", issuer=ISSUER) / "../../../dist").resolve()

    assert dist == root.project.local / "project/dist"
    assert not (dist / "tiny.zip").is_symlink()
    assert (root.project.path / "dist/tiny.zip").read_bytes() == for_lambda
    assert read_manifest(dist)["tiny"]["api"] != read_manifest(root.project.path / "dist")["tiny"]["api"]


def test_a_package_that_is_not_built_is_refused(root: Root) -> None:
    (root.project.path / "dist/tiny.zip").unlink()

    with pytest.raises(BuildFailed, match=r'^dist/tiny\.zip does not exist; run "make build"\.$'):
        make_overlay(root, "3.13", issuer=ISSUER)


def test_apis_take_tokens_of_the_local_issuer_instead_of_the_tenants(root: Root) -> None:
    environment = root.path.parent / "environment.yaml"
    tenant = "auth0:\n  domain: auth0.example.com\n  audience: https://api.example.com\n"
    environment.write_text(environment.read_text() + tenant)

    local = (make_overlay(root, "3.13", issuer=ISSUER) / "terraform.tfvars").read_text()
    render(root)
    real = (root.path / "terraform.tfvars").read_text()

    assert f'issuer   = "{ISSUER}"' in local
    assert 'issuer   = "https://auth0.example.com/"' in real
    assert 'audience = ["https://api.example.com"]' in local
    assert ("local          = true" in local, "local          = false" in real) == (True, True)
