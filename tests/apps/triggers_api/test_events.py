"""Storing, acknowledging and deleting events."""

import json
import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.apps.triggers_api.support import Api, MakeApi, Tables
from tests.hostile import snapshot
from tests.unit.support import Interrupting, Recording, Refusing, client_error, filled, is_name
from triggers_api.item_size import MAX_ITEM_BYTES, item_size

SHARED_TABLES = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)


def test_the_request_of_existing_clients_stores_an_event(api: Api) -> None:
    headers = {"X-Request-ID": "client-1", "Content-Type": "application/json"}

    response = api.post(
        "/v1/events", body='{"source": "test", "event_type": "test.created", "payload": {}}', headers=headers
    )

    assert response.status == 201
    assert response.headers["x-request-id"] == "client-1"
    stored = response.json()
    assert stored == {"event_id": stored["event_id"], "created_at": "2026-01-31T09:15:03.104233Z", "status": "pending"}
    assert re.fullmatch(r"[0-9a-f-]{36}", stored["event_id"])


def test_the_item_has_the_attributes_that_other_scripts_know(api: Api, dynamodb: Any, tables: Tables) -> None:
    created = api.create({"n": 1}, source="shop", event_type="order.paid").json()

    items = dynamodb.scan(TableName=tables.events)["Items"]

    assert items == [
        {
            "event_id": {"S": created["event_id"]},
            "created_at": {"S": created["created_at"]},
            "status": {"S": "pending"},
            "source": {"S": "shop"},
            "event_type": {"S": "order.paid"},
            "payload": {"S": '{"n": 1}'},
        }
    ]


@pytest.mark.parametrize(
    "body",
    [
        "",
        "null",
        "[]",
        '"text"',
        "{",
        "{}",
        '{"source": "test", "event_type": "test.created"}',
        '{"source": "", "event_type": "test.created", "payload": {}}',
        '{"source": "test", "event_type": "", "payload": {}}',
        '{"source": "' + "s" * 257 + '", "event_type": "test.created", "payload": {}}',
        '{"source": 5, "event_type": "test.created", "payload": {}}',
        '{"source": "test", "event_type": "test.created", "payload": []}',
        '{"source": "test", "event_type": "test.created", "payload": null}',
        '{"source": "test", "event_type": "test.created", "payload": "{}"}',
        '{"source": "test", "event_type": "test.created", "payload": {}, "priority": 1}',
        '{"source": "test", "event_type": "test.created", "payload": {"n": NaN}}',
        '{"source": "test", "event_type": "test.created", "payload": {"n": -Infinity}}',
        '{"source": "test", "event_type": "test.created", "payload": {"s": "\\ud800"}}',
        '{"source": "\\udfff", "event_type": "test.created", "payload": {}}',
        '{"source": "test", "event_type": "test.created", "payload": {}} {}',
        '{"source": "test", "event_type": "test.created", "payload": {"twice": "\\ud800", "twice": 2}}',
        '{"source": "test", "event_type": "test.created", "payload": {}, "payload": {}}',
        '{"source": "test", "event_type": "test.created", "payload": ' + '{"a":' * 99 + "[{}]" + "}" * 99 + "}",
        '{"source": "test", "event_type": "test.created", "payload": {"a": ' + "[" * 200_000 + "}}",
        b'{"source": "\xff", "event_type": "test.created", "payload": {}}',
        '{"source": "test", "event_type": "test.created", "payload": {}}'.encode("utf-16"),
    ],
)
def test_a_body_that_does_not_fit_is_refused_in_a_sentence(api: Api, body: str | bytes) -> None:
    response = api.post("/v1/events", body=body)

    assert (response.status, response.error_code) == (422, "invalid_request")
    assert response.json()["error"]["message"].endswith(".")
    assert api.inbox()["events"] == []


def test_a_refusal_names_the_part_and_never_repeats_what_was_sent(api: Api) -> None:
    response = api.create(source="s" * 300, secret="do-not-repeat")

    message = response.json()["error"]["message"]
    assert "source: string should have at most 256 characters" in message
    assert "secret: extra inputs are not permitted" in message
    assert "do-not-repeat" not in response.body


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", "text/plain", "application/octet-stream", ""]
)
def test_a_body_counts_whatever_its_content_type_says(api: Api, content_type: str) -> None:
    assert api.create(headers={"Content-Type": content_type}).status == 201


def test_a_base64_encoded_body_is_read(api: Api) -> None:
    body = '{"source": "tést", "event_type": "test.created", "payload": {"€": "😀"}}'.encode()

    assert api.post("/v1/events", body=body).status == 201
    assert api.inbox()["events"][0]["payload"] == {"€": "😀"}


@pytest.mark.parametrize(
    "payload",
    [
        '{"z": 1, "a": 2, "m": {"y": 1, "b": 2}}',
        '{"huge": ' + "9" * 5_000 + "}",
        '{"precise": 0.10000000000000000555, "large": 1e999, "plain": 1.0, "negative": -0}',
        '{ "spaces" :\t[ 1 ,\n 2 ] }',
        '{"escaped": "\\u00e9\\ud83d\\ude00\\u0000\\/", "plain": "é😀"}',
        '{"deep": ' + "[" * 97 + "]" * 97 + "}",
    ],
)
def test_a_payload_comes_back_as_it_was_written(api: Api, payload: str) -> None:
    body = f'{{"payload": {payload}, "source": "test", "event_type": "test.created"}}'

    assert api.post("/v1/events", body=body).status == 201
    assert f'"payload": {payload}}}' in api.get("/v1/inbox").body


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(), children, max_size=4),
    max_leaves=15,
)


NAMES = st.text(min_size=1, max_size=20).filter(is_name)


@SHARED_TABLES
@given(payload=st.dictionaries(st.text(), json_values, max_size=5), source=NAMES)
def test_any_payload_survives_the_way_there_and_back(api: Api, payload: dict[str, Any], source: str) -> None:
    created = api.create(payload, source=source)

    assert created.status == 201
    [event] = api.inbox()["events"]
    assert (event["payload"], event["source"]) == (payload, source)
    assert api.delete(f"/v1/events/{created.json()['event_id']}").status == 204


def _body_for_size(size: int) -> str:
    attributes = {
        "event_id": "7f3d9f0e-5c1b-4c7e-9d53-0a4a1f4c2b11",
        "created_at": "2026-01-31T09:15:02.104233Z",
        "acknowledged_at": "2026-01-31T09:15:02.104233Z",
        "status": "acknowledged",
        "source": "test",
        "event_type": "test.created",
        "payload": '{"p": ""}',
    }
    padding = "x" * (size - item_size(attributes))
    return json.dumps({"source": "test", "event_type": "test.created", "payload": {"p": padding}})


def test_the_largest_event_is_stored_and_can_be_acknowledged(api: Api, dynamodb: Any, tables: Tables) -> None:
    created = api.post("/v1/events", body=_body_for_size(MAX_ITEM_BYTES))

    assert created.status == 201
    assert api.post(f"/v1/events/{created.json()['event_id']}/ack").status == 200
    [item] = dynamodb.scan(TableName=tables.events)["Items"]
    assert item_size({name: value["S"] for name, value in item.items()}) == MAX_ITEM_BYTES


def test_an_event_that_is_one_byte_too_large_never_reaches_dynamodb(dynamodb: Any, make_api: MakeApi) -> None:
    client = Recording(dynamodb)
    api = make_api(client=client)

    response = api.post("/v1/events", body=_body_for_size(MAX_ITEM_BYTES + 1), headers={"Idempotency-Key": "large"})

    assert (response.status, response.error_code) == (413, "event_too_large")
    assert "409601 bytes" in response.json()["error"]["message"]
    assert [operation for operation, _ in client.requests] == ["get_item"]  # the API key


def test_acknowledging_takes_an_event_out_of_the_inbox(api: Api) -> None:
    event_id = api.create().json()["event_id"]

    response = api.post(f"/v1/events/{event_id}/ack")

    assert response.status == 200
    acknowledged_at = response.json()["acknowledged_at"]
    assert response.json() == {"event_id": event_id, "status": "acknowledged", "acknowledged_at": acknowledged_at}
    assert api.inbox() == {"events": [], "next_cursor": None}


def test_acknowledging_twice_gets_the_same_response_and_changes_nothing(
    api: Api, dynamodb: Any, tables: Tables
) -> None:
    event_id = api.create().json()["event_id"]
    first = api.post(f"/v1/events/{event_id}/ack")
    before = dynamodb.scan(TableName=tables.events)["Items"]

    second = api.post(f"/v1/events/{event_id}/ack")

    assert (second.status, second.body) == (first.status, first.body)
    assert dynamodb.scan(TableName=tables.events)["Items"] == before


def test_two_acknowledgements_at_once_get_the_same_response(api: Api, make_api: MakeApi, dynamodb: Any) -> None:
    event_id = api.create().json()["event_id"]
    others: list[str] = []
    interrupted = make_api(
        client=Interrupting(
            dynamodb,
            "update_item",
            lambda: others.append(api.send_concurrently("POST", f"/v1/events/{event_id}/ack").body),
        )
    )

    assert interrupted.post(f"/v1/events/{event_id}/ack").body == others[0]


def test_an_event_that_is_deleted_while_it_is_acknowledged_is_not_there(
    api: Api, make_api: MakeApi, dynamodb: Any
) -> None:
    event_id = api.create().json()["event_id"]
    interrupted = make_api(
        client=Interrupting(dynamodb, "update_item", lambda: api.send_concurrently("DELETE", f"/v1/events/{event_id}"))
    )

    assert interrupted.post(f"/v1/events/{event_id}/ack").status == 404
    assert api.delete(f"/v1/events/{event_id}").status == 404  # the late acknowledgement has not made it again


def test_an_event_that_is_deleted_twice_at_once_is_deleted_once(api: Api, make_api: MakeApi, dynamodb: Any) -> None:
    event_id = api.create().json()["event_id"]
    interrupted = make_api(
        client=Interrupting(dynamodb, "delete_item", lambda: api.send_concurrently("DELETE", f"/v1/events/{event_id}"))
    )

    assert interrupted.delete(f"/v1/events/{event_id}").status == 404


@pytest.mark.parametrize("acknowledged", [False, True])
def test_a_deleted_event_is_gone(api: Api, dynamodb: Any, tables: Tables, *, acknowledged: bool) -> None:
    event_id = api.create().json()["event_id"]
    if acknowledged:
        api.post(f"/v1/events/{event_id}/ack")

    response = api.delete(f"/v1/events/{event_id}")

    assert (response.status, response.body) == (204, "")
    assert dynamodb.scan(TableName=tables.events)["Items"] == []
    assert api.delete(f"/v1/events/{event_id}").error_code == "not_found"
    assert api.post(f"/v1/events/{event_id}/ack").error_code == "not_found"


@pytest.mark.parametrize(
    "event_id", ["nothing", "7f3d9f0e-5c1b-4c7e-9d53-0a4a1f4c2b11", "a" * 3_000, "%20", "a%2Fb", "%F0%9F%98%80", "a.b"]
)
def test_an_event_that_nobody_stored_is_not_found(api: Api, event_id: str) -> None:
    assert (api.delete(f"/v1/events/{event_id}").status, api.post(f"/v1/events/{event_id}/ack").status) == (404, 404)


def test_an_encoded_path_finds_its_event(api: Api) -> None:
    event_id = api.create().json()["event_id"].replace("-", "%2D")

    assert api.post(f"/v1/events/{event_id}/ack").status == 200


def test_an_event_that_botocore_sends_twice_is_stored_once(api: Api, make_api: MakeApi, dynamodb: Any) -> None:
    lost_response = Refusing(dynamodb, client_error("ConditionalCheckFailedException"), "put_item")

    assert make_api(client=lost_response).create().status == 201


def test_an_event_without_room_is_told_when_it_is_acknowledged_and_stays(
    api: Api, dynamodb: Any, tables: Tables
) -> None:
    event_id = api.create({}).json()["event_id"]
    [item] = dynamodb.scan(TableName=tables.events)["Items"]
    texts = {name: value["S"] for name, value in item.items()}
    full = {**item, "filler": {"S": "x" * (MAX_ITEM_BYTES - item_size({**texts, "filler": ""}))}}
    dynamodb.put_item(TableName=tables.events, Item=full)

    response = api.post(f"/v1/events/{event_id}/ack")

    assert (response.status, response.error_code) == (409, "item_full")
    assert dynamodb.scan(TableName=tables.events)["Items"] == [full]
    assert api.delete(f"/v1/events/{event_id}").status == 204


def test_events_of_one_id_stay_as_they_are_where_one_of_them_has_no_room(
    api: Api, dynamodb: Any, tables: Tables
) -> None:
    event_id = api.create({}).json()["event_id"]
    [item] = dynamodb.scan(TableName=tables.events)["Items"]
    for second, other in enumerate([{}, {"acknowledged_at": {"N": "1"}}, {"acknowledged_at": {"S": ""}}]):
        dynamodb.put_item(
            TableName=tables.events, Item={**item, "created_at": {"S": f"2020-01-31T09:15:0{second}.000000Z"}, **other}
        )
    filled(dynamodb, tables.events, {**item, "created_at": {"S": "2030-01-31T09:15:02.000000Z"}})
    before = snapshot(dynamodb, tables.events)

    response = api.post(f"/v1/events/{event_id}/ack")

    assert (response.status, response.error_code) == (409, "item_full")
    assert snapshot(dynamodb, tables.events) == before
    assert len(api.get("/v1/inbox").json()["events"]) == 5


def test_an_event_beside_one_that_was_acknowledged_in_another_clocks_future_is_told_the_same_twice(
    api: Api, dynamodb: Any, tables: Tables
) -> None:
    event_id = api.create({}).json()["event_id"]
    [item] = dynamodb.scan(TableName=tables.events)["Items"]
    later = {"S": "2039-01-31T09:15:02.000000Z"}
    beside = {"created_at": later, "status": {"S": "acknowledged"}, "acknowledged_at": later}
    dynamodb.put_item(TableName=tables.events, Item={**item, **beside})

    first, again = (api.post(f"/v1/events/{event_id}/ack") for _ in range(2))

    assert (first.status, again.status) == (200, 200)
    assert again.json() == first.json()
