"""Everything of a kind looks alike, and nothing is where it does not belong."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from sawhorse.plans.plan import Tool
from tests.projects import REPOSITORY, SAMPLE

ROOTS = sorted(path.parent for source in (REPOSITORY, SAMPLE) for path in (source / "environments").glob("*/*/main.tf"))
MODULES = (REPOSITORY / "modules", SAMPLE / "modules")
TERRAFORM = (*MODULES, REPOSITORY / "environments", SAMPLE / "environments")


def name_of(root: Path) -> str:
    return f"{root.parent.name}/{root.name}"


@pytest.mark.parametrize("root", ROOTS, ids=name_of)
def test_a_root_uses_every_variable_that_it_has(root: Path) -> None:
    variables = re.findall(r'^variable "(\w+)"', (root / "variables.tf").read_text(), re.MULTILINE)
    text = (root / "main.tf").read_text() + (root / "terraform.tf").read_text()
    assert [name for name in variables if not re.search(rf"\bvar\.{name}\b", text)] == []


@pytest.mark.parametrize("name", ["variables.tf", "terraform.tf", ".terraform.lock.hcl"])
def test_every_root_has_the_same_file(name: str) -> None:
    assert len({(root / name).read_bytes() for root in ROOTS}) == 1


@pytest.mark.parametrize("app", sorted({root.name for root in ROOTS}))
def test_an_app_has_the_same_outputs_in_every_environment(app: str) -> None:
    assert len({(root / "outputs.tf").read_bytes() for root in ROOTS if root.name == app}) == 1


def test_every_module_asks_for_the_same_terraform_and_provider() -> None:
    modules = sorted(path for place in MODULES for path in place.rglob("terraform.tf"))
    assert {path.parent for path in modules} == {path.parent for place in MODULES for path in place.rglob("main.tf")}
    assert len({path.read_bytes() for path in modules}) == 1


def test_the_lock_has_the_hashes_of_every_platform() -> None:
    lock = (ROOTS[0] / ".terraform.lock.hcl").read_text()
    hashes = re.findall(r'"h1:[^"]+"', lock), re.findall(r'"zh:[^"]+"', lock)
    assert min(len(found) for found in hashes) >= len(["linux_amd64", "linux_arm64", "darwin_arm64"])


def test_no_variable_takes_just_anything() -> None:
    loose = re.compile(r"^\s+type\s+=.*\bany\b|\bany\)", re.MULTILINE)
    files = [path for place in TERRAFORM for path in place.rglob("*.tf")]
    assert files
    assert [path for path in files if loose.search(path.read_text())] == []


def test_terraform_builds_nothing() -> None:
    forbidden = re.compile(r'"(null_resource|terraform_data|external|archive_file)"|local-exec|remote-exec')
    files = [path for place in TERRAFORM for path in place.rglob("*.tf")]
    assert files
    assert [path for path in files if forbidden.search(path.read_text())] == []


@pytest.mark.parametrize("directory", ["modules", "environments", "tests/sample"])
def test_terraform_fmt_has_nothing_to_say(directory: str, terraform: Tool) -> None:
    command = [str(terraform.binary), "fmt", "-check", "-recursive", "-diff", str(REPOSITORY / directory)]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (found.stdout, found.returncode) == ("", 0)
