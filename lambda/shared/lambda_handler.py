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
    return _Handler(app, lifespan="off")


class EventFailed(RuntimeError):
    """An event got no response; the log says why, without the event."""

    def __init__(self) -> None:
        super().__init__("The event could not be worked on. The line before this one in the log says where.")


class _Handler(Mangum):
    """Mangum, whose own response to an application that fails in the middle of one has the headers of all others."""

    def __call__(self, event: dict[str, Any], context: Any) -> dict[str, Any]:
        """Answer one event."""
        try:
            response: dict[str, Any] = super().__call__(event, context)
        except Exception:  # whatever it is, Lambda prints what reaches it with its text, which may quote the event
            logging.getLogger(__name__).exception("An event could not be worked on.")
            raise EventFailed from None
        response["headers"] = {name.lower(): value for name, value in HEADERS.items()} | response["headers"]
        return response
