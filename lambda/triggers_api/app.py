"""Put the application together from its settings, a DynamoDB client and a clock."""

from pathlib import Path

from aws_lambda_powertools import Logger
from fastapi import FastAPI

from shared.application import make_application
from shared.cors import cors_rules
from shared.dynamodb import Client, DynamoDB
from shared.metrics import Counters
from shared.times import Clock
from triggers_api import openapi
from triggers_api.auth import Authenticator
from triggers_api.events import EventStore
from triggers_api.inbox import Inbox
from triggers_api.routes import make_routers
from triggers_api.settings import Settings
from triggers_api.version import VERSION

SERVICE = "triggers_api"
METRICS_NAMESPACE = "triggers-api"


def create_app(*, settings: Settings, client: Client, clock: Clock, logger: Logger, docs: bool = True) -> FastAPI:
    """Make the application, with or without its docs pages; it reads nothing from its environment."""
    dynamodb = DynamoDB(client=client, logger=logger)
    counters = Counters(namespace=METRICS_NAMESPACE, service=SERVICE, stage=settings.stage)
    return make_application(
        title=openapi.TITLE,
        version=VERSION,
        description=openapi.DESCRIPTION,
        routers=make_routers(
            settings=settings,
            authenticator=Authenticator(settings=settings, dynamodb=dynamodb, clock=clock),
            store=EventStore(settings=settings, dynamodb=dynamodb, clock=clock, logger=logger),
            inbox=Inbox(settings=settings, dynamodb=dynamodb, logger=logger),
            counters=counters,
            logger=logger,
        ),
        logger=logger,
        cors=cors_rules(Path(__file__), origins=settings.cors_origins),
        counters=counters,
        docs=docs,
        # What is too large for DynamoDB gets a response of its own.
        max_body_bytes=None,
    )
