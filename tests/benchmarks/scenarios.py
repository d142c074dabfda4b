"""Say what every function is asked: its environment, tables that hold something, requests as an API sends them.

Tables, callers and messages are those of the unit tests; what the tables hold is written through the functions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Protocol

from sawhorse.local.clients import local_client
from sawhorse.local.emulators import Running
from shared.api_keys import generate
from stock_track_record.messages import write_message
from tests.apps.fileshare import support as fileshare_support
from tests.apps.hybrid_ci_cd import support as hybrid_support
from tests.apps.stock_track_record import support as stock_support
from tests.apps.triggers_api import support as triggers_support
from tests.apps.turbotech_portal import support as turbotech_support
from tests.benchmarks.functions import Event, Started
from tests.benchmarks.processes import NotMeasured
from tests.unit.support import Caller

ENTRIES = 10
# As many as a channel may have.
PICKS = 1000
PICKS_AT_ONCE = 50
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
        return {name: variables[name] for name in (*kept, "NO_PROXY")} | {"LOG_LEVEL": "INFO", "STAGE": "dev"}

    @contextmanager
    def handler(self, app: str, variables: Variables) -> Iterator[Callable[[Event, Any], dict[str, Any]]]:
        """Give an app's API as the callers of the unit tests want it."""
        with self.start(app, "api", variables) as process:
            yield lambda event, _context: process.invoke(event)[0]


def make_scenarios(account: Account) -> Scenarios:
    """Make the tables of every app and return what its functions are asked."""
    return {title: scenario for make in MAKERS.values() for title, scenario in make(account).items()}


def get(caller: Caller, path: str, headers: dict[str, str] | None = None) -> Event:
    """Make the event of a GET request."""
    return {**caller.event("GET", path, {**caller.default_headers, **(headers or {})}, {}), "body": None}


def triggers_api(account: Account) -> Scenarios:
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
    scenario = Scenario(
        variables=variables,
        reads="GET /v1/inbox",
        read=get(api, "/v1/inbox", {"X-API-Key": key.clear}),
        health=get(api, "/v1/health"),
    )
    return {"triggers_api/api": scenario}


def hybrid_ci_cd(account: Account) -> Scenarios:
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
    scenario = Scenario(
        variables=variables, reads="GET /jobs", read=get(api, "/jobs", user.headers), health=get(api, "/health")
    )
    return {"hybrid_ci_cd/api": scenario}


def fileshare(account: Account) -> Scenarios:
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
    scenario = Scenario(
        variables=variables,
        reads="GET /api/links",
        read=get(api, "/api/links", {"Authorization": f"Bearer {api.token}"}),
        health=get(api, "/api/health"),
    )
    return {"fileshare/api": scenario}


def turbotech_portal(account: Account) -> Scenarios:
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
    scenario = Scenario(
        variables=variables,
        reads="GET /api/dashboard",
        read=get(api, "/api/dashboard"),
        health=get(api, "/api/health"),
    )
    return {"turbotech_portal/api": scenario, "turbotech_portal/web": scenario}


def stock_track_record(account: Account) -> Scenarios:
    """Ask the API for a channel's picks, and the worker to make a track record of them."""
    client = account.client
    prefix = stock_support.make_tables(client)
    queue = local_client("sqs", account.aws.environment()).create_queue(QueueName=f"{prefix}-jobs")["QueueUrl"]
    common = account.variables | {"IS_LAMBDA": "true", "DYNAMODB_TABLE_PREFIX": prefix, "SQS_QUEUE_URL": queue}
    of_worker = common | {"SQS_MAX_RECEIVES": "3"}
    with account.handler("stock_track_record", common) as handler:
        api = stock_support.Api(handler, queue=stock_support.HandedQueue())
        api.price("ACME", **{"2026-01-02": 10.0, "2026-01-20": 12.5})
        full, full_message = channel_with(api, PICKS)
        channel_id, message = channel_with(api, ENTRIES)
    with account.start("stock_track_record", "worker", of_worker) as worker:
        refusal = refusal_of(worker.invoke(stock_support.batch([full_message]))[0])
        if refusal:
            raise NotMeasured(f"The worker was to make a track record, but {refusal}.")
    queued = by_key(stock_support.items_of(client, prefix))

    def restore() -> None:
        there = by_key(stock_support.items_of(client, prefix))
        for partition, place in there.keys() - queued.keys():
            client.delete_item(TableName=prefix, Key={"pk": {"S": partition}, "sk": {"S": place}})
        for key, item in queued.items():
            if there.get(key) != item:
                client.put_item(TableName=prefix, Item=item)

    return {
        "stock_track_record/api": Scenario(
            variables=common,
            reads="GET /api/channels/{id}/picks",
            read=get(api, f"/api/channels/{channel_id}/picks"),
            health=get(api, "/api/health"),
            others={f"GET the track record of {PICKS} picks": get(api, f"/api/channels/{full}/track-record")},
        ),
        "stock_track_record/worker": Scenario(
            variables=of_worker,
            # Warm requests are the same message again, of a job that is done: one read.
            reads="a message, makes a track record",
            read=stock_support.batch([message]),
            restore=restore,
        ),
    }


def channel_with(api: stock_support.Api, count: int) -> tuple[str, str]:
    """Make a channel with so many picks, and a job; return its id and the message that asks the worker for it."""
    channel_id, first = api.create(), date(2023, 1, 1)
    picks = [
        {**stock_support.PICK, "date": (first + timedelta(days=number)).isoformat(), "price": 10 + number / 4}
        for number in range(count)
    ]
    for start in range(0, count, PICKS_AT_ONCE):
        added = api.add(channel_id, *picks[start : start + PICKS_AT_ONCE])
        assert added.status == 201, added
    return channel_id, write_message(channel_id=channel_id, job_id=api.process(channel_id)["job_id"])


def by_key(items: Sequence[dict[str, Any]]) -> dict[tuple[str, str], dict[str, Any]]:
    return {(item["pk"]["S"], item["sk"]["S"]): item for item in items}


def refusal_of(response: Any) -> str | None:
    """Say what is wrong with a response, or None: a refused request would be a quick one."""
    if not isinstance(response, dict):
        return f"it returned {response!r}"
    if response.get("statusCode", 200) != 200:  # every request that is measured asks for something
        return f"it returned {response['statusCode']}: {response.get('body')}"
    return f"it did not do {response['batchItemFailures']}" if response.get("batchItemFailures") else None


# What makes the tables of an app, and says what its functions are asked.
MAKERS: Mapping[str, Callable[[Account], Scenarios]] = {
    "fileshare": fileshare,
    "hybrid_ci_cd": hybrid_ci_cd,
    "stock_track_record": stock_track_record,
    "triggers_api": triggers_api,
    "turbotech_portal": turbotech_portal,
}
