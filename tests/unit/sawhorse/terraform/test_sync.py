"""What is the same in every root comes from one template, and a root that is otherwise is refused and left as it is."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from sawhorse.build.build import build
from sawhorse.errors import BadConfiguration
from sawhorse.local.overlay import make_overlay
from sawhorse.plans.plan import Tool
from sawhorse.project import Project, Root
from sawhorse.terraform.filling import TEMPLATES
from sawhorse.terraform.provider_lock import LOCK
from sawhorse.terraform.render import render, render_unbuilt
from sawhorse.terraform.sync import WRITTEN, files_of, sync
from tests.unit.sawhorse.support import tree

FOR_INCIDENTS = (
    "cors_origins",
    "dynamodb_billing_mode",
    "dynamodb_read_capacity",
    "dynamodb_write_capacity",
    "lambda_reserved_concurrency",
)


@pytest.fixture
def root(tiny: Project) -> Root:
    return tiny.root("dev/tiny")


def add_root(project: Project, name: str, main: str = "") -> Root:
    """Write another root, without what sync writes into it."""
    environment, app = name.split("/")
    root = Root(project, environment, app)
    root.path.mkdir(parents=True)
    (root.path / "main.tf").write_text(main)
    return root


def variables_of(root: Root) -> list[str]:
    return re.findall(r'^variable "(\w+)"', (root.path / WRITTEN).read_text(), re.MULTILINE)


def test_a_new_root_gets_what_every_root_has_and_keeps_it(tiny: Project) -> None:
    root = add_root(tiny, "dev/new", "# The author's.\n")

    written = sync([root])

    assert [(file.shown, file.found) for file in written] == [
        ("environments/dev/new/sawhorse.tf", None),
        ("environments/dev/new/.terraform.lock.hcl", None),
    ]
    assert tree(root.path) == {
        "main.tf": b"# The author's.\n",
        **{file.path.name: file.content.encode() for file in written},
    }
    before = [(file.path, file.path.stat().st_ino) for file in written]
    assert [file.differs for file in sync([root])] == [False, False]
    assert [(path, path.stat().st_ino) for path, _ in before] == before


def test_a_root_says_which_it_is_wherever_it_lies(tiny: Project, root: Root) -> None:
    other = add_root(tiny, "staging/other")
    sync([other])

    here, there = ((one.path / WRITTEN).read_text() for one in (root, other))

    assert re.findall(r'^ +(environment|app) += "(\w+)"$', here, re.MULTILINE) == [
        ("environment", "dev"),
        ("app", "tiny"),
    ]
    assert 'var.environment.name == "dev" && var.environment.app == "tiny"' in here
    assert "path.root" not in here
    assert here.replace('"dev"', '"staging"').replace('"tiny"', '"other"') == there


@pytest.mark.parametrize(
    ("text", "has"),
    [
        ("# Nothing is decided here.", ()),
        ("x = var.cors_origins", ("cors_origins",)),
        ("# not var.cors_origins", ()),
        ("// not var.cors_origins\nx = 1 /* nor\nvar.dynamodb_read_capacity */", ()),
        ('x = "${join("#", var.cors_origins)} ${var.dynamodb_read_capacity}"', FOR_INCIDENTS[0:3:2]),
        ("x = <<-EOT\n  # ${var.cors_origins}\n  EOT\n", FOR_INCIDENTS[:1]),
        ('x = "https://${var.cors_origins[0]}" # var.dynamodb_billing_mode', ("cors_origins",)),
        ("x = var.cors_origins_of_mine + avar.dynamodb_billing_mode", ()),
        (f"x = [{', '.join(f'var.{name}' for name in reversed(FOR_INCIDENTS))}]", FOR_INCIDENTS),
    ],
)
@pytest.mark.parametrize("name", ["main.tf", "more.tf", "main_override.tf"])
def test_a_root_has_those_variables_for_incidents_that_its_own_files_refer_to(
    root: Root, name: str, text: str, has: tuple[str, ...]
) -> None:
    (root.path / name).write_text(f"{text}\n")

    sync([root])

    assert variables_of(root) == ["environment", "packages", *has]


def test_what_is_rendered_is_not_a_root_s_own(root: Root) -> None:
    (root.path / "backend.tf").write_text("terraform {} var.cors_origins\n")

    assert [file.differs for file in files_of([root])] == [False, False]


@pytest.mark.parametrize(
    "names", [(), FOR_INCIDENTS[:1], FOR_INCIDENTS[1:3], FOR_INCIDENTS[-1:], FOR_INCIDENTS], ids=len
)
def test_terraform_fmt_leaves_what_is_written_as_it_is(terraform: Tool, root: Root, names: tuple[str, ...]) -> None:
    (root.path / "main.tf").write_text("".join(f"# {name}\nx = var.{name}\n" for name in names))
    sync([root])

    command = [str(terraform.binary), "fmt", "-check", "-diff", str(root.path / WRITTEN)]
    found = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (found.stdout, found.returncode) == ("", 0)


def appended(path: Path) -> None:
    path.write_text(path.read_text() + "\n")


def of_another_root(path: Path) -> None:
    path.write_text(path.read_text().replace('"tiny"', '"other"').replace("5.100.0", "5.99.0"))


def no_text(path: Path) -> None:
    path.write_bytes(b"\xff")


@pytest.mark.parametrize("change", [appended, of_another_root, no_text, Path.unlink])
@pytest.mark.parametrize("name", [WRITTEN, LOCK])
def test_a_root_that_sync_did_not_write_is_refused_and_nothing_is_touched(
    root: Root, name: str, change: Callable[[Path], None]
) -> None:
    build(root.project, "tiny")
    change(root.path / name)
    before = tree(root.project.path / "environments")

    for use in (
        lambda: render(root),
        lambda: render_unbuilt(root, root.path),
        lambda: make_overlay(root, "3.13", issuer="http://127.0.0.1:1/"),
    ):
        with pytest.raises(BadConfiguration) as refusal:
            use()
        assert str(refusal.value) == (
            f'environments/dev/tiny/{name} is not what "sawhorse sync" writes; run "sawhorse sync dev/tiny", and look '
            "at what it changed."
        )

    assert tree(root.project.path / "environments") == before
    assert not (root.project.path / ".sawhorse/local/project").exists()
    sync([root])
    render(root)


OLD_VARIABLES = 'variable "environment" {\n  type = string\n}\n\nvariable "packages" {\n  type = string\n}\n'


@pytest.mark.parametrize(
    ("text", "twice"),
    [
        (OLD_VARIABLES, "the variables environment and packages"),
        (
            'variable "cors_origins" {}\n# var.cors_origins\noutput "x" { value = var.cors_origins }\n',
            "the variable cors_origins",
        ),
        ("variable packages {}\n", "the variable packages"),
        ("terraform {\n  required_providers {\n  }\n}\n", "required_providers"),
        ('provider "aws" {\n  region = "eu-west-1"\n}\n', "the provider aws"),
        (
            f'terraform {{\n  required_providers {{\n  }}\n}}\nprovider "aws" {{\n  # alias = "x"\n}}\n{OLD_VARIABLES}',
            "the variables environment and packages, required_providers and the provider aws",
        ),
    ],
)
def test_what_would_stand_twice_is_refused_before_any_root_is_written(
    tiny: Project, root: Root, text: str, twice: str
) -> None:
    (root.path / WRITTEN).unlink()
    bad = add_root(tiny, "dev/zoo")
    (bad.path / "own.tf").write_text(text)
    before = tree(tiny.path / "environments")

    with pytest.raises(BadConfiguration) as refusal:
        sync([root, bad])

    assert str(refusal.value) == (
        f'environments/dev/zoo/own.tf has {twice}, which "sawhorse sync" writes into sawhorse.tf. Remove that; what '
        "this root has in another way than the others goes into a file whose name ends in _override.tf."
    )
    assert tree(tiny.path / "environments") == before


@pytest.mark.parametrize("text", ["module {", 'x = "${', "variable x y"])
def test_what_is_not_hcl_is_refused_with_its_place(root: Root, text: str) -> None:
    (root.path / WRITTEN).unlink()
    (root.path / "own.tf").write_text(f"# The author's.\n{text}\n")
    before = tree(root.path)

    with pytest.raises(BadConfiguration, match=r"^environments/dev/tiny/own\.tf:[23]: .* run terraform fmt"):
        sync([root])

    assert tree(root.path) == before


@pytest.mark.parametrize(
    "text",
    [
        '# variable "packages" {}\nvariable "colour" {}\n',
        'provider "aws" {\n  alias  = "frankfurt"\n  region = "eu-central-1"\n}\n',
        'x = <<EOT\nprovider "aws" {}\nEOT\n',
        'variable "one_of_mine" {}\nx = var.one_of_mine\n',
    ],
)
def test_what_is_a_root_s_own_stands_beside_it(root: Root, text: str) -> None:
    (root.path / "own.tf").write_text(text)

    assert [file.differs for file in sync([root])] == [False, False]

    assert (root.path / "own.tf").read_text() == text


def test_a_root_with_other_providers_keeps_its_own_lock(root: Root) -> None:
    (root.path / "providers_override.tf").write_text(
        'terraform {\n  required_providers {\n    aws = { source = "hashicorp/aws", version = "~> 6.0" }\n  }\n}\n'
    )
    (root.path / LOCK).write_text("# of version 6\n")

    assert [file.path.name for file in sync([root])] == [WRITTEN]

    assert (root.path / LOCK).read_text() == "# of version 6\n"


def test_a_variable_for_every_root_is_one_edit(tiny: Project, tmp_path: Path) -> None:
    roots = [tiny.root("dev/tiny"), *(add_root(tiny, f"{one}/{app}") for one in ("dev", "prod") for app in ("a", "b"))]
    sync(roots)
    variables = [variables_of(root) for root in roots]
    templates = tmp_path / "templates"
    shutil.copytree(TEMPLATES, templates)
    before = {**tree(templates), **tree(tiny.path / "environments")}
    template = templates / "sawhorse.tf.j2"
    template.write_text(template.read_text() + '\nvariable "owner" {\n  type = string\n}\n')

    edited = [
        name
        for name, content in {**tree(templates), **tree(tiny.path / "environments")}.items()
        if before[name] != content
    ]
    written = [file.shown for file in sync(roots, templates=templates) if file.differs]

    assert edited == ["sawhorse.tf.j2"]
    assert written == [f"environments/{root.name}/sawhorse.tf" for root in roots]
    assert [variables_of(root) for root in roots] == [[*names, "owner"] for names in variables]
