"""Read the claims of a token that the HTTP API's authorizer has checked."""

import ipaddress
import json
import os
import socket
from collections.abc import Mapping
from typing import Any

from shared.asgi import Scope, header

# AWS Lambda Web Adapter puts the event's request context into this header, over whatever the caller sent.
CONTEXT_HEADER = "x-amzn-request-context"
# A connection within one machine is made or refused at once.
CONNECT_SECONDS = 1.0
# Addresses at which Lambda's Runtime API has responded in this process: it listens for as long as the process lives.
_responded: set[str] = set()


def checked_claims(scope: Scope, environment: Mapping[str, str] = os.environ) -> dict[str, Any] | None:
    """Return the claims, or None when no authorizer has checked a token.

    The header counts inside Lambda alone: anywhere else a caller could have written it.
    """
    event = scope.get("aws.event")
    if isinstance(event, Mapping):
        return _claims(event.get("requestContext"))
    text = header(scope, CONTEXT_HEADER)
    if text is None or not runs_in_lambda(environment):
        return None
    try:
        return _claims(json.loads(text))
    except (ValueError, RecursionError):
        return None


def runs_in_lambda(environment: Mapping[str, str]) -> bool:
    """Tell whether this process runs inside Lambda, where nobody but the Web Adapter reaches its port.

    A variable alone proves nothing, for any shell or service can hold one. Lambda's Runtime API listens within the
    function's own sandbox (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html); no request can bring it,
    and no ordinary process has it.
    """
    address = environment.get("AWS_LAMBDA_RUNTIME_API", "")
    if not address or not environment.get("AWS_LAMBDA_FUNCTION_NAME"):
        return False
    if address not in _responded:
        if not _listens(address):
            return False
        _responded.add(address)
    return True


def _listens(address: str) -> bool:
    """Tell whether somebody listens at this address of this very machine; any other address counts for nothing."""
    host, _, port = address.rpartition(":")
    try:
        place = ipaddress.ip_address(host)
        if not (place.is_loopback or place.is_link_local):
            return False
        socket.create_connection((host, int(port)), timeout=CONNECT_SECONDS).close()
    except (ValueError, OverflowError, OSError):
        return False
    return True


def _claims(context: Any) -> dict[str, Any] | None:
    try:
        claims = context["authorizer"]["jwt"]["claims"]
    except (KeyError, TypeError):
        return None
    return dict(claims) if isinstance(claims, Mapping) else None
