"""Put the frame of every application together: docs pages, errors in one shape, and the middlewares in their order."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, NoReturn

from aws_lambda_powertools import Logger
from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.types import ASGIApp

from shared.body_limit import DEFAULT_MAX_BODY_BYTES, BodyLimit
from shared.cors import Cors, CorsRules
from shared.docs_pages import RELATIVE_SERVERS, make_docs_router
from shared.errors import ErrorBoundary, install_error_handlers
from shared.head_requests import HeadRequests
from shared.metrics import Counters, FlushCounters
from shared.openapi import with_schemas
from shared.passed_events import PassedEvents
from shared.request_log import RequestLog
from shared.security_headers import SecurityHeaders


class Application(FastAPI):
    """An application whose every response has the security headers.

    It works out its OpenAPI document when somebody asks for it, and nothing of it before.
    """

    def build_middleware_stack(self) -> ASGIApp:
        """Put the security headers outside of Starlette's own catch-all, whose response needs them as well."""
        return SecurityHeaders(super().build_middleware_stack())

    def openapi(self) -> dict[str, Any]:
        """Make the document when the routes are new; what was described by a model gets that model's schema."""
        for route in self.routes:
            if isinstance(route, APIRoute) and route.openapi_extra is not None:
                route.openapi_extra = with_schemas(route.openapi_extra)
        return super().openapi()

    def include_router(self, *_parameters: Any, **_options: Any) -> NoReturn:
        """Refuse: the routes of a router that is included are made twice, and `openapi` does not find them."""
        raise TypeError("An application includes no routers. Hand the router to make_application: routers=[...].")


def make_application(  # noqa: PLR0913 - the parts that an application is made of
    *,
    title: str,
    version: str,
    description: str,
    routers: Sequence[APIRouter],
    last_routers: Sequence[APIRouter] = (),
    logger: Logger,
    cors: CorsRules | None = None,
    counters: Counters | None = None,
    max_body_bytes: int | None = DEFAULT_MAX_BODY_BYTES,
    docs: bool = True,
    behind_web_adapter: bool = False,
    on_shutdown: Callable[[], None] | None = None,
) -> FastAPI:
    """Make an application of the routes of its routers, in their order; those of `last_routers` follow the docs pages.

    Without `cors`, whatever stands in front of it responds to browsers. Without `docs` there are no docs pages.
    `behind_web_adapter` is for one that AWS Lambda Web Adapter may stand before. `on_shutdown` runs when a server ends;
    Lambda ends without a word.
    """
    all_routers = [*routers, *([make_docs_router()] if docs else []), *last_routers]
    app = Application(
        title=title,
        version=version,
        description=description,
        servers=RELATIVE_SERVERS,
        routes=[route for router in all_routers for route in router.routes],
        docs_url=None,
        openapi_url=None,
        redoc_url=None,
        # A redirect would name an address without the gateway's prefix.
        redirect_slashes=False,
        lifespan=None if on_shutdown is None else _ending_with(on_shutdown),
    )
    install_error_handlers(app)
    # The last one that is added is the outermost one.
    app.add_middleware(ErrorBoundary, logger=logger)
    if max_body_bytes is not None:
        app.add_middleware(BodyLimit, max_bytes=max_body_bytes)
    app.add_middleware(HeadRequests)
    if cors is not None:
        app.add_middleware(Cors, rules=cors)
    if counters is not None:
        app.add_middleware(FlushCounters, counters=counters)
    if behind_web_adapter:
        app.add_middleware(PassedEvents, logger=logger)
    app.add_middleware(RequestLog, logger=logger)
    return app


def _ending_with(on_shutdown: Callable[[], None]) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        try:
            yield
        finally:
            on_shutdown()

    return lifespan
