"""Serve the OpenAPI document and its page under whatever prefix a gateway puts in front.

People type tokens into this page, so all that runs in it lies in the package; browsers are told to run nothing else.
"""

from html import escape
from http import HTTPStatus
from pathlib import Path

import aws_lambda_powertools
from aws_lambda_powertools.shared.version import VERSION
from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, JSONResponse, Response

from shared.routers import make_router

# A relative server is resolved against the address of the document itself, so it carries the prefix, whatever that is.
RELATIVE_SERVERS = [{"url": ".", "description": "Where this document was read from."}]

# Powertools, which every application logs with, brings Swagger UI along: its lock is the lock of these files, too.
SWAGGER_UI = Path(aws_lambda_powertools.__file__).parent / "event_handler/openapi/swagger_ui"
START = Path(__file__).parent / "docs_start.js"

# Where each file of the page lies, of what type it is, and for how long a browser may keep it: the addresses of those
# of Swagger UI carry the version of what brings it.
FILES = {
    "start.js": (START, "text/javascript", "no-cache"),
    "swagger-ui-bundle.js": (SWAGGER_UI / "swagger-ui-bundle.min.js", "text/javascript", "public, max-age=86400"),
    "swagger-ui.css": (SWAGGER_UI / "swagger-ui.min.css", "text/css", "public, max-age=86400"),
}

# What the page may load: its own files, the images that its style sheet holds, and what it is there to call. Nothing of
# what is written into the page itself runs, and nobody frames it.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="alternate" type="application/json" href="openapi.json">
<link rel="icon" href="data:,">
<link rel="stylesheet" href="docs/swagger-ui.css?v={version}">
</head>
<body>
<div id="swagger-ui"></div>
<script src="docs/swagger-ui-bundle.js?v={version}"></script>
<script src="docs/start.js"></script>
</body>
</html>
"""


def make_docs_router() -> APIRouter:
    """Make /docs and /openapi.json with relative addresses; the application must be made without its own."""
    router = make_router()

    async def openapi(request: Request) -> JSONResponse:
        return JSONResponse(request.app.openapi())

    async def docs(request: Request) -> HTMLResponse:
        page = PAGE.format(title=escape(request.app.title), version=VERSION)
        return HTMLResponse(page, headers={"Content-Security-Policy": POLICY})

    async def file(request: Request) -> Response:
        found = FILES.get(request.path_params["name"])
        if found is None:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        path, kind, kept = found
        return Response(path.read_bytes(), media_type=kind, headers={"Cache-Control": kept})

    router.add_api_route("/openapi.json", openapi, include_in_schema=False)
    router.add_api_route("/docs", docs, include_in_schema=False)
    # A plain route is made in no time: an application starts far more often than somebody looks at its page.
    router.add_route("/docs/{name}", file, methods=["GET"], include_in_schema=False)
    return router
