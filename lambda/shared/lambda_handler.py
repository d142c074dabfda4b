"""Give Lambda a handler for an ASGI application."""

import json
import logging
from collections.abc import Callable, Mapping
from functools import cached_property
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from mangum import Mangum
from mangum.handlers import ALB, HTTPGateway

from shared import request_ids
from shared.asgi import Scope
from shared.lambda_events import IgnoredEvent, NotARequestError, path_of, read_event
from shared.security_headers import HEADERS

Handler = Callable[[Any, Any], dict[str, Any]]

_logger = logging.getLogger(__name__)
_HEADERS = {name.lower(): value for name, value in HEADERS.items()}


def make_handler(app: FastAPI, *, base_path: str = "") -> Handler:
    """Make the handler; it takes the events of REST APIs, HTTP APIs, function URLs and load balancers.

    Any other event gets a response as well, and one line in the log: see `shared.lambda_events`.
    """
    return _Handler(app, base_path=base_path)


class EventFailed(RuntimeError):
    """An event got no response; the log says why, without the event."""

    def __init__(self) -> None:
        super().__init__("The event could not be worked on. The line before this one in the log says where.")


class _Request:
    """Make the scope of a request once, where Mangum makes it again for the response.

    It has the path as the event has it: Mangum leaves that out, and routes want to see how a path is spelled.
    """

    event: dict[str, Any]

    @cached_property
    def scope(self) -> Scope:
        made: Scope = super().scope  # type: ignore[misc]  # of the class beside this one
        made["raw_path"] = path_of(self.event).encode()
        return made


class _LoadBalancer(_Request, ALB):
    """What a load balancer sends."""


class _Gateway(_Request, HTTPGateway):
    """What REST APIs, HTTP APIs and function URLs send: `read_event` gives each of them a version."""


class _Handler(Mangum):
    """Mangum, whose own response to an application that fails in the middle of one has the headers of all others."""

    def __init__(self, app: FastAPI, *, base_path: str) -> None:
        super().__init__(app, lifespan="off", custom_handlers=[_LoadBalancer, _Gateway])
        self._base_path = base_path

    def __call__(self, event: Any, context: Any) -> dict[str, Any]:
        """Respond to one event."""
        try:
            read = read_event(event, base_path=self._base_path)
        except NotARequestError as error:
            return _refusal(str(error), _request_id(context))
        if isinstance(read, IgnoredEvent):
            return _ignored(read, _request_id(context))
        try:
            response: dict[str, Any] = super().__call__(read, context)
        except Exception:  # whatever it is, Lambda prints what reaches it with its text, which may quote the event
            _logger.exception("An event could not be worked on.")
            raise EventFailed from None
        if "headers" in response:
            response["headers"] = _HEADERS | response["headers"]
        else:
            # A load balancer that sent lists of headers takes lists alone.
            lists = {name: [value] for name, value in _HEADERS.items()}
            response["multiValueHeaders"] = lists | response["multiValueHeaders"]
        return response


def _ignored(event: IgnoredEvent, request_id: str) -> dict[str, Any]:
    fields = _fields(request_id, kind=event.kind)
    if event.records:
        _logger.warning("Records came to a function that serves requests, and were sent back.", extra=fields)
        return event.sent_back()
    _logger.info("An event that wants nothing done was let pass.", extra=fields)
    return _response(HTTPStatus.NO_CONTENT, "", request_id)


def _refusal(message: str, request_id: str) -> dict[str, Any]:
    _logger.warning("An event that is not a request was refused.", extra=_fields(request_id, reason=message))
    error = {"error": {"code": "invalid_request", "message": message, "request_id": request_id}}
    kind = {"content-type": "application/json"}
    return _response(HTTPStatus.UNPROCESSABLE_ENTITY, json.dumps(error), request_id, kind)


def _response(
    status: HTTPStatus, body: str, request_id: str, headers: Mapping[str, str] | None = None
) -> dict[str, Any]:
    named = {request_ids.HEADER.lower(): request_id}
    return {
        "statusCode": int(status),
        "headers": _HEADERS | named | dict(headers or {}),
        "body": body,
        "isBase64Encoded": False,
    }


def _fields(request_id: str, **fields: str) -> dict[str, str]:
    return {"function_request_id": request_id, **fields}


def _request_id(context: Any) -> str:
    """Name an event that has no request of its own: by its invocation, or anew when it is called by hand."""
    invocation = getattr(context, "aws_request_id", None)
    return request_ids.choose(invocation if isinstance(invocation, str) else None)
