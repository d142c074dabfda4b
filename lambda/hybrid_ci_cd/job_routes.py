"""Map the routes of jobs: create, list, read, claim, finish."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from hybrid_ci_cd import openapi
from hybrid_ci_cd.access import Access
from hybrid_ci_cd.agents import KnownAgent
from hybrid_ci_cd.jobs import JobStore
from hybrid_ci_cd.models import FinishedJob, Job, JobPage, JobStatus, NewJob
from hybrid_ci_cd.sessions import Session
from shared.bodies import read_body
from shared.metrics import Counters
from shared.openapi import operation, responses
from shared.paging import After, Count, limit_to
from shared.routers import make_router


def make_job_router(*, access: Access, store: JobStore, counters: Counters) -> APIRouter:
    """Make the routes under /jobs."""
    router = make_router("/jobs")
    _add_creation(router, access=access, store=store, counters=counters)
    _add_reading(router, access=access, store=store)
    _add_claims(router, access=access, store=store, counters=counters)
    _add_finish(router, access=access, store=store, counters=counters)
    return router


def _add_creation(router: APIRouter, *, access: Access, store: JobStore, counters: Counters) -> None:
    @router.post(
        "",
        status_code=HTTPStatus.CREATED,
        summary="Queue a job",
        openapi_extra=operation(body=NewJob),
        responses=responses(openapi.ERRORS, 401, 413, 415, 422, 429, 500, success=201, description="The job waits."),
    )
    async def create_job(request: Request, asking: Annotated[Session, Depends(access.session)]) -> Job:
        new = await read_body(request, NewJob, subject="The job")
        job = store.create(new, user_id=asking.user_id)
        request.state.log_fields["job_id"] = job.job_id
        counters.count("JobsCreated")
        return job


def _add_reading(router: APIRouter, *, access: Access, store: JobStore) -> None:
    @router.get(
        "",
        summary="List the caller's jobs of one status",
        openapi_extra=operation(),
        responses=responses(openapi.ERRORS, 401, 403, 422, 429, 500, success=200, description="Jobs, oldest first."),
    )
    async def list_jobs(
        user_id: Annotated[str, Depends(access.user)],
        status: Annotated[JobStatus, Query(description="Which jobs.")] = "queued",
        limit: Annotated[Count, limit_to(openapi.MAX_LIMIT, "jobs")] = openapi.DEFAULT_LIMIT,
        after: After = None,
    ) -> JobPage:
        return store.page(user_id, status=status, after=after, limit=limit)

    @router.get(
        "/{job_id}",
        summary="Read a job",
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
            description="The job.",
            missing=openapi.UNKNOWN_JOB,
        ),
    )
    async def get_job(job_id: str, user_id: Annotated[str, Depends(access.user)]) -> Job:
        return store.get(job_id, user_id=user_id)


def _add_claims(router: APIRouter, *, access: Access, store: JobStore, counters: Counters) -> None:
    @router.post(
        "/claim",
        response_model=Job,
        summary="Claim the oldest job that can be claimed",
        openapi_extra=operation(),
        responses=responses(
            openapi.LOST_ERRORS, 401, 403, 409, 429, 500, success=200, description="The job is the agent's to run."
        )
        | responses(openapi.ERRORS, success=204, description="There is no job to claim."),
    )
    async def claim_next_job(request: Request, agent: Annotated[KnownAgent, Depends(access.runner)]) -> Job | Response:
        job = store.claim_next(agent)
        if job is None:
            return Response(status_code=HTTPStatus.NO_CONTENT)
        request.state.log_fields["job_id"] = job.job_id
        counters.count("JobsClaimed")
        return job

    @router.post(
        "/{job_id}/claim",
        summary="Claim this job",
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
            description="The job is the agent's to run.",
            missing=openapi.UNKNOWN_JOB,
        ),
    )
    async def claim_job(job_id: str, request: Request, agent: Annotated[KnownAgent, Depends(access.runner)]) -> Job:
        claimed = store.claim(job_id, agent)
        request.state.log_fields["job_id"] = job_id
        if claimed.changed:
            counters.count("JobsClaimed")
        return claimed.job


def _add_finish(router: APIRouter, *, access: Access, store: JobStore, counters: Counters) -> None:
    @router.post(
        "/{job_id}/finish",
        summary="Finish a job with a result",
        openapi_extra=operation(body=FinishedJob),
        responses=responses(
            openapi.FINISHING_ERRORS,
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
            description="The job is finished; the same result once more changes nothing.",
            missing=openapi.UNKNOWN_JOB,
        ),
    )
    async def finish_job(job_id: str, request: Request, agent: Annotated[KnownAgent, Depends(access.runner)]) -> Job:
        finished = await read_body(request, FinishedJob, subject="The result")
        done = store.finish(job_id, agent, finished)
        request.state.log_fields["job_id"] = job_id
        if done.changed:
            counters.count("JobsFinished")
        return done.job
