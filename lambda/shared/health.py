"""Tell that a service responds, without asking anything of DynamoDB or of the caller."""

from fastapi import APIRouter
from pydantic import BaseModel

from shared.errors import ErrorBody
from shared.openapi import COMMON, operation, responses


def add_health(router: APIRouter, response: BaseModel) -> None:
    """Add GET /health, which gives this response to everybody."""

    async def health() -> BaseModel:
        return response

    described = responses(COMMON, 500, success=200, description="The service responds.")
    # What all other responses refer to; see `shared.openapi`.
    described[500]["model"] = ErrorBody
    router.add_api_route(
        "/health",
        health,
        response_model=type(response),
        summary="Tell that the service responds",
        openapi_extra=operation(),
        responses=described,
    )
