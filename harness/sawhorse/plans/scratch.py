"""Make the scratch copies that plans run in: tftest deletes the state, the lock and .terraform where it runs."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from sawhorse.build.manifest import Entry
from sawhorse.environment import read_environment
from sawhorse.plans.plan import Plan, Tool, plan
from sawhorse.project import Project
from sawhorse.terraform.filling import TEMPLATES, fill
from sawhorse.terraform.provider_lock import LOCK
from sawhorse.terraform.render import render_tfvars

# A package that stands for any, so that a plan needs no build: an empty file with its hash, and some hash of content.
SAMPLE = "dist/sample.zip"
SAMPLE_SHA256 = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
SAMPLE_CONTENT_SHA256 = "c2FtcGxl"
# A layer beside it, of the same bytes.
SAMPLE_LAYER = "dist/sample-layer.zip"


def scratch_project(repository: Path, scratch: Path) -> None:
    """Copy the modules to `scratch` and put the sample package beside them."""
    if (scratch / "modules").is_dir():
        return
    shutil.copytree(repository / "modules", scratch / "modules", ignore=shutil.ignore_patterns(".terraform*"))
    (scratch / "dist").mkdir()
    (scratch / SAMPLE).touch()
    (scratch / SAMPLE_LAYER).touch()


def scratch_root(repository: Path, scratch: Path, name: str) -> Path:
    """Make an empty root of that name, with the provider locked as every root locks it."""
    scratch_project(repository, scratch)
    directory = scratch / "environments" / name
    directory.mkdir(parents=True)
    shutil.copy2(TEMPLATES / LOCK, directory)
    (directory / "terraform.tf").write_text(f'{providers()}\nprovider "aws" {{}}\n')
    return directory


def providers() -> str:
    """Return which Terraform and provider every root asks for, for scratch roots that are none of the project's."""
    return fill("providers.tf.j2")


def sample_packages(handlers: Mapping[str, str], runtime: str, architecture: str) -> dict[str, Entry]:
    """Return the sample package as the package of every function, by the functions' names and handlers."""
    return {
        function: Entry(SAMPLE, SAMPLE_SHA256, SAMPLE_CONTENT_SHA256, 0, handler, runtime, architecture)
        for function, handler in handlers.items()
    }


def plan_root(tool: Tool, repository: Path, scratch: Path, name: str, packages: Mapping[str, Entry]) -> Plan:
    """Plan one of the project's roots, such as dev/shop, with its environment's facts and those packages."""
    return plan(tool, copy_of_root(repository, scratch, name, packages))


def copy_of_root(repository: Path, scratch: Path, name: str, packages: Mapping[str, Entry]) -> Path:
    """Copy one of the project's roots with everything that a plan of it needs, and return its directory."""
    scratch_project(repository, scratch)
    project = Project(repository)
    root = project.root(name)
    directory = scratch / "environments" / name
    directory.mkdir(parents=True)
    for path in [*root.path.glob("*.tf"), root.path / LOCK]:
        shutil.copy2(path, directory)
    (directory / "backend.tf").unlink(missing_ok=True)
    environment = read_environment(project, root.environment)
    (directory / "terraform.tfvars").write_text(render_tfvars(environment, root.app, packages))
    return directory
