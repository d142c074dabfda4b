"""Fixtures of every app's unit tests: the local DynamoDB, a logger that leaves nothing behind, and an event loop."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from typing import Any

import botocore.session
import pytest
from aws_lambda_powertools import Logger

from sawhorse.local.emulators import Running
from shared.logs import CHATTY, StandardOutput, make_logger


@pytest.fixture(scope="session")
def dynamodb(local_aws: Running) -> Iterator[Any]:
    variables = local_aws.environment()
    client: Any = botocore.session.get_session().create_client(
        "dynamodb",
        region_name=variables["AWS_DEFAULT_REGION"],
        endpoint_url=variables.get("AWS_ENDPOINT_URL_DYNAMODB", variables["AWS_ENDPOINT_URL"]),
        aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=variables.get("AWS_SESSION_TOKEN"),
    )
    yield client
    client.close()


@pytest.fixture
def logger_of() -> Iterator[Callable[[str], Logger]]:
    """Make a service's logger at DEBUG; afterwards all loggers are as they were."""
    services: list[str] = []
    levels = {name: logging.getLogger(name).level for name in ("", *CHATTY)}
    root = logging.getLogger()

    def make(service: str) -> Logger:
        services.append(service)
        return make_logger(service, "DEBUG")

    yield make
    root.handlers = [handler for handler in root.handlers if not isinstance(handler, StandardOutput)]
    for name, level in {**levels, **dict.fromkeys(services, logging.NOTSET)}.items():
        logging.getLogger(name).setLevel(level)


@pytest.fixture
def event_loop() -> Iterator[asyncio.AbstractEventLoop]:
    # Mangum takes the thread's loop, and from Python 3.12 on warns when there is none.
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield loop
    asyncio.set_event_loop(None)
    loop.close()
