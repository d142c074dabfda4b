"""Put the headers that keep a browser from doing anything with a response on every response of an application."""

from collections.abc import Mapping
from types import MappingProxyType

from shared.asgi import App, Message, Receive, Scope, Send, header

# A response is data: whatever stands in it, a browser neither runs nor frames it, guesses no other type, tells nobody
# where it came from and keeps no copy. A response that is more, such as a page, brings a policy of its own.
HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "Cache-Control": "no-store",
        "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
)
# Two years (https://hstspreload.org). Subdomains are left alone: an API does not know what else its domain has.
STRICT_TRANSPORT_SECURITY = "max-age=63072000"
# As a response of ASGI has them, the one for secure connections last.
_RAW = [
    (name.lower().encode(), value.encode())
    for name, value in {**HEADERS, "Strict-Transport-Security": STRICT_TRANSPORT_SECURITY}.items()
]


class SecurityHeaders:
    """Mark every response; it has to stand outside of everything that responds, Starlette's own catch-all included."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and complete the headers of its response."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def mark(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", ()))
                own = {name.lower() for name, _ in headers}
                # RFC 6797, 7.2: never over a connection that is not secure.
                wanted = _RAW if _came_by_tls(scope) else _RAW[:-1]
                message["headers"] = headers + [pair for pair in wanted if pair[0] not in own]
            await send(message)

        await self._app(scope, receive, mark)


def _came_by_tls(scope: Scope) -> bool:
    """Tell whether the caller's own connection was secure; what ends it says so in a header.

    A caller who makes that header up changes nothing but the response to that one request.
    """
    forwarded = (header(scope, "X-Forwarded-Proto") or "").split(",")[0].strip().lower()
    return (forwarded or scope.get("scheme")) == "https"
