"""From the request to process a channel to its track record: jobs, messages and the worker."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from stock_track_record.messages import write_message
from tests.apps.stock_track_record.support import (
    PICK,
    TIMEOUT,
    UNKNOWN,
    Api,
    HandedQueue,
    Hands,
    MakeApi,
    MakeWorker,
    WorkerContext,
    batch,
    items_of,
)
from tests.unit.support import Clock, Interrupting, Refusing, client_error

FAULTS = [
    client_error("ProvisionedThroughputExceededException"),
    client_error("InternalServerError"),
    client_error("AccessDeniedException"),
    TIMEOUT,
    KeyError("anything"),
]


def delete(dynamodb: Any, prefix: str, partition: str, place: str) -> dict[str, Any]:
    """Take an item out and return it."""
    key = {"pk": {"S": partition}, "sk": {"S": place}}
    item: dict[str, Any] = dynamodb.delete_item(TableName=prefix, Key=key, ReturnValues="ALL_OLD")["Attributes"]
    return item


def test_a_channel_is_processed_from_the_request_to_the_record(api: Api, worker: Hands, channel_id: str) -> None:
    assert api.get(f"/api/channels/{channel_id}/track-record").error_code == "not_processed"

    job = api.process(channel_id)

    assert job == api.job(job["job_id"])
    assert (job["state"], job["channel_id"], job["finished_at"]) == ("queued", channel_id, None)
    assert worker() == []
    done = api.job(job["job_id"])
    assert (done["state"], done["detail"]) == ("done", None)
    assert done["finished_at"] > job["created_at"]
    record = api.record(channel_id)
    assert record | {"computed_at": ""} == {
        "channel_id": channel_id,
        "job_id": job["job_id"],
        "computed_at": "",
        "count": 3,
        "priced": 2,
        "hit_rate": 1,
        "mean_return": 0.225,
        "median_return": 0.225,
        "best_pick": record["picks"][0],
        "worst_pick": record["picks"][2],
        "picks": [
            PICK | {"latest_date": "2026-01-30", "latest_price": 12.5, "return_to_date": 0.25},
            PICK | {"ticker": "NONE", "latest_date": None, "latest_price": None, "return_to_date": None},
            {
                "ticker": "ZETA",
                "direction": "short",
                "date": "2026-01-06",
                "price": 10,
                "latest_date": "2026-01-30",
                "latest_price": 8,
                "return_to_date": 0.2,
            },
        ],
    }


def test_a_channel_without_picks_gets_a_record_without_figures(api: Api, worker: Hands) -> None:
    channel_id = api.create()
    api.process(channel_id)

    assert worker() == []
    record = api.record(channel_id)
    assert (record["count"], record["priced"], record["hit_rate"], record["best_pick"]) == (0, 0, None, None)


def test_the_response_says_where_the_job_is(api: Api, channel_id: str) -> None:
    response = api.post(f"/api/channels/{channel_id}/process", headers={"X-Request-ID": "mine"})

    assert response.headers["location"] == f"../../jobs/{response.json()['job_id']}"
    [message] = api.queue.sent
    assert json.loads(message["MessageBody"]) == {"channel_id": channel_id, "job_id": response.json()["job_id"]}
    assert message["MessageAttributes"]["request_id"]["StringValue"] == "mine"


def test_the_same_message_again_leaves_every_byte_as_it_was(
    api: Api, worker: Hands, channel_id: str, dynamodb: Any, prefix: str
) -> None:
    api.process(channel_id)
    [body] = api.queue.bodies()
    worker(body)
    before = items_of(dynamodb, prefix)
    # Even though a new price would now make another record.
    api.price("ACME", _2026_01_31=99)

    assert worker(body) == []
    assert worker(body, body) == []
    assert items_of(dynamodb, prefix) == before


def test_the_same_message_at_the_same_moment_makes_one_record(
    api: Api, make_worker: MakeWorker, channel_id: str, dynamodb: Any, prefix: str
) -> None:
    api.process(channel_id)
    [body] = api.queue.bodies()
    after_first: list[Any] = []

    def first() -> None:
        assert make_worker()(body) == []
        after_first.extend(items_of(dynamodb, prefix))

    second = make_worker(client=Interrupting(dynamodb, "transact_write_items", first))

    assert second(body) == []
    assert items_of(dynamodb, prefix) == after_first


def test_a_late_message_never_overwrites_a_newer_record(api: Api, worker: Hands, channel_id: str) -> None:
    older, newer = api.process(channel_id), api.process(channel_id)
    late, prompt = api.queue.bodies()
    worker(prompt)
    record = api.record(channel_id)

    assert worker(late) == []
    assert api.record(channel_id) == record
    assert record["job_id"] == newer["job_id"]
    job = api.job(older["job_id"])
    assert (job["state"], job["detail"]) == ("done", "A newer job had made the track record before.")


def test_a_newer_job_makes_the_record_anew(api: Api, worker: Hands, channel_id: str) -> None:
    api.process(channel_id)
    worker()
    api.price("ACME", _2026_01_31=20)
    job = api.process(channel_id)
    worker()

    record = api.record(channel_id)
    assert (record["job_id"], record["picks"][0]["return_to_date"]) == (job["job_id"], 1)


def test_a_clock_that_goes_back_does_not_make_a_newer_job_older(
    make_api: MakeApi, worker: Hands, api: Api, channel_id: str
) -> None:
    api.process(channel_id)
    newer = make_api(clock=Clock(now=datetime(2020, 1, 1, tzinfo=UTC))).process(channel_id)
    worker()

    assert api.record(channel_id)["job_id"] == newer["job_id"]


def test_what_cannot_be_processed_is_reported_given_back_at_once_and_spoils_nothing(
    api: Api, worker: Hands, channel_id: str, queue: HandedQueue
) -> None:
    jobs = [api.process(channel_id) for _ in range(5)]
    bodies = api.queue.bodies()

    assert worker(*bodies[:3], "no JSON", *bodies[3:]) == ["message-3"]
    assert queue.given_back == ["handle-3"]
    assert {api.job(job["job_id"])["state"] for job in jobs} == {"done"}


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"messageAttributes": None},
        {"messageAttributes": {"request_id": None}},
        {"messageAttributes": {"request_id": "mine"}},
        {"messageAttributes": {"request_id": {}}},
        {"messageAttributes": {"request_id": {"stringValue": None}}},
        {"messageAttributes": {"request_id": {"stringValue": 1}}},
    ],
    ids=str,
)
def test_a_message_whose_attributes_are_odd_is_worked_on_all_the_same(
    api: Api, worker: Hands, channel_id: str, attributes: dict[str, Any]
) -> None:
    job = api.process(channel_id)
    event = batch(api.queue.bodies())
    del event["Records"][0]["messageAttributes"]
    event["Records"][0] |= attributes

    assert worker.handler(event, WorkerContext([])) == {"batchItemFailures": []}
    assert api.job(job["job_id"])["state"] == "done"


def test_messages_without_a_handle_or_a_body_fail_alone(
    api: Api, worker: Hands, channel_id: str, queue: HandedQueue
) -> None:
    job = api.process(channel_id)
    [body] = api.queue.bodies()
    event = batch(["no JSON", "has none", "no JSON", body])
    del event["Records"][0]["receiptHandle"]
    del event["Records"][1]["body"]

    assert worker.handler(event, WorkerContext([])) == {
        "batchItemFailures": [{"itemIdentifier": f"message-{number}"} for number in range(3)]
    }
    assert queue.given_back == ["handle-2"]
    assert api.job(job["job_id"])["state"] == "done"


def test_a_batch_of_no_messages_has_no_failures(worker: Hands) -> None:
    assert worker.handler({"Records": []}, WorkerContext([])) == {"batchItemFailures": []}


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "null",
        "[]",
        "NaN",
        "\ud800",
        '"\\ud800"',
        "[" * 100_000,
        "{}",
        json.dumps({"channel_id": UNKNOWN}),
        json.dumps({"channel_id": UNKNOWN, "job_id": 1}),
        json.dumps({"channel_id": UNKNOWN, "job_id": "x" * 3000}),
        write_message(channel_id=UNKNOWN, job_id=UNKNOWN),
    ],
    ids=lambda body: repr(body[:40]),
)
def test_what_the_api_has_not_sent_cannot_be_processed(worker: Hands, queue: HandedQueue, body: str) -> None:
    assert worker(body) == ["message-0"]
    assert queue.given_back == ["handle-0"]


def test_a_job_of_another_channel_is_not_processed_and_is_left_alone(api: Api, worker: Hands, channel_id: str) -> None:
    job = api.process(channel_id)

    assert worker(write_message(channel_id=api.create(), job_id=job["job_id"])) == ["message-0"]
    assert api.job(job["job_id"])["state"] == "queued"


def test_a_channel_that_is_gone_fails_the_job_until_it_is_back(
    api: Api, worker: Hands, channel_id: str, dynamodb: Any, prefix: str
) -> None:
    job = api.process(channel_id)
    [body] = api.queue.bodies()
    item = delete(dynamodb, prefix, f"CHANNEL#{channel_id}", "CHANNEL")

    assert worker(body) == ["message-0"]
    failed = api.job(job["job_id"])
    assert (failed["state"], failed["detail"]) == ("failed", "The channel is not there any more.")
    assert worker(body, receives=2) == ["message-0"]
    assert api.job(job["job_id"]) == failed

    dynamodb.put_item(TableName=prefix, Item=item)
    assert worker(body) == []
    done = api.job(job["job_id"])
    assert (done["state"], done["detail"]) == ("done", None)
    assert api.record(channel_id)["count"] == 3


@pytest.mark.parametrize("error", FAULTS, ids=str)
@pytest.mark.parametrize("operation", ["get_item", "query", "batch_get_item", "transact_write_items"])
def test_a_passing_fault_is_tried_again_after_the_visibility_timeout(  # noqa: PLR0913, PLR0917 # what they share
    api: Api,
    make_worker: MakeWorker,
    channel_id: str,
    queue: HandedQueue,
    dynamodb: Any,
    error: Exception,
    operation: str,
) -> None:
    job = api.process(channel_id)
    [body] = api.queue.bodies()

    assert make_worker(client=Refusing(dynamodb, error, operation))(body) == ["message-0"]
    assert queue.given_back == []
    assert api.job(job["job_id"])["state"] == "queued"
    assert make_worker()(body, receives=2) == []
    assert api.job(job["job_id"])["state"] == "done"


def test_the_last_try_says_that_the_job_failed_and_a_redrive_makes_it_done(
    api: Api, make_worker: MakeWorker, channel_id: str, dynamodb: Any
) -> None:
    job = api.process(channel_id)
    [body] = api.queue.bodies()
    broken = make_worker(client=Refusing(dynamodb, FAULTS[0], "query"))

    broken(body, receives=2)
    assert api.job(job["job_id"])["state"] == "queued"
    broken(body, receives=3)
    failed = api.job(job["job_id"])
    assert (failed["state"], failed["detail"]) == ("failed", "It was tried 3 times. The log says what went wrong.")
    assert make_worker()(body) == []
    assert api.job(job["job_id"])["state"] == "done"


def test_a_worker_without_the_address_of_its_queue_leaves_messages_to_their_timeout(
    api: Api, make_worker: MakeWorker, channel_id: str, queue: HandedQueue
) -> None:
    job = api.process(channel_id)

    assert make_worker(has_queue=False)("no JSON", *api.queue.bodies()) == ["message-0"]
    assert queue.given_back == []
    assert api.job(job["job_id"])["state"] == "done"


def test_a_table_that_is_away_altogether_loses_nothing(
    api: Api, make_worker: MakeWorker, channel_id: str, dynamodb: Any
) -> None:
    job = api.process(channel_id)
    [body] = api.queue.bodies()

    assert make_worker(client=Refusing(dynamodb, TIMEOUT))(body, receives=3) == ["message-0"]
    assert api.job(job["job_id"])["state"] == "queued"


def test_a_conflict_is_tried_again_at_once(api: Api, make_worker: MakeWorker, channel_id: str, dynamodb: Any) -> None:
    conflict = client_error("TransactionCanceledException", reasons=["None", "TransactionConflict"])
    api.process(channel_id)

    assert make_worker(client=Refusing(dynamodb, conflict, "transact_write_items", times=2))() == []


def test_a_message_that_cannot_be_given_back_waits_for_its_timeout(worker: Hands, queue: HandedQueue) -> None:
    queue.error = EndpointConnectionError(endpoint_url="http://127.0.0.1:1")

    assert worker("no JSON") == ["message-0"]


def test_what_dynamodb_leaves_over_is_asked_for_again(
    api: Api, make_worker: MakeWorker, channel_id: str, dynamodb: Any, prefix: str
) -> None:
    class Sparing:
        """Hand out one item at a time, as DynamoDB does when a batch grows too large."""

        def __getattr__(self, operation: str) -> Any:
            def call(**request: Any) -> Any:
                if operation != "batch_get_item":
                    return getattr(dynamodb, operation)(**request)
                ((table, wanted),) = request["RequestItems"].items()
                first, *rest = wanted["Keys"]
                response = dynamodb.batch_get_item(RequestItems={table: {**wanted, "Keys": [first]}})
                left = {table: {**wanted, "Keys": rest}} if rest else {}
                return {**response, "UnprocessedKeys": left}

            return call

    api.process(channel_id)

    assert make_worker(client=Sparing())() == []
    assert api.record(channel_id)["priced"] == 2


def test_a_channel_with_as_many_picks_as_it_may_have_fits_into_a_record(api: Api, worker: Hands) -> None:
    channel_id = api.create()
    for part in range(20):
        day = f"2025-{1 + part // 2:02}-{1 + part % 2:02}"
        picks = [
            {"ticker": f"TICKER{number:04}", "direction": "short", "date": day, "price": 123456789.123456}
            for number in range(50)
        ]
        assert api.add(channel_id, *picks).status == 201
    for number in range(50):
        api.price(f"TICKER{number:04}", _2026_01_05=0.000001)
    full = api.add(channel_id, PICK)
    api.process(channel_id)

    assert (full.status, full.error_code) == (409, "channel_full")
    assert worker() == []
    record = api.record(channel_id)
    assert (record["count"], record["priced"], len(record["picks"])) == (1000, 1000, 1000)
