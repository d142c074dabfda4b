"""Map the routes of links: shorten, list, show and delete for their owner, follow for everybody."""

import base64
from http import HTTPStatus
from itertools import takewhile
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from starlette.responses import RedirectResponse

from fileshare import openapi
from fileshare.auth import Authenticator
from fileshare.bearer import user_of
from fileshare.checks import is_short_code, location
from fileshare.links import LinkService
from fileshare.models import LinkDetails, LinkPage, NewLink
from fileshare.records import Link
from fileshare.stored import Caller, ShownLink
from shared import cursor
from shared.bodies import read_body
from shared.openapi import operation, responses
from shared.page_size import PageSize
from shared.paging import After, Count, limit_to, read_cursor
from shared.routers import make_router
from shared.visible_text import visible

DEFAULT_LIMIT = 50
MAX_LIMIT = 100
# Of a table's only key, in bytes
# (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html#limits-partition-sort-keys).
LONGEST_KEY = 2048


def make_link_router(*, links: LinkService, authenticator: Authenticator) -> APIRouter:
    """Make the routes that a link's owner uses."""
    router = make_router("/api/links")
    user = user_of(authenticator)

    @router.post(
        "",
        status_code=HTTPStatus.CREATED,
        summary="Shorten a link",
        openapi_extra=operation(body=NewLink),
        responses=responses(
            openapi.ERRORS, 401, 413, 415, 422, 429, 500, success=201, description="The link works from now on."
        ),
    )
    async def create_link(request: Request, caller: Annotated[Caller, Depends(user)]) -> LinkDetails:
        link = await links.shorten(await read_body(request, NewLink, subject="The link"), caller)
        request.state.log_fields["short_code"] = link.short_code
        return _details(link)

    @router.get(
        "",
        summary="List your links",
        openapi_extra=operation(),
        responses=responses(
            openapi.ERRORS, 401, 422, 429, 500, success=200, description="Links that have not expired."
        ),
    )
    async def list_links(
        caller: Annotated[Caller, Depends(user)],
        limit: Annotated[Count, limit_to(MAX_LIMIT, "links")] = DEFAULT_LIMIT,
        after: After = None,
    ) -> LinkPage:
        page = await links.of(caller, after=read_cursor(after, _place), limit=limit)
        page_size = PageSize(limit)
        shown = list(takewhile(lambda link: page_size.takes(link.model_dump_json()), map(_details, page.links)))
        end = page.after if len(shown) == len(page.links) else shown[-1].short_code
        next_cursor = None if end is None else _cursor_at(end)
        return LinkPage(links=shown, next_cursor=next_cursor)

    @router.get(
        "/{short_code}",
        summary="Show one of your links",
        openapi_extra=operation(),
        responses=responses(openapi.ERRORS, 401, 403, 404, 410, 422, 429, 500, success=200, description="The link."),
    )
    async def show_link(short_code: str, caller: Annotated[Caller, Depends(user)]) -> LinkDetails:
        return _details(await links.show(short_code, caller))

    @router.delete(
        "/{short_code}",
        status_code=HTTPStatus.NO_CONTENT,
        summary="Delete one of your links",
        openapi_extra=operation(),
        responses=responses(openapi.ERRORS, 401, 403, 404, 422, 429, 500, success=204, description="The link is gone."),
    )
    async def delete_link(short_code: str, caller: Annotated[Caller, Depends(user)]) -> None:
        await links.delete(short_code, caller)

    return router


def make_follow_router(*, links: LinkService) -> APIRouter:
    """Make the route that everybody follows links by; it takes every path of one part that nothing else has."""
    router = make_router()

    @router.get(
        "/{short_code}",
        status_code=HTTPStatus.FOUND,
        response_class=RedirectResponse,
        summary="Follow a link",
        openapi_extra=operation(),
        responses=responses(
            openapi.ERRORS,
            404,
            410,
            422,
            429,
            500,
            success=302,
            description="The click is counted.",
            headers=openapi.LOCATION_HEADER,
        ),
    )
    async def follow_link(short_code: str, request: Request) -> Response:
        target = await links.follow(short_code)
        # Not before: what is not a code of ours may be anything, a token too.
        request.state.log_fields["short_code"] = short_code
        # Nothing in between may answer the next click, which would be neither counted nor refused after the end.
        return Response(
            status_code=HTTPStatus.FOUND, headers={"Location": location(target), "Cache-Control": "no-store"}
        )

    return router


def _cursor_at(key: str) -> str:
    """Write where a page ended: at one of our codes as it is, at any other key in letters that stay as short as it."""
    return cursor.encode(key if is_short_code(key) else [base64.b64encode(key.encode()).decode()])


def _place(decoded: Any) -> str:
    match decoded:
        case str() if is_short_code(decoded):
            return decoded
        case [str(encoded)]:
            return _any_key(encoded)
    raise cursor.MalformedCursorError


def _any_key(encoded: str) -> str:
    """Read a key that other code chose, and that a page can end at although nobody can follow it."""
    try:
        key = base64.b64decode(encoded, validate=True)
        if 0 < len(key) <= LONGEST_KEY:
            return key.decode()
    except ValueError:
        pass
    raise cursor.MalformedCursorError


def _details(link: Link | ShownLink) -> LinkDetails:
    return LinkDetails(
        short_code=link.short_code,
        full_url=link.full_url,
        created_at=link.created_at,
        expires_at=link.expires_at,
        file_key=link.file_key,
        # Other code has written some; the key above is not a name for people, and is given back as it is.
        filename=None if link.filename is None else visible(link.filename),
        click_count=link.click_count,
    )
