"""Serve the OpenAPI document and its page under whatever prefix a gateway puts in front."""

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.responses import HTMLResponse, JSONResponse

# A relative server is resolved against the address of the document itself, so it carries the prefix, whatever that is.
RELATIVE_SERVERS = [{"url": ".", "description": "Where this document was read from."}]


def add_docs_pages(app: FastAPI) -> None:
    """Add /docs and /openapi.json with relative addresses; the application must be made without its own."""

    async def openapi() -> JSONResponse:
        return JSONResponse(app.openapi())

    async def docs() -> HTMLResponse:
        return get_swagger_ui_html(openapi_url="openapi.json", title=app.title)

    app.add_api_route("/openapi.json", openapi, include_in_schema=False)
    app.add_api_route("/docs", docs, include_in_schema=False)
