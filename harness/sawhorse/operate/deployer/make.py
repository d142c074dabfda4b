"""Make the roles that deploy the roots of an environment with Terraform, whose own state lies beside the roots'."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from python_terraform import IsFlagged

from sawhorse.environment import read_environment
from sawhorse.errors import BadConfiguration
from sawhorse.files import write_atomically
from sawhorse.local.state_bucket import make_bucket_for_local_states
from sawhorse.operate.deployer.policies import RootPolicies, place_of
from sawhorse.plans.deployer.packing import document
from sawhorse.plans.deployer.statements import Statement
from sawhorse.terraform.filling import TEMPLATES, fill
from sawhorse.terraform.provider_lock import LOCK
from sawhorse.terraform.runner import Terraform
from sawhorse.terraform.sync import BACKEND
from sawhorse.trusted_files import make_own_directory
from sawhorse.workspace import Workspace

# Beside the states of roots, whose keys have one slash.
PREFIX = "sawhorse/deployers/"
# As .github/workflows/drift.yml calls the environment of its jobs.
DRIFT = "drift"


class Deployers:
    """The roles of an environment's roots, and Terraform for them, on AWS or on the local AWS."""

    def __init__(self, workspaces: Sequence[Workspace]) -> None:
        if not workspaces:
            raise BadConfiguration("This environment has no roots, so nobody deploys any; write one first.")
        first = workspaces[0]
        self.workspaces = workspaces
        self.project = first.root.project
        self.local = first.local
        # The environment's own region: an app may have another.
        self.environment = read_environment(self.project, first.root.environment)
        # Says what the environment lacks before anything is planned.
        self.bucket = place_of(first.root, self.environment, local=self.local is not None).state_bucket

    @property
    def name(self) -> str:
        return self.environment.name

    @property
    def directory(self) -> Path:
        return (self.project.local if self.local else self.project.private) / "deployers" / self.name

    @property
    def looking(self) -> list[str]:
        """The names of other environments on GitHub whose jobs take the readers of this one's roots.

        That in which drift is looked for, and production, whose deployments ask what the environment before it runs.
        """
        asking = [name for name in self.project.environments if read_environment(self.project, name).production]
        return [DRIFT, *(asking if not self.environment.production else [])]

    def prepared(self, policies: Sequence[RootPolicies]) -> Terraform:
        """Write the configuration anew, and return Terraform for it."""
        make_own_directory(self.directory)
        write_atomically(
            self.directory / "main.tf",
            fill(
                "deployers.tf.j2",
                environment=self.environment,
                modules={
                    name: os.path.relpath(self.project.path / "modules" / name, self.directory)
                    for name in ("deployer", "github_oidc")
                },
                github=self.environment.github,
                looking=self.looking,
                local=self.local is not None,
                roots=[self.filled_in(one) for one in policies],
                tags={**self.environment.tags, "environment": self.name},
                account=f"arn:{self.environment.partition}:iam::{self.environment.account_id}:root",
            ),
        )
        write_atomically(self.directory / LOCK, (TEMPLATES / LOCK).read_text())
        key = f"{PREFIX}{self.name}.tfstate"
        backend = fill("backend.tf.j2", bucket=self.bucket, key=key, region=self.environment.region)
        write_atomically(self.directory / BACKEND, backend)
        variables = self.local.variables(self.environment) if self.local else {}
        if self.local:
            make_bucket_for_local_states(self.workspaces[0].root, self.local)
        terraform = Terraform(self.project, self.directory, environment=variables, local=self.local is not None)
        terraform.initialize(reconfigure=IsFlagged)
        return terraform

    def filled_in(self, policies: RootPolicies) -> dict[str, object]:
        """Return what the template asks of a root."""
        app = policies.root.partition("/")[2]
        return {
            "app": app,
            "policies": numbered(policies.policies),
            "reader": numbered(policies.reader),
            "boundary": as_text(policies.boundary),
            "deployer": self.environment.role_of(app, "deployer"),
            "reader_role": self.environment.role_of(app, "reader"),
        }

    def make(self, policies: Sequence[RootPolicies], *, ask: Callable[[], object]) -> bool:
        """Make what is missing and change what differs, and say whether anything was; `ask` raises to stop it."""
        return self.prepared(policies).apply_once_approved(ask)

    def destroy(self, *, ask: Callable[[], object]) -> bool:
        """Take all of them away again, and say whether there were any. What the roots made stays."""
        return self.make([], ask=ask)

    def refuse_used(self) -> None:
        """Raise where a root's roles still carry their boundary: IAM keeps a policy that is one."""
        used = [
            workspace.root.name
            for workspace in self.workspaces
            if any(
                resource["type"] == "aws_iam_role" and resource["values"].get("permissions_boundary")
                for resource in workspace.resources()
            )
        ]
        if used:
            raise BadConfiguration(
                f"The roles of {', '.join(used)} carry the boundary that would be taken away; take deployers out of "
                f"environments/{self.name}/environment.yaml and apply, or destroy what they made, and run this again."
            )


def numbered(policies: Sequence[Sequence[Statement]]) -> dict[str, str]:
    return {str(number): as_text(statements) for number, statements in enumerate(policies, start=1)}


def as_text(statements: Sequence[Statement]) -> str:
    return json.dumps(document(statements), separators=(",", ":"))
