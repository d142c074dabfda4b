"""Give Lambda a handler for an ASGI application."""

import logging
from collections.abc import Callable
from typing import Any

from fastapi import FastAPI
from mangum import Mangum

from shared.security_headers import HEADERS

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]


def make_handler(app: FastAPI) -> Handler:
    """Make the handler; it takes the events of REST APIs, HTTP APIs and function URLs."""
    # A warning would be the one line in the log that is not JSON.
    logging.captureWarnings(capture=True)
    return _Handler(app, lifespan="off")


class _Handler(Mangum):
    """Mangum, whose own response to an application that fails in the middle of one has the headers of all others."""

    def __call__(self, event: dict[str, Any], context: Any) -> dict[str, Any]:
        """Answer one event."""
        response: dict[str, Any] = super().__call__(event, context)
        response["headers"] = {name.lower(): value for name, value in HEADERS.items()} | response["headers"]
        return response
