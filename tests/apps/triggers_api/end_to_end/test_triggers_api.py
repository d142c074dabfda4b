"""triggers_api from source to a refused call: real packages, real Terraform, a local AWS that enforces IAM."""

from __future__ import annotations

import json
import shlex
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError

from sawhorse.local.clients import local_client
from sawhorse.project import Project
from tests.apps.every.end_to_end.logs_support import everything_logged, logged_with
from tests.children import started
from tests.end_to_end.support import Sawhorse, applied, leftovers, without_aws
from tests.grants import all_grants, taken_away
from tests.unit.support import recorded_event

pytestmark = pytest.mark.end_to_end

TOO_LARGE = b'{"source":"s","event_type":"t","payload":{"x":"' + b"x" * 409_600 + b'"}}'
EVENT = {"source": "test", "event_type": "test.created", "payload": {"order": ["b", "a"], "ratio": 0.1}}


@pytest.fixture(scope="module")
def sawhorse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sawhorse]:
    """dev/triggers_api, applied for all tests of this file; each brings its own events."""
    with applied(tmp_path_factory.mktemp("triggers-api"), "dev/triggers_api") as command:
        yield command


@pytest.fixture(scope="module")
def outputs(sawhorse: Sawhorse) -> dict[str, Any]:
    found: dict[str, Any] = sawhorse.json("outputs", "dev/triggers_api", "--local")
    return found


@pytest.fixture(scope="module")
def key(sawhorse: Sawhorse) -> str:
    return str(sawhorse.json("seed", "dev/triggers_api", "--local")["secrets"]["api_key"])


@pytest.fixture
def http(outputs: dict[str, Any], key: str) -> Iterator[httpx.Client]:
    """A client with a valid key."""
    with httpx.Client(
        base_url=outputs["api_endpoint"], headers={"X-API-Key": key}, timeout=120, trust_env=False
    ) as client:
        yield client


@pytest.fixture
def stranger(outputs: dict[str, Any]) -> Iterator[httpx.Client]:
    """A client without a key."""
    with httpx.Client(base_url=outputs["api_endpoint"], timeout=120, trust_env=False) as client:
        yield client


def create(http: httpx.Client, **headers: str) -> dict[str, Any]:
    response = http.post("v1/events", json=EVENT, headers=headers)
    assert response.status_code == 201, response.text
    event: dict[str, Any] = response.json()
    return event


def inbox(http: httpx.Client, limit: int = 100) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = []
    cursor = None
    while True:
        page = http.get("v1/inbox", params={"limit": limit, **({"cursor": cursor} if cursor else {})}).json()
        events += page["events"]
        cursor = page["next_cursor"]
        if not cursor:
            return events


def test_every_smoke_check_passes_and_can_be_read_by_a_machine(sawhorse: Sawhorse) -> None:
    report = sawhorse.json("smoke", "dev/triggers_api", "--local")
    assert report["passed"]
    assert len(report["checks"]) == 10


def test_a_smoke_check_that_fails_is_named_and_ends_with_exit_code_1(sawhorse: Sawhorse) -> None:
    iam = sawhorse.client("iam", "dev")
    role = "triggers-api-dev"
    (name,) = iam.list_role_policies(RoleName=role)["PolicyNames"]
    document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    widened = {"Effect": "Allow", "Action": ["dynamodb:Scan"], "Resource": ["*"]}
    iam.put_role_policy(
        RoleName=role,
        PolicyName=name,
        PolicyDocument=as_json({**document, "Statement": [*document["Statement"], widened]}),
    )
    try:
        output = sawhorse("smoke", "dev/triggers_api", "--local", code=1)
    finally:
        iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=as_json(document))
    assert "the role may not scan the table: IAM says that the role may scan the table." in output


def test_a_grant_that_is_lost_turns_smoke_red(sawhorse: Sawhorse) -> None:
    """All grants of all apps are taken away by test_smoke_notices.py, in `make drill`."""
    iam = sawhorse.client("iam", "dev")
    (lost,) = [one for one in all_grants(iam) if one.action == "dynamodb:Query" and "/index/" in one.resource]
    with taken_away(iam, lost):
        output = sawhorse("smoke", "dev/triggers_api", "--local", code=1)
    assert "the event is in the inbox: GET" in output


def test_an_event_goes_through_its_life(http: httpx.Client) -> None:
    event = create(http)
    listed = next(item for item in inbox(http) if item["event_id"] == event["event_id"])
    assert listed["payload"] == EVENT["payload"]
    assert listed["status"] == event["status"] == "pending"
    first = http.post(f"v1/events/{event['event_id']}/ack")
    second = http.post(f"v1/events/{event['event_id']}/ack")
    assert (first.status_code, second.status_code) == (200, 200)
    assert second.json() == first.json()
    assert event["event_id"] not in [item["event_id"] for item in inbox(http)]
    assert http.delete(f"v1/events/{event['event_id']}").status_code == 204
    gone = http.delete(f"v1/events/{event['event_id']}")
    assert (gone.status_code, gone.json()["error"]["code"]) == (404, "not_found")


def test_the_inbox_is_oldest_first_and_its_cursor_survives_new_events(http: httpx.Client) -> None:
    mine = [create(http)["event_id"] for _ in range(5)]
    page = http.get("v1/inbox", params={"limit": 2}).json()
    create(http)
    seen = [item["event_id"] for item in page["events"]]
    while page["next_cursor"]:
        page = http.get("v1/inbox", params={"limit": 2, "cursor": page["next_cursor"]}).json()
        seen += [item["event_id"] for item in page["events"]]
    assert [event_id for event_id in seen if event_id in mine] == mine
    assert len(seen) == len(set(seen))


@pytest.mark.drill(short=1)
def test_twenty_retries_at_once_with_one_idempotency_key_make_one_event(http: httpx.Client) -> None:
    idempotency_key = str(uuid.uuid4())
    with ThreadPoolExecutor(20) as pool:
        responses = list(
            pool.map(
                lambda _: http.post("v1/events", json=EVENT, headers={"Idempotency-Key": idempotency_key}), range(20)
            )
        )
    created = [response for response in responses if response.status_code == 201]
    # A call that met another one in DynamoDB may be told to try again; none may make a second event.
    assert {response.status_code for response in responses} <= {201, 429}
    assert created
    assert len({response.json()["event_id"] for response in created}) == 1
    (event_id,) = {response.json()["event_id"] for response in created}
    assert [item["event_id"] for item in inbox(http)].count(event_id) == 1


@pytest.mark.parametrize("headers", [{}, {"X-API-Key": "wrong"}, {"X-API-Key": ""}], ids=["none", "wrong", "empty"])
@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "v1/inbox"), ("POST", "v1/events"), ("POST", "v1/events/x/ack"), ("DELETE", "v1/events/x")],
)
def test_without_a_valid_key_every_route_is_refused(
    stranger: httpx.Client, method: str, path: str, headers: dict[str, str]
) -> None:
    response = stranger.request(method, path, headers=headers)
    assert response.status_code == 401
    assert response.json()["error"]["code"] == "unauthorized"
    assert response.json()["error"]["request_id"] == response.headers["X-Request-ID"]


def test_health_and_the_api_pages_need_no_key(stranger: httpx.Client) -> None:
    assert stranger.get("v1/health").json()["status"] == "ok"
    assert stranger.get("docs").headers["content-type"].startswith("text/html")
    document = stranger.get("openapi.json").json()
    assert set(document["paths"]) == {
        "/v1/health",
        "/v1/events",
        "/v1/inbox",
        "/v1/events/{event_id}/ack",
        "/v1/events/{event_id}",
    }


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("POST", "v1/events", b"{", 422, "invalid_request"),
        ("POST", "v1/events", b'{"source": 1}', 422, "invalid_request"),
        ("POST", "v1/events", b"\xff\xfe", 422, "invalid_request"),
        (
            "POST",
            "v1/events",
            TOO_LARGE,
            413,
            "event_too_large",
        ),
        ("GET", "v1/inbox?cursor=nonsense", None, 422, "invalid_request"),
        ("GET", "v1/inbox?limit=0", None, 422, "invalid_request"),
        ("POST", "v1/events/unknown/ack", None, 404, "not_found"),
        ("DELETE", "v1/events/unknown", None, 404, "not_found"),
        ("PUT", "v1/events", b"{}", 405, "method_not_allowed"),
        ("GET", "v2/anything", None, 404, "not_found"),
    ],
    ids=str,
)
def test_bad_input_gets_an_error_with_a_code_and_the_request_id(  # noqa: PLR0913, PLR0917 # a row of a table
    http: httpx.Client, method: str, path: str, body: bytes | None, status: int, code: str
) -> None:
    response = http.request(
        method, path, content=body, headers={"X-Request-ID": "mine-1", "Content-Type": "application/json"}
    )
    assert response.status_code == status, response.text
    assert response.json()["error"]["code"] == code
    assert response.json()["error"]["request_id"] == response.headers["X-Request-ID"] == "mine-1"


@pytest.mark.parametrize("kind", ["application/json", "text/plain; charset=iso-8859-1", None])
def test_bytes_that_are_no_utf_8_are_refused_and_nothing_is_stored(http: httpx.Client, kind: str | None) -> None:
    before = inbox(http)
    body = json.dumps({**EVENT, "source": "caf\xe9"}, ensure_ascii=False).encode("latin-1")

    response = http.post("v1/events", content=body, headers={} if kind is None else {"Content-Type": kind})

    assert (response.status_code, response.json()["error"]["code"]) == (422, "invalid_request"), response.text
    assert "not UTF-8" in response.json()["error"]["message"]
    assert inbox(http) == before


def test_a_slash_at_the_end_leads_to_the_path_without_it(http: httpx.Client) -> None:
    response = http.post("v1/events/", json=EVENT)

    assert (response.status_code, response.headers["location"]) == (308, "../events")
    assert response.headers["cache-control"] == "no-store"
    assert http.post("v1/events/", json=EVENT, follow_redirects=True).status_code == 201


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({}, {"statusCode": 204}),
        ({"source": "warm-up"}, {"statusCode": 204}),
        ([], {"statusCode": 422}),
        (
            {"Records": [{"eventSource": "aws:sqs", "messageId": "m-1", "body": "{}"}]},
            {"batchItemFailures": [{"itemIdentifier": "m-1"}]},
        ),
    ],
    ids=str,
)
def test_an_event_that_is_not_a_request_is_not_an_error(
    sawhorse: Sawhorse, outputs: dict[str, Any], event: object, expected: dict[str, Any]
) -> None:
    response = sawhorse.client("lambda", "dev").invoke(
        FunctionName=outputs["lambda_function_name"], Qualifier="live", Payload=json.dumps(event)
    )

    assert "FunctionError" not in response
    assert expected.items() <= json.load(response["Payload"]).items()


@pytest.mark.parametrize("path", ["v1/events", "v1/inbox", "v1/events/x/ack"])
def test_a_preflight_gets_the_cors_headers(stranger: httpx.Client, path: str) -> None:
    response = stranger.options(
        path,
        headers={
            "Origin": "https://shop.example.com",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "x-api-key, x-request-id, content-type",
        },
    )
    assert response.is_success
    assert response.headers["access-control-allow-origin"] == "*"
    assert response.headers["access-control-max-age"] == "3600"
    allowed = {name.strip().lower() for name in response.headers["access-control-allow-headers"].split(",")}
    assert {"content-type", "x-api-key", "x-request-id"} <= allowed


def test_a_request_is_found_in_the_log_by_its_id_and_its_key_is_not(
    sawhorse: Sawhorse, outputs: dict[str, Any], http: httpx.Client, key: str
) -> None:
    request_id = str(uuid.uuid4())
    assert http.get("v1/inbox", headers={"X-Request-ID": request_id}).status_code == 200
    text = logged_with(lambda: everything_logged(sawhorse, "dev/triggers_api", outputs["log_group"]), request_id)
    lines = [line for line in text.splitlines() if request_id in line]
    assert any('"path":"/v1/inbox"' in line for line in lines), lines
    assert key not in text


def test_the_roles_own_credentials_cannot_scan_but_can_put(sawhorse: Sawhorse, outputs: dict[str, Any]) -> None:
    dynamodb = local_client("dynamodb", sawhorse.json("local", "credentials", "dev/triggers_api"))
    events, keys = outputs["dynamodb_events_table"], outputs["dynamodb_keys_table"]
    with pytest.raises(ClientError, match="AccessDenied"):
        dynamodb.scan(TableName=events)
    with pytest.raises(ClientError, match="AccessDenied"):
        dynamodb.scan(TableName=keys)
    with pytest.raises(ClientError, match="AccessDenied"):
        dynamodb.put_item(TableName=keys, Item={"api_key": {"S": "mine"}})
    with pytest.raises(ClientError, match="AccessDenied"):
        dynamodb.delete_table(TableName=events)
    absent = {"event_id": {"S": "absent"}, "created_at": {"S": "2026"}}
    assert "Item" not in dynamodb.get_item(TableName=events, Key=absent)


def test_an_apply_prints_addresses_that_can_be_called_here(sawhorse: Sawhorse, outputs: dict[str, Any]) -> None:
    printed = sawhorse("apply", "dev/triggers_api", "--local")

    after = printed.partition("these are called at other addresses than Terraform's:\n")[2]
    assert after.splitlines()[0] == f"api_endpoint = {outputs['api_endpoint']}"
    assert httpx.get(f"{outputs['api_endpoint']}/v1/health", trust_env=False, timeout=60).status_code == 200


def test_what_shells_hold_does_not_keep_a_local_run_from_the_local_aws(sawhorse: Sawhorse) -> None:
    elsewhere = {
        "AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:1",
        "AWS_PROFILE": "nobody",
        "AWS_ROLE_ARN": "arn:aws:iam::999999999999:role/nobody",
        "AWS_USE_FIPS_ENDPOINT": "true",
        "AWS_WEB_IDENTITY_TOKEN_FILE": "/nowhere",
        "TF_AWS_STS_ENDPOINT": "http://127.0.0.1:1",
        "TF_CLI_ARGS_plan": "-destroy",
        "TF_DATA_DIR": "/nowhere",
        "TF_REATTACH_PROVIDERS": '{"registry.terraform.io/hashicorp/aws": {}}',
        "TF_WORKSPACE": "nowhere",
    }

    assert "No changes." in sawhorse("plan", "dev/triggers_api", "--local", "--exit-code", variables=elsewhere)


def test_a_fresh_shell_acts_as_the_role_with_the_exports_alone(sawhorse: Sawhorse, outputs: dict[str, Any]) -> None:
    scan = f"import boto3; boto3.client('dynamodb').scan(TableName='{outputs['dynamodb_events_table']}')"
    script = shlex.join([sys.executable, "-c", scan])
    ended = sawhorse.in_a_fresh_shell("credentials", "dev/triggers_api", script=script)
    assert "assumed-role/triggers-api-dev/" in ended.stderr, ended
    assert "is not authorized to perform: dynamodb:Scan" in ended.stderr


def test_a_code_change_is_applied_and_live(sawhorse: Sawhorse, stranger: httpx.Client) -> None:
    before = stranger.get("v1/health").json()["version"]
    version = sawhorse.project.lambda_path / "triggers_api/version.py"
    version.write_text(version.read_text().replace(before, "9.9.9"))
    sawhorse("build", "triggers_api")
    output = sawhorse("apply", "dev/triggers_api", "--local")
    # What was published is live once its checks passed, so the apply itself leaves the alias alone.
    assert "0 added, 1 changed, 0 destroyed" in output
    assert stranger.get("v1/health").json()["version"] == "9.9.9"


def test_what_a_custom_domain_puts_before_a_path_is_said_in_the_root(sawhorse: Sawhorse) -> None:
    main = sawhorse.project.path / "environments/dev/triggers_api/main.tf"
    text = main.read_text()
    main.write_text(text.replace("  memory_size = 512\n", '  memory_size = 512\n  base_path = "/shop"\n'))
    event = recorded_event("apigateway_rest_proxy") | {"httpMethod": "GET", "path": "/shop/v1/health"}

    def status(domain: str) -> int:
        event["requestContext"]["domainName"] = domain
        response = sawhorse.client("lambda", "dev").invoke(
            FunctionName="triggers-api-dev", Qualifier="live", Payload=json.dumps(event)
        )
        return int(json.load(response["Payload"])["statusCode"])

    try:
        sawhorse("apply", "dev/triggers_api", "--local")
        assert status("api.example.com") == 200
        assert status("a1b2c3d4e5.execute-api.us-east-1.amazonaws.com") == 404
    finally:
        main.write_text(text)
        sawhorse("apply", "dev/triggers_api", "--local")


def test_a_variable_for_an_incident_holds_until_it_is_left_out(sawhorse: Sawhorse) -> None:
    function = {"FunctionName": "triggers-api-dev"}
    awslambda = sawhorse.client("lambda", "dev")
    sawhorse("apply", "dev/triggers_api", "--local", "--var", "lambda_reserved_concurrency=7")
    assert awslambda.get_function_concurrency(**function)["ReservedConcurrentExecutions"] == 7
    sawhorse("apply", "dev/triggers_api", "--local")
    assert "ReservedConcurrentExecutions" not in awslambda.get_function_concurrency(**function)


@pytest.mark.drill(short=1)
def test_an_interrupted_apply_is_completed_by_the_next_and_a_destroy_without_packages_leaves_nothing(
    sawhorse: Sawhorse, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "sawhorse.cli.main", "apply", "staging/triggers_api", "--local"]
    before = questions_for_function(sawhorse, "triggers-api-staging")
    with (
        (tmp_path / "printed").open("w+") as printed,
        started(
            command,
            cwd=sawhorse.project.path,
            env={**without_aws(), "SAWHORSE_PROJECT": str(sawhorse.project.path)},
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        # Once AWS has the function, Terraform only waits for it: an interrupt in the middle of a call would orphan it.
        wait_for_function(sawhorse, "triggers-api-staging", before)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 130
        rest = (tmp_path / "printed").read_text()
    assert "terraform apply was stopped in " in rest
    assert "The state was read after it: it was saved, and has " in rest
    assert "Traceback" not in rest
    sawhorse("apply", "staging/triggers_api", "--local")
    assert "No changes." in sawhorse("plan", "staging/triggers_api", "--local", "--exit-code")
    with without_packages(sawhorse.project):
        outputs = sawhorse.json("outputs", "staging/triggers_api", "--local")
        assert outputs["lambda_function_name"] == "triggers-api-staging"
        sawhorse("destroy", "staging/triggers_api", "--local")
    left = leftovers(sawhorse, "staging/triggers_api")
    assert left == {name: [] for name in left}


def test_destroy_refuses_production_before_it_touches_anything(
    sawhorse: Sawhorse,
) -> None:
    sawhorse("apply", "production/triggers_api", "--local")
    refusal = sawhorse("destroy", "production/triggers_api", "--local", code=2)
    assert "triggers-api-events-prod" in refusal
    assert "Nothing was destroyed." in refusal
    assert "No changes." in sawhorse("plan", "production/triggers_api", "--local", "--exit-code")
    with pytest.raises(ClientError, match="protect"):
        sawhorse.client("dynamodb", "production").delete_table(TableName="triggers-api-events-prod")


@contextmanager
def without_packages(project: Project) -> Iterator[None]:
    """Take away what was built, as in an operator's fresh clone, and put it back."""
    dist, aside = project.path / "dist", project.path / "dist-aside"
    dist.rename(aside)
    shutil.rmtree(project.local / "project")
    try:
        yield
    finally:
        aside.rename(dist)


def questions_for_function(sawhorse: Sawhorse, name: str) -> set[str]:
    """Return the ids of the calls that asked for a function so far."""
    cloudtrail = sawhorse.client("cloudtrail", "staging")
    asked = [{"AttributeKey": "EventName", "AttributeValue": "GetFunction"}]
    events = cloudtrail.lookup_events(LookupAttributes=asked)["Events"]
    return {event["EventId"] for event in events if name in json.dumps(event, default=str)}


def wait_for_function(sawhorse: Sawhorse, name: str, before: set[str]) -> None:
    """Wait until Terraform has made a function and asks whether it is active, which it does for some seconds."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if questions_for_function(sawhorse, name) - before:
            return
        time.sleep(0.1)
    pytest.fail(f"{name} was not created")


def as_json(value: Any) -> str:
    return json.dumps(value)
