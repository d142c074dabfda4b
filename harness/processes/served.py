"""Serve an application on loopback to this machine alone: no name but loopback's, no writing from strangers' pages.

uvicorn calls `application` as a factory. Which application it is stands in the environment, since uvicorn makes
it anew whenever a source changes.
"""

from __future__ import annotations

import importlib
import os
from typing import Any
from urllib.parse import urlsplit

from harness.local.guard import (
    Application,
    Guard,
    Receive,
    Scope,
    Secrets,
    Send,
    reply,
    request_of_scope,
    send_reply,
)
from harness.local.signatures import Refusal, Request

SERVED = "SAWHORSE_SERVED"
PORT = "SAWHORSE_PORT"
READING = {"GET", "HEAD", "OPTIONS"}
THIS_MACHINE = {"127.0.0.1", "localhost", "::1"}
FOREIGN = Refusal(
    "On a laptop no login stands before this application, so pages of other machines may not write to it."
)


def application() -> Application:
    """Return the application that the environment names, behind what refuses others."""
    module, _, name = os.environ[SERVED].partition(":")
    app: Any = getattr(importlib.import_module(module), name)
    return closed(app, int(os.environ[PORT]))


def closed(app: Application, port: int) -> Application:
    guard = Guard("application", port, Secrets("", ""))

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await app(scope, receive, send)
            return
        request = request_of_scope(scope)
        refusal = guard.misdirected(request) or foreign(request)
        if refusal is None:
            await app(scope, receive, send)
        elif scope["type"] == "http":
            await send_reply(reply(request, refusal), send)
        else:
            await send({"type": "websocket.close", "code": 1008})

    return serve


def foreign(request: Request) -> Refusal | None:
    """Refuse a write from a page of another machine; a frontend that is developed on this one may write."""
    origins = request.all("origin")
    known = all(urlsplit(origin).hostname in THIS_MACHINE for origin in origins)
    return None if known or request.method in READING else FOREIGN
