"""Refuse a body that is larger than an application takes, before anything reads it whole."""

from http import HTTPStatus

from shared.api_errors import ApiError
from shared.asgi import App, Message, Receive, Scope, Send, header
from shared.errors import error_response

DEFAULT_MAX_BODY_BYTES = 256 * 1024


class BodyLimit:
    """Return 413 when a body is announced, or turns out, to be larger than the limit."""

    def __init__(self, app: App, *, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count what the application reads, and stop it where the limit is passed."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = header(scope, "Content-Length") or ""
        if announced.isascii() and announced.isdigit() and int(announced[:20]) > self._max_bytes:
            await self._refuse(scope, receive, send)
            return
        counted = 0

        async def count() -> Message:
            nonlocal counted
            message = await receive()
            counted += len(message.get("body", b""))
            if counted > self._max_bytes:
                raise self._too_large()
            return message

        await self._app(scope, count, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        error = self._too_large()
        response = error_response(scope, error.status, error.code, error.message)
        await response(scope, receive, send)

    def _too_large(self) -> ApiError:
        return ApiError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            "request_too_large",
            too_large_sentence(self._max_bytes),
        )


def too_large_sentence(max_bytes: int) -> str:
    """Say what is the most that is taken."""
    return f"The body has more than {max_bytes} bytes, which is the most that is taken. Send less at once."
