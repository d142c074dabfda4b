"""turbotech_portal from source to a refused call: real packages, real Terraform, tokens that are really checked."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError

from sawhorse.environment import read_environment
from sawhorse.local.clients import local_client
from sawhorse.local.issuer import Issuer
from sawhorse.operate.seed import bearer
from tests.apps.every.end_to_end.logs_support import everything_logged, logged_with
from tests.apps.turbotech_portal.support import SPELLINGS
from tests.children import started
from tests.end_to_end.support import Sawhorse
from tests.ports import free_port

pytestmark = pytest.mark.end_to_end

ROOT = "dev/turbotech_portal"
READERS = 10
UNKNOWN = "00000000-0000-4000-8000-000000000000"
ROUTES = [
    ("GET", "api/deliverables"),
    ("GET", "api/deliverables/1"),
    ("PATCH", "api/deliverables/1"),
    ("GET", "api/metrics"),
    ("GET", "api/metrics/1"),
    ("PATCH", "api/metrics/1"),
    ("GET", "api/updates"),
    ("POST", "api/updates"),
    ("POST", f"api/updates/{UNKNOWN}/read"),
    ("GET", "api/users"),
    ("GET", "api/users/me"),
    ("PATCH", "api/users/me"),
    ("GET", "api/dashboard"),
]


@pytest.fixture(scope="module")
def sawhorse(standing: Callable[[str], Sawhorse]) -> Sawhorse:
    """dev/turbotech_portal, applied and seeded for all tests of this file."""
    command = standing(ROOT)
    command("seed", ROOT, "--local")
    return command


@pytest.fixture(scope="module")
def outputs(sawhorse: Sawhorse) -> dict[str, Any]:
    found: dict[str, Any] = sawhorse.json("outputs", ROOT, "--local")
    return found


@pytest.fixture(scope="module")
def audience(sawhorse: Sawhorse) -> str:
    """The API that tokens have to be made for."""
    tenant = read_environment(sawhorse.project, "dev").auth0
    assert tenant is not None
    return tenant.audience


@pytest.fixture(scope="module")
def stranger(outputs: dict[str, Any]) -> Iterator[httpx.Client]:
    """A client without a token."""
    limits = httpx.Limits(max_connections=READERS)
    with httpx.Client(base_url=outputs["api_endpoint"], timeout=60, trust_env=False, limits=limits) as client:
        yield client


@pytest.fixture(scope="module")
def token(sawhorse: Sawhorse) -> str:
    return sawhorse("local", "token", ROOT, "--subject", "auth0|ada").strip()


@pytest.fixture(scope="module")
def http(outputs: dict[str, Any], token: str) -> Iterator[httpx.Client]:
    """A client whose token is good."""
    with httpx.Client(base_url=outputs["api_endpoint"], headers=bearer(token), timeout=60, trust_env=False) as client:
        yield client


def read(http: httpx.Client, path: str, **query: str) -> Any:
    response = http.get(path, params=query)
    assert response.status_code == 200, response.text
    return response.json()


def write_update(http: httpx.Client, title: str) -> dict[str, Any]:
    response = http.post("api/updates", json={"title": title, "message": "All is well."})
    assert response.status_code == 201, response.text
    update: dict[str, Any] = response.json()
    return update


def test_every_smoke_check_passes(sawhorse: Sawhorse) -> None:
    report = sawhorse.json("smoke", ROOT, "--local")

    assert report["passed"], report
    assert len(report["checks"]) == 15


def test_a_smoke_check_that_fails_is_named(sawhorse: Sawhorse, outputs: dict[str, Any]) -> None:
    dynamodb, table = sawhorse.client("dynamodb", "dev"), outputs["dynamodb_metrics_table"]
    key = {"id": {"N": "4"}}
    kept = dynamodb.get_item(TableName=table, Key=key)["Item"]
    dynamodb.delete_item(TableName=table, Key=key)
    try:
        output = sawhorse("smoke", ROOT, "--local", code=1)
    finally:
        dynamodb.put_item(TableName=table, Item=kept)

    said = " ".join(output.split())
    assert "Of the metrics that the seed writes these do not come back: 4. " in said
    assert f"Run sawhorse seed {ROOT}" in said


def test_a_second_seed_makes_no_thirteenth_and_keeps_what_users_changed(sawhorse: Sawhorse, http: httpx.Client) -> None:
    changed = http.patch("api/deliverables/12", json={"name": "Handover", "completion_percentage": 5}).json()

    output = sawhorse("seed", ROOT, "--local")

    lines = [line for line in output.splitlines() if re.match(r"(Deliverable|Metric) \d+, ", line)]
    assert len(lines) == 16
    assert all(line.endswith("was there before, and is left as it is.") for line in lines)
    assert len(read(http, "api/deliverables")["deliverables"]) == 12
    assert len(read(http, "api/metrics")["metrics"]) == 4
    assert read(http, "api/deliverables/12") == changed


def test_deliverables_are_found_by_month_read_and_changed(http: httpx.Client) -> None:
    [first] = read(http, "api/deliverables", month="5")["deliverables"]

    response = http.patch(f"api/deliverables/{first['id']}", json={"status": "COMPLETED", "completion_percentage": 100})

    assert response.status_code == 200
    assert response.json() == first | {"status": "COMPLETED", "completion_percentage": 100}
    assert read(http, f"api/deliverables/{first['id']}") == response.json()


def test_metrics_keep_their_numbers(http: httpx.Client) -> None:
    response = http.patch("api/metrics/1", json={"current_value": 92})

    assert response.json()["current_value"] == 92
    assert read(http, "api/metrics/1") == response.json()
    assert http.patch("api/metrics/1", json={"current_value": 92.25}).json()["current_value"] == 92.25


@pytest.mark.drill(short=1)
def test_ten_readers_at_once_twice_each_are_all_on_the_list(
    sawhorse: Sawhorse, http: httpx.Client, stranger: httpx.Client, audience: str
) -> None:
    update = write_update(http, "Raced")
    issuer = Issuer.of(sawhorse.project)
    tokens = [issuer.token(subject=f"auth0|{number}", audience=audience) for number in range(READERS)]

    def mark(token: str) -> int:
        return stranger.post(f"api/updates/{update['id']}/read", headers=bearer(token)).status_code

    with ThreadPoolExecutor(READERS) as pool:
        statuses = list(pool.map(mark, tokens * 2))

    assert set(statuses) == {200}
    marked = http.post(f"api/updates/{update['id']}/read").json()
    assert sorted(marked["read_by"]) == sorted(["auth0|ada", *(f"auth0|{number}" for number in range(READERS))])


def test_the_dashboard_counts_what_the_caller_has_not_read(
    sawhorse: Sawhorse, http: httpx.Client, stranger: httpx.Client, audience: str
) -> None:
    update = write_update(http, "For the dashboard")
    reader = bearer(Issuer.of(sawhorse.project).token(subject="auth0|grace", audience=audience))

    before = stranger.get("api/dashboard", headers=reader).json()
    stranger.post(f"api/updates/{update['id']}/read", headers=reader)
    after = stranger.get("api/dashboard", headers=reader).json()

    assert before["deliverables"]["total"] == sum(before["deliverables"]["by_status"].values()) == 12
    assert [metric["id"] for metric in before["metrics"]] == [1, 2, 3, 4]
    assert before["updates"]["latest"][0]["id"] == update["id"]
    assert after["updates"]["unread"] == before["updates"]["unread"] - 1


def test_the_callers_name_is_that_of_the_token_until_it_is_changed(
    sawhorse: Sawhorse, stranger: httpx.Client, audience: str
) -> None:
    token = Issuer.of(sawhorse.project).token(subject="auth0|mary", audience=audience, name="Mary")
    headers = bearer(token)

    assert stranger.get("api/users/me", headers=headers).json()["name"] == "Mary"
    assert stranger.patch("api/users/me", json={"name": "Mary S."}, headers=headers).json()["name"] == "Mary S."
    assert {"id": "auth0|mary", "name": "Mary S."} in stranger.get("api/users", headers=headers).json()["users"]


@pytest.fixture(scope="module")
def refused(sawhorse: Sawhorse, audience: str) -> dict[str, dict[str, str]]:
    """Headers of every kind that must not open anything."""
    issuer = Issuer.of(sawhorse.project)
    stranger = Issuer("https://other.example.com/", issuer.key, issuer.key_id)
    return {
        "none": {},
        "malformed": bearer("abc"),
        "expired": bearer(issuer.token(subject="ada", audience=audience, lifetime_seconds=-3600)),
        "foreign audience": bearer(issuer.token(subject="ada", audience="https://other.example.com")),
        "foreign issuer": bearer(stranger.token(subject="ada", audience=audience)),
        "forged": bearer(forger(issuer).token(subject="ada", audience=audience)),
    }


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_without_a_good_token_every_route_is_refused(
    refused: dict[str, dict[str, str]], stranger: httpx.Client, method: str, path: str
) -> None:
    responses = {kind: stranger.request(method, path, headers=headers) for kind, headers in refused.items()}

    # API Gateway's own response, which nobody can reshape.
    told = {kind: (response.status_code, response.json()) for kind, response in responses.items()}
    assert told == dict.fromkeys(refused, (401, {"message": "Unauthorized"}))


@pytest.mark.parametrize("path", SPELLINGS)
def test_no_other_spelling_of_a_guarded_path_does_without_a_token(stranger: httpx.Client, path: str) -> None:
    url = stranger.base_url.copy_with(raw_path=stranger.base_url.raw_path.rstrip(b"/") + path.encode())

    responses = [stranger.request(method, url, headers={"X-Request-ID": "mine-2"}) for method in ("GET", "PATCH")]

    assert {response.status_code for response in responses} <= {308, 401, 404}
    for response in responses:
        if response.status_code == 308:
            # Which does nothing, and sends to the guarded route.
            assert (response.headers["location"], response.content) == (
                f"../{path.rstrip('/').rpartition('/')[2]}",
                b"",
            )
            continue
        # What API Gateway takes for a guarded route, it refuses itself; the rest is the application's.
        if response.json() != {"message": "Unauthorized"}:
            error = response.json()["error"]
            assert (error["code"], error["request_id"]) in {("unauthorized", "mine-2"), ("not_found", "mine-2")}


@pytest.mark.parametrize("path", ["", "api", "nothing", "nothing/at/all", "favicon.ico"])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_a_path_outside_the_api_gets_an_error_of_ours(stranger: httpx.Client, method: str, path: str) -> None:
    response = stranger.request(method, path, headers={"X-Request-ID": "mine-3"})

    assert response.status_code == 404, response.text
    assert response.json()["error"] == {
        "code": "not_found",
        "message": "There is nothing at this path. See /docs for the routes.",
        "request_id": "mine-3",
    }


def forger(issuer: Issuer) -> Issuer:
    """Somebody who claims to be the issuer and has another key."""
    other = Issuer.new(issuer.url)
    return Issuer(issuer.url, other.key, issuer.key_id)


def test_health_and_the_pages_need_no_token(stranger: httpx.Client) -> None:
    assert read(stranger, "api/health") == {"status": "ok", "version": "1.0.0"}
    assert stranger.get("docs").headers["content-type"].startswith("text/html")
    assert len(read(stranger, "openapi.json")["paths"]) == 10


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("PATCH", "api/deliverables/1", b"{", 422, "invalid_request"),
        ("PATCH", "api/deliverables/1", b"", 422, "invalid_request"),
        ("PATCH", "api/deliverables/1", b"\xff\xfe", 422, "invalid_request"),
        ("PATCH", "api/deliverables/1", b"[" * 100_000, 422, "invalid_request"),
        ("PATCH", "api/deliverables/1", b"{}", 422, "invalid_request"),
        ("PATCH", "api/deliverables/1", b'{"completion_percentage": "50"}', 422, "invalid_request"),
        ("PATCH", "api/deliverables/1", b'{"completion_percentage": 101}', 422, "invalid_request"),
        ("PATCH", "api/deliverables/1", b'{"completion_percentage": 1e999}', 422, "invalid_request"),
        ("PATCH", "api/deliverables/1", b'{"status": "DONE"}', 422, "invalid_request"),
        ("PATCH", "api/deliverables/1", b'{"id": 2}', 422, "invalid_request"),
        ("PATCH", "api/deliverables/1", b"x" * 300_000, 413, "request_too_large"),
        ("PATCH", "api/deliverables/13", b'{"month": 1}', 404, "not_found"),
        ("PATCH", "api/metrics/1", b'{"current_value": NaN}', 422, "invalid_request"),
        ("PATCH", "api/metrics/1", b'{"current_value": 1e-300}', 422, "invalid_request"),
        ("PATCH", "api/metrics/1", b'{"current_value": true}', 422, "invalid_request"),
        ("POST", "api/updates", b'{"title": 1, "message": 2}', 422, "invalid_request"),
        ("POST", "api/updates", b'{"title": "\\ud800", "message": "m"}', 422, "invalid_request"),
        ("POST", f"api/updates/{UNKNOWN}/read", None, 404, "not_found"),
        ("POST", "api/updates/unknown/read", None, 404, "not_found"),
        ("PATCH", "api/users/me", b'{"name": null}', 422, "invalid_request"),
        ("GET", "api/deliverables/unknown", None, 404, "not_found"),
        ("GET", "api/deliverables/-1", None, 404, "not_found"),
        ("GET", f"api/deliverables/{10**40}", None, 404, "not_found"),
        ("GET", f"api/metrics/{'1' * 3000}", None, 404, "not_found"),
        ("GET", "api/metrics/1.5", None, 404, "not_found"),
        ("GET", "api/deliverables?month=13x", None, 422, "invalid_request"),
        ("GET", "api/updates?cursor=nonsense", None, 422, "invalid_request"),
        ("GET", "api/updates?limit=0", None, 422, "invalid_request"),
        ("DELETE", "api/deliverables/1", None, 405, "method_not_allowed"),
        ("PUT", "api/metrics/1", b"{}", 405, "method_not_allowed"),
        ("POST", "api/dashboard", b"{}", 405, "method_not_allowed"),
        ("GET", "api/anything", None, 404, "not_found"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_bad_input_gets_an_error_with_a_code_and_the_request_id(  # noqa: PLR0913, PLR0917 # a row of a table
    http: httpx.Client, method: str, path: str, body: bytes | None, status: int, code: str
) -> None:
    response = http.request(
        method, path, content=body, headers={"X-Request-ID": "mine-1", "Content-Type": "application/json"}
    )

    assert response.status_code == status, response.text
    error = response.json()["error"]
    assert error["code"] == code
    assert error["message"].endswith(".")
    assert error["request_id"] == response.headers["X-Request-ID"] == "mine-1"


def test_a_browser_may_call_and_is_told_so_once(http: httpx.Client, stranger: httpx.Client) -> None:
    headers = {"Origin": "https://app.example.com", "Access-Control-Request-Method": "PATCH"}

    preflight = stranger.options("api/deliverables/1", headers=headers)
    response = http.get("api/deliverables", headers=headers)

    assert preflight.is_success
    assert preflight.headers["access-control-allow-origin"] == "*"
    # A browser refuses a response that names an origin twice.
    assert response.headers.get_list("access-control-allow-origin") == ["*"]


def test_a_header_of_the_web_adapter_lets_nobody_in(stranger: httpx.Client) -> None:
    context = json.dumps({"authorizer": {"jwt": {"claims": {"sub": "auth0|ada"}}}})

    response = stranger.get("api/dashboard", headers={"x-amzn-request-context": context})

    assert response.status_code == 401


def test_a_request_is_found_in_the_log_and_its_token_is_not(
    sawhorse: Sawhorse, outputs: dict[str, Any], http: httpx.Client, token: str
) -> None:
    request_id = str(uuid.uuid4())
    assert http.get("api/metrics", headers={"X-Request-ID": request_id}).status_code == 200
    text = logged_with(lambda: everything_logged(sawhorse, ROOT, outputs["log_group"]), request_id)
    lines = [line for line in text.splitlines() if request_id in line]

    assert any('"user":"auth0|ada"' in line for line in lines), lines
    assert token not in text


def test_the_roles_own_credentials_do_what_the_app_does_and_no_more(
    sawhorse: Sawhorse, outputs: dict[str, Any]
) -> None:
    dynamodb = local_client("dynamodb", sawhorse.json("local", "credentials", ROOT))
    tables = {kind: outputs[f"dynamodb_{kind}_table"] for kind in ("deliverables", "metrics", "updates", "users")}
    for kind in ("deliverables", "metrics", "users"):
        with pytest.raises(ClientError, match="AccessDenied"):
            dynamodb.put_item(TableName=tables[kind], Item={"id": {"S": "mine"}})
    with pytest.raises(ClientError, match="AccessDenied"):
        dynamodb.scan(TableName=tables["updates"])
    for kind, key in (("deliverables", {"N": "1"}), ("updates", {"S": UNKNOWN})):
        with pytest.raises(ClientError, match="AccessDenied"):
            dynamodb.delete_item(TableName=tables[kind], Key={"id": key})
        with pytest.raises(ClientError, match="AccessDenied"):
            dynamodb.delete_table(TableName=tables[kind])
    assert dynamodb.scan(TableName=tables["metrics"])["Count"] == 4


def test_the_same_application_runs_as_a_process_against_the_deployed_tables(
    sawhorse: Sawhorse, http: httpx.Client, tmp_path: Path
) -> None:
    port = free_port()
    command = [sys.executable, "-m", "sawhorse.cli.main", "dev", ROOT, "--local", "--port", str(port)]
    with (
        (tmp_path / "printed").open("w") as printed,
        started(command, cwd=sawhorse.project.path, stdout=printed, stderr=subprocess.STDOUT) as process,
    ):
        try:
            assert laptop_reads(port, "api/deliverables") == read(http, "api/deliverables")
            assert laptop_reads(port, "api/users/me")["id"] == "local|developer"
        finally:
            process.terminate()
            process.wait(timeout=20)


def laptop_reads(port: int, path: str) -> Any:
    """Read from the process as soon as it listens."""
    deadline = time.monotonic() + 60
    while True:
        try:
            return httpx.get(f"http://127.0.0.1:{port}/{path}", trust_env=False, timeout=30).json()
        except httpx.ConnectError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def test_destroy_refuses_production_before_it_touches_anything(sawhorse: Sawhorse) -> None:
    sawhorse("apply", "production/turbotech_portal", "--local")

    state = sawhorse.state("production/turbotech_portal")
    before = state.read_bytes()

    refusal = sawhorse("destroy", "production/turbotech_portal", "--local", code=2)

    assert state.read_bytes() == before
    for kind in ("deliverables", "metrics", "updates", "users"):
        assert f"turbotech-prod-{kind}" in refusal
    assert "Nothing was destroyed." in refusal
    url = sawhorse.json("outputs", "production/turbotech_portal", "--local")["api_endpoint"]
    hidden = [httpx.get(f"{url}/{path}", trust_env=False) for path in ("docs", "openapi.json")]
    assert [(response.status_code, response.json()["error"]["code"]) for response in hidden] == [(404, "not_found")] * 2
