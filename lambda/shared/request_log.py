"""Give every request an id and one log line."""

import time
from collections.abc import Callable
from http import HTTPStatus

from aws_lambda_powertools import Logger
from starlette.datastructures import MutableHeaders
from starlette.routing import Match

from shared import request_ids
from shared.asgi import App, Message, Receive, Scope, Send, header

# A method is a word that the caller chooses, and a path may hold a key where an id belongs.
METHODS = frozenset({"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"})
UNKNOWN = "(unknown)"
# What nginx logs for a caller who went away before there was a response, which is no error of ours.
CALLER_GONE = 499


class RequestLog:
    """Put the request id on the response and in every log line until then, and log the request at its end.

    The line has the template of the route in place of the path, and nothing else of the request but its id.
    What the application leaves in `state["log_fields"]` is part of that line.
    """

    def __init__(self, app: App, *, logger: Logger, seconds: Callable[[], float] = time.perf_counter) -> None:
        self._app = app
        self._logger = logger
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and watch its response."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = request_ids.choose(header(scope, request_ids.HEADER))
        log_fields: dict[str, object] = {}
        scope["state"] = {**scope.get("state", {}), "request_id": request_id, "log_fields": log_fields}
        status = CALLER_GONE

        async def send_marked(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[request_ids.HEADER] = request_id
            await send(message)

        self._logger.thread_safe_append_keys(request_id=request_id, **_lambda_keys(scope))
        started = self._seconds()
        try:
            await self._app(scope, receive, send_marked)
        except Exception:  # whatever it is, it is raised again: here only the status of the line is said
            status = int(HTTPStatus.INTERNAL_SERVER_ERROR) if status == CALLER_GONE else status
            raise
        finally:
            line = {
                "method": scope["method"] if scope["method"] in METHODS else UNKNOWN,
                "path": template_of(scope),
                "status": status,
                "duration_ms": round((self._seconds() - started) * 1000, 3),
            }
            # An alarm counts these lines, also where LOG_LEVEL leaves out what is less.
            log = self._logger.error if status >= HTTPStatus.INTERNAL_SERVER_ERROR else self._logger.info
            log("request", extra=line | log_fields)
            self._logger.thread_safe_clear_keys()


def template_of(scope: Scope) -> str:
    """Return the path as the route was written, such as `/jobs/{job_id}`, also when no route was asked."""
    taken = scope.get("route")
    if taken is None:
        # A preflight, a body that was refused before, or HEAD, which the router sees as GET.
        asked = {**scope, "method": "GET" if scope["method"] == "HEAD" else scope["method"]}
        routes = scope["app"].routes if "app" in scope else ()
        matches = [(route.matches(asked)[0], route) for route in routes]
        fitting = [route for wanted in (Match.FULL, Match.PARTIAL) for match, route in matches if match is wanted]
        taken = fitting[0] if fitting else None
    path = getattr(taken, "path", None)
    return path if isinstance(path, str) else UNKNOWN


def _lambda_keys(scope: Scope) -> dict[str, str]:
    invocation = getattr(scope.get("aws.context"), "aws_request_id", None)
    return {"function_request_id": invocation} if invocation else {}
