"""Map the routes of sessions: log in, validate, list one's devices, log out here and everywhere."""

from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Header, Query, Request
from pydantic.json_schema import SkipJsonSchema

from hybrid_ci_cd import openapi
from hybrid_ci_cd.access import Access
from hybrid_ci_cd.agents import AgentStore
from hybrid_ci_cd.models import (
    CreatedSession,
    Device,
    DevicePage,
    InvalidSession,
    NewSession,
    SessionToValidate,
    ValidSession,
)
from hybrid_ci_cd.sessions import Session, SessionStore, moment_of
from hybrid_ci_cd.stored_sessions import StoredSession
from shared.api_errors import not_found
from shared.bodies import read_body
from shared.metrics import Counters
from shared.openapi import operation, responses
from shared.paging import After, Count, limit_to
from shared.routers import make_router
from shared.times import timestamp

# The endpoints are `async` though they wait for DynamoDB: a Lambda environment serves one request at a time, so nobody
# else is kept waiting, and a plain endpoint goes through a thread pool, which takes six times as long.


def make_session_router(*, access: Access, store: SessionStore, agents: AgentStore, counters: Counters) -> APIRouter:
    """Make the routes under /auth."""
    router = make_router("/auth")
    _add_login(router, access=access, store=store, counters=counters)
    _add_validation(router, store=store)
    _add_devices(router, access=access, store=store)
    _add_endings(router, access=access, store=store, agents=agents, counters=counters)
    return router


def _add_login(router: APIRouter, *, access: Access, store: SessionStore, counters: Counters) -> None:
    @router.post(
        "/session",
        status_code=HTTPStatus.CREATED,
        summary="Make a session for a user who has logged in",
        dependencies=[Depends(access.session_key)],
        openapi_extra=operation(body=NewSession),
        responses=responses(
            openapi.ERRORS, 401, 413, 415, 422, 429, 500, success=201, description="The session holds."
        ),
    )
    async def create_session(
        request: Request, user_agent: Annotated[str | SkipJsonSchema[None], Header(include_in_schema=False)] = None
    ) -> CreatedSession:
        new = await read_body(request, NewSession, subject="The session")
        session_id, session = store.create(new, user_agent=user_agent)
        counters.count("SessionsCreated")
        return CreatedSession(
            session_id=session_id,
            handle=session.handle,
            user_id=session.user_id,
            created_at=session.created_at,
            expires_at=timestamp(moment_of(session.expires_at)),
        )


def _add_validation(router: APIRouter, *, store: SessionStore) -> None:
    @router.post(
        "/validate",
        summary="Tell whose session an id is, if anybody's",
        openapi_extra=operation(body=SessionToValidate),
        responses=responses(
            openapi.ERRORS, 413, 415, 422, 429, 500, success=200, description="Whether the session holds."
        ),
    )
    async def validate_session(request: Request) -> ValidSession | InvalidSession:
        shown = await read_body(request, SessionToValidate, subject="The session")
        session = store.find(shown.session_id)
        if session is None:
            return InvalidSession()
        return ValidSession(
            user_id=session.user_id,
            provider=session.provider,
            user_info=store.user_info(session),
            created_at=session.created_at,
            expires_at=timestamp(moment_of(session.expires_at)),
        )


def _add_devices(router: APIRouter, *, access: Access, store: SessionStore) -> None:
    @router.get(
        "/sessions",
        summary="List the caller's active devices",
        openapi_extra=operation(),
        responses=responses(openapi.ERRORS, 401, 422, 429, 500, success=200, description="Live sessions."),
    )
    async def list_sessions(
        asking: Annotated[Session, Depends(access.session)],
        limit: Annotated[Count, limit_to(openapi.MAX_LIMIT, "sessions")] = openapi.DEFAULT_LIMIT,
        after: After = None,
    ) -> DevicePage:
        page = store.page(asking, after=after, limit=limit)
        return DevicePage(sessions=[_device(found, asking) for found in page.entries], next_cursor=page.next_cursor)


def _add_endings(
    router: APIRouter, *, access: Access, store: SessionStore, agents: AgentStore, counters: Counters
) -> None:
    @router.delete(
        "/sessions/{handle}",
        status_code=HTTPStatus.NO_CONTENT,
        summary="End one of the caller's sessions",
        openapi_extra=operation(),
        responses=responses(
            openapi.ERRORS,
            401,
            404,
            422,
            429,
            500,
            success=204,
            description="It has ended.",
            missing=openapi.UNKNOWN_SESSION,
        ),
    )
    async def end_session(handle: str, asking: Annotated[Session, Depends(access.session)]) -> None:
        if not store.end(asking, handle):
            raise not_found(openapi.UNKNOWN_SESSION)
        counters.count("SessionsEnded")

    @router.delete(
        "/sessions",
        status_code=HTTPStatus.NO_CONTENT,
        summary="Log out everywhere",
        openapi_extra=operation(),
        responses=responses(
            openapi.ERRORS, 401, 422, 429, 500, success=204, description="All of them have ended, this one too."
        ),
    )
    async def end_all_sessions(
        asking: Annotated[Session, Depends(access.session)],
        agents_too: Annotated[
            Literal["true", "false"],
            Query(alias="agents", description="Whether the tokens of all the caller's agents end as well."),
        ] = "false",
    ) -> None:
        with_agents = agents_too == "true"
        if with_agents:
            # First, so that a call which fails after it can be sent again with the same session.
            agents.end_all(asking.user_id)
        store.end_all(asking)
        if with_agents:
            # And once more, for an agent that a session registered in between; none of them can register another now.
            agents.end_all(asking.user_id)
            agents.remove_ended(asking.user_id)
        counters.count("LoggedOutEverywhere")


def _device(found: StoredSession, asking: Session) -> Device:
    return Device(
        handle=found.session_id,
        current=found.session_id == asking.handle,
        provider=found.provider,
        user_agent=found.user_agent,
        created_at=found.created_at,
        expires_at=timestamp(moment_of(found.expires_at)),
    )
