"""Roots whose only resource is Terraform's own, for tests of where states lie; several projects on one local AWS."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from sawhorse.files import write_atomically
from sawhorse.local.clients import local_client
from sawhorse.local.emulators import LocalAWS, Running
from sawhorse.plans.scratch import providers
from sawhorse.project import Project, Root
from sawhorse.terraform.provider_lock import forget_hashes

OUTPUTS = (
    'resource "terraform_data" "it" {\n  input = 1\n}\n\noutput "answer" {\n  value = terraform_data.it.output\n}\n'
)


def with_a_resource(project: Project, name: str = "dev/tiny") -> Root:
    """Let a root make something without any provider, and read no hashes of the one that it names."""
    root = project.root(name)
    (root.path / "outputs.tf").write_text(OUTPUTS)
    (root.path / "lock_override.tf").write_text(providers())
    forget_hashes(root.path)
    return root


def share_local_aws(owner: Project, other: Project) -> None:
    """Let another project use the local AWS of the first one, as a second checkout of it would."""
    for name in ("running.json", "secrets.json"):
        write_atomically(other.local / name, (owner.local / name).read_bytes())
    if not (other.private / "emulators").exists():
        (other.private / "emulators").symlink_to(owner.private / "emulators")


def checkout_of(project: Project, destination: Path) -> Project:
    """Copy a project as git would have it: with nothing that runs have made in it."""

    def made(_directory: str, names: list[str]) -> list[str]:
        return [
            name
            for name in names
            if name in {".sawhorse", ".terraform", "terraform.tfstate.d", "backend.tf"} or "tfstate" in name
        ]

    shutil.copytree(project.path, destination, ignore=made)
    private = destination / ".sawhorse"
    private.mkdir()
    for path in (project.path / ".sawhorse").iterdir():
        if path.is_symlink():
            (private / path.name).symlink_to(path.readlink())
    share_local_aws(project, Project(destination))
    return Project(destination)


def state_text(*, lineage: str = "of-the-root", serial: int = 3, value: int = 1) -> str:
    """Return a state of the resource that `with_a_resource` writes, as Terraform writes it."""
    attributes = {
        "id": "a-b-c",
        "input": {"value": value, "type": "number"},
        "output": {"value": value, "type": "number"},
        "triggers_replace": None,
    }
    resource = {
        "mode": "managed",
        "type": "terraform_data",
        "name": "it",
        "provider": 'provider["terraform.io/builtin/terraform"]',
        "instances": [{"schema_version": 0, "attributes": attributes, "sensitive_attributes": []}],
    }
    content = {
        "version": 4,
        "terraform_version": "1.11.0",
        "serial": serial,
        "lineage": lineage,
        "outputs": {"answer": {"value": value, "type": "number"}},
        "resources": [resource],
        "check_results": None,
    }
    return json.dumps(content, indent=2) + "\n"


def record_text(root: str, **changes: Any) -> str:
    """Return a record of releases that holds none."""
    return json.dumps({"format": 1, "root": root, **changes})


def s3_of(running: Running) -> Any:
    return local_client("s3", running.environment())


def keys(s3: Any, bucket: str) -> list[str]:
    """Name what is in a bucket now."""
    return sorted(one["Key"] for one in s3.list_objects_v2(Bucket=bucket).get("Contents", []))


def running_of(project: Project) -> Running:
    return LocalAWS(project).required()
