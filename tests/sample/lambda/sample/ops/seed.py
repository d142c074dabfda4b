"""Put a note into the sample's table."""

from __future__ import annotations

from collections.abc import Mapping

from sawhorse.api import Deployment, Seeded

NOTE = {"name": {"S": "seeded"}, "text": {"S": "Made by the seed."}}


def seed(deployment: Deployment) -> Seeded:
    """Write the note."""
    deployment.client("dynamodb").put_item(TableName=deployment.output("dynamodb_notes_table"), Item=NOTE)
    return Seeded(("There is a note named seeded.",))


def still_valid(deployment: Deployment, secrets: Mapping[str, str]) -> bool:  # as every seed is called
    """Say that nothing needs to be made anew: this seed makes no secrets."""
    return not secrets


def calls(deployment: Deployment, secrets: Mapping[str, str]) -> list[str]:  # as every seed is called
    """Return a call that reads the note."""
    return [f"curl -s {deployment.output('api_endpoint')}/api/notes/seeded"]
