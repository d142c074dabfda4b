"""Everything of a kind looks alike, and nothing is where it does not belong."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from sawhorse.hcl import read_hcl
from sawhorse.plans.plan import Tool
from sawhorse.project import Project, Root
from sawhorse.terraform.filling import TEMPLATES
from sawhorse.terraform.provider_lock import LOCK
from sawhorse.terraform.sync import WRITTEN, files_of
from tests.projects import REPOSITORY, SAMPLE, every_root

MODULES = (REPOSITORY / "modules", SAMPLE / "modules")
TERRAFORM = (*MODULES, REPOSITORY / "environments", SAMPLE / "environments")


@pytest.fixture(scope="module")
def roots(terraform_code: Path) -> dict[str, Root]:
    """Every root of this checkout and the sample's, by its name."""
    return {root.name: root for root in Project(terraform_code).roots}


@pytest.mark.parametrize("name", every_root())
def test_a_root_uses_every_variable_that_it_has(roots: dict[str, Root], name: str) -> None:
    text = (roots[name].path / WRITTEN).read_text()
    others = re.sub(r"^variable .*?^}", "", text, flags=re.MULTILINE | re.DOTALL)
    used = (roots[name].path / "main.tf").read_text() + others
    variables = re.findall(r'^variable "(\w+)"', text, re.MULTILINE)
    assert len(variables) > 1
    assert [name for name in variables if not re.search(rf"\bvar\.{name}\b", used)] == []


@pytest.mark.parametrize("name", every_root())
def test_a_root_is_as_sync_writes_it(roots: dict[str, Root], name: str) -> None:
    files = files_of([roots[name]])
    assert [file.path.name for file in files] == [WRITTEN, LOCK]
    assert [file.difference() for file in files if file.differs] == []


def test_every_root_has_the_same_files_but_for_its_name(roots: dict[str, Root]) -> None:
    assert len({(root.path / LOCK).read_bytes() for root in roots.values()}) == 1
    nameless = {
        (root.path / WRITTEN)
        .read_text()
        .replace(f'"{root.environment}"', "ENVIRONMENT")
        .replace(f'"{root.app}"', "APP")
        for root in roots.values()
    }
    [text] = nameless
    assert (text.count("ENVIRONMENT"), text.count("APP")) == (2, 2)


def test_no_directory_s_name_says_which_root_it_is(roots: dict[str, Root]) -> None:
    files = [path for root in roots.values() for path in root.path.glob("*.tf")]
    assert len(files) >= 3 * len(roots)
    assert [path for path in files if re.search(r"path\.(root|module|cwd)", path.read_text())] == []


@pytest.mark.parametrize("app", sorted({name.partition("/")[2] for name in every_root()}))
def test_an_app_has_the_same_outputs_in_every_environment(roots: dict[str, Root], app: str) -> None:
    assert len({(root.path / "outputs.tf").read_bytes() for root in roots.values() if root.app == app}) == 1


def type_of_a_package(path: Path) -> dict[str, str]:
    """Return what a file says of a package, `layer.` before what it says of a layer; {} where it takes none."""
    text = path.read_text()
    variable = re.search(r'^variable "packages?" \{\n.*?^  type = (.*?\n  \}\)+)$', text, re.MULTILINE | re.DOTALL)
    if variable is None:
        return {}
    inner = re.search(r"^ *layer = optional\(object\(\{\n(.*?)^ *\}\)\)$", variable[1], re.MULTILINE | re.DOTALL)
    outer = variable[1].replace(inner[0], "") if inner else variable[1]
    attributes = re.compile(r"^ *(\w+) += (\S.*)$", re.MULTILINE)
    return {
        **dict(attributes.findall(outer)),
        **({f"layer.{name}": kind for name, kind in attributes.findall(inner[1])} if inner else {}),
    }


def test_whoever_takes_a_package_calls_what_is_in_it_the_same() -> None:
    """Terraform has no names for types: each module says them again."""
    whole = type_of_a_package(TEMPLATES / "packages.tf.j2")
    assert len(whole) == 13
    found = {path: type_of_a_package(path) for place in MODULES for path in place.rglob("variables.tf")}
    takers = {path: said for path, said in found.items() if said}
    apps = {path: said for path, said in takers.items() if path.parent.parent.name == "apps"}
    assert len(apps) == len({name.partition("/")[2] for name in every_root()})
    assert [path for path, said in apps.items() if said != whole] == []
    modules = {path.parent.name: said for path, said in takers.items() if path not in apps}
    assert sorted(modules) == ["lambda_function", "lambda_layer", "lambda_packages"]
    assert modules["lambda_packages"].items() <= whole.items()
    # The size is what only a build measures.
    for name, said in modules.items():
        assert {**said, "size": whole["size"]}.items() <= whole.items(), name


def test_every_module_asks_for_the_same_terraform_and_provider() -> None:
    modules = sorted(path for place in MODULES for path in place.rglob("terraform.tf"))
    assert {path.parent for path in modules} == {path.parent for place in MODULES for path in place.rglob("main.tf")}
    assert len({path.read_bytes() for path in modules}) == 1


def test_the_lock_has_the_hashes_of_every_platform() -> None:
    lock = (TEMPLATES / LOCK).read_text()
    hashes = re.findall(r'"h1:[^"]+"', lock), re.findall(r'"zh:[^"]+"', lock)
    assert min(len(found) for found in hashes) >= len(["linux_amd64", "linux_arm64", "darwin_arm64"])


def test_an_app_calls_modules_and_has_plain_resources_in_one_file() -> None:
    apps = sorted(path.parent for place in MODULES for path in place.glob("apps/*/main.tf"))
    assert apps
    found = {
        (path.name, block.type)
        for app in apps
        for path in sorted(app.glob("*.tf"))
        for block in read_hcl(path.read_text(), str(path)).blocks
        if block.type in {"module", "resource", "data"}
    }
    assert found == {("main.tf", "module"), ("resources.tf", "resource")}


def test_no_variable_takes_just_anything() -> None:
    loose = re.compile(r"^\s+type\s+=.*\bany\b|\bany\)", re.MULTILINE)
    files = [path for place in TERRAFORM for path in place.rglob("*.tf")]
    assert files
    assert [path for path in files if loose.search(path.read_text())] == []


def test_terraform_builds_nothing() -> None:
    forbidden = re.compile(r'"(null_resource|external|archive_file)"|local-exec|remote-exec')
    files = [path for place in TERRAFORM for path in place.rglob("*.tf")]
    assert files
    assert [path for path in files if forbidden.search(path.read_text())] == []


@pytest.mark.parametrize("directory", ["modules", "environments", "tests/sample"])
def test_terraform_fmt_has_nothing_to_say(directory: str, terraform: Tool) -> None:
    command = [str(terraform.binary), "fmt", "-check", "-recursive", "-diff", str(REPOSITORY / directory)]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (found.stdout, found.returncode) == ("", 0)
