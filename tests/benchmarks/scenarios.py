"""Say what every function is asked: its environment, tables that hold something, requests as an API sends them.

Tables, callers and messages are those of the unit tests; what the tables hold is written through the functions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from sawhorse.local.clients import local_client
from sawhorse.local.emulators import Running
from shared.api_keys import generate
from stock_track_record.messages import write_message
from tests.benchmarks.functions import Event, Started
from tests.unit.fileshare import support as fileshare_support
from tests.unit.hybrid_ci_cd import support as hybrid_support
from tests.unit.stock_track_record import support as stock_support
from tests.unit.support import Caller
from tests.unit.triggers_api import support as triggers_support
from tests.unit.turbotech_portal import support as turbotech_support

ENTRIES = 10
Variables = dict[str, str]


class Start(Protocol):
    """Start a function of ours with these variables, to write what its tables hold."""

    def __call__(self, app: str, name: str, variables: Variables) -> AbstractContextManager[Started]: ...


@dataclass(frozen=True)
class Scenario:
    """What a function is asked.

    `read` comes first after the start and calls DynamoDB; `reads` says in words what it is. `health` calls nothing;
    None for a function that has no such route. `restore` puts the tables back to what they were, before each start.
    """

    variables: Variables
    reads: str
    read: Event
    health: Event | None = None
    restore: Callable[[], None] = field(default=lambda: None)


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
        return {name: variables[name] for name in (*kept, "NO_PROXY")} | {"LOG_LEVEL": "INFO", "STAGE": "dev"}

    @contextmanager
    def handler(self, app: str, variables: Variables) -> Iterator[Callable[[Event, Any], dict[str, Any]]]:
        """Give an app's API as the callers of the unit tests want it."""
        with self.start(app, "api", variables) as process:
            yield lambda event, _context: process.invoke(event)[0]


def make_scenarios(account: Account) -> dict[tuple[str, str], Scenario]:
    """Make the tables of every app and return what its functions are asked, by app and function."""
    portal = turbotech_portal(account)
    return {
        ("fileshare", "api"): fileshare(account),
        ("hybrid_ci_cd", "api"): hybrid_ci_cd(account),
        **stock_track_record(account),
        ("triggers_api", "api"): triggers_api(account),
        ("turbotech_portal", "api"): portal,
        ("turbotech_portal", "web"): portal,
    }


def get(caller: Caller, path: str, headers: dict[str, str] | None = None) -> Event:
    """Make the event of a GET request."""
    return {**caller.event("GET", path, {**caller.default_headers, **(headers or {})}, {}), "body": None}


def triggers_api(account: Account) -> Scenario:
    tables = triggers_support.make_tables(account.client)
    key = generate()
    item = {"api_key": {"S": key.hashed}, "key_id": {"S": key.key_id}, "label": {"S": "benchmark"}}
    account.client.put_item(TableName=tables.keys, Item=item)
    variables = account.variables | {
        "AUTH_MODE": "aws",
        "DYNAMODB_TABLE_EVENTS": tables.events,
        "DYNAMODB_TABLE_KEYS": tables.keys,
    }
    with account.handler("triggers_api", variables) as handler:
        api = triggers_support.Api(handler, key=key.clear)
        for number in range(ENTRIES):
            api.create({"number": number})
    return Scenario(
        variables=variables,
        reads="GET /v1/inbox",
        read=get(api, "/v1/inbox", {"X-API-Key": key.clear}),
        health=get(api, "/v1/health"),
    )


def hybrid_ci_cd(account: Account) -> Scenario:
    tables = hybrid_support.make_tables(account.client)
    variables = account.variables | {
        "DYNAMODB_TABLE_SESSIONS": tables.sessions,
        "DYNAMODB_TABLE_JOBS": tables.jobs,
        "DYNAMODB_TABLE_AGENTS": tables.agents,
    }
    with account.handler("hybrid_ci_cd", variables) as handler:
        api = hybrid_support.Api(handler)
        user = api.log_in()
        for number in range(ENTRIES):
            api.queue(user, f"job {number}")
    return Scenario(
        variables=variables, reads="GET /jobs", read=get(api, "/jobs", user.headers), health=get(api, "/health")
    )


def fileshare(account: Account) -> Scenario:
    tables = fileshare_support.make_tables(account.client)
    variables = account.variables | {
        "USE_DYNAMODB": "true",
        "DYNAMODB_USERS_TABLE_NAME": tables.users,
        "DYNAMODB_URLS_TABLE_NAME": tables.urls,
    }
    with account.handler("fileshare", variables) as handler:
        api = fileshare_support.Api(handler)
        api.sign_up()
        for number in range(ENTRIES):
            api.shorten(f"https://example.com/{number}")
    return Scenario(
        variables=variables,
        reads="GET /api/links",
        read=get(api, "/api/links", {"Authorization": f"Bearer {api.token}"}),
        health=get(api, "/api/health"),
    )


def turbotech_portal(account: Account) -> Scenario:
    tables = turbotech_support.make_tables(account.client)
    deliverables = [turbotech_support.deliverable(number) for number in range(1, ENTRIES + 1)]
    turbotech_support.put(account.client, tables.deliverables, *deliverables)
    metrics = [turbotech_support.metric(number) for number in range(1, ENTRIES + 1)]
    turbotech_support.put(account.client, tables.metrics, *metrics)
    variables = account.variables | {
        "AUTH_MODE": "gateway",
        "DYNAMODB_TABLE_DELIVERABLES": tables.deliverables,
        "DYNAMODB_TABLE_METRICS": tables.metrics,
        "DYNAMODB_TABLE_UPDATES": tables.updates,
        "DYNAMODB_TABLE_USERS": tables.users,
    }
    with account.handler("turbotech_portal", variables) as handler:
        api = turbotech_support.Api(handler, claims=turbotech_support.CLAIMS)
        api.read("/api/dashboard")
    return Scenario(
        variables=variables,
        reads="GET /api/dashboard",
        read=get(api, "/api/dashboard"),
        health=get(api, "/api/health"),
    )


def stock_track_record(account: Account) -> dict[tuple[str, str], Scenario]:
    """Ask the API for a channel's picks, and the worker to make a track record of them."""
    client = account.client
    prefix = stock_support.make_tables(client)
    queue = local_client("sqs", account.aws.environment()).create_queue(QueueName=f"{prefix}-jobs")["QueueUrl"]
    common = account.variables | {"IS_LAMBDA": "true", "DYNAMODB_TABLE_PREFIX": prefix, "SQS_QUEUE_URL": queue}
    with account.handler("stock_track_record", common) as handler:
        api = stock_support.Api(handler, queue=stock_support.HandedQueue())
        channel_id = api.create()
        api.add(channel_id, *[stock_support.PICK | {"date": f"2026-01-{day:02}"} for day in range(1, ENTRIES + 1)])
        api.price("ACME", **{"2026-01-02": 10.0, "2026-01-20": 12.5})
        job_id = api.process(channel_id)["job_id"]
    queued = stock_support.items_of(client, prefix)

    def restore() -> None:
        for item in stock_support.items_of(client, prefix):
            client.delete_item(TableName=prefix, Key={name: item[name] for name in ("pk", "sk")})
        for item in queued:
            client.put_item(TableName=prefix, Item=item)

    message = write_message(channel_id=channel_id, job_id=job_id)
    return {
        ("stock_track_record", "api"): Scenario(
            variables=common,
            reads="GET /api/channels/{id}/picks",
            read=get(api, f"/api/channels/{channel_id}/picks"),
            health=get(api, "/api/health"),
        ),
        ("stock_track_record", "worker"): Scenario(
            variables=common | {"SQS_MAX_RECEIVES": "3"},
            # Warm requests are the same message again, of a job that is done: one read.
            reads="a message, makes a track record",
            read=stock_support.batch([message]),
            restore=restore,
        ),
    }


def refusal_of(answer: Any) -> str | None:
    """Say what is wrong with an answer, or None: a refused request would be a quick one."""
    if not isinstance(answer, dict):
        return f"it answered {answer!r}"
    if answer.get("statusCode", 200) != 200:  # every request that is measured asks for something
        return f"it answered {answer['statusCode']}: {answer.get('body')}"
    return f"it did not do {answer['batchItemFailures']}" if answer.get("batchItemFailures") else None
