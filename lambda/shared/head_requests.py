"""Respond to HEAD as GET without its body."""

from starlette.datastructures import MutableHeaders

from shared.asgi import App, Message, Receive, Scope, Send


class HeadRequests:
    """Let the application see GET, and drop the body and its length from the response.

    FastAPI's routes do not respond to HEAD, though HTTP asks every server to.
    """

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything but HEAD on as it is."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def without_body(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                del headers["Content-Length"]
                await send(message)
            else:
                await send({**message, "body": b""})

        await self._app({**scope, "method": "GET"}, receive, without_body)
