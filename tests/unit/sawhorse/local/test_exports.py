"""What a shell takes over for one root's local runs is given to Terraform in that root alone."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

import pytest

from sawhorse.local.exports import ARGUMENTS, superseded, write_wrapper
from sawhorse.project import Project
from sawhorse.toolchain import terraform_install
from sawhorse.toolchain.machine import Machine
from tests.unit.sawhorse.support import script

ARGUMENT = "-var-file=/somewhere/terraform.tfvars"


@pytest.fixture
def wrapper(tiny: Project, tmp_path: Path) -> Path:
    """The program before a Terraform that prints what it was given."""
    real = script(tmp_path / "real/terraform", 'echo "$TF_CLI_ARGS_plan|$*"')
    return write_wrapper(tiny.root("dev/tiny"), real) / "terraform"


def printed(wrapper: Path, directory: Path, *arguments: str) -> str:
    variables = {**os.environ, **dict.fromkeys(ARGUMENTS, ARGUMENT)}
    command = [str(wrapper), *arguments]
    return subprocess.run(command, cwd=directory, env=variables, capture_output=True, text=True, check=True).stdout


def test_in_the_root_terraform_gets_the_variables_of_local_runs(wrapper: Path, tiny: Project, tmp_path: Path) -> None:
    root = tiny.root("dev/tiny").path
    link = tmp_path / "a link"
    link.symlink_to(root)

    assert printed(wrapper, root, "plan", "a b") == f"{ARGUMENT}|plan a b\n"
    assert printed(wrapper, link, "plan") == f"{ARGUMENT}|plan\n"
    assert printed(wrapper, tiny.path, "-chdir=environments/dev/tiny", "plan") == (
        f"{ARGUMENT}|-chdir=environments/dev/tiny plan\n"
    )


def test_anywhere_else_it_does_not(wrapper: Path, tiny: Project, tmp_path: Path) -> None:
    root = tiny.root("dev/tiny").path
    (root / "inner").mkdir()

    for directory in (tiny.path, root.parent, root / "inner", tmp_path):
        assert printed(wrapper, directory, "plan") == "|plan\n"
    assert printed(wrapper, root, "-chdir=..", "plan") == "|-chdir=.. plan\n"
    assert printed(wrapper, root, "-chdir=not-there", "plan") == "|-chdir=not-there plan\n"


def test_the_harness_finds_terraform_itself_behind_it(wrapper: Path, tmp_path: Path) -> None:
    path = os.pathsep.join([str(wrapper.parent), str(tmp_path / "real"), "/usr/bin"])
    machine = Machine(environ={"PATH": path}, home=tmp_path)

    assert terraform_install.terraform_on_path(machine) == tmp_path / "real/terraform"
    assert terraform_install.terraform_on_path(Machine({"PATH": str(wrapper.parent)}, tmp_path)) is None


def test_a_shell_is_rid_of_whatever_it_holds_that_leads_astray(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TF_REATTACH_PROVIDERS", "AWS_ENDPOINT_URL_DYNAMODB", "AWS_SOMETHING_NEW", "TF_CLI_ARGS_validate"):
        monkeypatch.setenv(name, "elsewhere")
    monkeypatch.setenv("TF_VAR_kept", "yes")

    names = superseded()
    words = f"unset {' '.join(names)}; env"
    left = subprocess.run(["sh", "-c", words], capture_output=True, text=True, check=True).stdout

    assert "elsewhere" not in left
    assert "TF_VAR_kept=yes" in left
    assert {"AWS_PROFILE", "AWS_CA_BUNDLE", "TF_WORKSPACE", *ARGUMENTS} <= set(names)
    assert [name for name in names if shlex.quote(name) != name] == []
