"""Repeating a POST with the same idempotency key."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from shared.api_keys import generate
from tests.apps.triggers_api.support import Api, MakeApi, Tables
from tests.unit.support import Clock, Interrupting, Refusing, Response, client_error
from triggers_api.item_size import item_size

KEY = {"Idempotency-Key": "order-4711"}


def test_a_repeated_event_is_stored_once(api: Api) -> None:
    first = api.create({"n": 1}, headers=KEY)
    second = api.create({"n": 1}, headers=KEY)

    assert (second.status, second.body) == (201, first.body)
    assert "idempotent-replayed" not in first.headers
    assert second.headers["idempotent-replayed"] == "true"
    assert len(api.inbox()["events"]) == 1


def test_without_a_key_every_post_is_an_event(api: Api) -> None:
    assert api.create().body != api.create().body
    assert len(api.inbox()["events"]) == 2


@pytest.mark.parametrize(
    "other", [{"payload": {"n": 2}}, {"source": "other"}, {"event_type": "other"}, {"payload": {"n": 1.0}}]
)
def test_the_same_key_with_another_body_is_a_conflict(api: Api, other: dict[str, Any]) -> None:
    api.create({"n": 1}, headers=KEY)

    response = api.create(**{"payload": {"n": 1}} | other, headers=KEY)

    assert (response.status, response.error_code) == (409, "idempotency_conflict")
    assert len(api.inbox()["events"]) == 1


def test_the_order_and_the_spaces_of_the_outer_members_do_not_matter(api: Api) -> None:
    bodies = (
        '{"source": "a", "event_type": "b", "payload": {"n": 1}}',
        '{ "payload":{"n": 1},"event_type" : "b", "source":"a"}',
    )

    assert api.post("/v1/events", body=bodies[0], headers=KEY).body == (
        api.post("/v1/events", body=bodies[1], headers=KEY).body
    )


def test_callers_do_not_share_idempotency_keys(api: Api, dynamodb: Any, tables: Tables) -> None:
    other = generate()
    dynamodb.put_item(TableName=tables.keys, Item={"api_key": {"S": other.hashed}})

    mine = api.create(headers=KEY)
    theirs = Api(api.handler, key=other.clear).create(headers=KEY)

    assert theirs.status == 201
    assert theirs.body != mine.body


def test_the_first_response_stays_after_the_event_is_gone(api: Api) -> None:
    first = api.create(headers=KEY)
    api.delete(f"/v1/events/{first.json()['event_id']}")

    assert api.create(headers=KEY).body == first.body
    assert api.inbox()["events"] == []


def test_a_key_can_be_used_anew_after_a_day_even_before_the_record_is_swept(make_api: MakeApi) -> None:
    clock = Clock(step=timedelta(0))
    api = make_api(clock=clock)
    first = api.create({"n": 1}, headers=KEY)

    clock.now += timedelta(hours=24, seconds=-1)
    assert api.create({"n": 1}, headers=KEY).body == first.body

    clock.now += timedelta(seconds=1)
    second = api.create({"n": 2}, headers=KEY)
    assert (second.status, len(api.inbox()["events"])) == (201, 2)
    assert api.create({"n": 2}, headers=KEY).body == second.body


def test_a_record_expires_by_the_tables_ttl_and_stays_tiny(api: Api, dynamodb: Any, tables: Tables) -> None:
    api.create({"large": "x" * 300_000}, headers={"Idempotency-Key": "k" * 255})

    [record] = [item for item in dynamodb.scan(TableName=tables.events)["Items"] if "status" not in item]

    assert record["expires_at"] == {"N": str(1769850903 + 24 * 3600 + 1)}
    assert record["created_at"] == {"S": "idempotency"}
    assert item_size({name: next(iter(value.values())) for name, value in record.items()}) < 1024


def test_a_record_is_no_event(api: Api, dynamodb: Any, tables: Tables) -> None:
    api.create(headers=KEY)
    [record] = [
        item["event_id"]["S"] for item in dynamodb.scan(TableName=tables.events)["Items"] if "status" not in item
    ]
    path = "/v1/events/" + record.replace("#", "%23")

    assert (api.post(f"{path}/ack").status, api.delete(path).status) == (404, 404)
    assert api.create(headers=KEY).headers["idempotent-replayed"] == "true"


def test_the_key_that_was_sent_cannot_be_read_from_the_table(api: Api, dynamodb: Any, tables: Tables) -> None:
    api.create(headers=KEY)

    text = str(dynamodb.scan(TableName=tables.events)["Items"])
    assert api.key is not None
    assert KEY["Idempotency-Key"] not in text
    assert api.key not in text


@pytest.mark.parametrize("key", ["", "k" * 256, "two words", "kéy", "a, b", "tab\tkey", "del\x7f"])
def test_an_idempotency_key_out_of_bounds_is_refused(api: Api, key: str) -> None:
    response = api.create(headers={"Idempotency-Key": key})

    assert (response.status, response.error_code) == (422, "invalid_request")
    assert api.inbox()["events"] == []


@pytest.mark.parametrize("key", ["k", "k" * 255, '"quoted"', "!#$%&'()*+,-./:;<=>?@[]^_`{|}~"])
def test_every_other_idempotency_key_works(api: Api, key: str) -> None:
    headers = {"Idempotency-Key": key}

    assert api.create(headers=headers).body == api.create(headers=headers).body


def test_the_loser_of_a_race_gets_the_winners_response(api: Api, make_api: MakeApi, dynamodb: Any) -> None:
    winners: list[Response] = []
    body = '{"source": "test", "event_type": "test.created", "payload": {}}'
    client = Interrupting(
        dynamodb,
        "transact_write_items",
        lambda: winners.append(api.send_concurrently("POST", "/v1/events", body=body, headers=KEY)),
    )

    loser = make_api(client=client).post("/v1/events", body=body, headers=KEY)

    assert (loser.status, loser.body) == (201, winners[0].body)
    assert len(api.inbox()["events"]) == 1


@pytest.mark.drill(short=1)
def test_many_posts_at_once_give_one_event(api: Api) -> None:
    body = '{"source": "test", "event_type": "test.created", "payload": {}}'

    with ThreadPoolExecutor(max_workers=6) as threads:
        responses = list(
            threads.map(lambda _: api.send_concurrently("POST", "/v1/events", body=body, headers=KEY), range(12))
        )

    assert {(response.status, response.body) for response in responses} == {(201, responses[0].body)}
    assert len(api.inbox()["events"]) == 1


def test_a_conflict_of_transactions_is_tried_again(make_api: MakeApi, dynamodb: Any) -> None:
    error = client_error("TransactionCanceledException", reasons=["TransactionConflict", "None"])
    api = make_api(client=Refusing(dynamodb, error, "transact_write_items", times=3))

    assert api.create(headers=KEY).status == 201
    assert len(api.inbox()["events"]) == 1


def test_a_conflict_that_does_not_end_asks_the_caller_to_wait(make_api: MakeApi, dynamodb: Any) -> None:
    error = client_error("TransactionCanceledException", reasons=["TransactionConflict", "None"])
    client = Refusing(dynamodb, error, "transact_write_items")

    response = make_api(client=client).create(headers=KEY)

    assert (response.status, response.error_code) == (429, "throttled")
    assert client.calls.count("transact_write_items") == 5


def test_a_record_that_is_swept_meanwhile_counts_as_absent(make_api: MakeApi, dynamodb: Any) -> None:
    error = client_error("TransactionCanceledException", reasons=["ConditionalCheckFailed", "None"])
    api = make_api(client=Refusing(dynamodb, error, "transact_write_items", times=1))

    assert api.create(headers=KEY).status == 201
    assert len(api.inbox()["events"]) == 1


def test_a_transaction_that_fails_for_another_reason_is_our_error(make_api: MakeApi, dynamodb: Any) -> None:
    error = client_error("TransactionCanceledException", reasons=["None", "ValidationError"])

    response = make_api(client=Refusing(dynamodb, error, "transact_write_items")).create(headers=KEY)

    assert (response.status, response.error_code) == (500, "internal_error")
