"""Put the application together from its settings, a database and a clock."""

from pathlib import Path

from aws_lambda_powertools import Logger
from fastapi import FastAPI

from fileshare import openapi
from fileshare.auth import Authenticator
from fileshare.checks import MAX_BODY_BYTES
from fileshare.database import Database
from fileshare.dynamodb_database import DynamoDBDatabase
from fileshare.link_routes import make_follow_router, make_link_router
from fileshare.links import LinkService
from fileshare.settings import Settings, Tables
from fileshare.sqlite_database import SQLiteDatabase
from fileshare.user_routes import make_user_router
from fileshare.users import UserService
from fileshare.version import VERSION
from shared.application import make_application
from shared.async_dynamodb import AsyncDynamoDB
from shared.cors import cors_rules
from shared.dynamodb import Client, DynamoDB
from shared.times import Clock

SERVICE = "fileshare"
# As many calls wait for a database at once; each thread needs a connection of its own.
THREADS = 20


def open_database(settings: Settings, *, client: Client | None, logger: Logger) -> Database:
    """Open the database that the settings name; only DynamoDB takes a client."""
    if not isinstance(settings.database, Tables):
        return SQLiteDatabase(settings.database, threads=THREADS, logger=logger)
    if client is None:
        raise ValueError("DynamoDB needs a client; make one with shared.dynamodb.make_client.")
    dynamodb = AsyncDynamoDB(DynamoDB(client=client, logger=logger), threads=THREADS)
    return DynamoDBDatabase(dynamodb=dynamodb, tables=settings.database, logger=logger)


def create_app(*, settings: Settings, database: Database, clock: Clock, logger: Logger) -> FastAPI:
    """Make the application; it reads nothing from its environment."""
    authenticator = Authenticator(database)
    links = LinkService(database=database, clock=clock)
    users = UserService(database=database, clock=clock, addresses=settings.addresses)
    routers = [
        make_user_router(settings=settings, users=users, authenticator=authenticator),
        make_link_router(links=links, authenticator=authenticator),
    ]
    return make_application(
        title=openapi.TITLE,
        version=VERSION,
        description=openapi.DESCRIPTION,
        routers=routers,
        # The pages of the API would be short codes otherwise.
        last_routers=[make_follow_router(links=links)],
        logger=logger,
        # In Lambda the HTTP API names the origins, and a browser refuses a response that names one twice.
        cors=cors_rules(Path(__file__), origins=() if settings.in_lambda else settings.cors_origins),
        max_body_bytes=MAX_BODY_BYTES,
        docs=settings.public_docs,
        on_shutdown=database.close,
    )
