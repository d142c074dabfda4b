"""Tell that a service answers, without asking anything of DynamoDB or of the caller."""

from fastapi import APIRouter
from pydantic import BaseModel

from shared.errors import ErrorBody
from shared.openapi import COMMON, operation, responses


def add_health(router: APIRouter, answer: BaseModel) -> None:
    """Add GET /health, which gives this answer to everybody."""

    async def health() -> BaseModel:
        return answer

    described = responses(COMMON, 500, success=200, description="The service answers.")
    # What all other answers refer to; see `shared.openapi`.
    described[500]["model"] = ErrorBody
    router.add_api_route(
        "/health",
        health,
        response_model=type(answer),
        summary="Tell that the service answers",
        openapi_extra=operation(),
        responses=described,
    )
