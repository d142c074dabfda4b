"""Give Lambda a handler for an ASGI application."""

import logging
from collections.abc import Callable
from typing import Any

from fastapi import FastAPI
from mangum import Mangum

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]


def make_handler(app: FastAPI) -> Handler:
    """Make the handler; it takes the events of REST APIs, HTTP APIs and function URLs."""
    # A warning would be the one line in the log that is not JSON.
    logging.captureWarnings(capture=True)
    handler: Handler = Mangum(app, lifespan="off")
    return handler
