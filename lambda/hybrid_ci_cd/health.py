"""Map the route that tells whether the service answers."""

from fastapi import APIRouter

from hybrid_ci_cd import openapi
from hybrid_ci_cd.models import Health
from hybrid_ci_cd.version import VERSION
from shared.openapi import operation, responses


def make_router() -> APIRouter:
    """Make the route that needs no credentials and no database."""
    router = APIRouter()

    @router.get(
        "/health",
        summary="Tell that the service answers",
        openapi_extra=operation(),
        responses=responses(openapi.ERRORS, 500, success=200, description="The service answers."),
    )
    async def health() -> Health:
        return Health(version=VERSION)

    return router
