"""Make API keys for triggers_api: the table gets a key's hash, the caller gets the key, once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from harness.seed import Seeded
from harness.workspace import Deployment
from shared.api_keys import ApiKey, generate, hash_key


def seed(deployment: Deployment) -> Seeded:
    """Make one API key."""
    key = new_key(deployment, label="seed")
    line = f"API key {key.key_id} is in {keys_table(deployment)}. Keep it now: the table has only its hash."
    return Seeded((line,), {"api_key": key.clear})


def still_valid(deployment: Deployment, secrets: Mapping[str, str]) -> bool:
    """Say whether the key of an earlier seed is in the table."""
    found = deployment.client("dynamodb").get_item(
        TableName=keys_table(deployment), Key={"api_key": {"S": hash_key(secrets["api_key"])}}
    )
    return "Item" in found


def calls(deployment: Deployment, secrets: Mapping[str, str]) -> list[str]:
    """Return a call that stores an event, one that reads the inbox, and the page that documents both."""
    url = deployment.outputs["api_endpoint"]
    key = f"-H 'X-API-Key: {secrets['api_key']}'"
    event = '{"source": "test", "event_type": "test.created", "payload": {}}'
    return [
        f"curl -s {url}/v1/events {key} -H 'Content-Type: application/json' -d '{event}'",
        f"curl -s {url}/v1/inbox {key}",
        f"API pages: {url}/docs",
    ]


def new_key(deployment: Deployment, *, label: str) -> ApiKey:
    """Make a key and store its hash, with what tells an operator which key it is."""
    key = generate()
    deployment.client("dynamodb").put_item(
        TableName=keys_table(deployment),
        Item={
            "api_key": {"S": key.hashed},
            "key_id": {"S": key.key_id},
            "label": {"S": label},
            "created_at": {"S": datetime.now(UTC).isoformat(timespec="seconds")},
        },
        ConditionExpression="attribute_not_exists(#key)",
        ExpressionAttributeNames={"#key": "api_key"},
    )
    return key


def remove_key(deployment: Deployment, key: ApiKey) -> None:
    """Take a key back; it stops at once."""
    deployment.client("dynamodb").delete_item(TableName=keys_table(deployment), Key={"api_key": {"S": key.hashed}})


def keys_table(deployment: Deployment) -> str:
    return str(deployment.outputs["dynamodb_keys_table"])
