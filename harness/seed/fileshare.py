"""Put a sample user with links into fileshare, and give users tokens who have none."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from fileshare.checks import DoesNotFitError, normalised_email
from fileshare.dynamodb_database import EMAIL_INDEX, link_item, reservation_item, reservation_key, user_item
from fileshare.records import Link, User
from fileshare.tokens import new_token, opens, user_id_of
from harness.errors import UnknownName
from harness.seed import Seeded
from harness.workspace import Deployment
from shared.times import timestamp

SAMPLE_ID = "sample-user"
SAMPLE_EMAIL = "sample@example.com"
SAMPLE_LINKS = {
    "sampleDocs": ("https://example.com/docs", None, None),
    "sampleFile": ("https://example.com/files/report.pdf", "uploads/sample/report.pdf", "report.pdf"),
}


def seed(deployment: Deployment) -> Seeded:
    """Make the sample user and the links that are not there, and a token in place of the one before."""
    now = timestamp(datetime.now(UTC))
    user = User(user_id=SAMPLE_ID, email=SAMPLE_EMAIL, created_at=now, updated_at=now)
    made = put_user(deployment, user)
    lines = [f"User {SAMPLE_EMAIL} {'is new' if made else 'was there'} in {users_table(deployment)}."]
    for code, (full_url, file_key, filename) in SAMPLE_LINKS.items():
        link = Link(
            short_code=code,
            created_by_user=SAMPLE_ID,
            full_url=full_url,
            created_at=now,
            file_key=file_key,
            filename=filename,
        )
        made = put(deployment, urls_table(deployment), link_item(link), "short_code")
        lines.append(f"Link {code} to {full_url} {'is new' if made else 'was there'}.")
    token = issue_token(deployment, SAMPLE_EMAIL)
    lines.append(
        "The token is new. Keep it now: the table has only its hash, and the one before opens nothing any more."
    )
    return Seeded(tuple(lines), {"token": token})


def still_valid(deployment: Deployment, secrets: Mapping[str, str]) -> bool:
    """Say whether the token of an earlier seed still opens."""
    user_id = user_id_of(secrets["token"])
    found = deployment.client("dynamodb").get_item(
        TableName=users_table(deployment), Key={"user_id": {"S": user_id or "none"}}, ConsistentRead=True
    )
    return opens(secrets["token"], found.get("Item", {}).get("token_hash", {}).get("S"))


def calls(deployment: Deployment, secrets: Mapping[str, str]) -> list[str]:
    """Return calls that shorten, follow and list links, and one that shows the trial."""
    url = deployment.outputs["api_endpoint"]
    token = f"-H 'Authorization: Bearer {secrets['token']}'"
    link = '{"full_url": "https://example.com/report.pdf"}'
    return [
        f"curl -s {url}/api/links {token} -H 'Content-Type: application/json' -d '{link}'",
        f"curl -si {url}/sampleFile",
        f"curl -s {url}/api/links {token}",
        f"curl -s {url}/api/trial {token}",
        f"API pages: {url}/docs",
    ]


def issue_token(deployment: Deployment, email: str) -> str:
    """Give a user a new token, in place of any before: who came from SQLite has none."""
    try:
        address = normalised_email(email)
    except DoesNotFitError as error:
        raise UnknownName(f"{email!r} is no address: it {error}.") from None
    client, table = deployment.client("dynamodb"), users_table(deployment)
    found = client.query(
        TableName=table,
        IndexName=EMAIL_INDEX,
        KeyConditionExpression="#email = :email",
        ExpressionAttributeNames={"#email": "email"},
        ExpressionAttributeValues={":email": {"S": address}},
    )["Items"]
    if not found:
        raise UnknownName(f"{table} has no user with the address {email}; check how it is spelled.")
    user_id = found[0]["user_id"]["S"]
    token = new_token(user_id)
    client.update_item(
        TableName=table,
        Key={"user_id": {"S": user_id}},
        # The newer time keeps a migration that runs again from bringing an older token back.
        UpdateExpression="SET #token_hash = :hash, #updated_at = :now",
        ConditionExpression="attribute_exists(#user_id)",
        ExpressionAttributeNames={"#token_hash": "token_hash", "#updated_at": "updated_at", "#user_id": "user_id"},
        ExpressionAttributeValues={":hash": {"S": token.hashed}, ":now": {"S": timestamp(datetime.now(UTC))}},
    )
    return token.clear


def put_user(deployment: Deployment, user: User) -> bool:
    """Reserve the address and store the user, each unless it is there."""
    put(deployment, users_table(deployment), reservation_item(user), "user_id")
    return put(deployment, users_table(deployment), user_item(user), "user_id")


def remove_user(deployment: Deployment, user_id: str, email: str) -> None:
    """Take a user and the reservation of the address away."""
    client = deployment.client("dynamodb")
    for key in (user_id, reservation_key(email)):
        client.delete_item(TableName=users_table(deployment), Key={"user_id": {"S": key}})


def put(deployment: Deployment, table: str, item: Mapping[str, Any], key: str) -> bool:
    """Store an item unless it is there, and say whether it is new."""
    client = deployment.client("dynamodb")
    try:
        client.put_item(
            TableName=table,
            Item=item,
            ConditionExpression="attribute_not_exists(#key)",
            ExpressionAttributeNames={"#key": key},
        )
    except client.exceptions.ConditionalCheckFailedException:
        return False
    return True


def users_table(deployment: Deployment) -> str:
    return str(deployment.outputs["dynamodb_users_table"])


def urls_table(deployment: Deployment) -> str:
    return str(deployment.outputs["dynamodb_urls_table"])
