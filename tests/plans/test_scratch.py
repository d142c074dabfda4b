"""A root is planned in a copy of what its plan needs, and of nothing else."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import tftest

from sawhorse.environment import read_environment
from sawhorse.local.emulators import Running
from sawhorse.plans.plan import Tool, plan
from sawhorse.plans.scratch import copy_of_root, sample_packages
from sawhorse.project import Project
from sawhorse.terraform.filling import TEMPLATES
from sawhorse.terraform.sync import WRITTEN, files_of
from tests.plans.support import packages_of

ROOT = "dev/sample"


def test_a_root_is_copied_from_its_terraform_code_alone(terraform_code: Path, tmp_path: Path) -> None:
    """What the functions are called is handed in: other projects say it elsewhere than in lambda/."""
    alone = tmp_path / "terraform-code"
    alone.mkdir()
    for name in ("modules", "environments"):
        (alone / name).symlink_to(terraform_code / name)
    packages = sample_packages({"api": "sample.main.handler"}, "python3.13", "arm64")

    directory = copy_of_root(alone, tmp_path / "scratch", "dev/sample", packages)

    assert "sample.main.handler" in (directory / "terraform.tfvars").read_text()


@pytest.fixture
def tool(terraform: Tool, local_aws: Running, terraform_code: Path) -> Tool:
    """Terraform that plans in the account of dev."""
    facts = read_environment(Project(terraform_code), "dev")
    variables = local_aws.environment(facts.account_id, facts.region)
    return Tool(terraform.binary, {**terraform.environment, **variables})


@pytest.fixture
def directory(terraform_code: Path, tmp_path: Path) -> Path:
    """A copy of the sample's root, to be planned."""
    return copy_of_root(terraform_code, tmp_path / "scratch", ROOT, packages_of(terraform_code, ROOT))


@pytest.mark.parametrize("whose", ["dev/another", "another/sample"])
def test_the_variables_of_another_root_are_refused(tool: Tool, directory: Path, whose: str) -> None:
    """A shell with the exports for one root would else put its package into another."""
    tfvars = directory / "terraform.tfvars"
    text = tfvars.read_text()
    for said, other in zip(ROOT.split("/"), whose.split("/"), strict=True):
        text = text.replace(f'"{said}"', f'"{other}"')
    tfvars.write_text(text)

    with pytest.raises(tftest.TerraformTestError, match=f"These variables are those of {whose}, and this root is"):
        plan(tool, directory)


def test_one_edit_of_the_template_gives_every_root_a_fact_and_what_is_made_of_it(
    tool: Tool, terraform_code: Path, directory: Path, tmp_path: Path
) -> None:
    """The provider's part of the template uses it here, so no other file is touched."""
    templates = tmp_path / "templates"
    shutil.copytree(TEMPLATES, templates)
    template = templates / f"{WRITTEN}.j2"
    for before, added in (
        ("    app                  = string\n", '    owner                = optional(string, "nobody")\n'),
        ("      environment = ", "      owner       = var.environment.owner\n"),
    ):
        assert template.read_text().count(before) == 1
        text = template.read_text()
        template.write_text(text.replace(before, f"{before}{added}" if before.endswith("\n") else f"{added}{before}"))

    roots = Project(terraform_code).roots
    files = files_of(roots, templates=templates)

    assert [file.root.name for file in files if file.differs] == [root.name for root in roots]
    [written] = [file.content for file in files if file.root.name == ROOT and file.path.name == WRITTEN]
    (directory / WRITTEN).write_text(written)
    tags = [values["tags_all"] for values in plan(tool, directory).resources.values() if "tags_all" in values]
    assert len(tags) > 5
    assert [one for one in tags if one["owner"] != "nobody"] == []
