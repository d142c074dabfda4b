"""Put a sample user with links into fileshare, and give users tokens who have none."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

from aws_lambda_powertools import Logger

from fileshare.addresses import Addresses
from fileshare.app import open_database
from fileshare.checks import MAX_EMAIL_LENGTH, DoesNotFitError
from fileshare.database import EmailTaken
from fileshare.dynamodb_database import EMAIL_INDEX, link_item, reservation_key, user_item
from fileshare.records import Link, User
from fileshare.settings import Settings, Tables
from fileshare.tokens import new_token, opens, user_id_of
from sawhorse.api import BadConfiguration, Deployment, Seeded, UnknownName
from shared.dynamodb import every_item
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
    token = issue_token_of(deployment, SAMPLE_ID, SAMPLE_EMAIL)
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
    url = deployment.output("api_endpoint")
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
    """Give the user with an address a new token: who came from SQLite has none."""
    try:
        address = addresses_of(deployment.outputs).canonical(email)
    except DoesNotFitError as error:
        raise UnknownName(f"{email!r} is not an address: it {error}.") from None
    user_id = owner_of(deployment, address)
    if user_id is None and email != address and len(email) <= MAX_EMAIL_LENGTH:
        # Before "migrate --addresses", a user of other code is found by the very spelling that it wrote.
        user_id, address = owner_of(deployment, email), email
    if user_id is None:
        raise UnknownName(
            f"{users_table(deployment)} has no user with the address {email}; check how it is spelled. "
            "One that other code has just written can be found in a moment."
        )
    return issue_token_of(deployment, user_id, address)


def issue_token_of(deployment: Deployment, user_id: str, email: str) -> str:
    """Give a user a new token, in place of any before, unless another address than this one is the user's."""
    client, table, token = deployment.client("dynamodb"), users_table(deployment), new_token(user_id)
    names = ("token_hash", "updated_at", "user_id", "email")
    try:
        client.update_item(
            TableName=table,
            Key={"user_id": {"S": user_id}},
            # The newer time keeps a migration that runs again from bringing an older token back.
            UpdateExpression="SET #token_hash = :hash, #updated_at = :now",
            ConditionExpression="attribute_exists(#user_id) AND #email = :email",
            ExpressionAttributeNames={f"#{name}": name for name in names},
            ExpressionAttributeValues={
                ":hash": {"S": token.hashed},
                ":now": {"S": timestamp(datetime.now(UTC))},
                ":email": {"S": email},
            },
        )
    except client.exceptions.ConditionalCheckFailedException:
        raise UnknownName(
            f"{table} has no user {user_id} with the address {email}, though the address is kept for that user; "
            f"look at both items, and delete {reservation_key(email)} if the user is gone."
        ) from None
    return token.clear


def addresses_of(outputs: Mapping[str, Any]) -> Addresses:
    """Say what counts as one address in a root; one that was applied before this could be said merges nothing."""
    return Addresses(merge_plus=bool(outputs.get("merge_plus_addresses")))


def owner_of(deployment: Deployment, email: str) -> str | None:
    """Find whose address it is: its reservation says so at once; users that other code wrote are in the index alone."""
    client, table = deployment.client("dynamodb"), users_table(deployment)
    kept = client.get_item(TableName=table, Key={"user_id": {"S": reservation_key(email)}}, ConsistentRead=True)
    # One that other code made can name nobody, or be of another kind.
    if reserved_for := kept.get("Item", {}).get("reserved_for", {}).get("S"):
        return str(reserved_for)
    found = list(
        every_item(
            partial(
                client.query,
                TableName=table,
                IndexName=EMAIL_INDEX,
                KeyConditionExpression="#email = :email",
                ExpressionAttributeNames={"#email": "email"},
                ExpressionAttributeValues={":email": {"S": email}},
            )
        )
    )
    if len(found) > 1:
        raise UnknownName(f"{table} has {len(found)} users with the address {email}; leave it to one of them.")
    return str(found[0]["user_id"]["S"]) if found else None


def put_user(deployment: Deployment, user: User) -> bool:
    """Store a user as signing up does, and say whether the user is new; refuse what belongs to somebody else."""
    database = open_database(
        Settings(
            database=Tables(
                region=deployment.environment.region, users=users_table(deployment), urls=urls_table(deployment)
            )
        ),
        client=deployment.client("dynamodb"),
        # Its lines are for Lambda's log: at INFO it writes none.
        logger=Logger(service="seed", level="INFO"),
    )
    try:
        asyncio.run(database.create_user(user))
    except EmailTaken:
        if owner_of(deployment, user.email) == user.user_id:
            # The address can be kept for a user who was deleted, or never came.
            return put(deployment, users_table(deployment), user_item(user), "user_id")
        raise BadConfiguration(
            f"The seed needs the address {user.email} and the id {user.user_id}, and in {users_table(deployment)} "
            "one of them is somebody else's. Nothing was written: delete that user and "
            f"{reservation_key(user.email)} if nobody needs them, and seed again."
        ) from None
    finally:
        database.close()
    return True


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
    return deployment.output("dynamodb_users_table")


def urls_table(deployment: Deployment) -> str:
    return deployment.output("dynamodb_urls_table")
