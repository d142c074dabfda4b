"""Make API keys for triggers_api: the table gets a key's hash, the caller gets the key, once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from sawhorse.api import Deployment, Seeded
from shared.api_keys import ApiKey, generate, hash_key
from shared.times import system_clock
from triggers_api.scopes import SCOPES, Scope, attributes, has_ended, listed, scopes_of


def seed(deployment: Deployment) -> Seeded:
    """Make one API key, which may do everything and does not expire."""
    return Seeded(*made(deployment, label="seed", scopes=SCOPES, expires_at=None))


def made(
    deployment: Deployment, *, label: str, scopes: Iterable[Scope], expires_at: datetime | None
) -> tuple[tuple[str], dict[str, str]]:
    """Make a key; return a line that says what it may do, and the key, which is shown once."""
    key = new_key(deployment, label=label, scopes=scopes, expires_at=expires_at)
    ends = "it does not expire" if expires_at is None else f"it expires at {expires_at.isoformat(timespec='seconds')}"
    line = (
        f"API key {key.key_id} is in {keys_table(deployment)}. It has the scopes {listed(scopes)}, and {ends}. "
        "Keep it now: the table has only its hash."
    )
    return (line,), {"api_key": key.clear}


def still_valid(deployment: Deployment, secrets: Mapping[str, str]) -> bool:
    """Say whether the key of an earlier seed is in the table and still opens everything."""
    found = deployment.client("dynamodb").get_item(
        TableName=keys_table(deployment), Key={"api_key": {"S": hash_key(secrets["api_key"])}}
    )
    item = found.get("Item")
    return item is not None and scopes_of(item) == set(SCOPES) and not has_ended(item, system_clock)


def calls(deployment: Deployment, secrets: Mapping[str, str]) -> list[str]:
    """Return a call that stores an event, one that reads the inbox, and the page that documents both."""
    url = deployment.output("api_endpoint")
    key = f"-H 'X-API-Key: {secrets['api_key']}'"
    event = '{"source": "test", "event_type": "test.created", "payload": {}}'
    return [
        f"curl -s {url}/v1/events {key} -H 'Content-Type: application/json' -d '{event}'",
        f"curl -s {url}/v1/inbox {key}",
        f"API pages: {url}/docs",
    ]


def new_key(
    deployment: Deployment, *, label: str, scopes: Iterable[Scope] = SCOPES, expires_at: datetime | None = None
) -> ApiKey:
    """Make a key and store its hash, with what it may do, and what tells an operator which key it is."""
    key = generate()
    deployment.client("dynamodb").put_item(
        TableName=keys_table(deployment),
        Item={
            "api_key": {"S": key.hashed},
            "key_id": {"S": key.key_id},
            "label": {"S": label},
            "created_at": {"S": datetime.now(UTC).isoformat(timespec="seconds")},
            **attributes(scopes, expires_at),
        },
        ConditionExpression="attribute_not_exists(#key)",
        ExpressionAttributeNames={"#key": "api_key"},
    )
    return key


def remove_key(deployment: Deployment, key: ApiKey) -> None:
    """Take a key back; it stops at once."""
    deployment.client("dynamodb").delete_item(TableName=keys_table(deployment), Key={"api_key": {"S": key.hashed}})


def keys_table(deployment: Deployment) -> str:
    return deployment.output("dynamodb_keys_table")
