"""Respond to events that are not requests where AWS Lambda Web Adapter stands before the application.

The adapter makes a request of such an event, with the event as its body, and takes the body of the response for the
function's own (https://awslabs.github.io/aws-lambda-web-adapter/features/non-http-events.html).
"""

import json
import os
from collections.abc import Mapping
from http import HTTPStatus

from aws_lambda_powertools import Logger
from starlette.responses import JSONResponse, Response

from shared.asgi import App, Receive, Scope, Send, header
from shared.claims import CONTEXT_HEADER, runs_in_lambda
from shared.errors import error_response
from shared.lambda_events import IgnoredEvent, NotARequestError, read_event

# Where the adapter sends them unless AWS_LWA_PASS_THROUGH_PATH says otherwise.
PATH = "/events"
# Of an invocation's event (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html).
MAX_EVENT_BYTES = 6 * 1024 * 1024
NO_EVENT = "What came is no event that this function knows: it serves requests."


class PassedEvents:
    """Respond to what the adapter passes on; a caller's request with the same path goes on to the application."""

    def __init__(self, app: App, *, logger: Logger, environment: Mapping[str, str] = os.environ) -> None:
        self._app = app
        self._logger = logger
        self._environment = environment

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond, or hand the request on."""
        if not self._was_passed(scope):
            await self._app(scope, receive, send)
            return
        response = self._respond(scope, await _body(receive))
        await response(scope, receive, send)

    def _was_passed(self, scope: Scope) -> bool:
        """Tell an event from a request: the adapter writes the context of a request over whatever the caller sent."""
        if scope["type"] != "http" or (scope["method"], scope["path"]) != ("POST", PATH):
            return False
        context = header(scope, CONTEXT_HEADER)
        return "aws.event" not in scope and context in ("null", "{}") and runs_in_lambda(self._environment)

    def _respond(self, scope: Scope, body: bytes) -> Response:
        try:
            event = read_event(json.loads(body))
        except NotARequestError as error:
            return self._refusal(scope, str(error))
        except (ValueError, RecursionError):
            return self._refusal(scope, NO_EVENT)
        if not isinstance(event, IgnoredEvent):
            return self._refusal(scope, NO_EVENT)
        if event.records:
            line = "Records came to a function that serves requests, and were sent back."
            self._logger.warning(line, extra={"kind": event.kind})
            return JSONResponse(event.sent_back())
        self._logger.info("An event that wants nothing done was let pass.", extra={"kind": event.kind})
        return Response(status_code=HTTPStatus.NO_CONTENT)

    def _refusal(self, scope: Scope, message: str) -> Response:
        self._logger.warning("An event that is not a request was refused.", extra={"reason": message})
        return error_response(scope, HTTPStatus.UNPROCESSABLE_ENTITY, "invalid_request", message)


async def _body(receive: Receive) -> bytes:
    """Read a body; what is longer than any event is cut, and so is none."""
    read = bytearray()
    more = True
    while more and len(read) <= MAX_EVENT_BYTES:
        message = await receive()
        read += message.get("body", b"")
        more = message.get("more_body", False)
    return bytes(read) if not more else b""
