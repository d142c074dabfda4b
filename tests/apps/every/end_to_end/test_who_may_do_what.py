"""Every cell of the tables "Who may do what", tried over HTTP: three apps on one local AWS, real keys and tokens."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from sawhorse.local.issuer import Issuer
from sawhorse.operate.seed import bearer
from tests.apps.every.access_tables import Cell, allowed, assert_allowed, assert_refused, cells, refused
from tests.end_to_end.support import Sawhorse, applied

pytestmark = pytest.mark.end_to_end

TRIGGERS, HYBRID, STOCK = "dev/triggers_api", "dev/hybrid_ci_cd", "dev/stock_track_record"
EVENT = {"source": "test", "event_type": "test.created", "payload": {}}
LOGIN = {"provider": "google", "oauth_tokens": {}, "user_info": {}}
PRICES = {"name": "Acme", "prices": [{"date": "2025-01-02", "price": 10}]}
PICKS = {"picks": [{"ticker": "ACME", "direction": "long", "date": "2025-01-02", "price": 10}]}
# Credentials that open nothing, of every form.
UNKNOWN = ["wrong", "A" * 43, f"{uuid.UUID(int=0, version=4)}.{'A' * 43}"]


@pytest.fixture(scope="module")
def sawhorse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sawhorse]:
    with applied(tmp_path_factory.mktemp("who-may-do-what"), TRIGGERS) as command:
        for root in (HYBRID, STOCK):
            command("build", root.partition("/")[2])
            command("apply", root, "--local")
        yield command


@pytest.fixture(scope="module")
def clients(sawhorse: Sawhorse) -> Iterator[dict[str, httpx.Client]]:
    """A client of each app's API, which tests share."""
    with ExitStack() as stack:
        yield {
            root: stack.enter_context(
                httpx.Client(
                    base_url=sawhorse.json("outputs", root, "--local")["api_endpoint"], timeout=60, trust_env=False
                )
            )
            for root in (TRIGGERS, HYBRID, STOCK)
        }


def tried(
    http: httpx.Client, cell: Cell, headers: Mapping[str, str], names: Mapping[str, str], body: Any
) -> httpx.Response:
    """Call a route of the table with real ids and a good body."""
    return http.request(cell.method, cell.path.format_map(names).lstrip("/"), headers=dict(headers), json=body)


@pytest.mark.parametrize("root", [TRIGGERS, HYBRID])
def test_a_second_plan_changes_nothing(sawhorse: Sawhorse, root: str) -> None:
    """The limits and alarms of single routes among it; stock_track_record is planned where it is applied again."""
    assert "No changes." in sawhorse("plan", root, "--local", "--exit-code")


class Inbox:
    """triggers_api with a key for every column."""

    def __init__(self, sawhorse: Sawhorse, http: httpx.Client) -> None:
        self.sawhorse = sawhorse
        self.http = http
        self.keys = {scope: self.key("--scope", scope) for scope in ("write", "read", "delete")}

    def key(self, *options: str) -> str:
        made = self.sawhorse.json("run", TRIGGERS, "api-key", "--local", "--label", "table", *options)
        return str(made["secrets"]["api_key"])

    def send(self, cell: Cell, key: str | None = None) -> httpx.Response:
        """Send a request with a good body about an event that is there."""
        made = self.http.post("v1/events", json=EVENT, headers={"X-API-Key": self.keys["write"]})
        assert made.status_code == 201, made.text
        key = self.keys[cell.caller.strip("`")] if key is None else key
        body = EVENT if cell.path == "/v1/events" else None
        return tried(self.http, cell, {"X-API-Key": key} if key else {}, made.json(), body)


@pytest.fixture(scope="module")
def inbox(sawhorse: Sawhorse, clients: dict[str, httpx.Client]) -> Inbox:
    return Inbox(sawhorse, clients[TRIGGERS])


@pytest.mark.parametrize(
    "cell", [cell for cell in cells("triggers_api") if cell.caller != "no key"], ids=lambda c: c.name
)
def test_an_api_key_does_what_its_scopes_say_and_no_more(inbox: Inbox, cell: Cell) -> None:
    check = assert_allowed if cell.says == "yes" else assert_refused
    check(cell, inbox.send(cell))


@pytest.mark.parametrize(
    "cell", [cell for cell in cells("triggers_api") if cell.caller == "no key"], ids=lambda c: c.name
)
def test_a_missing_an_unknown_and_an_expired_api_key_open_what_everybody_may(inbox: Inbox, cell: Cell) -> None:
    expired = inbox.key("--scope", "write", "--scope", "read", "--scope", "delete", "--days", "1")
    dynamodb = inbox.sawhorse.client("dynamodb", "dev")
    table = inbox.sawhorse.json("outputs", TRIGGERS, "--local")["dynamodb_keys_table"]
    [item] = [
        found for found in dynamodb.scan(TableName=table)["Items"] if found["key_id"]["S"] == expired.split("_")[1]
    ]
    assert float(item["expires_at"]["N"]) > time.time()
    item["expires_at"] = {"N": str(int(time.time()))}
    dynamodb.put_item(TableName=table, Item=item)

    for key in ["", *UNKNOWN, expired, item["api_key"]["S"]]:
        check = assert_allowed if cell.says == "yes" else assert_refused
        check(cell, inbox.send(cell, key))


def test_a_key_from_before_there_were_scopes_does_everything(inbox: Inbox, sawhorse: Sawhorse) -> None:
    key = str(sawhorse.json("seed", TRIGGERS, "--local")["secrets"]["api_key"])
    dynamodb = sawhorse.client("dynamodb", "dev")
    table = sawhorse.json("outputs", TRIGGERS, "--local")["dynamodb_keys_table"]
    [item] = [found for found in dynamodb.scan(TableName=table)["Items"] if found["key_id"]["S"] == key.split("_")[1]]
    old = {name: value for name, value in item.items() if name not in {"scopes", "expires_at"}}
    dynamodb.put_item(TableName=table, Item=old)

    for cell in cells("triggers_api"):
        assert_allowed(cell, inbox.send(cell, key))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--scope", "admin"], "--scope is 'admin'; it must be write, read or delete."),
        (["--scope", "write", "--days", "0"], "--days is 0; it must be from 1 to 3650, or say --no-expiry."),
        (["--scope", "write", "--label", " "], "--label is empty"),
    ],
)
def test_a_key_that_cannot_be_is_refused_in_a_sentence(sawhorse: Sawhorse, options: list[str], sentence: str) -> None:
    assert sentence in " ".join(
        sawhorse("run", TRIGGERS, "api-key", "--local", "--label", "x", *options, code=2).split()
    )


@dataclass
class Party:
    """A user of hybrid_ci_cd with what the table has columns for, and things of that user to ask for."""

    http: httpx.Client
    headers: dict[str, dict[str, str]]
    names: dict[str, str]

    @classmethod
    def new(cls, http: httpx.Client) -> Party:
        def post(path: str, body: Any, token: str | None = None) -> Any:
            response = http.post(path, json=body, headers=bearer(token) if token else {})
            assert response.status_code == 201, response.text
            return response.json()

        session, other = (post("auth/session", LOGIN | {"user_id": f"user-{uuid.uuid4()}"}) for _ in range(2))
        token = session["session_id"]
        agents = {scope: post("agents", {"name": scope, "scopes": [scope]}, token) for scope in ("read", "run")}
        job = post("jobs", {"name": "build", "payload": {}}, token)
        return cls(
            http,
            {
                "nobody known": {},
                "session": bearer(token),
                "another user": bearer(other["session_id"]),
                **{f"agent, `{scope}`": bearer(agent["agent_token"]) for scope, agent in agents.items()},
            },
            {"handle": session["handle"], "job_id": job["job_id"], "agent_id": agents["run"]["agent_id"]},
        )

    def send(self, cell: Cell, headers: dict[str, str] | None = None) -> httpx.Response:
        bodies: dict[tuple[str, str], Any] = {
            ("POST", "/auth/session"): LOGIN | {"user_id": "somebody"},
            ("POST", "/auth/validate"): {"session_id": "x"},
            ("POST", "/jobs"): {"name": "build", "payload": {}},
            ("POST", "/jobs/{job_id}/finish"): {"attempt": 1, "status": "succeeded", "result": {}},
            ("POST", "/agents"): {"name": "new"},
            ("POST", "/agents/{agent_id}/heartbeat"): {"status": "idle"},
        }
        # An agent sends its own heartbeats.
        names = dict(self.names)
        if cell.path.endswith("heartbeat") and "read" in cell.caller:
            names["agent_id"] = self.headers[cell.caller]["Authorization"].removeprefix("Bearer ").partition(".")[0]
        return tried(
            self.http, cell, self.headers[cell.caller] if headers is None else headers, names, bodies.get(cell.route)
        )


@pytest.fixture(scope="module")
def party(clients: dict[str, httpx.Client]) -> Party:
    """One whose things stay: every attempt is refused."""
    return Party.new(clients[HYBRID])


@pytest.mark.parametrize("cell", refused("hybrid_ci_cd"), ids=lambda cell: cell.name)
def test_hybrid_ci_cd_refuses_what_its_table_says(party: Party, cell: Cell) -> None:
    assert_refused(cell, party.send(cell))
    if cell.caller == "nobody known":
        for token in UNKNOWN:
            assert_refused(cell, party.send(cell, bearer(token)))


@pytest.mark.parametrize("cell", allowed("hybrid_ci_cd"), ids=lambda cell: cell.name)
def test_hybrid_ci_cd_allows_what_its_table_says(clients: dict[str, httpx.Client], cell: Cell) -> None:
    assert_allowed(cell, Party.new(clients[HYBRID]).send(cell))


def test_log_out_everywhere_ends_the_agents_when_that_is_asked_for(clients: dict[str, httpx.Client]) -> None:
    party = Party.new(clients[HYBRID])
    runs = party.headers["agent, `run`"]
    session = party.headers["session"]
    assert party.http.delete("auth/sessions", headers=session, params={"agents": "true"}).status_code == 204

    assert party.http.get("auth/sessions", headers=session).status_code == 401
    assert party.http.post("jobs/claim", headers=runs).status_code == 401


PLAIN = "jwt = null"
WITH_SCOPES = 'jwt = merge(var.environment.jwt, { read_scopes = ["records:read"], write_scopes = ["records:write"] })'


@pytest.fixture(scope="module")
def records_with(sawhorse: Sawhorse, clients: dict[str, httpx.Client]) -> Callable[[str], httpx.Client]:
    """stock_track_record with one jwt or another, applied when it is first wanted."""
    main = sawhorse.project.path / "environments" / STOCK / "main.tf"
    text = main.read_text()
    assert text.count(PLAIN) == 1
    planned: set[str] = set()

    def client(jwt: str) -> httpx.Client:
        if jwt not in main.read_text():
            main.write_text(text.replace(PLAIN, jwt))
            sawhorse("apply", STOCK, "--local")
        if jwt not in planned:
            assert "No changes." in sawhorse("plan", STOCK, "--local", "--exit-code")
            planned.add(jwt)
        return clients[STOCK]

    return client


def stock_cell(http: httpx.Client, cell: Cell, names: Mapping[str, str], headers: Mapping[str, str]) -> httpx.Response:
    bodies: dict[str, Any] = {"PUT": PRICES}
    body = PICKS if cell.path.endswith("picks") else {"name": "Sample"} if cell.path.endswith("channels") else None
    return tried(http, cell, headers, names, bodies.get(cell.method, body if cell.method == "POST" else None))


def test_without_jwt_everybody_may_do_what_the_table_says(records_with: Callable[[str], httpx.Client]) -> None:
    http = records_with(PLAIN)
    made = http.post("api/channels", json={"name": "Sample"}).json()
    job = http.post(f"api/channels/{made['channel_id']}/process").json()
    names = {"channel_id": made["channel_id"], "job_id": job["job_id"], "ticker": "ACME"}
    for cell in cells("stock_track_record"):
        if cell.caller == "without `jwt`":
            assert_allowed(cell, stock_cell(http, cell, names, {}))


def test_with_jwt_a_token_does_what_its_scopes_say_and_no_more(
    sawhorse: Sawhorse, records_with: Callable[[str], httpx.Client]
) -> None:
    http = records_with(WITH_SCOPES)
    issuer = Issuer.of(sawhorse.project)
    audience = "https://dev.api.example.com"

    def token(scope: str, **options: Any) -> dict[str, str]:
        return bearer(issuer.token(subject="ada", audience=audience, scope=scope, **options))

    both = token("records:read records:write")
    made = http.post("api/channels", json={"name": "Sample"}, headers=both)
    assert made.status_code == 201, made.text
    channel_id = made.json()["channel_id"]
    job = http.post(f"api/channels/{channel_id}/process", headers=both).json()
    names = {"channel_id": channel_id, "job_id": job["job_id"], "ticker": "ACME"}
    columns = {
        "no token": [
            {},
            bearer("wrong"),
            token("records:read records:write", lifetime_seconds=-60),
            bearer(issuer.token(subject="ada", audience="https://elsewhere.example.com", scope="records:write")),
        ],
        "`records:read`": [token("records:read"), token("openid records:read")],
        "`records:write`": [token("records:write")],
        "another scope": [token(""), token("records"), token("records:writer records:reader")],
    }
    for cell in cells("stock_track_record"):
        for headers in columns.get(cell.caller, []):
            check = assert_allowed if cell.says == "yes" else assert_refused
            check(cell, stock_cell(http, cell, names, headers))


@pytest.mark.parametrize(
    "path", ["api/%63hannels", "api//channels", "API/channels", "api/channels/", "./api/channels", "api/x/../channels"]
)
def test_no_other_spelling_of_a_route_writes_with_a_token_that_may_only_read(
    sawhorse: Sawhorse, records_with: Callable[[str], httpx.Client], path: str
) -> None:
    """API Gateway takes it for the route of all the rest, which asks for the scope to read."""
    http = records_with(WITH_SCOPES)
    token = Issuer.of(sawhorse.project).token(
        subject="ada", audience="https://dev.api.example.com", scope="records:read"
    )
    url = httpx.URL(f"{http.base_url}".rstrip("/")).copy_with(raw_path=f"{http.base_url.path}{path}".encode())

    response = http.post(url, json={"name": "Sample"}, headers=bearer(token))

    # A slash at the end does nothing but send to the route without it.
    assert response.status_code in {308, 403, 404, 405}, response.text


def test_whoever_floods_the_route_that_makes_sessions_closes_no_other(
    sawhorse: Sawhorse, clients: dict[str, httpx.Client]
) -> None:
    main = sawhorse.project.path / "environments" / HYBRID / "main.tf"
    text = main.read_text()
    main.write_text(text.replace("  stage ", "  session_throttling = { rate_limit = 1, burst_limit = 3 }\n  stage ", 1))
    http = clients[HYBRID]
    session = Party.new(http).headers["session"]
    try:
        sawhorse("apply", HYBRID, "--local")
        assert "No changes." in sawhorse("plan", HYBRID, "--local", "--exit-code")
        with ThreadPoolExecutor(20) as pool:
            responses = list(pool.map(lambda _: http.post("auth/session", json=LOGIN | {"user_id": "many"}), range(60)))
        others = [
            http.get("health"),
            http.post("auth/validate", json={"session_id": "x"}),
            http.get("jobs", headers=session),
        ]
        head = http.get("auth/session")
    finally:
        main.write_text(text)
        sawhorse("apply", HYBRID, "--local")

    refused = [response for response in responses if response.status_code == 429]
    assert {response.status_code for response in responses} == {201, 429}
    assert {response.json()["error"]["code"] for response in refused} == {"throttled"}
    assert {response.headers["retry-after"] for response in refused} == {"2"}
    assert [response.status_code for response in others] == [200, 200, 200]
    # Other methods of the same path go where they went before the route was there.
    assert (head.status_code, head.json()["error"]["code"]) == (405, "method_not_allowed")
