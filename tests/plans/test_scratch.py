"""A root is planned in a copy of what its plan needs, and of nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
import tftest

from sawhorse.environment import read_environment
from sawhorse.local.emulators import Running
from sawhorse.plans.plan import Tool, plan
from sawhorse.plans.scratch import copy_of_root, sample_packages
from sawhorse.project import Project
from tests.plans.support import packages_of


def test_a_root_is_copied_from_its_terraform_code_alone(terraform_code: Path, tmp_path: Path) -> None:
    """What the functions are called is handed in: other projects say it elsewhere than in lambda/."""
    alone = tmp_path / "terraform-code"
    alone.mkdir()
    for name in ("modules", "environments"):
        (alone / name).symlink_to(terraform_code / name)
    packages = sample_packages({"api": "sample.main.handler"}, "python3.13", "arm64")

    directory = copy_of_root(alone, tmp_path / "scratch", "dev/sample", packages)

    assert "sample.main.handler" in (directory / "terraform.tfvars").read_text()


@pytest.mark.parametrize("whose", ["dev/another", "another/sample"])
def test_the_variables_of_another_root_are_refused(
    terraform: Tool, local_aws: Running, terraform_code: Path, tmp_path: Path, whose: str
) -> None:
    """A shell with the exports for one root would else put its package into another."""
    facts = read_environment(Project(terraform_code), "dev")
    variables = local_aws.environment(facts.account_id, facts.region)
    tool = Tool(terraform.binary, {**terraform.environment, **variables})
    root = "dev/sample"
    directory = copy_of_root(terraform_code, tmp_path, root, packages_of(terraform_code, root))
    tfvars = directory / "terraform.tfvars"
    text = tfvars.read_text()
    for said, other in zip(root.split("/"), whose.split("/"), strict=True):
        text = text.replace(f'"{said}"', f'"{other}"')
    tfvars.write_text(text)

    with pytest.raises(tftest.TerraformTestError, match=f"These variables are those of {whose}, and this root is"):
        plan(tool, directory)
