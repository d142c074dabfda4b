"""The applications of all five apps around the local DynamoDB, for what is promised of every one of them."""

import asyncio
import re
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Thread
from typing import Any

import uvicorn
from aws_lambda_powertools import Logger
from fastapi import FastAPI
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

import fileshare.app
import fileshare.settings
import hybrid_ci_cd.app
import hybrid_ci_cd.settings
import stock_track_record.app
import stock_track_record.settings
import triggers_api.app
import triggers_api.settings
import turbotech_portal.app
import turbotech_portal.settings
from hybrid_ci_cd.models import EXAMPLE_SESSION_ID
from shared.api_keys import generate
from shared.times import system_clock
from tests.apps.hybrid_ci_cd import support as hybrid_support
from tests.apps.stock_track_record import support as stock_support
from tests.apps.triggers_api import support as triggers_support
from tests.apps.turbotech_portal import support as portal_support

# A well-formed id of nothing.
UNKNOWN = "7f3d9f0e-5c1b-4c7e-9d53-0a4a1f4c2b11"
APPS = ("fileshare", "hybrid_ci_cd", "stock_track_record", "triggers_api", "turbotech_portal")


@dataclass(frozen=True, kw_only=True)
class App:
    """An application, and the headers with which its callers show who they are."""

    name: str
    app: FastAPI
    credentials: dict[str, str]
    # Those that only seeds and operators write.
    tables: dict[str, str] = field(default_factory=dict)


@contextmanager
def made(
    name: str, dynamodb: Any, logger_of: Callable[[str], Logger], directory: Path, *, client: Any = None
) -> Iterator[App]:
    """Make an application around tables of its own, or around a client that misbehaves."""
    with ExitStack() as stack:
        make = {
            "fileshare": _fileshare,
            "hybrid_ci_cd": _hybrid_ci_cd,
            "stock_track_record": _stock_track_record,
            "triggers_api": _triggers_api,
            "turbotech_portal": _turbotech_portal,
        }[name]
        yield make(stack, dynamodb, client or dynamodb, logger_of(name), directory)


class Broken:
    """A database of fileshare all of whose calls are a client's, which fails with what it was asked."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, operation: str) -> Any:
        async def call(*values: Any, **named: Any) -> Any:
            getattr(self._client, operation)(values=values, named=named)

        return call


@contextmanager
def made_broken(
    name: str, dynamodb: Any, logger_of: Callable[[str], Logger], directory: Path, *, client: Any
) -> Iterator[App]:
    """Make an application whose database is a client all of whose calls fail."""
    with made(name, dynamodb, logger_of, directory, client=client) as one:
        if name == "fileshare":
            app = fileshare.app.create_app(
                settings=fileshare.settings.Settings(database=directory / "broken.sqlite3"),
                database=Broken(client),
                clock=system_clock,
                logger=logger_of(name),
            )
            yield replace(one, app=app)
            return
        yield one


def paths_of_nothing(one: App) -> list[str]:
    """Return the paths of an app's routes, with ids that are well-formed and name nothing."""
    routes = [route.path.replace("{ticker}", "ACME") for route in one.app.routes if isinstance(route, Route)]
    return sorted({re.sub(r"\{[^}]+\}", UNKNOWN, path) for path in routes})


def _drop(stack: ExitStack, dynamodb: Any, *tables: str) -> None:
    for table in tables:
        stack.callback(dynamodb.delete_table, TableName=table)


def _fileshare(stack: ExitStack, _dynamodb: Any, client: Any, logger: Logger, directory: Path) -> App:
    settings = fileshare.settings.Settings(database=directory / "fileshare.sqlite3")
    database = fileshare.app.open_database(settings, client=client, logger=logger)
    stack.callback(database.close)
    app = fileshare.app.create_app(settings=settings, database=database, clock=system_clock, logger=logger)
    return App(name="fileshare", app=app, credentials={"Authorization": "Bearer fs_nobody_" + "0" * 64})


def _hybrid_ci_cd(stack: ExitStack, dynamodb: Any, client: Any, logger: Logger, _directory: Path) -> App:
    tables = hybrid_support.make_tables(dynamodb)
    _drop(stack, dynamodb, *vars(tables).values())
    settings = hybrid_ci_cd.settings.Settings(
        **{f"{kind}_table": table for kind, table in vars(tables).items()}, stage="dev"
    )
    app = hybrid_ci_cd.app.create_app(settings=settings, client=client, clock=system_clock, logger=logger)
    return App(name="hybrid_ci_cd", app=app, credentials={"Authorization": f"Bearer {EXAMPLE_SESSION_ID}"})


def _stock_track_record(stack: ExitStack, dynamodb: Any, client: Any, logger: Logger, _directory: Path) -> App:
    prefix = stock_support.make_tables(dynamodb)
    _drop(stack, dynamodb, prefix, f"{prefix}-Stocks")
    settings = stock_track_record.settings.ApiSettings(table_prefix=prefix, queue_url=stock_support.QUEUE_URL)
    app = stock_track_record.app.create_app(
        settings=settings,
        client=client,
        queue_client=stock_support.HandedQueue(),
        clock=system_clock,
        logger=logger,
    )
    return App(name="stock_track_record", app=app, credentials={})


def _triggers_api(stack: ExitStack, dynamodb: Any, client: Any, logger: Logger, _directory: Path) -> App:
    tables = triggers_support.make_tables(dynamodb)
    _drop(stack, dynamodb, tables.events, tables.keys)
    key = generate()
    dynamodb.put_item(
        TableName=tables.keys, Item={"api_key": {"S": key.hashed}, "key_id": {"S": key.key_id}, "label": {"S": "tests"}}
    )
    settings = triggers_api.settings.Settings(events_table=tables.events, keys_table=tables.keys, stage="dev")
    app = triggers_api.app.create_app(settings=settings, client=client, clock=system_clock, logger=logger)
    return App(name="triggers_api", app=app, credentials={"X-API-Key": key.clear})


def _turbotech_portal(stack: ExitStack, dynamodb: Any, client: Any, logger: Logger, _directory: Path) -> App:
    tables = portal_support.make_tables(dynamodb)
    _drop(stack, dynamodb, *tables.settings.values())
    settings = turbotech_portal.settings.Settings(**tables.settings, stage="dev", production=False, auth_mode="local")  # type: ignore[arg-type] # the names of tables
    app = turbotech_portal.app.create_app(settings=settings, client=client, clock=system_clock, logger=logger)
    return App(name="turbotech_portal", app=app, credentials={}, tables=vars(tables))


def under(prefix: str, app: ASGIApp) -> ASGIApp:
    """Stand in for a gateway whose stage is the first part of every path, and which the application never sees."""

    async def gateway(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            path = scope["path"]
            if not path.startswith(f"{prefix}/"):
                await send({"type": "http.response.start", "status": 403, "headers": []})
                await send({"type": "http.response.body", "body": b"This is not a path of the stage."})
                return
            scope = {**scope, "path": path.removeprefix(prefix), "raw_path": b""}
        await app(scope, receive, send)

    return gateway


@contextmanager
def served(app: ASGIApp) -> Iterator[str]:
    """Serve an application on a free port of loopback for a while, and say at which address."""
    server = uvicorn.Server(
        uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, lifespan="off", server_header=False)
    )
    thread = Thread(target=asyncio.run, args=[server.serve()])
    thread.start()
    try:
        deadline = time.monotonic() + 30
        while not server.started:
            assert thread.is_alive(), "The server ended before it listened."
            assert time.monotonic() < deadline, "The server does not listen."
            time.sleep(0.01)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(30)
