"""Respond to OPTIONS and put the CORS headers on every response."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from starlette.datastructures import MutableHeaders
from starlette.responses import Response

from shared.asgi import App, Message, Receive, Scope, Send, header

ANY_ORIGIN = "*"


@dataclass(frozen=True, kw_only=True)
class CorsRules:
    """What a browser may do: `origins` is exactly one `*`, or the list of those allowed."""

    origins: Sequence[str]
    methods: Sequence[str]
    headers: Sequence[str]
    exposed_headers: Sequence[str]
    max_age_seconds: int


def cors_rules(app: Path, *, origins: Sequence[str]) -> CorsRules:
    """Read what an app tells browsers from cors.json, beside its module `app`; its Terraform module reads it too."""
    said = json.loads(app.with_name("cors.json").read_text(encoding="utf-8"))
    return CorsRules(
        origins=origins,
        methods=said["allow_methods"],
        headers=said["allow_headers"],
        exposed_headers=said["expose_headers"],
        max_age_seconds=said["max_age"],
    )


class Cors:
    """Respond to preflights for every path, and mark all responses, errors included.

    Starlette's middleware marks only requests that carry an Origin and refuses a preflight without its request headers;
    a plain OPTIONS has to work here, too.
    """

    def __init__(self, app: App, *, rules: CorsRules) -> None:
        self._app = app
        self._rules = rules
        self._exposed = ", ".join(rules.exposed_headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond to OPTIONS here, and pass everything else on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        origin = header(scope, "Origin")

        async def mark(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._mark(MutableHeaders(scope=message), origin)
            await send(message)

        if scope["method"] == "OPTIONS":
            await Response(status_code=204, headers=self._preflight())(scope, receive, mark)
        else:
            await self._app(scope, receive, mark)

    def _preflight(self) -> dict[str, str]:
        return {
            "Access-Control-Allow-Methods": ", ".join(self._rules.methods),
            "Access-Control-Allow-Headers": ", ".join(self._rules.headers),
            "Access-Control-Max-Age": str(self._rules.max_age_seconds),
        }

    def _mark(self, headers: MutableHeaders, origin: str | None) -> None:
        headers["Access-Control-Expose-Headers"] = self._exposed
        if ANY_ORIGIN in self._rules.origins:
            headers["Access-Control-Allow-Origin"] = ANY_ORIGIN
            return
        headers.add_vary_header("Origin")
        if origin in self._rules.origins:
            headers["Access-Control-Allow-Origin"] = origin or ""
