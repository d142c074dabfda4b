"""The table of who may do what has every route of its app, and what needs no login is what its module limits."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aws_lambda_powertools import Logger

import fileshare.app
import hybrid_ci_cd.app
import stock_track_record.app
import triggers_api.app
import turbotech_portal.app
from fileshare.settings import Settings as FileshareSettings
from hybrid_ci_cd.settings import Settings as HybridSettings
from shared.times import system_clock
from stock_track_record.settings import ApiSettings
from tests.apps.every.access_tables import cells, routes_of
from triggers_api.settings import Settings as TriggersSettings
from turbotech_portal.settings import Settings as PortalSettings

MODULES = Path(__file__).parents[3] / "modules/apps"
APPS = ("hybrid_ci_cd", "stock_track_record", "triggers_api")
READING = {"GET", "HEAD", "OPTIONS"}
# It takes a body, and makes nothing.
READ_BY_POST = {("POST", "/auth/validate")}
# A key that is asked for only where the deployment has set one is not a login.
NO_LOGIN = {"SessionKey"}


@pytest.fixture(scope="module")
def documents() -> Mapping[str, Any]:
    """The OpenAPI document of each of the five apps, which are made without anything behind them."""
    nothing = cast("Any", None)
    common: dict[str, Any] = {"client": nothing, "clock": system_clock, "logger": Logger("tables")}
    tables: dict[str, Any] = {
        name: name for name in ("deliverables_table", "metrics_table", "updates_table", "users_table")
    }
    made: dict[str, Callable[[], Any]] = {
        "fileshare": lambda: fileshare.app.create_app(
            settings=FileshareSettings(database=Path("none.sqlite3")),
            database=cast("Any", SimpleNamespace(close=None)),
            clock=system_clock,
            logger=Logger("tables"),
        ),
        "hybrid_ci_cd": lambda: hybrid_ci_cd.app.create_app(
            settings=HybridSettings(sessions_table="s", jobs_table="j", agents_table="a", stage="dev"), **common
        ),
        "stock_track_record": lambda: stock_track_record.app.create_app(
            settings=ApiSettings(table_prefix="Records", queue_url="https://queue.example.com"),
            queue_client=nothing,
            **common,
        ),
        "triggers_api": lambda: triggers_api.app.create_app(
            settings=TriggersSettings(events_table="e", keys_table="k", stage="dev"), **common
        ),
        "turbotech_portal": lambda: turbotech_portal.app.create_app(
            settings=PortalSettings(**tables, stage="dev"), **common
        ),
    }
    return {app: make().openapi() for app, make in made.items()}


def without_a_login(document: Any) -> set[tuple[str, str]]:
    """Return the routes that write and ask for no credentials."""
    return {
        (method.upper(), path)
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method.upper() not in READING
        if all(set(scheme) <= NO_LOGIN for scheme in operation.get("security", []))
    } - READ_BY_POST


def limited(app: str) -> set[tuple[str, str]]:
    """Return the routes that an app's module names by a method that writes and a path."""
    named = re.findall(r'"(DELETE|PATCH|POST|PUT) (/[^"]+)"', (MODULES / app / "main.tf").read_text())
    return {(method, path) for method, path in named if "{proxy+}" not in path}


@pytest.mark.parametrize("app", APPS)
def test_the_table_has_every_route_of_its_app_and_no_other(app: str, documents: Mapping[str, Any]) -> None:
    assert {cell.route for cell in cells(app)} == routes_of(documents[app])


@pytest.mark.parametrize("app", APPS)
def test_the_table_says_of_every_route_and_caller_one_thing(app: str) -> None:
    told = [(cell.route, cell.caller) for cell in cells(app)]
    assert len(told) == len(set(told))


@pytest.mark.parametrize("app", ["fileshare", *APPS, "turbotech_portal"])
def test_what_makes_something_without_a_login_is_what_the_module_limits(app: str, documents: Mapping[str, Any]) -> None:
    """A route that is new in the application and writes must not slip through under a route that counts as checked."""
    assert limited(app) == without_a_login(documents[app])


def test_some_routes_make_something_without_a_login(documents: Mapping[str, Any]) -> None:
    found = {app: len(without_a_login(document)) for app, document in documents.items()}
    assert found == {
        "fileshare": 1,
        "hybrid_ci_cd": 1,
        "stock_track_record": 4,
        "triggers_api": 0,
        "turbotech_portal": 0,
    }
