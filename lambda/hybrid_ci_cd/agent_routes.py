"""Map the routes of agents: register, list, remove, and their heartbeats."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from pydantic.json_schema import SkipJsonSchema

from hybrid_ci_cd import openapi
from hybrid_ci_cd.access import Access, agent_unknown, session_ended
from hybrid_ci_cd.agents import AgentStore, KnownAgent
from hybrid_ci_cd.models import Agent, AgentPage, AgentStatus, Heartbeat, NewAgent, RegisteredAgent
from hybrid_ci_cd.sessions import Session
from shared.api_errors import ApiError, not_found
from shared.bodies import read_body
from shared.metrics import Counters
from shared.openapi import operation, responses
from shared.paging import After, Count, limit_to
from shared.routers import make_router


def make_agent_router(*, access: Access, store: AgentStore, counters: Counters) -> APIRouter:
    """Make the routes under /agents."""
    router = make_router("/agents")
    _add_registration(router, access=access, store=store, counters=counters)
    _add_list(router, access=access, store=store)
    _add_heartbeat(router, access=access, store=store)
    return router


def _add_registration(router: APIRouter, *, access: Access, store: AgentStore, counters: Counters) -> None:
    @router.post(
        "",
        status_code=HTTPStatus.CREATED,
        summary="Register an agent",
        openapi_extra=operation(body=NewAgent),
        responses=responses(
            openapi.ERRORS, 401, 413, 415, 422, 429, 500, success=201, description="The agent, and its token this once."
        ),
    )
    async def register_agent(request: Request, asking: Annotated[Session, Depends(access.session)]) -> RegisteredAgent:
        new = await read_body(request, NewAgent, subject="The agent")
        token, agent = store.register(new, user_id=asking.user_id)
        if not access.still_holds(asking):
            # Whoever logged out everywhere meanwhile, agents and all, is not to find a new one.
            store.take_back(asking.user_id, agent.agent_id)
            raise session_ended()
        counters.count("AgentsRegistered")
        return RegisteredAgent(agent_token=token, scopes=sorted(set(new.scopes)), **agent.model_dump())

    @router.delete(
        "/{agent_id}",
        status_code=HTTPStatus.NO_CONTENT,
        summary="Remove an agent",
        openapi_extra=operation(),
        responses=responses(
            openapi.UNREADABLE_ERRORS,
            401,
            404,
            409,
            422,
            429,
            500,
            success=204,
            description="Its token has ended.",
            missing=openapi.UNKNOWN_AGENT,
        ),
    )
    async def remove_agent(agent_id: str, asking: Annotated[Session, Depends(access.session)]) -> None:
        if not store.remove(asking.user_id, agent_id):
            raise not_found(openapi.UNKNOWN_AGENT)


def _add_list(router: APIRouter, *, access: Access, store: AgentStore) -> None:
    @router.get(
        "",
        summary="List the caller's agents",
        openapi_extra=operation(),
        responses=responses(openapi.ERRORS, 401, 403, 422, 429, 500, success=200, description="Agents."),
    )
    async def list_agents(
        user_id: Annotated[str, Depends(access.user)],
        status: Annotated[
            AgentStatus | SkipJsonSchema[None], Query(description="Only those of this status; all when left out.")
        ] = None,
        limit: Annotated[Count, limit_to(openapi.MAX_LIMIT, "agents")] = openapi.DEFAULT_LIMIT,
        after: After = None,
    ) -> AgentPage:
        page = store.page(user_id, status=status, after=after, limit=limit)
        return AgentPage(agents=page.entries, next_cursor=page.next_cursor)


def _add_heartbeat(router: APIRouter, *, access: Access, store: AgentStore) -> None:
    @router.post(
        "/{agent_id}/heartbeat",
        summary="Say that an agent lives",
        openapi_extra=operation(body=Heartbeat),
        responses=responses(
            openapi.UNREADABLE_ERRORS,
            401,
            403,
            404,
            409,
            413,
            415,
            422,
            429,
            500,
            success=200,
            description="The heartbeat is noted.",
        ),
    )
    async def send_heartbeat(
        agent_id: str, request: Request, agent: Annotated[KnownAgent, Depends(access.agent)]
    ) -> Agent:
        if agent_id != agent.agent_id:
            raise ApiError(HTTPStatus.FORBIDDEN, "forbidden", "An agent sends its own heartbeats only.")
        heartbeat = await read_body(request, Heartbeat, subject="The heartbeat")
        noted = store.heartbeat(agent, heartbeat.status)
        if noted is None:
            raise agent_unknown()
        return noted
