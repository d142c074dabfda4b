"""Map the routes to the adapters."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic.json_schema import SkipJsonSchema

from shared.async_dynamodb import AsyncDynamoDB
from shared.bodies import read_body
from shared.health import add_health
from shared.openapi import operation, responses
from shared.paging import After, Count, limit_to, read_cursor
from shared.personal import public_id
from shared.routers import make_router
from turbotech_portal import openapi
from turbotech_portal.auth import Authenticator, Caller
from turbotech_portal.dashboard import make_dashboard
from turbotech_portal.deliverables import DeliverableAdapter
from turbotech_portal.metrics import MetricAdapter
from turbotech_portal.models import (
    MAX_MONTH,
    Dashboard,
    Deliverable,
    DeliverableChanges,
    Deliverables,
    Health,
    Metric,
    MetricChanges,
    Metrics,
    NewUpdate,
    Update,
    UpdatesPage,
    User,
    UserChanges,
    UserName,
    UserNames,
)
from turbotech_portal.settings import Scopes
from turbotech_portal.tables import missing
from turbotech_portal.updates import UpdateAdapter, place_of
from turbotech_portal.users import UserAdapter
from turbotech_portal.version import VERSION

Dependency = Callable[..., Awaitable[Caller]]

PREFIX = "/api"
# Ten updates of the longest messages and the most readers, all of it escaped twice, stay under Lambda's 6 MB.
MAX_LIMIT = 10


@dataclass(frozen=True, kw_only=True)
class Adapters:
    """One adapter for each table, and the threads in which all of them wait."""

    deliverables: DeliverableAdapter
    metrics: MetricAdapter
    updates: UpdateAdapter
    users: UserAdapter
    dynamodb: AsyncDynamoDB


def make_routers(*, authenticator: Authenticator, adapters: Adapters, scopes: Scopes) -> list[APIRouter]:
    """Make the routes under /api: health for everybody, the rest for callers with a checked token.

    A router for each scope, whose every route asks for it, so that no route can be added without one.
    """
    public = make_router(PREFIX)
    add_health(public, Health(version=VERSION))
    callers = [
        _caller_of(authenticator, scope) for scope in (scopes.read, scopes.deliverables, scopes.metrics, scopes.updates)
    ]
    routers = [make_router(PREFIX, dependencies=[Depends(caller)]) for caller in callers]
    reader, _, _, writer = callers
    reading, deliverables, metrics, updates = routers
    _add_reading_of_deliverables(reading, adapters.deliverables)
    _add_changing_of_deliverables(deliverables, adapters.deliverables)
    _add_reading_of_metrics(reading, adapters.metrics)
    _add_changing_of_metrics(metrics, adapters.metrics)
    _add_reading_of_updates(reading, adapters, caller=reader)
    _add_writing_of_updates(updates, adapters, caller=writer)
    _add_users(reading, adapters.users, caller=reader)
    _add_dashboard(reading, adapters, caller=reader)
    return [public, *routers]


def _caller_of(authenticator: Authenticator, scope: str | None) -> Dependency:
    """Make the dependency that tells who calls, and refuses whoever may not."""

    async def caller(
        request: Request,
        # API Gateway has checked the token; this only writes it into the OpenAPI document.
        _token: Annotated[
            HTTPAuthorizationCredentials | None,
            Security(
                HTTPBearer(scheme_name="Token", description=openapi.TOKEN_DESCRIPTION, auto_error=False),
            ),
        ],
    ) -> Caller:
        found = authenticator.authenticate(request.scope)
        request.state.log_fields["user"] = public_id(found.user_id)
        found.require(scope)
        return found

    return caller


def _add_reading_of_deliverables(router: APIRouter, deliverables: DeliverableAdapter) -> None:
    @router.get(
        "/deliverables",
        summary="List the deliverables, all or those of a month",
        openapi_extra=operation(),
        responses=responses(
            openapi.ERRORS, 401, 403, 422, 429, 500, success=200, description="Deliverables by their id."
        ),
    )
    async def list_deliverables(
        month: Annotated[
            Count | SkipJsonSchema[None], Query(ge=1, le=MAX_MONTH, description="The month of the project.")
        ] = None,
    ) -> Deliverables:
        found = await (deliverables.get_all() if month is None else deliverables.get_by_month(month))
        return Deliverables(deliverables=found)

    @router.get(
        "/deliverables/{deliverable_id}",
        summary="Read a deliverable",
        openapi_extra=operation(),
        responses=responses(openapi.ERRORS, 401, 403, 404, 422, 429, 500, success=200, description="The deliverable."),
    )
    async def read_deliverable(deliverable_id: str) -> Deliverable:
        return await deliverables.get_by_id(deliverables.table.number_id(deliverable_id))


def _add_changing_of_deliverables(router: APIRouter, deliverables: DeliverableAdapter) -> None:
    @router.patch(
        "/deliverables/{deliverable_id}",
        summary="Change a deliverable",
        openapi_extra=operation(body=DeliverableChanges),
        responses=responses(
            openapi.CHANGE_ERRORS,
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
            description="The deliverable as it is now.",
        ),
    )
    async def update_deliverable(deliverable_id: str, request: Request) -> Deliverable:
        number = deliverables.table.number_id(deliverable_id)
        changes = await read_body(request, DeliverableChanges, subject="The change")
        return await deliverables.update(number, changes.model_dump(exclude_unset=True))


def _add_reading_of_metrics(router: APIRouter, metrics: MetricAdapter) -> None:
    @router.get(
        "/metrics",
        summary="List the metrics",
        openapi_extra=operation(),
        responses=responses(openapi.ERRORS, 401, 403, 429, 500, success=200, description="Metrics by their id."),
    )
    async def list_metrics() -> Metrics:
        return Metrics(metrics=await metrics.get_all())

    @router.get(
        "/metrics/{metric_id}",
        summary="Read a metric",
        openapi_extra=operation(),
        responses=responses(
            openapi.ERRORS,
            401,
            403,
            404,
            422,
            429,
            500,
            success=200,
            description="The metric.",
            missing=missing("metric"),
        ),
    )
    async def read_metric(metric_id: str) -> Metric:
        return await metrics.get_by_id(metrics.table.number_id(metric_id))


def _add_changing_of_metrics(router: APIRouter, metrics: MetricAdapter) -> None:
    @router.patch(
        "/metrics/{metric_id}",
        summary="Change a metric",
        openapi_extra=operation(body=MetricChanges),
        responses=responses(
            openapi.CHANGE_ERRORS,
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
            description="The metric as it is now.",
            missing=missing("metric"),
        ),
    )
    async def update_metric(metric_id: str, request: Request) -> Metric:
        number = metrics.table.number_id(metric_id)
        changes = await read_body(request, MetricChanges, subject="The change")
        return await metrics.update(number, changes.model_dump(exclude_unset=True))


def _add_reading_of_updates(router: APIRouter, adapters: Adapters, *, caller: Dependency) -> None:
    @router.get(
        "/updates",
        summary="List the updates",
        openapi_extra=operation(),
        responses=responses(openapi.ERRORS, 401, 403, 422, 429, 500, success=200, description="Updates, newest first."),
    )
    async def list_updates(
        limit: Annotated[Count, limit_to(MAX_LIMIT, "updates")] = MAX_LIMIT,
        after: After = None,
    ) -> UpdatesPage:
        page = await adapters.updates.page(limit=limit, after=read_cursor(after, place_of))
        return UpdatesPage(updates=page.updates, next_cursor=page.next_cursor)

    @router.post(
        "/updates/{update_id}/read",
        summary="Mark an update as read",
        openapi_extra=operation(),
        responses=responses(
            openapi.ERRORS,
            401,
            403,
            404,
            409,
            422,
            429,
            500,
            success=200,
            description="The update, with its readers.",
            missing=missing("update"),
        ),
    )
    async def mark_update_read(update_id: str, user: Annotated[Caller, Depends(caller)]) -> Update:
        return await adapters.updates.mark_read(update_id, user.user_id)


def _add_writing_of_updates(router: APIRouter, adapters: Adapters, *, caller: Dependency) -> None:
    @router.post(
        "/updates",
        status_code=HTTPStatus.CREATED,
        summary="Write an update",
        openapi_extra=operation(body=NewUpdate),
        responses=responses(
            openapi.CHANGE_ERRORS,
            401,
            403,
            404,
            409,
            413,
            415,
            422,
            429,
            500,
            success=201,
            description="The update is there.",
            missing=missing("user"),
        ),
    )
    async def create_update(request: Request, user: Annotated[Caller, Depends(caller)]) -> Update:
        new = await read_body(request, NewUpdate, subject="The update")
        return await adapters.updates.create(new, author=await adapters.users.of_caller(user))


def _add_users(router: APIRouter, users: UserAdapter, *, caller: Dependency) -> None:
    @router.get(
        "/users",
        summary="List the users' names",
        openapi_extra=operation(),
        responses=responses(openapi.ERRORS, 401, 403, 429, 500, success=200, description="Users by their name."),
    )
    async def list_users() -> UserNames:
        return UserNames(users=[UserName(id=user.id, name=user.name) for user in await users.get_all()])

    @router.get(
        "/users/me",
        summary="Read what is known of the caller",
        openapi_extra=operation(),
        responses=responses(
            openapi.CHANGE_ERRORS,
            401,
            403,
            404,
            409,
            429,
            500,
            success=200,
            description="The caller.",
            missing=missing("user"),
        ),
    )
    async def read_me(user: Annotated[Caller, Depends(caller)]) -> User:
        return await users.of_caller(user)

    @router.patch(
        "/users/me",
        summary="Change the caller's name",
        openapi_extra=operation(body=UserChanges),
        responses=responses(
            openapi.CHANGE_ERRORS,
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
            description="The caller, changed.",
            missing=missing("user"),
        ),
    )
    async def update_me(request: Request, user: Annotated[Caller, Depends(caller)]) -> User:
        changes = await read_body(request, UserChanges, subject="The change")
        return await users.change(user, changes.model_dump(exclude_unset=True))


def _add_dashboard(router: APIRouter, adapters: Adapters, *, caller: Dependency) -> None:
    @router.get(
        "/dashboard",
        summary="Read the numbers that a frontend shows first",
        openapi_extra=operation(),
        responses=responses(openapi.ERRORS, 401, 403, 429, 500, success=200, description="The numbers."),
    )
    async def read_dashboard(user: Annotated[Caller, Depends(caller)]) -> Dashboard:
        return await make_dashboard(
            deliverables=adapters.deliverables,
            metrics=adapters.metrics,
            updates=adapters.updates,
            user_id=user.user_id,
        )
