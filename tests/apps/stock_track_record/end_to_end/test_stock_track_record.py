"""stock_track_record from source to a dead letter that is sent back: real packages, real Terraform, IAM enforced."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError

from sawhorse.local.clients import local_client
from tests.end_to_end.support import Sawhorse

pytestmark = pytest.mark.end_to_end

ROOT = "dev/stock_track_record"
WORKER = "stock-track-record-worker-dev"
UNKNOWN = "7f3d9f0e-5c1b-4c7e-9d53-0a4a1f4c2b11"
PICK = {"ticker": "ACME", "direction": "long", "date": "2025-01-02", "price": 10}


@pytest.fixture(scope="module")
def sawhorse(standing: Callable[[str], Sawhorse]) -> Sawhorse:
    """dev/stock_track_record, applied for all tests of this file; each brings its own channels."""
    return standing(ROOT)


@pytest.fixture(scope="module")
def outputs(sawhorse: Sawhorse) -> dict[str, Any]:
    found: dict[str, Any] = sawhorse.json("outputs", ROOT, "--local")
    return found


@pytest.fixture
def http(outputs: dict[str, Any]) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=outputs["api_endpoint"], timeout=30, trust_env=False) as client:
        yield client


@pytest.fixture
def sqs(sawhorse: Sawhorse) -> Any:
    return sawhorse.client("sqs", "dev")


@pytest.fixture
def dynamodb(sawhorse: Sawhorse) -> Any:
    return sawhorse.client("dynamodb", "dev")


@pytest.fixture
def worker_rests(sawhorse: Sawhorse) -> Iterator[Callable[[], None]]:
    """Keep the worker from the queue, so that what is sent waits for it as one batch, until the test lets it work."""
    awslambda = sawhorse.client("lambda", "dev")
    (mapping,) = awslambda.list_event_source_mappings(FunctionName=f"{WORKER}:live")["EventSourceMappings"]
    awslambda.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    # A poll that has begun ends within a second.
    time.sleep(1.5)

    def work() -> None:
        awslambda.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)

    yield work
    work()


def eventually(look: Callable[[], Any], *, seconds: float = 60) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.2)
    return found


def channel_with_a_pick(http: httpx.Client, name: str = "Sample channel") -> str:
    created = http.post("api/channels", json={"name": name})
    assert created.status_code == 201, created.text
    channel_id = str(created.json()["channel_id"])
    prices = [{"date": "2025-01-02", "price": 10}, {"date": "2025-01-31", "price": 12.5}]
    assert http.put("api/stocks/ACME", json={"name": "Acme", "prices": prices}).status_code == 200
    added = http.post(f"api/channels/{channel_id}/picks", json={"picks": [PICK]})
    assert added.status_code == 201, added.text
    return channel_id


def process(http: httpx.Client, channel_id: str) -> dict[str, Any]:
    response = http.post(f"api/channels/{channel_id}/process")
    assert response.status_code == 202, response.text
    job: dict[str, Any] = response.json()
    assert job["state"] == "queued"
    return job


def state_of(http: httpx.Client, job: dict[str, Any]) -> str:
    return str(http.get(f"api/jobs/{job['job_id']}").json()["state"])


def counts(sqs: Any, url: str) -> tuple[int, int]:
    """How many messages wait in a queue, and how many are being worked on."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return int(attributes[names[0]]), int(attributes[names[1]])


def everything(dynamodb: Any, table: str) -> list[str]:
    items: list[Any] = []
    for page in dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
        items += page["Items"]
    return sorted(json.dumps(item, sort_keys=True) for item in items)


def message_of(job: dict[str, Any]) -> str:
    return json.dumps({"channel_id": job["channel_id"], "job_id": job["job_id"]})


def test_every_smoke_check_passes_and_leaves_nothing(
    sawhorse: Sawhorse, outputs: dict[str, Any], dynamodb: Any, sqs: Any
) -> None:
    before = everything(dynamodb, outputs["dynamodb_records_table"])
    report = sawhorse.json("smoke", ROOT, "--local")

    assert report["passed"], report
    assert len(report["checks"]) == 11
    assert everything(dynamodb, outputs["dynamodb_records_table"]) == before
    assert not [item for item in everything(dynamodb, outputs["dynamodb_stocks_table"]) if "SMOKE" in item]
    assert counts(sqs, outputs["sqs_queue_url"]) == counts(sqs, outputs["sqs_dead_letter_queue_url"]) == (0, 0)


def test_a_second_seed_changes_nothing(
    sawhorse: Sawhorse, outputs: dict[str, Any], http: httpx.Client, dynamodb: Any
) -> None:
    sawhorse("seed", ROOT, "--local")
    listed = http.get("api/channels").json()["channels"]
    samples = [channel["channel_id"] for channel in listed if channel["description"] == "Made by the seed."]
    assert len(samples) == 2
    paths = [f"api/channels/{channel_id}/track-record" for channel_id in samples]
    eventually(lambda: [http.get(path).status_code for path in paths] == [200, 200])
    tables = (outputs["dynamodb_records_table"], outputs["dynamodb_stocks_table"])
    before = [everything(dynamodb, table) for table in tables]

    sawhorse("seed", ROOT, "--local")

    assert [everything(dynamodb, table) for table in tables] == before


def test_five_messages_and_one_that_cannot_be_processed_in_a_batch_and_what_becomes_of_them(  # noqa: PLR0913, PLR0917 # it uses all
    sawhorse: Sawhorse,
    outputs: dict[str, Any],
    http: httpx.Client,
    dynamodb: Any,
    sqs: Any,
    worker_rests: Callable[[], None],
) -> None:
    queue, dead_letters = outputs["sqs_queue_url"], outputs["sqs_dead_letter_queue_url"]
    table = outputs["dynamodb_records_table"]
    good = [process(http, channel_with_a_pick(http, f"Good {number}")) for number in range(5)]
    unprocessable = process(http, channel_with_a_pick(http, "Gone"))
    gone = {"pk": {"S": f"CHANNEL#{unprocessable['channel_id']}"}, "sk": {"S": "CHANNEL"}}
    channel = dynamodb.delete_item(TableName=table, Key=gone, ReturnValues="ALL_OLD")["Attributes"]
    assert counts(sqs, queue) == (6, 0)

    worker_rests()

    # The records have the five, and the dead-letter queue has the one.
    eventually(lambda: [state_of(http, job) for job in good] == ["done"] * 5)
    eventually(lambda: counts(sqs, dead_letters) == (1, 0))
    assert counts(sqs, queue) == (0, 0)
    assert state_of(http, unprocessable) == "failed"
    for job in good:
        record = http.get(f"api/channels/{job['channel_id']}/track-record").json()
        assert (record["job_id"], record["count"], record["mean_return"]) == (job["job_id"], 1, 0.25)
    before = everything(dynamodb, table)

    # The same five again change nothing.
    entries = [{"Id": str(number), "MessageBody": message_of(job)} for number, job in enumerate(good)]
    assert len(sqs.send_message_batch(QueueUrl=queue, Entries=entries)["Successful"]) == 5
    eventually(lambda: counts(sqs, queue) == (0, 0))
    assert everything(dynamodb, table) == before
    assert counts(sqs, dead_letters) == (1, 0)

    # Sent back before anything was fixed, the message ends where it was, and is left there.
    sawhorse("redrive", ROOT, "--local")
    eventually(lambda: counts(sqs, dead_letters) == (1, 0) and counts(sqs, queue) == (0, 0))
    assert state_of(http, unprocessable) == "failed"

    # Sent back after it was fixed, it is worked on.
    dynamodb.put_item(TableName=table, Item=channel)
    report = sawhorse.json("redrive", ROOT, "--local", "--queue", "stock-track-record-jobs-dev")
    (told,) = report["queues"]
    assert (told["sent_back"], told["duplicated"], told["left"]) == (1, 0, 0)
    eventually(lambda: state_of(http, unprocessable) == "done")
    assert http.get(f"api/channels/{unprocessable['channel_id']}/track-record").json()["count"] == 1
    assert "empty, so nothing was sent back." in sawhorse("redrive", ROOT, "--local")


def test_a_message_with_more_members_is_worked_on_and_one_of_another_version_is_a_dead_letter(
    outputs: dict[str, Any], http: httpx.Client, sqs: Any, worker_rests: Callable[[], None]
) -> None:
    queue, dead_letters = outputs["sqs_queue_url"], outputs["sqs_dead_letter_queue_url"]
    traced, newer = (process(http, channel_with_a_pick(http, name)) for name in ("Traced", "Newer"))
    for _ in range(2):
        (message,) = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=1)["Messages"]
        sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    more = json.loads(message_of(traced)) | {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
    other = json.dumps(json.loads(message_of(newer)) | {"version": 2})
    for body in (json.dumps(more), other):
        sqs.send_message(QueueUrl=queue, MessageBody=body)

    worker_rests()

    eventually(lambda: state_of(http, traced) == "done")
    eventually(lambda: counts(sqs, dead_letters) == (1, 0))
    assert state_of(http, newer) == "queued"
    (letter,) = sqs.receive_message(QueueUrl=dead_letters)["Messages"]
    assert letter["Body"] == other
    sqs.delete_message(QueueUrl=dead_letters, ReceiptHandle=letter["ReceiptHandle"])


def test_redrive_knows_the_queues_of_a_root(sawhorse: Sawhorse) -> None:
    refusal = sawhorse("redrive", ROOT, "--local", "--queue", "other", code=2)

    assert "has no queue other; choose stock-track-record-jobs-dev." in refusal


def test_the_functions_have_the_environment_that_was_promised_and_no_network(sawhorse: Sawhorse) -> None:
    awslambda = sawhorse.client("lambda", "dev")
    api = awslambda.get_function_configuration(FunctionName="stock-track-record-dev", Qualifier="live")
    worker = awslambda.get_function_configuration(FunctionName=WORKER, Qualifier="live")
    both = {"DYNAMODB_REGION": "us-east-1", "DYNAMODB_TABLE_PREFIX": "StockTrackRecord-dev", "IS_LAMBDA": "true"}
    for function in (api, worker):
        variables = function["Environment"]["Variables"]
        assert both.items() <= variables.items()
        assert variables["SQS_QUEUE_URL"].endswith("/stock-track-record-jobs-dev")
        assert not {"DYNAMODB_ENDPOINT", "DATABASE_URL"} & variables.keys()
        assert not function.get("VpcConfig", {}).get("SubnetIds")
    assert api["Environment"]["Variables"]["FRONTEND_URL"] == "http://localhost:3000"
    assert api["Role"].endswith("/stock-track-record-lambda-role-dev")


def test_the_lists_go_page_by_page(http: httpx.Client) -> None:
    mine = [channel_with_a_pick(http, f"Page {number}") for number in range(3)]
    seen: list[str] = []
    parameters = {"limit": "2"}
    while True:
        page = http.get("api/channels", params=parameters).json()
        seen += [channel["channel_id"] for channel in page["channels"]]
        if page["next_cursor"] is None:
            break
        parameters["cursor"] = page["next_cursor"]
    assert [channel_id for channel_id in seen if channel_id in mine] == mine
    picks = http.get(f"api/channels/{mine[0]}/picks").json()
    assert picks == {"picks": [PICK], "next_cursor": None}
    job = process(http, mine[0])
    assert [listed["job_id"] for listed in http.get(f"api/channels/{mine[0]}/jobs").json()["jobs"]] == [job["job_id"]]
    eventually(lambda: state_of(http, job) == "done")


def test_the_location_of_a_job_leads_to_it_under_any_prefix(http: httpx.Client) -> None:
    response = http.post(f"api/channels/{channel_with_a_pick(http)}/process")

    found = http.get(str(response.url.join(response.headers["Location"])))
    assert found.json()["job_id"] == response.json()["job_id"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("POST", "api/channels", b"{", 422, "invalid_request"),
        ("POST", "api/channels", b"", 422, "invalid_request"),
        ("POST", "api/channels", b'{"name": 1}', 422, "invalid_request"),
        ("POST", "api/channels", b'{"name": "\\ud800"}', 422, "invalid_request"),
        ("POST", "api/channels", b"\xff\xfe", 422, "invalid_request"),
        ("POST", "api/channels", b"[" * 100_000, 422, "invalid_request"),
        ("POST", "api/channels", b" " * 300_000, 413, "request_too_large"),
        ("PUT", "api/stocks/A", b'{"name":"A","prices":[{"date":"2025-01-02","price":NaN}]}', 422, "invalid_request"),
        ("PUT", "api/stocks/A", b'{"name":"A","prices":[{"date":"2025-01-02","price":1e400}]}', 422, "invalid_request"),
        ("PUT", "api/stocks/a", b'{"name":"A","prices":[{"date":"2025-01-02","price":1}]}', 422, "invalid_request"),
        ("GET", "api/stocks/NONE", None, 404, "not_found"),
        ("GET", f"api/channels/{UNKNOWN}", None, 404, "not_found"),
        ("GET", "api/channels/x", None, 404, "not_found"),
        ("GET", f"api/channels/{'x' * 3000}", None, 404, "not_found"),
        ("POST", f"api/channels/{UNKNOWN}/process", None, 404, "not_found"),
        ("POST", f"api/channels/{UNKNOWN}/picks", json.dumps({"picks": [PICK]}).encode(), 404, "not_found"),
        ("GET", f"api/channels/{UNKNOWN}/track-record", None, 404, "not_found"),
        ("GET", f"api/jobs/{UNKNOWN}", None, 404, "not_found"),
        ("GET", "api/channels?cursor=nonsense", None, 422, "invalid_request"),
        ("GET", "api/channels?limit=0", None, 422, "invalid_request"),
        ("DELETE", "api/channels", None, 405, "method_not_allowed"),
        ("GET", "v2/anything", None, 404, "not_found"),
    ],
    ids=lambda value: str(value)[:60],
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


def test_only_the_frontend_is_let_in_by_browsers(http: httpx.Client) -> None:
    def allowed(origin: str) -> str | None:
        headers = {"Origin": origin, "Access-Control-Request-Method": "PUT"}
        found: str | None = http.options("api/stocks/ACME", headers=headers).headers.get("Access-Control-Allow-Origin")
        return found

    assert allowed("http://localhost:3000") == "http://localhost:3000"
    assert allowed("https://elsewhere.example.com") is None


@pytest.mark.parametrize(
    ("role", "refused"),
    [
        ("lambda_role_arn", ["delete", "scan", "receive", "put_stock", "write_batch"]),
        ("worker_role_arn", ["delete", "scan", "send", "put_stock", "write_batch", "query_index", "update_stock"]),
    ],
)
def test_a_role_may_do_what_its_function_does_and_no_more(
    sawhorse: Sawhorse, outputs: dict[str, Any], role: str, refused: list[str]
) -> None:
    variables = sawhorse.json("local", "credentials", ROOT, "--role", role)
    dynamodb, sqs = (local_client(service, variables) for service in ("dynamodb", "sqs"))
    table, stocks = outputs["dynamodb_records_table"], outputs["dynamodb_stocks_table"]
    key = {"pk": {"S": "x"}, "sk": {"S": "x"}}
    attempts: dict[str, Callable[[], Any]] = {
        "delete": lambda: dynamodb.delete_item(TableName=table, Key=key),
        "scan": lambda: dynamodb.scan(TableName=table),
        "write_batch": lambda: dynamodb.batch_write_item(RequestItems={table: [{"DeleteRequest": {"Key": key}}]}),
        "put_stock": lambda: dynamodb.put_item(TableName=stocks, Item={"ticker": {"S": "X"}}),
        "update_stock": lambda: dynamodb.update_item(TableName=stocks, Key={"ticker": {"S": "X"}}),
        "query_index": lambda: dynamodb.query(
            TableName=table,
            IndexName="gsi1",
            KeyConditionExpression="gsi1pk = :list",
            ExpressionAttributeValues={":list": {"S": "CHANNELS"}},
        ),
        "send": lambda: sqs.send_message(QueueUrl=outputs["sqs_queue_url"], MessageBody="x"),
        "receive": lambda: sqs.receive_message(QueueUrl=outputs["sqs_queue_url"]),
    }
    for name in refused:
        with pytest.raises(ClientError, match="AccessDenied"):
            attempts[name]()
    assert "Item" not in dynamodb.get_item(TableName=table, Key=key)
