"""`sawhorse sync` writes what differs and says so; with --check it writes nothing, and exit code 1 tells."""

from __future__ import annotations

import json
import shutil

import pytest

from sawhorse.project import Project
from tests.unit.sawhorse.support import Ended, assert_refused, sawhorse, tree

FILE = "environments/dev/tiny/sawhorse.tf"


@pytest.fixture
def edited(tiny: Project) -> Project:
    """A project with a second root, and a first one where somebody changed what sync wrote."""
    shutil.copytree(tiny.path / "environments/dev/tiny", tiny.path / "environments/dev/other")
    assert sawhorse(tiny, "sync", "dev/other").out == (
        "environments/dev/other/sawhorse.tf written\n1 of 2 files were so already.\n"
    )
    path = tiny.path / FILE
    path.write_text(path.read_text().replace("~> 5.100", "~> 4.0"))
    return tiny


@pytest.mark.parametrize("roots", [(), ("dev/tiny",), ("dev/all",), ("dev/other", "dev/tiny")], ids=" ".join)
def test_a_check_shows_the_difference_and_writes_nothing(edited: Project, roots: tuple[str, ...]) -> None:
    before = tree(edited.path / "environments")

    ended = sawhorse(edited, "sync", "--check", *roots)

    assert (ended.code, ended.err) == (1, "")
    assert '-      version = "~> 4.0"\n+      version = "~> 5.100"\n' in ended.out
    assert ended.out.endswith(f'{FILE} is not what sync writes; run "sawhorse sync dev/tiny".\n')
    assert tree(edited.path / "environments") == before


def test_what_was_written_is_said_and_checks(edited: Project) -> None:
    assert sawhorse(edited, "sync") == Ended(0, f"{FILE} written\n3 of 4 files were so already.\n", "")
    assert sawhorse(edited, "sync", "--check") == Ended(0, "", "")
    assert sawhorse(edited, "sync") == Ended(0, "4 of 4 files were so already.\n", "")


@pytest.mark.parametrize("check", [("--check",), ()], ids=["check", "write"])
def test_machines_are_told_as_well(edited: Project, check: tuple[str, ...]) -> None:
    ended = sawhorse(edited, "sync", "dev/tiny", "--json", *check)

    assert ended.code == len(check)
    assert json.loads(ended.out) == [
        {"root": "dev/tiny", "path": FILE, "changed": True},
        {"root": "dev/tiny", "path": "environments/dev/tiny/.terraform.lock.hcl", "changed": False},
    ]


def test_a_check_of_one_root_looks_at_that_one_alone(edited: Project) -> None:
    assert sawhorse(edited, "sync", "--check", "dev/other") == Ended(0, "", "")


def test_mistakes_get_a_sentence(edited: Project) -> None:
    before = tree(edited.path / "environments")

    assert_refused(
        sawhorse(edited, "sync", "dev/tiny", "dev/huge"), "There is no root dev/huge; choose dev/other or dev/tiny."
    )
    (edited.path / "environments/dev/other/variables.tf").write_text('variable "packages" {}\n')
    assert_refused(sawhorse(edited, "sync"), "environments/dev/other/variables.tf has the variable packages")
    assert_refused(sawhorse(edited, "sync", "--check"), "environments/dev/other/variables.tf has the variable packages")

    (edited.path / "environments/dev/other/variables.tf").unlink()
    assert tree(edited.path / "environments") == before


@pytest.mark.parametrize("command", [("render",), ("render", "dev/tiny"), ("render", "--as-built")], ids=" ".join)
def test_a_root_that_sync_did_not_write_is_not_rendered(edited: Project, command: tuple[str, ...]) -> None:
    assert sawhorse(edited, "build").code == 0
    shutil.rmtree(edited.path / "environments/dev/other")
    before = tree(edited.path / "environments")

    assert_refused(
        sawhorse(edited, *command), f'{FILE} is not what "sawhorse sync" writes; run "sawhorse sync dev/tiny"'
    )

    assert tree(edited.path / "environments") == before
