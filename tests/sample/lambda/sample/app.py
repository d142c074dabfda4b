"""Keep notes in a table: what the tests of the engine build, plan, apply and call."""

from typing import Annotated

from aws_lambda_powertools import Logger
from fastapi import APIRouter, FastAPI, Path
from pydantic import BaseModel

from sample.limits import DEFAULT_LIMIT
from sample.version import VERSION
from shared.api_errors import not_found
from shared.application import make_application
from shared.dynamodb import Client, DynamoDB
from shared.health import add_health
from shared.routers import make_router

SERVICE = "sample"
Name = Annotated[str, Path(pattern="^[a-z]+$", max_length=DEFAULT_LIMIT)]


class Health(BaseModel):
    """What health tells."""

    version: str


class Note(BaseModel):
    """A note by its name."""

    name: str
    text: str


def create_app(*, table: str, client: Client, logger: Logger, docs: bool = True) -> FastAPI:
    """Make the application around its table."""
    router = make_router(prefix="/api")
    add_health(router, Health(version=VERSION))
    add_notes(router, table, DynamoDB(client=client, logger=logger))
    return make_application(
        title="Sample", version=VERSION, description="Keeps notes.", routers=[router], logger=logger, docs=docs
    )


def add_notes(router: APIRouter, table: str, dynamodb: DynamoDB) -> None:
    """Add the routes of the notes."""

    def write(name: Name, text: str) -> Note:
        dynamodb.put_item(table, Item={"name": {"S": name}, "text": {"S": text}})
        return Note(name=name, text=text)

    def read(name: Name) -> Note:
        item = dynamodb.get_item(table, Key={"name": {"S": name}}).get("Item")
        if item is None:
            raise not_found("There is no note of this name. Write one first.")
        return Note(name=name, text=item["text"]["S"])

    router.add_api_route("/notes/{name}", write, methods=["PUT"], response_model=Note, summary="Write a note")
    router.add_api_route("/notes/{name}", read, methods=["GET"], response_model=Note, summary="Read a note")
