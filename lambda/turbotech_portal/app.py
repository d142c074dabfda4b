"""Put the application together from its settings, a DynamoDB client and a clock."""

from pathlib import Path

from aws_lambda_powertools import Logger
from fastapi import FastAPI

from shared.application import make_application
from shared.async_dynamodb import AsyncDynamoDB
from shared.cors import cors_rules
from shared.dynamodb import Client, DynamoDB
from shared.times import Clock
from turbotech_portal import openapi
from turbotech_portal.auth import Authenticator
from turbotech_portal.deliverables import DeliverableAdapter
from turbotech_portal.metrics import MetricAdapter
from turbotech_portal.routes import Adapters, make_routers
from turbotech_portal.settings import Settings
from turbotech_portal.updates import UpdateAdapter
from turbotech_portal.users import UserAdapter
from turbotech_portal.version import VERSION

SERVICE = "turbotech_portal"
# Calls of DynamoDB that wait at once, each in a thread and on a connection that are made when they are first needed.
CALLS_AT_ONCE = 64


def create_app(*, settings: Settings, client: Client, clock: Clock, logger: Logger) -> FastAPI:
    """Make the application; it serves many requests at once under uvicorn, and one at a time in Lambda."""
    adapters = make_adapters(settings=settings, client=client, clock=clock, logger=logger)
    return make_application(
        title=openapi.TITLE,
        version=VERSION,
        description=openapi.DESCRIPTION,
        routers=make_routers(authenticator=Authenticator(settings), adapters=adapters, scopes=settings.scopes),
        logger=logger,
        # In Lambda the HTTP API names the origins, and a browser refuses a response that names one twice.
        cors=cors_rules(Path(__file__), origins=() if settings.in_lambda else settings.cors_origins),
        docs=settings.public_docs,
        behind_web_adapter=settings.in_lambda,
        on_shutdown=adapters.dynamodb.close,
    )


def make_adapters(*, settings: Settings, client: Client, clock: Clock, logger: Logger) -> Adapters:
    """Make the adapters of the four tables, which share the threads that wait."""
    dynamodb = AsyncDynamoDB(DynamoDB(client=client, logger=logger), threads=CALLS_AT_ONCE)
    return Adapters(
        deliverables=DeliverableAdapter(table=settings.deliverables_table, dynamodb=dynamodb, logger=logger),
        metrics=MetricAdapter(table=settings.metrics_table, dynamodb=dynamodb, logger=logger),
        updates=UpdateAdapter(table=settings.updates_table, dynamodb=dynamodb, clock=clock, logger=logger),
        users=UserAdapter(table=settings.users_table, dynamodb=dynamodb, clock=clock, logger=logger),
        dynamodb=dynamodb,
    )
