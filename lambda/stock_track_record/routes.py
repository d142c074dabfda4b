"""Map the routes to the stores."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from shared.api_errors import invalid
from shared.bodies import read_body
from shared.errors import NO_SUCH_PATH
from shared.health import add_health
from shared.openapi import operation, responses
from shared.paging import After, Count, limit_to, read_cursor
from shared.routers import make_router
from shared.times import Clock
from stock_track_record import models, openapi
from stock_track_record.access import asking_for
from stock_track_record.channels import ChannelStore
from stock_track_record.jobs import UNKNOWN_JOB, JobRequests, JobStore
from stock_track_record.keys import TICKER_PATTERN
from stock_track_record.paging import DEFAULT_LIMIT, MAX_LIMIT, place_by_age, place_by_day
from stock_track_record.records import RecordStore
from stock_track_record.settings import ApiSettings
from stock_track_record.stocks import UNKNOWN_STOCK, StockStore
from stock_track_record.version import VERSION

Limit = Annotated[Count, limit_to(MAX_LIMIT, "entries")]

# The endpoints are `async` though they wait for DynamoDB: a Lambda environment serves one request at a time, so nobody
# else is kept waiting, and a plain endpoint goes through a thread pool, which takes six times as long.


@dataclass(frozen=True, kw_only=True)
class Stores:
    """What the routes work with."""

    channels: ChannelStore
    stocks: StockStore
    jobs: JobStore
    job_requests: JobRequests
    records: RecordStore


@dataclass(frozen=True, kw_only=True)
class Routers:
    """Where routes go: those that read, and those that make or change something."""

    reads: APIRouter
    writes: APIRouter


def make_api_routers(*, settings: ApiSettings, stores: Stores, clock: Clock) -> list[APIRouter]:
    """Make the routes under /api: health for everybody, the rest for scopes where the settings name some."""
    public = make_router("/api")
    add_health(public, models.Health(version=VERSION))
    routers = Routers(
        reads=make_router("/api", dependencies=asking_for(settings.read_scopes)),
        writes=make_router("/api", dependencies=asking_for(settings.write_scopes)),
    )
    _add_channels(routers, stores)
    _add_picks(routers, stores, clock)
    _add_stocks(routers, stores, clock)
    _add_processing(routers, stores)
    _add_results(routers.reads, stores)
    return [public, routers.reads, routers.writes]


def _add_channels(routers: Routers, stores: Stores) -> None:
    @routers.writes.post(
        "/channels",
        status_code=HTTPStatus.CREATED,
        summary="Create a channel",
        openapi_extra=operation(body=models.NewChannel),
        responses=responses(openapi.ERRORS, 413, 415, 422, 429, 500, success=201, description="The channel is stored."),
    )
    async def create_channel(request: Request) -> models.Channel:
        new = await read_body(request, models.NewChannel, subject="The channel")
        channel = stores.channels.create(new)
        request.state.log_fields["channel_id"] = channel.channel_id
        return channel

    @routers.reads.get(
        "/channels",
        summary="List the channels",
        openapi_extra=operation(),
        responses=responses(openapi.ERRORS, 422, 429, 500, success=200, description="Channels, oldest first."),
    )
    async def list_channels(limit: Limit = DEFAULT_LIMIT, after: After = None) -> models.ChannelPage:
        return stores.channels.page(after=read_cursor(after, place_by_age), limit=limit)

    @routers.reads.get(
        "/channels/{channel_id}",
        summary="Read a channel",
        openapi_extra=operation(),
        responses=responses(openapi.ERRORS, 404, 422, 429, 500, success=200, description="The channel."),
    )
    async def read_channel(channel_id: str) -> models.Channel:
        return stores.channels.read(channel_id)


def _add_picks(routers: Routers, stores: Stores, clock: Clock) -> None:
    @routers.writes.post(
        "/channels/{channel_id}/picks",
        status_code=HTTPStatus.CREATED,
        summary="Add picks to a channel",
        openapi_extra=operation(body=models.NewPicks),
        responses=responses(
            openapi.ERRORS, 404, 409, 413, 415, 422, 429, 500, success=201, description="All the picks are stored."
        ),
    )
    async def add_picks(channel_id: str, request: Request) -> models.AddedPicks:
        new = await read_body(request, models.NewPicks, subject="The body")
        _refuse_the_future((pick.date for pick in new.picks), clock)
        await stores.channels.add_picks(channel_id, new.picks)
        request.state.log_fields["channel_id"] = channel_id
        return models.AddedPicks(picks=new.picks)

    @routers.reads.get(
        "/channels/{channel_id}/picks",
        summary="List a channel's picks",
        openapi_extra=operation(),
        responses=responses(openapi.ERRORS, 404, 422, 429, 500, success=200, description="Picks, oldest first."),
    )
    async def list_picks(channel_id: str, limit: Limit = DEFAULT_LIMIT, after: After = None) -> models.PickPage:
        return stores.channels.picks(channel_id, after=read_cursor(after, place_by_day), limit=limit)


def _add_stocks(routers: Routers, stores: Stores, clock: Clock) -> None:
    @routers.writes.put(
        "/stocks/{ticker}",
        summary="Put a stock's prices",
        openapi_extra=operation(body=models.NewPrices),
        responses=responses(
            openapi.ERRORS,
            404,
            409,
            413,
            415,
            422,
            429,
            500,
            success=200,
            description="The stock with all its prices.",
            missing=NO_SUCH_PATH,
        ),
    )
    async def put_prices(ticker: Annotated[str, Path(pattern=TICKER_PATTERN)], request: Request) -> models.Stock:
        new = await read_body(request, models.NewPrices, subject="The stock")
        _refuse_the_future((price.date for price in new.prices), clock)
        return stores.stocks.put_prices(ticker, new)

    @routers.reads.get(
        "/stocks/{ticker}",
        summary="Read a stock and its prices",
        openapi_extra=operation(),
        responses=responses(
            openapi.ERRORS, 404, 422, 429, 500, success=200, description="The stock.", missing=UNKNOWN_STOCK
        ),
    )
    async def read_stock(ticker: str) -> models.Stock:
        return stores.stocks.read(ticker)


def _add_processing(routers: Routers, stores: Stores) -> None:
    @routers.writes.post(
        "/channels/{channel_id}/process",
        status_code=HTTPStatus.ACCEPTED,
        summary="Ask for the track record to be made anew",
        openapi_extra=operation(),
        responses=responses(
            openapi.ERRORS,
            404,
            409,
            422,
            429,
            500,
            503,
            success=202,
            description="The job is queued.",
            headers=openapi.LOCATION_HEADER,
        ),
    )
    async def process_channel(channel_id: str, request: Request, response: Response) -> models.Job:
        job = stores.job_requests.ask(channel_id, request_id=request.state.request_id)
        request.state.log_fields |= {"channel_id": channel_id, "job_id": job.job_id}
        # Relative to this path, since a gateway may put a prefix in front.
        response.headers["Location"] = f"../../jobs/{job.job_id}"
        return job

    @routers.reads.get(
        "/jobs/{job_id}",
        summary="Read a job",
        openapi_extra=operation(),
        responses=responses(
            openapi.ERRORS, 404, 422, 429, 500, success=200, description="The job.", missing=UNKNOWN_JOB
        ),
    )
    async def read_job(job_id: str) -> models.Job:
        return stores.jobs.read(job_id)


def _add_results(router: APIRouter, stores: Stores) -> None:
    @router.get(
        "/channels/{channel_id}/jobs",
        summary="List a channel's jobs",
        openapi_extra=operation(),
        responses=responses(openapi.ERRORS, 404, 422, 429, 500, success=200, description="Jobs, newest first."),
    )
    async def list_jobs(channel_id: str, limit: Limit = DEFAULT_LIMIT, after: After = None) -> models.JobPage:
        stores.channels.must_be_there(channel_id)
        return stores.jobs.page(channel_id, after=read_cursor(after, place_by_age), limit=limit)

    @router.get(
        "/channels/{channel_id}/track-record",
        summary="Read a channel's track record",
        openapi_extra=operation(),
        responses=responses(openapi.ERRORS, 404, 422, 429, 500, success=200, description="The track record."),
    )
    async def read_track_record(channel_id: str) -> models.TrackRecord:
        stores.channels.must_be_there(channel_id)
        return stores.records.read(channel_id)


def _refuse_the_future(days: Iterable[str], clock: Clock) -> None:
    """Refuse days after tomorrow, which is today already where the sun is first: a slip there would stay the latest."""
    tomorrow = (clock() + timedelta(days=1)).date().isoformat()
    for day in days:
        if day > tomorrow:
            raise invalid(f"{day} is in the future. The latest day that is taken is {tomorrow}.")
