"""fileshare from source to a refused call: as a function, as a process of the task role, from SQLite and back to it."""

from __future__ import annotations

import json
import random
import signal
import sqlite3
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError

from fileshare.tokens import new_token
from sawhorse.environment import read_environment
from sawhorse.local.clients import local_client
from sawhorse.local.emulators import LocalAWS
from sawhorse.operate.serve import process_of
from sawhorse.workspace import Workspace
from tests.apps.fileshare.end_to_end.support import (
    CREDENTIALS,
    FOUR,
    ROOT,
    TARGET,
    client,
    code_of,
    everything,
    exists,
    make_service,
    old_file,
    run_step,
    running_process,
    shorten,
    sign_up,
    steps_of_ours,
    stop_in_the_middle,
    those_of,
)
from tests.apps.fileshare.support import read_link, read_user
from tests.end_to_end.support import Sawhorse
from tests.projects import REPOSITORY

pytestmark = pytest.mark.end_to_end

OFFER = "Try Premium - Free for 30 days"
SWITCH = "/fileshare/dev/use_dynamodb"


@pytest.fixture(scope="module")
def sawhorse(standing: Callable[[str], Sawhorse]) -> Sawhorse:
    """dev/fileshare, applied for all tests of this file; each brings its own users and links."""
    return standing(ROOT)


@pytest.fixture(scope="module")
def outputs(sawhorse: Sawhorse) -> dict[str, Any]:
    found: dict[str, Any] = sawhorse.json("outputs", ROOT, "--local")
    return found


@pytest.fixture
def stranger(outputs: dict[str, Any]) -> Iterator[httpx.Client]:
    """A client without a token."""
    with httpx.Client(base_url=outputs["api_endpoint"], timeout=35, trust_env=False) as client:
        yield client


@pytest.fixture
def http(outputs: dict[str, Any]) -> Iterator[httpx.Client]:
    """A client with the token of a user of its own."""
    with httpx.Client(base_url=outputs["api_endpoint"], timeout=35, trust_env=False) as client:
        client.headers["Authorization"] = f"Bearer {sign_up(client)['token']}"
        yield client


def test_every_smoke_check_passes_and_leaves_nothing_behind(sawhorse: Sawhorse, outputs: dict[str, Any]) -> None:
    report = sawhorse.json("smoke", ROOT, "--local")
    assert report["passed"], report
    assert len(report["checks"]) == 14
    dynamodb = client(sawhorse, "dynamodb")
    for table, mark in (("users", "smoke-"), ("urls", "smoke.pdf")):
        items = everything(dynamodb, outputs[f"dynamodb_{table}_table"])
        assert not [item for item in items if mark in json.dumps(item)]


def test_the_seed_can_be_sown_twice(sawhorse: Sawhorse, stranger: httpx.Client) -> None:
    first = sawhorse.json("seed", ROOT, "--local")["secrets"]["token"]
    second = sawhorse.json("seed", ROOT, "--local")
    assert "User sample@example.com was there" in second["lines"][0]
    assert stranger.get("sampleFile").headers["location"] == "https://example.com/files/report.pdf"
    assert stranger.get("api/links", headers={"Authorization": f"Bearer {first}"}).status_code == 401
    links = stranger.get("api/links", headers={"Authorization": f"Bearer {second['secrets']['token']}"}).json()["links"]
    assert {link["short_code"] for link in links} == {"sampleDocs", "sampleFile"}


def test_a_new_user_is_offered_the_trial_and_it_persists_across_deployments(
    sawhorse: Sawhorse, http: httpx.Client
) -> None:
    code = shorten(http)
    before = http.get("api/trial").json()
    assert (before["message"], before["can_start_trial"]) == (OFFER, True)
    started = http.post("api/trial")
    assert started.status_code == 200
    version = sawhorse.project.lambda_path / "fileshare/version.py"
    version.write_text(version.read_text().replace("1.0.0", "9.9.9"))
    sawhorse("build", "fileshare")
    sawhorse("apply", ROOT, "--local")
    assert http.get("api/health").json()["version"] == "9.9.9"
    after = http.get("api/trial").json()
    assert after == started.json()
    assert (after["user_tier"], after["message"]) == ("trial", "Premium trial - 30 days left")
    assert http.get(code).headers["location"] == TARGET


@pytest.mark.drill(short=1)
def test_two_clicks_at_once_start_one_trial(http: httpx.Client) -> None:
    with ThreadPoolExecutor(8) as pool:
        responses = [response.status_code for response in pool.map(lambda _: http.post("api/trial"), range(8))]
    assert sorted(responses) == [200] + [409] * 7


@pytest.mark.drill(short=1)
def test_an_address_signs_up_once_even_when_it_is_sent_many_times_at_once(stranger: httpx.Client) -> None:
    email = f"{uuid.uuid4()}@example.com"
    with ThreadPoolExecutor(8) as pool:
        responses = [
            response.status_code
            for response in pool.map(lambda _: stranger.post("api/users", json={"email": email}), range(8))
        ]
    assert responses.count(201) == 1
    # Whoever met the winner in DynamoDB may be told to try again; nobody gets in twice.
    assert set(responses) <= {201, 409, 429}
    assert stranger.post("api/users", json={"email": email.upper()}).status_code == 409


@pytest.mark.drill(short=1)
def test_a_link_followed_two_hundred_times_by_twenty_clients_has_two_hundred_clicks(
    http: httpx.Client, stranger: httpx.Client
) -> None:
    code = shorten(http)
    stranger.timeout = httpx.Timeout(120)
    # Twenty environments of the function start up first, on few processors a few at a time.
    for clients in (5, 10, 15, 20):
        with ThreadPoolExecutor(clients) as pool:
            list(pool.map(lambda _: stranger.get("api/health"), range(clients)))
    with ThreadPoolExecutor(20) as pool:
        responses = list(pool.map(lambda _: stranger.get(code).status_code, range(200)))
    assert responses == [302] * 200
    assert http.get(f"api/links/{code}").json()["click_count"] == 200


def test_a_list_is_walked_page_by_page(http: httpx.Client) -> None:
    mine = {shorten(http) for _ in range(5)}
    seen: list[str] = []
    parameters = {"limit": "2"}
    while True:
        page = http.get("api/links", params=parameters).json()
        assert len(page["links"]) <= 2
        seen += [link["short_code"] for link in page["links"]]
        if page["next_cursor"] is None:
            break
        parameters["cursor"] = page["next_cursor"]
    assert sorted(seen) == sorted(mine)


@pytest.mark.parametrize("token", ["", "wrong", new_token("nobody").clear], ids=["none", "wrong", "foreign"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "api/links"),
        ("GET", "api/links"),
        ("GET", "api/links/abc"),
        ("DELETE", "api/links/abc"),
        ("GET", "api/trial"),
        ("POST", "api/trial"),
    ],
)
def test_without_the_right_token_every_protected_route_is_refused(
    stranger: httpx.Client, method: str, path: str, token: str
) -> None:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    response = stranger.request(method, path, headers=headers)
    assert (response.status_code, response.json()["error"]["code"]) == (401, "unauthorized")
    assert response.json()["error"]["request_id"] == response.headers["X-Request-ID"]


def test_another_users_token_opens_nothing_of_mine(http: httpx.Client, stranger: httpx.Client) -> None:
    user = sign_up(stranger)
    code = shorten(http)
    theirs = {"Authorization": f"Bearer {user['token']}"}
    for method in ("GET", "DELETE"):
        response = stranger.request(method, f"api/links/{code}", headers=theirs)
        assert (response.status_code, response.json()["error"]["code"]) == (403, "forbidden")
    response = stranger.get("api/trial", headers=theirs, params={"email": "somebody@example.com"})
    assert response.status_code == 403
    assert http.get(f"api/links/{code}").status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("POST", "api/links", b"{", 422, "invalid_request"),
        ("POST", "api/links", b"\xff\xfe", 422, "invalid_request"),
        ("POST", "api/links", b'{"full_url": 1}', 422, "invalid_request"),
        ("POST", "api/links", b'{"full_url": "javascript:alert(1)"}', 422, "invalid_request"),
        ("POST", "api/links", b'{"full_url": "https://a.example@b.example/"}', 422, "invalid_request"),
        ("POST", "api/links", b'{"full_url": "' + b"x" * 100_000 + b'"}', 413, "request_too_large"),
        ("POST", "api/users", b"[]", 422, "invalid_request"),
        ("POST", "api/users", b'{"email": "nonsense"}', 422, "invalid_request"),
        ("POST", "api/users", b"{" + b" " * 300_000 + b"}", 413, "request_too_large"),
        ("GET", "api/links?cursor=nonsense", None, 422, "invalid_request"),
        ("GET", "api/links?limit=0", None, 422, "invalid_request"),
        ("GET", "api/trial?email=nonsense", None, 422, "invalid_request"),
        ("GET", "api/links/unknown123", None, 404, "not_found"),
        ("DELETE", "api/links/unknown123", None, 404, "not_found"),
        ("GET", "unknown123", None, 404, "not_found"),
        ("GET", "x" * 3000, None, 404, "not_found"),
        ("GET", "a/b/c", None, 404, "not_found"),
        ("PUT", "api/links", b"{}", 405, "method_not_allowed"),
        ("POST", "unknown123", b"{}", 405, "method_not_allowed"),
    ],
    ids=lambda value: str(value)[:32],
)
def test_bad_input_gets_an_error_with_a_code_and_the_request_id(  # noqa: PLR0913, PLR0917 # a row of a table
    http: httpx.Client, method: str, path: str, body: bytes | None, status: int, code: str
) -> None:
    headers = {"X-Request-ID": "mine-1", "Content-Type": "application/json"}
    response = http.request(method, path, content=body, headers=headers)
    assert response.status_code == status, response.text
    assert response.json()["error"]["code"] == code
    assert response.json()["error"]["request_id"] == response.headers["X-Request-ID"] == "mine-1"


def test_a_link_is_followed_with_a_slash_at_its_end(http: httpx.Client, stranger: httpx.Client) -> None:
    link = http.post("api/links", json={"full_url": "https://example.com/report.pdf"}).json()

    response = stranger.get(f"{link['short_code']}/?from=mail")

    assert (response.status_code, response.headers["location"]) == (308, f"../{link['short_code']}?from=mail")
    assert response.next_request is not None
    followed = stranger.send(response.next_request)
    assert (followed.status_code, followed.headers["location"]) == (302, "https://example.com/report.pdf")
    assert http.get(f"api/links/{link['short_code']}").json()["click_count"] == 1


def test_what_an_http_api_makes_of_bytes_that_are_no_utf_8_is_refused(http: httpx.Client) -> None:
    body = '{"full_url": "https://example.com/", "filename": "caf\xe9.pdf"}'.encode("latin-1")

    responses = [http.post("api/links", content=body, headers={"Content-Type": kind}) for kind in ("text/plain", "a/b")]

    assert [(response.status_code, response.json()["error"]["code"]) for response in responses] == [
        (422, "invalid_request")
    ] * 2
    assert "caf" not in http.get("api/links?limit=100").text


@pytest.mark.parametrize("path", ["api/health", "api/links", "unknown123"])
def test_a_browser_may_call_and_is_told_so_once(stranger: httpx.Client, path: str) -> None:
    headers = {"Origin": "https://app.example.com"}
    preflight = stranger.options(path, headers={**headers, "Access-Control-Request-Method": "GET"})
    assert preflight.is_success
    # A browser refuses a response that names an origin twice, also the one to the request that follows.
    for response in (preflight, stranger.get(path, headers=headers)):
        assert response.headers.get_list("access-control-allow-origin") == ["*"]


def test_the_process_serves_the_same_users_and_links_with_the_task_roles_rights_alone(
    sawhorse: Sawhorse, http: httpx.Client, outputs: dict[str, Any]
) -> None:
    code = shorten(http)
    with running_process(sawhorse) as process:
        assert process.get("api/health").json()["database"] == "dynamodb"
        followed = process.get(code, headers={"Origin": "http://localhost:3000"})
        assert followed.headers["location"] == TARGET
        # No gateway stands in front of it, so it responds to browsers itself.
        assert followed.headers.get_list("access-control-allow-origin") == ["*"]
        process.headers["Authorization"] = http.headers["Authorization"]
        assert process.post("api/trial").status_code == 200
        assert process.delete(f"api/links/{shorten(process)}").status_code == 204
        assert process.get("api/links/x", headers={"Authorization": "Bearer wrong"}).status_code == 401
    assert http.get(f"api/links/{code}").json()["click_count"] == 1
    assert http.get("api/trial").json()["trial_active"]
    deployment = Workspace(sawhorse.project.root(ROOT), local=True).deployment()
    environment = process_of(deployment).environment
    assert {name: environment[name] for name in FOUR} == {
        "AWS_REGION": "us-east-2",
        "DYNAMODB_URLS_TABLE_NAME": outputs["dynamodb_urls_table"],
        "DYNAMODB_USERS_TABLE_NAME": outputs["dynamodb_users_table"],
        "USE_DYNAMODB": "true",
    }
    dynamodb = client(sawhorse, "dynamodb", **{name: environment[name] for name in CREDENTIALS})
    users = outputs["dynamodb_users_table"]
    assert "Item" not in dynamodb.get_item(TableName=users, Key={"user_id": {"S": "absent"}})
    for call, request in (
        ("scan", {}),
        ("delete_item", {"Key": {"user_id": {"S": "absent"}}}),
        ("describe_table", {}),
        ("delete_table", {}),
    ):
        with pytest.raises(ClientError, match="AccessDenied"):
            getattr(dynamodb, call)(TableName=users, **request)
    with pytest.raises(ClientError, match="AccessDenied"):
        client(sawhorse, "ssm", **{name: environment[name] for name in CREDENTIALS}).get_parameter(Name=SWITCH)


def test_the_switch_leads_back_to_sqlite_and_no_plan_turns_it(sawhorse: Sawhorse, http: httpx.Client) -> None:
    ssm = client(sawhorse, "ssm")
    code = shorten(http)
    ssm.put_parameter(Name=SWITCH, Value="false", Overwrite=True)
    try:
        assert sawhorse.json("run", ROOT, "service-environment", "--local")["USE_DYNAMODB"] == "false"
        with running_process(sawhorse) as process:
            assert process.get("api/health").json()["database"] == "sqlite"
            assert process.get(code).status_code == 404
            process.headers["Authorization"] = f"Bearer {sign_up(process)['token']}"
            assert process.get(shorten(process)).headers["location"] == TARGET
            assert process.get("api/trial").json()["message"] == OFFER
        assert "No changes." in sawhorse("plan", ROOT, "--local", "--exit-code")
        sawhorse("apply", ROOT, "--local")
        assert ssm.get_parameter(Name=SWITCH)["Parameter"]["Value"] == "false"
    finally:
        ssm.put_parameter(Name=SWITCH, Value="true", Overwrite=True)
    with running_process(sawhorse) as process:
        assert process.get("api/health").json()["database"] == "dynamodb"
        assert process.get(code).headers["location"] == TARGET


def test_a_switch_that_says_neither_stops_a_deployment(sawhorse: Sawhorse) -> None:
    ssm = client(sawhorse, "ssm")
    ssm.put_parameter(Name=SWITCH, Value="maybe", Overwrite=True)
    try:
        output = sawhorse("run", ROOT, "service-environment", "--local", code=2)
    finally:
        ssm.put_parameter(Name=SWITCH, Value="true", Overwrite=True)
    assert "use_dynamodb is 'maybe'; set it to true or false" in output


def test_the_workflow_deploys_the_service_with_the_variables_of_the_parameters(sawhorse: Sawhorse) -> None:
    """Its own steps, run as they stand, against the local AWS; ECS is moto's."""
    local = LocalAWS(sawhorse.project).required()
    facts = read_environment(sawhorse.project, "dev").of_app("fileshare")
    aws = {**local.environment(facts.account_id, facts.region), "AWS_ENDPOINT_URL_ECS": local.moto.url}
    ecs = local_client("ecs", aws)
    before = make_service(ecs)
    (sawhorse.project.path / ".venv").symlink_to(REPOSITORY / ".venv")
    words = {
        "inputs.environment": "dev",
        "inputs.image": "",
        "vars.FILESHARE_CLUSTER": "sharing",
        "vars.FILESHARE_SERVICE": "flask-app",
        "vars.FILESHARE_CONTAINER": "flask-app",
    }
    printed = "".join(run_step(step, words, aws, sawhorse.project.path) for step in steps_of_ours())
    assert "USE_DYNAMODB=true" in printed
    (service,) = ecs.describe_services(cluster="sharing", services=["flask-app"])["services"]
    assert service["taskDefinition"] != before
    definition = ecs.describe_task_definition(taskDefinition=service["taskDefinition"])["taskDefinition"]
    app, proxy = definition["containerDefinitions"]
    assert {pair["name"]: pair["value"] for pair in app["environment"]} == {
        "AWS_REGION": "us-east-2",
        "DYNAMODB_URLS_TABLE_NAME": "file-sharing-app-dev-urls",
        "DYNAMODB_USERS_TABLE_NAME": "file-sharing-app-dev-users",
        "FLASK_ENV": "production",
        "USE_DYNAMODB": "true",
    }
    assert app["image"] == "fileshare:1"
    assert proxy["environment"] == [{"name": "PORT", "value": "80"}]


@pytest.mark.drill(short=1)
def test_a_migration_that_is_killed_and_interrupted_arrives_whole_and_never_writes_over_newer_clicks(
    sawhorse: Sawhorse, outputs: dict[str, Any], stranger: httpx.Client, tmp_path: Path, moments: random.Random
) -> None:
    path = tmp_path / "fileshare.sqlite3"
    users, links = old_file(path, users=200, links=1500)
    dynamodb, urls = client(sawhorse, "dynamodb"), outputs["dynamodb_urls_table"]
    assert stop_in_the_middle(sawhorse, path, signal.SIGKILL, moments.randint(1, 1200)) == -signal.SIGKILL
    copied = [link for link in links if exists(dynamodb, urls, link)]
    assert 0 < len(copied) < len(links)
    clicked, deleted = copied[0], copied[1]
    for _ in range(3):
        assert stranger.get(clicked.short_code).headers["location"] == clicked.full_url
    dynamodb.delete_item(TableName=urls, Key={"short_code": {"S": deleted.short_code}})
    assert stop_in_the_middle(sawhorse, path, signal.SIGINT, moments.randint(1, 1200)) == 130
    report = sawhorse.json("run", ROOT, "migrate", "--from", str(path), "--local")
    assert report["passed"], report
    assert report["counts"]["users"]["verified"] == 200
    assert report["counts"]["urls"]["verified"] == 1499
    assert report["counts"]["urls"]["deleted_since"] == 1
    assert sorted(map(read_link, those_of(dynamodb, urls, links)), key=code_of) == sorted(
        [
            replace(link, click_count=link.click_count + 3) if link == clicked else link
            for link in links
            if link != deleted
        ],
        key=code_of,
    )
    stored = [
        read_user(item)
        for item in everything(dynamodb, outputs["dynamodb_users_table"])
        if item["user_id"]["S"] in {user.user_id for user in users}
    ]
    assert sorted(stored, key=lambda user: user.user_id) == sorted(users, key=lambda user: user.user_id)
    token = sawhorse("run", ROOT, "user-token", users[0].email, "--local").split()[-1]
    trial = stranger.get("api/trial", headers={"Authorization": f"Bearer {token}"}).json()
    assert (trial["email"], trial["trial_used"]) == (users[0].email, True)
    assert stranger.post("api/users", json={"email": users[1].email}).status_code == 409


def test_a_migration_that_cannot_copy_a_row_names_it_and_ends_with_exit_code_1(
    sawhorse: Sawhorse, tmp_path: Path
) -> None:
    path = tmp_path / "fileshare.sqlite3"
    users, links = old_file(path, users=2, links=2)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "UPDATE urls SET full_url = 'javascript:alert(1)' WHERE short_code = ?", [links[0].short_code]
        )
        connection.execute("UPDATE users SET email = 'Ada@Example.com' WHERE user_id = ?", [users[0].user_id])
    output = sawhorse("run", ROOT, "migrate", "--from", str(path), "--local", code=1)
    assert f"urls {links[0].short_code}: full_url must begin with http:// or https://." in output
    assert f"users {users[0].user_id}: email must stand in lower case" in output
    assert "2 rows are not as they should be in DynamoDB." in output
    assert "urls: 2 rows: 1 refused, 1 copied, 1 verified." in output
    refused = sawhorse("run", ROOT, "migrate", "--from", str(tmp_path / "absent"), "--local", code=2)
    assert "does not exist; name the SQLite file to copy from." in refused


def test_what_only_fileshare_has_is_refused_for_other_apps(sawhorse: Sawhorse) -> None:
    output = sawhorse("run", "dev/triggers_api", "migrate", "--from", "x.sqlite3", "--local", code=2)
    assert "No such command 'migrate'." in output
