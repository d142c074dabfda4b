"""Write the deliverables and metrics that a project starts with, and never over what users have changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from sawhorse.api import Deployment, Issuer, Seeded
from shared.items import to_item

SAMPLE_USER = "auth0|sample-user"
# The months are those of the project, counted from 1.
DELIVERABLES = (
    (1, "Kick-off and project charter", "COMPLETED", 100, 1),
    (2, "Requirements catalogue", "COMPLETED", 100, 2),
    (3, "System architecture", "COMPLETED", 100, 3),
    (4, "Clickable prototype", "IN_PROGRESS", 80, 4),
    (5, "Data model and migration plan", "IN_PROGRESS", 45, 5),
    (6, "Customer portal, first release", "IN_PROGRESS", 20, 6),
    (7, "Interfaces to the customer's systems", "BLOCKED", 10, 7),
    (8, "Data migration rehearsal", "NOT_STARTED", 0, 8),
    (9, "Security and load tests", "NOT_STARTED", 0, 9),
    (10, "Training of key users", "NOT_STARTED", 0, 10),
    (11, "Go-live", "NOT_STARTED", 0, 11),
    (12, "Handover and final report", "NOT_STARTED", 0, 12),
)
METRICS = (
    (1, "Customer satisfaction (percent)", 95, 88),
    (2, "Milestones on time (percent)", 100, 75),
    (3, "Automated test coverage (percent)", 80, 64),
    (4, "Trained users", 40, 0),
)


def seed(deployment: Deployment) -> Seeded:
    """Write what is not there yet, and say of each what became of it."""
    deliverables = [
        {"id": number, "name": name, "status": status, "completion_percentage": percentage, "month": month}
        for number, name, status, percentage, month in DELIVERABLES
    ]
    metrics = [
        {"id": number, "name": name, "target": target, "current_value": value}
        for number, name, target, value in METRICS
    ]
    lines = [
        f"{subject} {item['id']}, {item['name']}: {write(deployment, table, item)}"
        for subject, table, items in (
            ("Deliverable", "dynamodb_deliverables_table", deliverables),
            ("Metric", "dynamodb_metrics_table", metrics),
        )
        for item in items
    ]
    return Seeded(tuple(lines), {})


def write(deployment: Deployment, table_output: str, item: Mapping[str, Any]) -> str:
    """Write an item unless one with its id is there, whatever users have made of that."""
    try:
        deployment.client("dynamodb").put_item(
            TableName=deployment.output(table_output),
            Item=to_item(item),
            ConditionExpression="attribute_not_exists(#id)",
            ExpressionAttributeNames={"#id": "id"},
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        return "was there before, and is left as it is."
    return "written."


def still_valid(deployment: Deployment, secrets: Mapping[str, str]) -> bool:  # noqa: ARG001 # every seed offers it
    """Say that another seed is welcome: there are no secrets, and a second one changes nothing."""
    return False


def calls(deployment: Deployment, secrets: Mapping[str, str]) -> list[str]:  # noqa: ARG001 # every seed offers it
    """Return calls that read the dashboard and change a deliverable."""
    url = deployment.output("api_endpoint")
    token = local_token(deployment) if deployment.local else "$PORTAL_TOKEN"
    header = f"-H 'Authorization: Bearer {token}'" if deployment.local else f'-H "Authorization: Bearer {token}"'
    changes = '{"status": "COMPLETED", "completion_percentage": 100}'
    return [
        f"curl -s {url}/api/health",
        f"curl -s {url}/api/dashboard {header}",
        f"curl -s -X PATCH {url}/api/deliverables/4 {header} -H 'Content-Type: application/json' -d '{changes}'",
    ]


def local_token(deployment: Deployment, *, subject: str = SAMPLE_USER, lifetime_seconds: int = 3600) -> str:
    """Sign a token with the local issuer, which stands in for the environment's Auth0 tenant.

    It has every scope that the deployed function asks for.
    """
    name = deployment.output("lambda_function_name")
    function = deployment.client("lambda").get_function_configuration(
        FunctionName=name, Qualifier=deployment.qualifier(name)
    )
    variables = function.get("Environment", {}).get("Variables", {})
    scopes = sorted({value for name, value in variables.items() if name.startswith("SCOPE_")})
    return Issuer.of(deployment.root.project).token(
        subject=subject,
        audience=audience_of(deployment),
        lifetime_seconds=lifetime_seconds,
        **({"scope": " ".join(scopes)} if scopes else {}),
    )


def audience_of(deployment: Deployment) -> str:
    """Return the audience that the API asks for; without a tenant nothing could have been applied."""
    tenant = deployment.environment.auth0
    return tenant.audience if tenant else ""
