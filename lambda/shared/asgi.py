"""Name the ASGI types and read one header."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


def header(scope: Scope, name: str) -> str | None:
    """Read a request header; one that was sent several times counts as its values joined with commas.

    Servers hand names on in lower case (https://asgi.readthedocs.io/en/stable/specs/www.html#http-connection-scope).
    """
    wanted = name.lower().encode("latin-1")
    values = [value for key, value in scope["headers"] if key == wanted]
    return b", ".join(values).decode("latin-1") if values else None
