"""Whatever the tables hold, every route responds, no event that fits is lost, and no error changes anything."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.ids import new_id
from shared.items import to_item
from tests.apps.triggers_api.support import Api, Tables
from tests.hostile import everything, hostile, snapshot
from triggers_api import idempotency

TIME = "2026-01-31T09:15:02.104233Z"
EVENT = to_item({"source": "s", "event_type": "t", "payload": '{"a": 1.50}'})
KEYS = frozenset({"event_id", "created_at", "status"})
STATUSES = ("pending", "pending#3", "acknowledged", "acknowledged#1", "pending#x", "lost", " ")
SLOW = settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def of_key(event_id: str, created_at: str, status: str) -> dict[str, Any]:
    return to_item({"event_id": event_id, "created_at": created_at, "status": status})


EVENTS = st.lists(
    st.tuples(st.sampled_from([TIME, "0", "~", "2026-01-31T09:15:02Z"]), st.sampled_from(STATUSES)).flatmap(
        lambda key: hostile({**EVENT, **of_key("id", *key), "acknowledged_at": {"S": TIME}}, KEYS)
    ),
    min_size=1,
    max_size=4,
)


def put_all(client: Any, table: str, items: list[dict[str, Any]]) -> list[str]:
    """Store items under ids of their own in an empty table, and return those."""
    for item in everything(client, table):
        client.delete_item(TableName=table, Key={name: item[name] for name in ("event_id", "created_at")})
    ids = [new_id() for _ in items]
    for event_id, item in zip(ids, items, strict=True):
        client.put_item(TableName=table, Item={**item, "event_id": {"S": event_id}})
    return ids


@SLOW
@given(EVENTS)
def test_every_route_responds_and_an_error_changes_nothing(
    api: Api, dynamodb: Any, tables: Tables, items: list[dict[str, Any]]
) -> None:
    ids = put_all(dynamodb, tables.events, items)
    mine = api.create({"it": "fits"}).json()["event_id"]

    shown, cursor = [], None
    while True:
        page = api.inbox(limit=1, cursor=cursor)
        shown += [event["event_id"] for event in page["events"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert mine in shown
    assert set(shown) <= {mine, *ids}
    for event_id in ids:
        for method, path in (("POST", f"/v1/events/{event_id}/ack"), ("DELETE", f"/v1/events/{event_id}")):
            before = snapshot(dynamodb, tables.events)
            response = api.send(method, path)
            assert response.status in {200, 204, 404}, response
            if response.status == 404:
                assert snapshot(dynamodb, tables.events) == before
            # What the list shows can be acknowledged and deleted.
            assert response.status != 404 or event_id not in shown
    assert [event["event_id"] for event in api.inbox()["events"]] == [mine]


@SLOW
@given(
    hostile(
        {**to_item({"first_event_id": "e", "first_created_at": TIME, "fingerprint": "f", "expires_at": 9_999_999_999})},
        frozenset(),
    )
)
def test_a_record_of_a_key_that_does_not_fit_is_written_anew(
    api: Api, dynamodb: Any, tables: Tables, stored_key: Any, item: dict[str, Any]
) -> None:
    name = idempotency.record_id(stored_key.hashed, "one")
    dynamodb.put_item(TableName=tables.events, Item={**item, **idempotency.record_key(name)})

    first = api.create({"a": 1}, headers={"Idempotency-Key": "one"})
    again = api.create({"a": 1}, headers={"Idempotency-Key": "one"})

    assert first.status in {201, 409}
    assert again.status in {200, 201, 409}
    if first.status == 201:
        assert again.json() == first.json()


@SLOW
@given(hostile(to_item({"key_id": "k", "label": "l", "scopes": ["a"], "expires_at": 9_999_999_999}), frozenset()))
def test_a_key_with_any_attributes_opens_or_is_refused(
    api: Api, dynamodb: Any, tables: Tables, stored_key: Any, item: dict[str, Any]
) -> None:
    dynamodb.put_item(TableName=tables.keys, Item={**item, "api_key": {"S": stored_key.hashed}})

    assert api.get("/v1/inbox").status in {200, 401, 403}


RECORD = {
    "first_event_id": new_id(),
    "first_created_at": TIME,
    "fingerprint": "0" * 64,
    "expires_at": 9_999_999_999,
}


@pytest.mark.parametrize(
    "attribute", [{"first_event_id": ""}, {"first_event_id": "junk"}, {"first_created_at": "0"}, {"fingerprint": "f"}]
)
def test_a_record_of_a_key_whose_texts_do_not_fit_is_written_anew(
    api: Api, dynamodb: Any, tables: Tables, stored_key: Any, attribute: dict[str, str]
) -> None:
    name = idempotency.record_id(stored_key.hashed, "one")
    dynamodb.put_item(TableName=tables.events, Item=to_item(RECORD | attribute) | idempotency.record_key(name))

    first = api.create({"a": 1}, headers={"Idempotency-Key": "one"})
    again = api.create({"a": 1}, headers={"Idempotency-Key": "one"})

    assert (first.status, again.status) == (201, 201)
    assert "idempotent-replayed" not in first.headers
    assert again.json() == first.json()
    assert [event["event_id"] for event in api.inbox()["events"]] == [first.json()["event_id"]]


# What lies beside an event, under its id: before or after it, waiting or not, or nothing that is an event.
BESIDE = st.lists(
    st.tuples(
        st.sampled_from(["0", "2020-01-01T00:00:00.000000Z", "2030-01-01T00:00:00.000000Z", "~"]),
        st.sampled_from([None, *STATUSES]),
        st.booleans(),
    ),
    min_size=1,
    max_size=4,
    unique_by=lambda one: one[0],
)


@SLOW
@given(BESIDE, st.sampled_from(["ack", "delete"]))
def test_a_list_and_the_end_of_an_event_agree_whatever_lies_beside_it(
    api: Api, dynamodb: Any, tables: Tables, beside: list[tuple[str, str | None, bool]], end: str
) -> None:
    put_all(dynamodb, tables.events, [])
    mine = api.create({"it": "fits"}).json()["event_id"]
    for created_at, status, is_whole in beside:
        item = {"event_id": mine, "created_at": created_at, "status": status, "acknowledged_at": TIME}
        dynamodb.put_item(TableName=tables.events, Item=to_item(item) | (EVENT if is_whole else {}))
    assert mine in [event["event_id"] for event in api.inbox()["events"]]

    if end == "ack":
        first, again = (api.post(f"/v1/events/{mine}/ack") for _ in range(2))
        assert (first.status, again.status) == (200, 200)
        assert again.json() == first.json()
    else:
        assert [api.delete(f"/v1/events/{mine}").status for _ in range(2)] == [204, 404]
    assert api.inbox()["events"] == []


@pytest.mark.parametrize("missing", ["payload", "source", "event_type"])
def test_an_event_without_an_attribute_is_left_out_and_logged_once_by_its_key(
    api: Api, dynamodb: Any, tables: Tables, missing: str, capsys: pytest.CaptureFixture[str]
) -> None:
    item = {**EVENT, **of_key("an-old-event", TIME, "pending"), "source": {"S": "a value for no log"}}
    del item[missing]
    dynamodb.put_item(TableName=tables.events, Item=item)

    assert api.inbox()["events"] == api.inbox()["events"] == []

    lines = [line for line in capsys.readouterr().out.splitlines() if "does not fit" in line]
    assert len(lines) == 1
    assert "an-old-event" in lines[0]
    assert f'"{missing}"' in lines[0]
    assert "a value for no log" not in lines[0]
