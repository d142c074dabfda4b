"""Say in an OpenAPI document what FastAPI cannot see: error bodies, headers and a body that is read by `read_body`."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel

from shared.api_errors import ENCODED, INTERNAL_ERROR, THROTTLED
from shared.body_limit import DEFAULT_MAX_BODY_BYTES, too_large_sentence

# By status: the stable code, and a sentence as an example.
Catalogue = Mapping[int, tuple[str, str]]

CONVENTIONS = """Every response carries `X-Request-ID`: yours when it is well formed (1 to 128 of `A-Z a-z 0-9 . _ -`),
else a new one. Every error has the same JSON body with a stable `code`, a sentence and the request id. A path with a
slash at its end that exists without it gets 308 with a relative `Location`, and does nothing else."""

COMMON: Catalogue = {
    401: ("unauthorized", "There are no credentials, or they are not known."),
    404: ("not_found", "There is nothing with this id."),
    413: ("request_too_large", too_large_sentence(DEFAULT_MAX_BODY_BYTES)),
    415: ("unsupported_encoding", ENCODED),
    422: ("invalid_request", "The request does not fit: name: field required."),
    429: ("throttled", THROTTLED),
    500: ("internal_error", INTERNAL_ERROR),
}

# The schema stands in the document once, because `add_health` names its model: each further response that names the
# model takes FastAPI about 0.2 milliseconds at the start.
_ERROR_SCHEMA = {"$ref": "#/components/schemas/ErrorBody"}
_EXAMPLE_REQUEST_ID = "order-4711"
_REQUEST_ID_HEADER = {"X-Request-ID": {"description": "The id of this request.", "schema": {"type": "string"}}}
_REQUEST_ID_PARAMETER = {
    "name": "X-Request-ID",
    "in": "header",
    "required": False,
    "description": "Your id for this request. One that is not well formed is replaced, not refused.",
    "schema": {"type": "string"},
    "example": _EXAMPLE_REQUEST_ID,
}
_RETRY_AFTER_HEADER = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}}


def responses(
    catalogue: Catalogue,
    *statuses: int,
    success: int,
    description: str,
    headers: Mapping[str, Any] | None = None,
    missing: str | None = None,
) -> dict[int | str, dict[str, Any]]:
    """Describe the responses of one route: the success with its own `headers`, and errors by what `catalogue` says.

    `missing` is the sentence of the route's 404 where that of the catalogue is about something else.
    """
    described: dict[int | str, dict[str, Any]] = {
        success: {"description": description, "headers": _REQUEST_ID_HEADER | dict(headers or {})}
    }
    for status in statuses:
        code, message = catalogue[status]
        if status == HTTPStatus.NOT_FOUND and missing is not None:
            message = missing
        error = {"code": code, "message": message, "request_id": _EXAMPLE_REQUEST_ID}
        described[status] = {
            "description": message,
            "headers": _REQUEST_ID_HEADER | (_RETRY_AFTER_HEADER if code == "throttled" else {}),
            "content": {"application/json": {"example": {"error": error}, "schema": _ERROR_SCHEMA}},
        }
    return described


def operation(*, body: type[BaseModel] | None = None) -> dict[str, Any]:
    """Describe what FastAPI does not read itself: the middleware reads the request id, and we read the body.

    The body's model stands where its schema belongs, until `with_schemas` writes that.
    """
    described: dict[str, Any] = {"parameters": [_REQUEST_ID_PARAMETER]}
    if body is not None:
        described["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": body}},
        }
    return described


def with_schemas(described: dict[str, Any]) -> dict[str, Any]:
    """Put the schemas of models where `operation` has left the models."""
    return {name: _with_schema(part) for name, part in described.items()}


def _with_schema(part: Any) -> Any:
    if isinstance(part, dict):
        return with_schemas(part)
    if isinstance(part, type) and issubclass(part, BaseModel):
        return _self_contained(part.model_json_schema())
    return part


def _self_contained(schema: dict[str, Any]) -> dict[str, Any]:
    """Put the models inside of a model where they are used: a reference would be looked up in the whole document."""
    definitions = schema.get("$defs", {})

    def resolved(part: Any) -> Any:
        if isinstance(part, list):
            return [resolved(item) for item in part]
        if not isinstance(part, dict):
            return part
        own = {name: resolved(value) for name, value in part.items() if name not in ("$defs", "$ref")}
        name = str(part.get("$ref", "")).removeprefix("#/$defs/")
        return resolved(definitions[name]) | own if name else own

    contained: dict[str, Any] = resolved(schema)
    return contained
