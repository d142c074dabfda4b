"""Run turbotech_portal under uvicorn on this machine, against the tables that were deployed."""

from __future__ import annotations

import os

from sawhorse.api import BadConfiguration, Deployment, Process

# What a shell may hold that leads boto3 to AWS with the operator's own rights.
FROM_THE_SHELL = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_CA_BUNDLE")


def process(deployment: Deployment) -> Process:
    """Take the function's own variables, but let the development user in: no authorizer stands in front of a laptop."""
    if deployment.environment.production:
        raise BadConfiguration(
            "As a process the portal lets one development user in to everything, so production refuses it; "
            "name a root of an environment that says production: false."
        )
    function = deployment.client("lambda").get_function_configuration(
        FunctionName=deployment.output("lambda_function_name")
    )
    settings = {
        name: value
        for name, value in function["Environment"]["Variables"].items()
        if not name.startswith("AWS_") and name != "PORT"
    }
    return Process(
        module="turbotech_portal.main:app",
        environment={**settings, "AUTH_MODE": "local", "PUBLIC_DOCS": "true", **credentials(deployment)},
    )


def credentials(deployment: Deployment) -> dict[str, str]:
    """Return what points boto3 at where the tables are."""
    if deployment.local:
        return deployment.local.variables(deployment.environment)
    found = {name: os.environ[name] for name in FROM_THE_SHELL if name in os.environ}
    return {**found, "AWS_REGION": deployment.environment.region, "AWS_DEFAULT_REGION": deployment.environment.region}
