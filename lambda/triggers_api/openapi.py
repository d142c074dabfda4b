"""Say in the OpenAPI document what FastAPI cannot see: error bodies, headers and the body that we read ourselves."""

from http import HTTPStatus
from typing import Any

from pydantic import BaseModel

from shared.errors import ErrorBody

TITLE = "triggers_api"
DESCRIPTION = """An inbox of events: external systems push events to it, and automation clients poll it.

Every answer carries `X-Request-ID`: yours when it is well formed (1 to 128 of `A-Z a-z 0-9 . _ -`), else a new one.
Every error has the same JSON body with a stable `code`, a sentence and the request id."""

_ERRORS = {
    401: ("unauthorized", "There is no API key. Send it in the X-API-Key header."),
    404: ("not_found", "There is no event with this id. It may have been deleted."),
    409: ("idempotency_conflict", "This Idempotency-Key was used with another body. Use a new key for a new event."),
    413: (
        "event_too_large",
        "The event takes 409700 bytes and may take 409600. Put large data elsewhere and send a link to it.",
    ),
    422: ("invalid_request", "The event does not fit: source: field required."),
    429: ("throttled", "There are too many requests at the moment. Send this one again in 2 seconds."),
    500: (
        "internal_error",
        "Something went wrong on our side. Send the request again; if it fails again, quote the request id.",
    ),
}
_REQUEST_ID_HEADER = {"X-Request-ID": {"description": "The id of this request.", "schema": {"type": "string"}}}
_REQUEST_ID_PARAMETER = {
    "name": "X-Request-ID",
    "in": "header",
    "required": False,
    "description": "Your id for this request. One that is not well formed is replaced, not refused.",
    "schema": {"type": "string"},
    "example": "order-4711",
}
_RETRY_AFTER_HEADER = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}}
_REPLAYED_HEADER = {
    "Idempotent-Replayed": {
        "description": "`true` when this is the answer to an earlier request with the same Idempotency-Key.",
        "schema": {"type": "string", "enum": ["true"]},
    }
}

IDEMPOTENCY_KEY_DESCRIPTION = (
    "Send the same key when you send an event again: within 24 hours you get the first answer, and no second event. "
    "1 to 255 printable ASCII characters without spaces."
)


def responses(*statuses: int, success: int, description: str) -> dict[int | str, dict[str, Any]]:
    """Describe the answers of one route."""
    described: dict[int | str, dict[str, Any]] = {
        success: {"description": description, "headers": dict(_REQUEST_ID_HEADER)}
    }
    if HTTPStatus.CONFLICT in statuses:  # only a route with an idempotency key can conflict
        described[success]["headers"] |= _REPLAYED_HEADER
    for status in statuses:
        code, message = _ERRORS[status]
        described[status] = {
            "model": ErrorBody,
            "description": message,
            "headers": _REQUEST_ID_HEADER | (_RETRY_AFTER_HEADER if code == "throttled" else {}),
            "content": {
                "application/json": {
                    "example": {"error": {"code": code, "message": message, "request_id": "order-4711"}}
                }
            },
        }
    return described


def operation(*, body: type[BaseModel] | None = None) -> dict[str, Any]:
    """Describe what FastAPI does not read itself: the middleware reads the request id, and we read the body."""
    described: dict[str, Any] = {"parameters": [_REQUEST_ID_PARAMETER]}
    if body is not None:
        described["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": body.model_json_schema()}},
        }
    return described
