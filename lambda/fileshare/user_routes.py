"""Map the routes of users: health and signing up for everybody, the trial for the user whose it is."""

from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from pydantic.json_schema import SkipJsonSchema

from fileshare import openapi
from fileshare.auth import Authenticator, forbidden
from fileshare.bearer import user_of
from fileshare.models import CreatedUser, Health, NewUser, TrialStatus
from fileshare.settings import Settings, Tables
from fileshare.stored import Caller
from fileshare.users import UserService
from fileshare.version import VERSION
from shared.bodies import read_body
from shared.health import add_health
from shared.openapi import operation, responses
from shared.routers import make_router

SIGN_UP_ERRORS = {**openapi.ERRORS, 409: openapi.CONFLICTS["email"]}
TRIAL_SHOWN_ERRORS = {**openapi.ERRORS, 404: ("not_found", openapi.NO_TRIAL)}
TRIAL_ERRORS = {**openapi.ERRORS, 409: openapi.CONFLICTS["trial"]}


def make_user_router(*, settings: Settings, users: UserService, authenticator: Authenticator) -> APIRouter:
    """Make the routes."""
    router = make_router("/api")
    database: Literal["dynamodb", "sqlite"] = "dynamodb" if isinstance(settings.database, Tables) else "sqlite"
    add_health(router, Health(version=VERSION, database=database))
    _add_sign_up(router, users=users)
    _add_trial(router, users=users, authenticator=authenticator)
    return router


def _add_sign_up(router: APIRouter, *, users: UserService) -> None:
    @router.post(
        "/users",
        status_code=HTTPStatus.CREATED,
        summary="Sign up",
        openapi_extra=operation(body=NewUser),
        responses=responses(
            SIGN_UP_ERRORS,
            409,
            413,
            415,
            422,
            429,
            500,
            success=201,
            description="The user, and the token, shown once.",
        ),
    )
    async def create_user(request: Request) -> CreatedUser:
        created = await users.sign_up(await read_body(request, NewUser, subject="The user"))
        request.state.log_fields["user_id"] = created.user_id
        return created


def _add_trial(router: APIRouter, *, users: UserService, authenticator: Authenticator) -> None:
    user = user_of(authenticator)

    @router.get(
        "/trial",
        summary="Tell where you stand with the trial",
        openapi_extra=operation(),
        responses=responses(
            TRIAL_SHOWN_ERRORS,
            401,
            403,
            404,
            422,
            429,
            500,
            success=200,
            description="The trial, and what the frontend shows.",
        ),
    )
    async def show_trial(
        caller: Annotated[Caller, Depends(user)],
        email: Annotated[
            str | SkipJsonSchema[None],
            Query(max_length=1024, description="Whose trial it is: your own address, which it is without it as well."),
        ] = None,
    ) -> TrialStatus:
        # Every other address gets the same response: whose it is has nothing to do with the caller's trial.
        trial = users.trial_of(caller)
        if email is not None and not users.has_address(trial, email):
            raise forbidden("You can see your own trial only. Send your own address, or none.")
        return users.status_of(trial)

    @router.post(
        "/trial",
        summary="Start the trial",
        openapi_extra=operation(),
        responses=responses(TRIAL_ERRORS, 401, 409, 429, 500, success=200, description="The trial runs."),
    )
    async def start_trial(caller: Annotated[Caller, Depends(user)]) -> TrialStatus:
        return await users.start_trial(caller)
