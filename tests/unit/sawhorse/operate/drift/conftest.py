"""What every look is tried on: the local AWS, and a role and a function of their own."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest

from sawhorse.build.zip_writer import zip_of
from sawhorse.local.clients import local_client
from sawhorse.local.emulators import Running
from tests.unit.sawhorse.operate.drift.asking import GRANTS
from tests.unit.sawhorse.support import LAMBDA_TRUST


@pytest.fixture(scope="session")
def client(local_aws: Running) -> Callable[[str], Any]:
    """Make each client of the local AWS once."""
    made: dict[str, Any] = {}

    def client_of(service: str) -> Any:
        if service not in made:
            made[service] = local_client(service, local_aws.environment())
        return made[service]

    return client_of


@pytest.fixture
def name() -> str:
    return f"drift-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def role(client: Callable[[str], Any], name: str) -> str:
    iam = client("iam")
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=LAMBDA_TRUST)
    iam.put_role_policy(RoleName=name, PolicyName="grants", PolicyDocument=GRANTS)
    return name


@pytest.fixture
def function(client: Callable[[str], Any], role: str) -> str:
    """A function with version 1 and its alias live."""
    arn = client("iam").get_role(RoleName=role)["Role"]["Arn"]
    lambda_client = client("lambda")
    lambda_client.create_function(
        FunctionName=role,
        Role=arn,
        Runtime="python3.13",
        Handler="app.handler",
        Code={"ZipFile": zip_of({"app.py": b"def handler(event, context):\n    return 1\n"})},
        Publish=True,
    )
    lambda_client.create_alias(FunctionName=role, Name="live", FunctionVersion="1")
    return role
