"""Act as a role on the local AWS, as a pipeline does on AWS: with the temporary keys that its STS gives for the role.

`SAWHORSE_LOCAL_ROLE` names the role for all that a command with `--local` does for a root. What an account is expected
to have before, such as the bucket of states, is made by the account itself.
"""

from __future__ import annotations

import os
from functools import cache

from botocore.exceptions import ClientError

from sawhorse.environment import Environment
from sawhorse.errors import LocalAWSError
from sawhorse.local.clients import local_client
from sawhorse.local.emulators import Running

ROLE = "SAWHORSE_LOCAL_ROLE"
SESSION = "sawhorse"


def session_variables(running: Running, environment: Environment) -> dict[str, str]:
    """Return what points a client at the local AWS, as the role that the shell names, or else as the account.

    Raises LocalAWSError where the role is not there, or lets nobody of its account take it.
    """
    variables = running.variables(environment)
    role = os.environ.get(ROLE)
    if not role:
        return variables
    return {**variables, **dict(credentials_of(role, tuple(sorted(variables.items()))))}


@cache
def credentials_of(role: str, variables: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """Take a role once for all that a command does."""
    try:
        taken = local_client("sts", dict(variables)).assume_role(RoleArn=role, RoleSessionName=SESSION)["Credentials"]
    except ClientError as error:
        raise LocalAWSError(
            f"{ROLE} names {role}, and the local AWS gives no session of it: {error}. Name a role of this account "
            'that is there, such as one that "sawhorse deployer make" made, or unset it.'
        ) from error
    return (
        ("AWS_ACCESS_KEY_ID", taken["AccessKeyId"]),
        ("AWS_SECRET_ACCESS_KEY", taken["SecretAccessKey"]),
        ("AWS_SESSION_TOKEN", taken["SessionToken"]),
    )
