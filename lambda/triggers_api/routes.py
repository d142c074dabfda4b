"""Map the routes to the store and the inbox."""

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools import Logger
from fastapi import APIRouter, Depends, Header, Request, Response, Security
from fastapi.security import APIKeyHeader
from pydantic.json_schema import SkipJsonSchema

from shared.bodies import read_written
from shared.health import add_health
from shared.metrics import Counters
from shared.openapi import operation, responses
from shared.paging import After, Count, limit_to, read_cursor
from shared.routers import make_router
from triggers_api import cursor, idempotency, openapi
from triggers_api.auth import Authenticator, Caller
from triggers_api.events import EventStore
from triggers_api.inbox import Inbox
from triggers_api.models import AcknowledgedEvent, CreatedEvent, Health, InboxPage, NewEvent
from triggers_api.scopes import SCOPES, Scope
from triggers_api.settings import Settings
from triggers_api.version import VERSION

Dependency = Callable[..., Awaitable[Caller]]
# What lets a caller through whose key has this scope, and refuses everybody else.
Guards = Mapping[Scope, Dependency]

PREFIX = "/v1"
DEFAULT_LIMIT = 50
MAX_LIMIT = 100

# The endpoints are `async` though they wait for DynamoDB: a Lambda environment serves one request at a time, so nobody
# else is kept waiting, and a plain endpoint goes through a thread pool, which takes six times as long.


def make_routers(  # noqa: PLR0913 - the parts that the application is made of
    *,
    settings: Settings,
    authenticator: Authenticator,
    store: EventStore,
    inbox: Inbox,
    counters: Counters,
    logger: Logger,
) -> list[APIRouter]:
    """Make the routes under /v1: health for everybody, the rest for callers with a key."""
    caller = _caller_of(authenticator)
    guards = {scope: _guard(caller, scope) for scope in SCOPES}
    public = make_router(PREFIX)
    add_health(public, Health(version=VERSION))
    protected = make_router(PREFIX, dependencies=[Depends(caller)])
    _add_creation(protected, guards=guards, settings=settings, store=store, counters=counters, logger=logger)
    _add_inbox(protected, guards=guards, inbox=inbox)
    _add_endings(protected, guards=guards, store=store, counters=counters)
    return [public, protected]


def _caller_of(authenticator: Authenticator) -> Dependency:
    """Make the dependency that asks for a key and tells whose it is."""

    async def caller(
        request: Request,
        key: Annotated[
            str | None,
            Security(
                APIKeyHeader(name="X-API-Key", scheme_name="ApiKey", description="Your API key.", auto_error=False)
            ),
        ],
    ) -> Caller:
        found = authenticator.authenticate(key)
        request.state.log_fields["api_key"] = found.name
        return found

    return caller


def _guard(caller: Dependency, scope: Scope) -> Dependency:
    """Make the dependency that lets a caller through whose key has a scope."""

    async def guard(known: Annotated[Caller, Depends(caller)]) -> Caller:
        known.require(scope)
        return known

    return guard


def _add_creation(  # noqa: PLR0913 - what storing an event takes
    router: APIRouter,
    *,
    guards: Guards,
    settings: Settings,
    store: EventStore,
    counters: Counters,
    logger: Logger,
) -> None:
    @router.post(
        "/events",
        status_code=HTTPStatus.CREATED,
        summary="Store an event",
        responses=responses(
            openapi.ERRORS,
            401,
            403,
            409,
            413,
            415,
            422,
            429,
            500,
            success=201,
            description="The event is in the inbox.",
            headers=openapi.REPLAYED_HEADER,
        ),
        openapi_extra=operation(body=NewEvent),
    )
    async def create_event(
        request: Request,
        response: Response,
        sender: Annotated[Caller, Depends(guards["write"])],
        idempotency_key: Annotated[
            str | SkipJsonSchema[None],
            Header(
                alias=idempotency.HEADER,
                description=openapi.IDEMPOTENCY_KEY_DESCRIPTION,
                min_length=1,
                max_length=idempotency.MAX_LENGTH,
                pattern=idempotency.PATTERN,
                examples=["order-4711-created"],
            ),
        ] = None,
    ) -> CreatedEvent:
        event, texts = await read_written(request, NewEvent, subject="The event")
        if not settings.production:
            logger.debug("payload", extra={"payload": texts["payload"]})
        created = await store.create(
            event, texts["payload"], caller_key_hash=sender.key_hash, idempotency_key=idempotency_key
        )
        request.state.log_fields["event_id"] = created.response.event_id
        if created.replayed:
            response.headers["Idempotent-Replayed"] = "true"
        counters.count("EventsReplayed" if created.replayed else "EventsCreated")
        return created.response


def _add_inbox(router: APIRouter, *, guards: Guards, inbox: Inbox) -> None:
    @router.get(
        "/inbox",
        dependencies=[Depends(guards["read"])],
        response_model=InboxPage,
        summary="List the events that wait",
        openapi_extra=operation(),
        responses=responses(openapi.ERRORS, 401, 403, 422, 429, 500, success=200, description="Events, oldest first."),
    )
    async def list_inbox(
        limit: Annotated[Count, limit_to(MAX_LIMIT, "events")] = DEFAULT_LIMIT,
        after: After = None,
    ) -> Response:
        page = inbox.page(after=read_cursor(after, cursor.positions_of) or {}, limit=limit)
        return Response(page, media_type="application/json")


def _add_endings(router: APIRouter, *, guards: Guards, store: EventStore, counters: Counters) -> None:
    @router.post(
        "/events/{event_id}/ack",
        dependencies=[Depends(guards["read"])],
        summary="Acknowledge an event",
        openapi_extra=operation(),
        responses=responses(
            openapi.ACKNOWLEDGE_ERRORS,
            401,
            403,
            404,
            409,
            422,
            429,
            500,
            success=200,
            description="The event left the inbox.",
        ),
    )
    async def acknowledge_event(event_id: str, request: Request) -> AcknowledgedEvent:
        response = store.acknowledge(event_id)
        request.state.log_fields["event_id"] = event_id
        counters.count("EventsAcknowledged")
        return response

    @router.delete(
        "/events/{event_id}",
        dependencies=[Depends(guards["delete"])],
        status_code=HTTPStatus.NO_CONTENT,
        summary="Delete an event",
        openapi_extra=operation(),
        responses=responses(
            openapi.ERRORS, 401, 403, 404, 422, 429, 500, success=204, description="The event is gone."
        ),
    )
    async def delete_event(event_id: str, request: Request) -> None:
        store.delete(event_id)
        request.state.log_fields["event_id"] = event_id
        counters.count("EventsDeleted")
