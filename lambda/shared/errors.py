"""Return every error as JSON with a stable code, a sentence and the request id."""

from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import quote

from aws_lambda_powertools import Logger
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response
from starlette.routing import Match

from shared.api_errors import INTERNAL_ERROR, ApiError
from shared.asgi import App, Message, Receive, Scope, Send
from shared.locations import MAX_LOCATION_BYTES
from shared.routers import without_slash
from shared.validation import validation_sentence

NO_SUCH_PATH = "There is nothing at this path."
SEE_DOCS = "See /docs for the routes."
CHECK_PATH = "Check how it is spelled."
# What stays as it is in a query string: all that RFC 3986 lets stand there, and what is encoded already.
QUERY_CHARACTERS = "!$%&'()*+,-./:;=?@_~"
METHODS = ("DELETE", "GET", "PATCH", "POST", "PUT")


class ErrorDetail(BaseModel):
    """What went wrong."""

    code: str = Field(description="A stable word to decide on in code.")
    message: str = Field(description="A sentence for people; its wording may change.")
    request_id: str = Field(description="The id to quote when you ask about this request.")


class ErrorBody(BaseModel):
    """The body of every error."""

    error: ErrorDetail


def error_response(
    scope: Scope, status: int, code: str, message: str, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """Make the response, and leave its code for the request's log line."""
    state = scope.get("state", {})
    state.setdefault("log_fields", {})["error_code"] = code
    body = {"error": {"code": code, "message": message, "request_id": state.get("request_id", "")}}
    return JSONResponse(body, status_code=status, headers=dict(headers or {}))


def install_error_handlers(app: FastAPI) -> None:
    """Give the application's own errors, the router's and the validator's the one shape."""
    app.exception_handler(ApiError)(_on_api_error)
    app.exception_handler(HTTPException)(_on_router_error)
    app.exception_handler(RequestValidationError)(_on_invalid_request)


class ResponseBroken(RuntimeError):
    """An application failed in the middle of its response; the log has the reason."""

    def __init__(self) -> None:
        super().__init__("The response broke off. The log has the error that it met.")


class ErrorBoundary:
    """Turn what nobody caught into a 500 without a stack trace, and log the stack.

    This has to be the innermost middleware: Starlette's own catch-all stands outside every middleware, so its response
    would come without CORS headers and request id.
    """

    def __init__(self, app: App, *, logger: Logger) -> None:
        self._app = app
        self._logger = logger

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application and respond in its place when it fails before it has responded."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def watch(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watch)
        except ClientDisconnect:
            # Nobody is there any more to get a response.
            self._logger.info("The caller went away before the request was read.")
        except Exception:  # whatever it is, its stack belongs into the log and nowhere else
            self._logger.exception("The request failed with an error that nobody expected.")
            if started:
                # Whoever serves us prints what reaches it with its text, which may quote the request.
                raise ResponseBroken from None
            response = error_response(
                scope,
                HTTPStatus.INTERNAL_SERVER_ERROR,
                "internal_error",
                INTERNAL_ERROR,
            )
            await response(scope, receive, send)


async def _on_api_error(request: Request, error: ApiError) -> JSONResponse:
    return error_response(request.scope, error.status, error.code, error.message, error.headers)


async def _on_router_error(request: Request, error: HTTPException) -> Response:
    headers = dict(error.headers or {})
    place = _without_slash(request) if error.status_code == HTTPStatus.NOT_FOUND else None
    if place is not None:
        return Response(status_code=HTTPStatus.PERMANENT_REDIRECT, headers={"Location": place})
    if error.status_code == HTTPStatus.NOT_FOUND:
        documented = any(getattr(route, "path", None) == "/docs" for route in request.app.routes)
        code, message = "not_found", f"{NO_SUCH_PATH} {SEE_DOCS if documented else CHECK_PATH}"
    elif error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        code, message = (
            "method_not_allowed",
            "This path does not know this method. The Allow header says which it knows.",
        )
        headers["Allow"] = _allowed(request)
    else:
        code, message = "invalid_request", f"{HTTPStatus(error.status_code).phrase}."
    return error_response(request.scope, error.status_code, code, message, headers)


def _without_slash(request: Request) -> str | None:
    """Say where a path is that was written with a slash at its end: the same for every gateway in front.

    Only the path itself is served, since a gateway has the limits of a route at its path alone, and what a response
    refers to is relative to it. A relative address carries the gateway's prefix, whatever that is.
    """
    shorter = without_slash(request.scope)
    if shorter is None or all(route.matches(shorter)[0] is Match.NONE for route in request.app.routes):
        return None
    query = request.scope["query_string"].decode("latin-1")
    last = quote(shorter["path"].rpartition("/")[2])
    place = f"../{last}{f'?{quote(query, safe=QUERY_CHARACTERS)}' if query else ''}"
    return place if len(place) <= MAX_LOCATION_BYTES else None


async def _on_invalid_request(request: Request, error: RequestValidationError) -> JSONResponse:
    message = validation_sentence(error.errors(), subject="The request")
    return error_response(request.scope, HTTPStatus.UNPROCESSABLE_ENTITY, "invalid_request", message)


def _allowed(request: Request) -> str:
    """List the methods that a path knows: the router's own list has those of one route, and a path may have several.

    Middleware responds to OPTIONS for every path, and HEAD wherever there is GET.
    """
    found = {
        method
        for method in METHODS
        if any(route.matches({**request.scope, "method": method})[0] is Match.FULL for route in request.app.routes)
    }
    return ", ".join(sorted(found | {"OPTIONS"} | ({"HEAD"} if "GET" in found else set())))
