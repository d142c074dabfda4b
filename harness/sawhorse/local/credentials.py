"""Get the credentials of a function's role on the local AWS, as the function itself gets them.

The role trusts Lambda alone, so nobody else may assume it. A function that lives for one call takes the role and
responds with the credentials that it was given: no policy is touched, and no secret of the emulator's is guessed.
"""

from __future__ import annotations

import contextlib
import json
import secrets
from collections.abc import Callable
from typing import Any

from sawhorse.build.zip_writer import zip_of
from sawhorse.environment import Environment
from sawhorse.errors import LocalAWSError
from sawhorse.local.emulators import LOCAL_MARK, Running

HANDLER = b"""import os


def handler(event, context):
    return {name: os.environ[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")}
"""


def role_exports(
    running: Running, environment: Environment, client_of: Callable[[str], Any], role_arn: str
) -> dict[str, str]:
    """Return the variables that let a shell act as a role on the local AWS, in an environment's account."""
    credentials = role_credentials(client_of, role_arn)
    # Whatever Terraform may do as that role, it must not mix up the real state with what stands here.
    return {**running.variables(environment), **credentials, "TF_WORKSPACE": "local", LOCAL_MARK: "1"}


def role_credentials(client_of: Callable[[str], Any], role_arn: str) -> dict[str, str]:
    """Return the role's temporary credentials as AWS_* variables; `client_of` makes clients of the local AWS."""
    client, logs = client_of("lambda"), client_of("logs")
    name = f"sawhorse-credentials-{secrets.token_hex(4)}"
    client.create_function(
        FunctionName=name,
        Role=role_arn,
        Runtime="python3.13",
        Handler="probe.handler",
        Code={"ZipFile": zip_of({"probe.py": HANDLER})},
    )
    try:
        response = client.invoke(FunctionName=name)
        credentials = json.load(response["Payload"])
    finally:
        with contextlib.suppress(client.exceptions.ResourceNotFoundException):
            client.delete_function(FunctionName=name)
        with contextlib.suppress(logs.exceptions.ResourceNotFoundException):
            logs.delete_log_group(logGroupName=f"/aws/lambda/{name}")
    if "AWS_ACCESS_KEY_ID" not in credentials:
        raise LocalAWSError(f"The local AWS gave no credentials for {role_arn}: {json.dumps(credentials)[:300]}.")
    return {name: str(value) for name, value in credentials.items()}
