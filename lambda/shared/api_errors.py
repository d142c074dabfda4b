"""The errors that callers are told about, for code that knows nothing of HTTP frameworks: stores and workers.

ApiError            an error that the caller is told about
└── Throttled       the caller has to slow down: 429 with Retry-After
"""

from collections.abc import Mapping
from http import HTTPStatus

RETRY_AFTER_SECONDS = 2
THROTTLED = f"There are too many requests at the moment. Send this one again in {RETRY_AFTER_SECONDS} seconds."
ENCODED = "The body has a Content-Encoding, and bodies are taken without one only. Send it as it is, not compressed."
INTERNAL_ERROR = "Something went wrong on our side. Send the request again; if it fails again, quote the request id."


class ApiError(Exception):
    """An error that the caller is told about in one sentence."""

    def __init__(self, status: int, code: str, message: str, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = dict(headers or {})


class Throttled(ApiError):
    """DynamoDB or another service asked us to slow down, so we ask the caller."""

    def __init__(self) -> None:
        super().__init__(
            HTTPStatus.TOO_MANY_REQUESTS,
            "throttled",
            THROTTLED,
            headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
        )


def invalid(message: str) -> ApiError:
    """Make the response to a request that does not fit."""
    return ApiError(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid_request", message)


def unreadable(subject: str) -> ApiError:
    """Make the response to a request to change what this service has not written: it stays as it is."""
    return ApiError(
        HTTPStatus.CONFLICT,
        "unreadable",
        f"What is stored of this {subject} is not what this service writes, so nothing was changed. "
        "Ask whoever runs the service to correct or remove it; the log names it.",
    )


def not_found(message: str) -> ApiError:
    """Make the response to a request for what is not there."""
    return ApiError(HTTPStatus.NOT_FOUND, "not_found", message)


def unauthorized(message: str, *, scheme: str = "Bearer") -> ApiError:
    """Make the response to a request whose credentials are missing or wrong; `scheme` is what is asked for."""
    return ApiError(HTTPStatus.UNAUTHORIZED, "unauthorized", message, headers={"WWW-Authenticate": scheme})
