"""Say what a function is asked: its environment, tables that hold something, requests as an API sends them.

What those of an app are asked stands in its tests/apps/<app>/benchmark.py: tables, callers and messages are those of
its tests, and what the tables hold is written through the functions.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

from sawhorse.local.clients import local_client
from sawhorse.local.emulators import Running
from tests.benchmarks.functions import Event, Started
from tests.benchmarks.processes import NotMeasured
from tests.benchmarks.scratch import Sources
from tests.unit.support import Caller

APPS = Path(__file__).parents[1] / "apps"
ENTRIES = 10
Variables = dict[str, str]


class Start(Protocol):
    """Start a function of ours with these variables, to write what its tables hold."""

    def __call__(self, app: str, name: str, variables: Variables) -> AbstractContextManager[Started]: ...


@dataclass(frozen=True)
class Scenario:
    """What a function is asked.

    `read` comes first after the start and calls DynamoDB; `reads` says in words what it is. `health` calls nothing;
    None for a function that has no such route. `others` are asked when it is warm, by what they are in words. `restore`
    puts the tables back to what they were, before each start.
    """

    variables: Variables
    reads: str
    read: Event
    health: Event | None = None
    others: Mapping[str, Event] = field(default_factory=dict)
    restore: Callable[[], None] = field(default=lambda: None)


# What the functions of an app are asked, by their titles.
Scenarios = dict[str, Scenario]


@dataclass(frozen=True)
class Account:
    """The local AWS that the functions call, and how they are started."""

    aws: Running
    start: Start

    @property
    def client(self) -> Any:
        return local_client("dynamodb", self.aws.environment())

    @property
    def variables(self) -> Variables:
        """Return the credentials and endpoints that a function has here, and what every app is told."""
        kept = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL")
        variables = self.aws.environment()
        return {name: variables[name] for name in (*kept, "NO_PROXY")} | {
            "LOG_LEVEL": "INFO",
            "PRODUCTION": "false",
            "STAGE": "dev",
        }

    @contextmanager
    def handler(self, app: str, variables: Variables) -> Iterator[Callable[[Event, Any], dict[str, Any]]]:
        """Give an app's API as the callers of the unit tests want it."""
        with self.start(app, "api", variables) as process:
            yield lambda event, _context: process.invoke(event)[0]


def make_scenarios(account: Account) -> Scenarios:
    """Make the tables of every app and return what its functions are asked."""
    return {title: scenario for make in makers().values() for title, scenario in make(account).items()}


def makers() -> dict[str, Callable[[Account], Scenarios]]:
    """Return by app what makes its tables and says what its functions are asked."""
    return {app: module.scenarios for app, module in benchmarked().items()}


def sources_of_builders() -> Sources:
    """Return what all builders package: the application that says which of its files changes.

    Raises NotMeasured unless one app says so.
    """
    saying = {app: module for app, module in benchmarked().items() if hasattr(module, "CHANGED_FILE")}
    found = [Sources(app, module.CHANGED_FILE) for app, module in saying.items()]
    if len(found) != 1:
        raise NotMeasured(f"{len(found)} files tests/apps/*/benchmark.py have a CHANGED_FILE; say in one what changes.")
    return found[0]


def benchmarked() -> dict[str, ModuleType]:
    """Import `tests/apps/<app>/benchmark.py` of every app that has one."""
    names = sorted(path.parent.name for path in APPS.glob("*/benchmark.py"))
    return {name: importlib.import_module(f"tests.apps.{name}.benchmark") for name in names}


def get(caller: Caller, path: str, headers: dict[str, str] | None = None) -> Event:
    """Make the event of a GET request."""
    return {**caller.event("GET", path, {**caller.default_headers, **(headers or {})}, {}), "body": None}


def refusal_of(response: Any) -> str | None:
    """Say what is wrong with a response, or None: a refused request would be a quick one."""
    if not isinstance(response, dict):
        return f"it returned {response!r}"
    if response.get("statusCode", 200) != 200:  # every request that is measured asks for something
        return f"it returned {response['statusCode']}: {response.get('body')}"
    return f"it did not do {response['batchItemFailures']}" if response.get("batchItemFailures") else None
