"""Serve the OpenAPI document and its page under whatever prefix a gateway puts in front."""

from fastapi import APIRouter, Request
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.responses import HTMLResponse, JSONResponse

from shared.routers import make_router

# A relative server is resolved against the address of the document itself, so it carries the prefix, whatever that is.
RELATIVE_SERVERS = [{"url": ".", "description": "Where this document was read from."}]


def make_docs_router() -> APIRouter:
    """Make /docs and /openapi.json with relative addresses; the application must be made without its own."""
    router = make_router()

    async def openapi(request: Request) -> JSONResponse:
        return JSONResponse(request.app.openapi())

    async def docs(request: Request) -> HTMLResponse:
        return get_swagger_ui_html(openapi_url="openapi.json", title=request.app.title)

    router.add_api_route("/openapi.json", openapi, include_in_schema=False)
    router.add_api_route("/docs", docs, include_in_schema=False)
    return router
