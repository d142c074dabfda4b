"""Turn fileshare's SSM parameters into the environment of its service, and deploy the ECS service with it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import WaiterError

from fileshare.settings import REGION, SWITCH, SWITCH_VALUES, URLS_TABLE, USERS_TABLE
from sawhorse.api import BadConfiguration, CommandFailed, Environment, NotApplied, Root, UnknownName

APP = "fileshare"
# By variable: the parameter that it comes from.
PARAMETERS = {
    SWITCH: "use_dynamodb",
    USERS_TABLE: "dynamodb_users_table_name",
    URLS_TABLE: "dynamodb_urls_table_name",
}
# What describe_task_definition says and register_task_definition takes.
REGISTERED = (
    "family",
    "taskRoleArn",
    "executionRoleArn",
    "networkMode",
    "containerDefinitions",
    "volumes",
    "placementConstraints",
    "requiresCompatibilities",
    "cpu",
    "memory",
    "pidMode",
    "ipcMode",
    "proxyConfiguration",
    "inferenceAccelerators",
    "ephemeralStorage",
    "runtimePlatform",
    "enableFaultInjection",
)
WAIT_SECONDS = 15
BY_DIGEST = re.compile(r"@sha256:[0-9a-f]{64}$")

ClientOf = Callable[[str], Any]


@dataclass(frozen=True)
class ServiceName:
    """An ECS service, and the container that the variables are for, null when there is one alone."""

    cluster: str
    service: str
    container: str | None = None


def parameters_of(root: Root) -> str:
    """Return what the names of a root's parameters begin with, as modules/apps/fileshare makes them; needs no state."""
    return f"/fileshare/{root.decided('stage')}"


def service_environment(client_of: ClientOf, environment: Environment, prefix: str) -> dict[str, str]:
    """Return the four variables of the contract from the parameters, which operators may have changed."""
    names = {variable: f"{prefix}/{name}" for variable, name in PARAMETERS.items()}
    response = client_of("ssm").get_parameters(Names=sorted(names.values()))
    if response["InvalidParameters"]:
        raise NotApplied(
            f"There is no parameter {response['InvalidParameters'][0]} in {environment.region}; "
            f'run "sawhorse apply {environment.name}/{APP}" first, with --local for the local AWS.'
        )
    values = {parameter["Name"]: parameter["Value"] for parameter in response["Parameters"]}
    if values[names[SWITCH]] not in SWITCH_VALUES:
        raise BadConfiguration(
            f"{names[SWITCH]} is {values[names[SWITCH]]!r}; set it to {' or '.join(SWITCH_VALUES)}: "
            f"aws ssm put-parameter --overwrite --name {names[SWITCH]} --value true"
        )
    return {REGION: environment.region, **{variable: values[name] for variable, name in names.items()}}


def deploy_service(  # noqa: PLR0913 # what a deployment is made of
    ecs: Any,
    name: ServiceName,
    variables: Mapping[str, str],
    *,
    image: str | None = None,
    by_digest: bool = False,
    wait_seconds: int = 900,
) -> str:
    """Register the service's task definition anew with the variables, move the service to it, and wait until it runs.

    Return the new revision's ARN. Without an image the one that runs stays. With `by_digest`, one that is named by a
    tag alone is refused, since new tasks would run what the tag points at by then.
    """
    services = ecs.describe_services(cluster=name.cluster, services=[name.service])["services"]
    running = next((service for service in services if service["status"] == "ACTIVE"), None)
    if running is None:
        raise UnknownName(f"The cluster {name.cluster} has no service {name.service} that is active; check both names.")
    current = ecs.describe_task_definition(taskDefinition=running["taskDefinition"], include=["TAGS"])
    wanted = {key: value for key, value in current["taskDefinition"].items() if key in REGISTERED and value}
    wanted["containerDefinitions"] = with_variables(wanted["containerDefinitions"], name, variables, image)
    if by_digest:
        refuse_tags(wanted["containerDefinitions"], name)
    if current.get("tags"):
        wanted["tags"] = current["tags"]
    registered = ecs.register_task_definition(**wanted)["taskDefinition"]["taskDefinitionArn"]
    ecs.update_service(cluster=name.cluster, service=name.service, taskDefinition=registered, forceNewDeployment=True)
    wait_until_stable(ecs, name, wait_seconds)
    require_running(ecs, name, str(registered))
    return str(registered)


def refuse_tags(containers: Sequence[Mapping[str, Any]], name: ServiceName) -> None:
    """Raise where the container that takes the variables would run an image that somebody can push anew."""
    for container in containers:
        image = str(container.get("image", ""))
        if name.container in (None, container["name"]) and not BY_DIGEST.search(image):
            raise BadConfiguration(
                f"{container['name']} would run {image or 'no image'}, whose tag can be pushed anew. Name the image by "
                'its digest: --image REPOSITORY@sha256:DIGEST, where "aws ecr describe-images --repository-name NAME '
                '--image-ids imageTag=TAG" says the digest.'
            )


def wait_until_stable(ecs: Any, name: ServiceName, wait_seconds: int) -> None:
    try:
        ecs.get_waiter("services_stable").wait(
            cluster=name.cluster,
            services=[name.service],
            WaiterConfig={"Delay": WAIT_SECONDS, "MaxAttempts": max(wait_seconds // WAIT_SECONDS, 1)},
        )
    except WaiterError as error:
        raise CommandFailed(
            f"{name.service} is not stable after {wait_seconds} seconds ({error}). Look at the "
            "service's events and at what the stopped tasks logged, and deploy again."
        ) from error


def require_running(ecs: Any, name: ServiceName, revision: str) -> None:
    """Raise unless the service runs this revision: stable it also is after ECS has rolled a deployment back.

    See https://github.com/aws-actions/amazon-ecs-deploy-task-definition/issues/191.
    """
    (service,) = ecs.describe_services(cluster=name.cluster, services=[name.service])["services"]
    failed = any(
        deployment["taskDefinition"] == revision and deployment.get("rolloutState") == "FAILED"
        for deployment in service.get("deployments", [])
    )
    if failed or service["taskDefinition"] != revision:
        runs = service["taskDefinition"]
        went_back = f", and ECS went back to {runs}" if runs != revision else ""
        raise CommandFailed(
            f"{name.service} does not run {revision}: its deployment failed{went_back}. Look at the "
            "service's events and at what the stopped tasks logged, and deploy again."
        )


def with_variables(
    containers: Sequence[Mapping[str, Any]], name: ServiceName, variables: Mapping[str, str], image: str | None
) -> list[dict[str, Any]]:
    """Return the containers, one of them with these variables over those of the same name."""
    names = [str(container["name"]) for container in containers]
    chosen = name.container or (names[0] if len(names) == 1 else None)
    if chosen not in names:
        raise UnknownName(f"Name the container that takes the variables, with --container: {', '.join(names)}.")
    return [
        {
            **container,
            # ECS refuses a name that stands in both.
            **(
                {"secrets": [pair for pair in container["secrets"] if pair["name"] not in variables]}
                if container.get("secrets")
                else {}
            ),
            "environment": [
                *(pair for pair in container.get("environment", []) if pair["name"] not in variables),
                *({"name": key, "value": value} for key, value in sorted(variables.items())),
            ],
            **({"image": image} if image else {}),
        }
        if container["name"] == chosen
        else dict(container)
        for container in containers
    ]
