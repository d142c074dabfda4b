"""Open a root for Terraform and its outputs for smoke checks and seeds: on AWS, or on the local AWS."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import boto3
from botocore.config import Config

from harness import bootstrap
from harness.account import check_account
from harness.environment import Environment, read_environment
from harness.errors import CommandFailed
from harness.layout import Root
from harness.local.addresses import localize
from harness.local.emulators import MISLEADING, LocalAWS, Running
from harness.local.mirror import mirror
from harness.render import render
from harness.terraform import Terraform


@dataclass(frozen=True)
class Deployment:
    """What was applied: the outputs by name, and clients that speak to where it was applied."""

    root: Root
    environment: Environment
    outputs: Mapping[str, Any]
    session: boto3.session.Session
    endpoints: Mapping[str, str]
    local: Running | None

    def client(self, service: str) -> Any:
        """Return a boto3 client for a service; failures are reported, not tried again for long."""
        endpoint = self.endpoints.get(f"AWS_ENDPOINT_URL_{service.upper()}", self.endpoints.get("AWS_ENDPOINT_URL"))
        # A proxy of this machine's knows nothing of the local AWS.
        proxies: dict[str, str] | None = {} if self.local else None
        config = Config(connect_timeout=5, read_timeout=30, retries={"max_attempts": 3}, proxies=proxies)
        return self.session.client(service, endpoint_url=endpoint, config=config)


class Workspace:
    """A root that is ready for Terraform."""

    def __init__(self, root: Root, *, local: bool) -> None:
        self.root = root
        self.environment = read_environment(root.project, root.environment)
        self.local = LocalAWS(root.project).required() if local else None
        if not local:
            check_account(self.environment)

    @cached_property
    def terraform(self) -> Terraform:
        """Terraform in the root, its variables rendered and its directory initialized."""
        project = self.root.project
        if self.local:
            runtime = bootstrap.ensure_emulators(project.path)
            directory = mirror(self.root, runtime.python_version)
            without = (*MISLEADING, "TF_WORKSPACE", "TF_DATA_DIR")
            terraform = Terraform(
                project,
                directory,
                environment=self.variables_of(self.local),
                without=without,
                look_for_cause=LocalAWS(project).required,
            )
        else:
            # Without Terraform nothing is rendered.
            terraform = Terraform(project, self.root.path)
            render(self.root)
        terraform.init()
        return terraform

    def variables_of(self, local: Running) -> dict[str, str]:
        return local.environment(self.environment.account_id, self.environment.region)

    def outputs(self) -> dict[str, Any]:
        """Return the outputs of the last apply, with addresses that can be called from here."""
        outputs = self.terraform.outputs()
        if not outputs:
            where = " --local" if self.local else ""
            raise CommandFailed(f'{self.root.name} is not applied; run "sawhorse apply {self.root.name}{where}".')
        return {name: localize(value, self.local.url) if self.local else value for name, value in outputs.items()}

    def deployment(self) -> Deployment:
        """Return what was applied, for smoke checks and seeds."""
        if self.local is None:
            session = boto3.session.Session(region_name=self.environment.region)
            return Deployment(self.root, self.environment, self.outputs(), session, {}, None)
        variables = self.variables_of(self.local)
        session = boto3.session.Session(
            aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
            region_name=self.environment.region,
        )
        return Deployment(self.root, self.environment, self.outputs(), session, variables, self.local)
