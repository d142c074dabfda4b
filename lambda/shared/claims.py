"""Read the claims of a token that the HTTP API's authorizer has checked."""

import json
import os
from collections.abc import Mapping
from typing import Any

from shared.asgi import Scope, header

# AWS Lambda Web Adapter puts the event's request context into this header, over whatever the caller sent.
CONTEXT_HEADER = "x-amzn-request-context"


def checked_claims(scope: Scope, environment: Mapping[str, str] = os.environ) -> dict[str, Any] | None:
    """Return the claims, or None when no authorizer has checked a token.

    The header counts inside Lambda alone: anywhere else a caller could have written it.
    """
    event = scope.get("aws.event")
    if isinstance(event, Mapping):
        return _claims(event.get("requestContext"))
    text = header(scope, CONTEXT_HEADER)
    if text is None or "AWS_LAMBDA_FUNCTION_NAME" not in environment:
        return None
    try:
        return _claims(json.loads(text))
    except ValueError:
        return None


def _claims(context: Any) -> dict[str, Any] | None:
    try:
        claims = context["authorizer"]["jwt"]["claims"]
    except (KeyError, TypeError):
        return None
    return dict(claims) if isinstance(claims, Mapping) else None
