"""Put the API and the worker together from their settings, clients and a clock."""

from pathlib import Path

from aws_lambda_powertools import Logger
from fastapi import FastAPI

from shared.application import make_application
from shared.cors import cors_rules
from shared.dynamodb import Client, DynamoDB
from shared.times import Clock
from stock_track_record import openapi
from stock_track_record.channels import ChannelStore
from stock_track_record.jobs import JobRequests, JobStore
from stock_track_record.queue import Client as QueueClient
from stock_track_record.queue import Queue
from stock_track_record.records import RecordStore
from stock_track_record.routes import Stores, make_api_routers
from stock_track_record.settings import ApiSettings
from stock_track_record.stocks import StockStore
from stock_track_record.version import VERSION

SERVICE = "stock_track_record"


def create_app(  # noqa: PLR0913 - the parts that it is made of
    *,
    settings: ApiSettings,
    client: Client,
    queue_client: QueueClient,
    clock: Clock,
    logger: Logger,
    docs: bool = True,
) -> FastAPI:
    """Make the application, with or without its docs pages; it reads nothing from its environment."""
    dynamodb = DynamoDB(client=client, logger=logger)
    jobs = JobStore(table=settings.table, dynamodb=dynamodb, clock=clock, logger=logger)
    stocks = StockStore(table=settings.stocks_table, dynamodb=dynamodb, logger=logger)
    queue = Queue(client=queue_client, url=settings.queue_url)
    stores = Stores(
        channels=ChannelStore(table=settings.table, dynamodb=dynamodb, clock=clock, logger=logger),
        stocks=stocks,
        jobs=jobs,
        job_requests=JobRequests(jobs=jobs, queue=queue, logger=logger),
        records=RecordStore(
            table=settings.table, dynamodb=dynamodb, stocks=stocks, jobs=jobs, clock=clock, logger=logger
        ),
    )
    return make_application(
        title=openapi.TITLE,
        version=VERSION,
        description=openapi.DESCRIPTION,
        routers=make_api_routers(settings=settings, stores=stores, clock=clock),
        logger=logger,
        # In Lambda the HTTP API responds to browsers, and the function says nothing: a browser refuses two responses.
        cors=None if settings.is_lambda else cors_rules(Path(__file__), origins=settings.cors_origins),
        docs=docs,
    )
