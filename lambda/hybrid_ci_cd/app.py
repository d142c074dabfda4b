"""Put the application together from its settings, a DynamoDB client and a clock."""

from pathlib import Path

from aws_lambda_powertools import Logger
from fastapi import FastAPI

from hybrid_ci_cd import openapi
from hybrid_ci_cd.access import Access
from hybrid_ci_cd.agent_routes import make_agent_router
from hybrid_ci_cd.agents import AgentStore
from hybrid_ci_cd.job_routes import make_job_router
from hybrid_ci_cd.jobs import JobStore
from hybrid_ci_cd.models import Health
from hybrid_ci_cd.session_routes import make_session_router
from hybrid_ci_cd.sessions import SessionStore
from hybrid_ci_cd.settings import Settings
from hybrid_ci_cd.version import VERSION
from shared.application import make_application
from shared.cors import cors_rules
from shared.dynamodb import Client, DynamoDB
from shared.health import add_health
from shared.housekeeping import Housekeeping
from shared.metrics import Counters
from shared.routers import make_router
from shared.times import Clock

SERVICE = "hybrid_ci_cd"
METRICS_NAMESPACE = "hybrid-ci-cd"


def create_app(*, settings: Settings, client: Client, clock: Clock, logger: Logger, docs: bool = True) -> FastAPI:
    """Make the application, with or without its docs pages; it reads nothing from its environment."""
    dynamodb = DynamoDB(client=client, logger=logger)
    counters = Counters(namespace=METRICS_NAMESPACE, service=SERVICE, stage=settings.stage)
    housekeeping = Housekeeping(logger=logger, namespace=METRICS_NAMESPACE, dimensions={"stage": settings.stage})
    sessions = SessionStore(settings=settings, dynamodb=dynamodb, clock=clock, housekeeping=housekeeping, logger=logger)
    agents = AgentStore(settings=settings, dynamodb=dynamodb, clock=clock, housekeeping=housekeeping, logger=logger)
    jobs = JobStore(settings=settings, dynamodb=dynamodb, clock=clock, agents=agents, logger=logger)
    access = Access(sessions=sessions, agents=agents, session_key_hash=settings.session_key_hash)
    health = make_router()
    add_health(health, Health(version=VERSION))
    return make_application(
        title=openapi.TITLE,
        version=VERSION,
        description=openapi.DESCRIPTION,
        routers=[
            health,
            make_session_router(access=access, store=sessions, agents=agents, counters=counters),
            make_job_router(access=access, store=jobs, counters=counters),
            make_agent_router(access=access, store=agents, counters=counters),
        ],
        logger=logger,
        cors=cors_rules(Path(__file__), origins=settings.cors_origins),
        counters=counters,
        docs=docs,
    )
