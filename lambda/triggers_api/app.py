"""Put the application together from its settings, a DynamoDB client and a clock."""

from aws_lambda_powertools import Logger
from fastapi import FastAPI

from shared.cors import Cors, CorsRules
from shared.docs_pages import RELATIVE_SERVERS, add_docs_pages
from shared.dynamodb import Client, DynamoDB
from shared.errors import ErrorBoundary, install_error_handlers
from shared.head_requests import HeadRequests
from shared.metrics import Counters, FlushCounters
from shared.request_log import RequestLog
from triggers_api import openapi
from triggers_api.auth import Authenticator
from triggers_api.events import EventStore
from triggers_api.inbox import Inbox
from triggers_api.routes import make_router
from triggers_api.settings import Settings
from triggers_api.times import Clock
from triggers_api.version import VERSION

SERVICE = "triggers_api"
METRICS_NAMESPACE = "triggers-api"


def create_app(*, settings: Settings, client: Client, clock: Clock, logger: Logger) -> FastAPI:
    """Make the application; it reads nothing from its environment."""
    dynamodb = DynamoDB(client=client, logger=logger)
    counters = Counters(namespace=METRICS_NAMESPACE, service=SERVICE, stage=settings.stage)
    app = FastAPI(
        title=openapi.TITLE,
        version=VERSION,
        description=openapi.DESCRIPTION,
        servers=RELATIVE_SERVERS,
        generate_unique_id_function=lambda route: route.name,
        docs_url=None,
        openapi_url=None,
        redoc_url=None,
        # A redirect would name an address without the gateway's prefix.
        redirect_slashes=False,
    )
    app.include_router(
        make_router(
            settings=settings,
            authenticator=Authenticator(settings=settings, dynamodb=dynamodb),
            store=EventStore(settings=settings, dynamodb=dynamodb, clock=clock),
            inbox=Inbox(settings=settings, dynamodb=dynamodb),
            counters=counters,
            logger=logger,
        )
    )
    add_docs_pages(app)
    install_error_handlers(app)
    # The last one that is added is the outermost one.
    app.add_middleware(ErrorBoundary, logger=logger)
    app.add_middleware(HeadRequests)
    app.add_middleware(Cors, rules=_cors_rules(settings))
    app.add_middleware(FlushCounters, counters=counters)
    app.add_middleware(RequestLog, logger=logger)
    return app


def _cors_rules(settings: Settings) -> CorsRules:
    return CorsRules(
        origins=settings.cors_origins,
        methods=("GET", "POST", "DELETE", "OPTIONS"),
        headers=("Content-Type", "X-API-Key", "X-Request-ID", "Idempotency-Key"),
        exposed_headers=("X-Request-ID", "Idempotent-Replayed", "Retry-After"),
        max_age_seconds=3600,
    )
