"""Serve an application on loopback to this machine alone: no name but loopback's, and no page of another machine.

uvicorn calls `application` as a factory. Which application it is stands in the environment, since uvicorn makes
it anew whenever a source changes.
"""

from __future__ import annotations

import importlib
import os
import re
from typing import Any

from sawhorse.local.guard import (
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
from sawhorse.local.signatures import Refusal, Request

SERVED = "SAWHORSE_SERVED"
PORT = "SAWHORSE_PORT"
# What browsers send for a page of this machine; what is spelled otherwise comes from none.
OWN_PAGE = re.compile(r"https?://(127\.0\.0\.1|localhost|\[::1\])(:[0-9]{1,5})?")
FOREIGN = Refusal(
    "On a laptop no login stands before this application, so pages of other machines may neither read it nor write "
    "to it; open the page from an address of this machine, such as http://localhost:3000."
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
        refusal = guard.refuse_other_host(request) or refuse_other_origin(request)
        if refusal is None:
            await app(scope, receive, send)
        elif scope["type"] == "http":
            await send_reply(reply(request, refusal), send)
        else:
            await send({"type": "websocket.close", "code": 1008})

    return serve


def refuse_other_origin(request: Request) -> Refusal | None:
    """Refuse whatever a page of another machine sends, since the application's CORS may let every page read.

    A frontend that is developed on this machine may read and write.
    """
    return None if all(OWN_PAGE.fullmatch(origin) for origin in request.all("origin")) else FOREIGN
