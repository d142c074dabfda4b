"""Make routers whose routes an application takes over as they are, and which no other spelling of a path reaches."""

import re
from collections.abc import Awaitable, Callable, Collection
from urllib.parse import unquote

from fastapi import APIRouter
from fastapi.params import Depends
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route

from shared.asgi import Scope

# C0, DEL and C1. Starlette's patterns end with `$`, which also matches before a newline at the end.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")


class _AsSpelled(Route):
    """A route that takes a path only in the spelling that a gateway in front takes for it, too.

    A gateway has the limits of a route at its path alone. Where a path is seen as the caller wrote it, what a route
    says literally has to stand there literally: `/%6aobs` and `/jobs%2F1` reach nothing. A parameter may be encoded.
    """

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match a path that has no control character and is spelled like the route."""
        found, child = super().matches(scope)
        if found is not Match.NONE and (_CONTROL.search(scope["path"]) or not self._is_spelled(scope)):
            return Match.NONE, {}
        return found, child

    def _is_spelled(self, scope: Scope) -> bool:
        written = _written(scope)
        if written is None:
            return True
        return self.path_regex.match(written.removeprefix(scope.get("root_path", ""))) is not None


class _ApiRoute(_AsSpelled, APIRoute):
    """A route of the API."""


class _Router(APIRouter):
    """A router all of whose routes are taken as they are spelled."""

    def add_route(
        self,
        path: str,
        endpoint: Callable[[Request], Awaitable[Response] | Response],
        methods: Collection[str] | None = None,
        name: str | None = None,
        include_in_schema: bool = True,  # noqa: FBT001, FBT002 - Starlette's own
    ) -> None:
        """Add a plain route, which is made in no time."""
        self.routes.append(_AsSpelled(path, endpoint, methods=methods, name=name, include_in_schema=include_in_schema))


def make_router(prefix: str = "", *, dependencies: Collection[Depends] = ()) -> APIRouter:
    """Make a router, to be handed to `make_application`; an operation's id is the name of its function.

    Do not include one router in another: FastAPI would make every route once more for each level, which takes one or
    two milliseconds a route. Hand over both.
    """
    return _Router(
        prefix=prefix,
        dependencies=list(dependencies),
        generate_unique_id_function=lambda route: route.name,
        route_class=_ApiRoute,
    )


def without_slash(scope: Scope) -> Scope | None:
    """Return the scope of the path without the slash at its end; None where there is none, or where it is encoded."""
    path, written = str(scope["path"]), _written(scope)
    shorter = path.removesuffix("/")
    if shorter in ("", path) or (written is not None and not written.endswith("/")):
        return None
    raw = None if written is None else written.removesuffix("/").encode()
    return {**scope, "path": shorter, "raw_path": raw}


def _written(scope: Scope) -> str | None:
    """Return the path with what is encoded in it, or None where nothing is, or where it is not known.

    What stands in front of an application may change its path alone.
    """
    raw: bytes | None = scope.get("raw_path")
    if not raw or b"%" not in raw:
        return None
    written = raw.decode(errors="replace")
    return written if unquote(written) == scope["path"] else None
