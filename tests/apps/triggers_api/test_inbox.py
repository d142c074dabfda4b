"""Reading the inbox page by page."""

import base64
import json
from datetime import timedelta
from itertools import chain
from typing import Any

import pytest
from aws_lambda_powertools import Logger

from shared.dynamodb import DynamoDB
from tests.apps.triggers_api.support import Api, MakeApi, Tables
from tests.unit.support import Clock, Recording
from triggers_api.inbox import Inbox
from triggers_api.settings import Settings


def create(api: Api, count: int) -> list[str]:
    return [api.create({"n": n}).json()["event_id"] for n in range(count)]


def walk(api: Api, *, limit: int) -> list[list[str]]:
    """Read all pages, and return the ids that each of them has."""
    pages: list[list[str]] = []
    cursor: str | None = None
    while True:
        page = api.inbox(limit=limit, cursor=cursor)
        pages.append([event["event_id"] for event in page["events"]])
        cursor = page["next_cursor"]
        if cursor is None:
            return pages


def flat(pages: list[list[str]]) -> list[str]:
    return list(chain.from_iterable(pages))


def test_an_empty_inbox_is_one_empty_page(api: Api) -> None:
    assert api.inbox() == {"events": [], "next_cursor": None}


def test_an_event_is_listed_with_all_that_was_sent(api: Api) -> None:
    created = api.create({"n": 1}, source="shop", event_type="order.paid").json()

    assert api.inbox()["events"] == [created | {"source": "shop", "event_type": "order.paid", "payload": {"n": 1}}]


@pytest.mark.parametrize("shards", [1, 3])
def test_pages_are_oldest_first_and_complete(make_api: MakeApi, shards: int) -> None:
    api = make_api(inbox_write_shards=shards, inbox_read_shards=shards)
    events = create(api, 7)

    assert walk(api, limit=3) == [events[0:3], events[3:6], events[6:7]]
    assert walk(api, limit=7) == [events]


def test_fifty_events_are_a_page_when_nobody_says_otherwise(api: Api) -> None:
    events = create(api, 51)

    assert [event["event_id"] for event in api.inbox()["events"]] == events[:50]


@pytest.mark.parametrize("shards", [1, 4])
def test_a_cursor_survives_events_that_come_go_and_leave(make_api: MakeApi, shards: int) -> None:
    api = make_api(inbox_write_shards=shards, inbox_read_shards=shards)
    events = create(api, 6)
    first = api.inbox(limit=3)

    late = create(api, 2)
    api.post(f"/v1/events/{events[2]}/ack")  # the very event that the cursor points at
    api.delete(f"/v1/events/{events[3]}")
    second = api.inbox(limit=100, cursor=first["next_cursor"])

    assert [event["event_id"] for event in second["events"]] == [*events[4:], *late]
    assert second["next_cursor"] is None


def test_events_of_the_same_microsecond_are_all_listed_once(make_api: MakeApi) -> None:
    api = make_api(clock=Clock(step=timedelta(0)))
    events = create(api, 5)

    pages = walk(api, limit=2)

    assert [len(page) for page in pages] == [2, 2, 1]
    assert sorted(flat(pages)) == sorted(events)


def test_an_operator_can_raise_the_shards_and_lower_them_again(make_api: MakeApi) -> None:
    clock = Clock()
    events = create(make_api(clock=clock), 3)
    raised = make_api(clock=clock, inbox_write_shards=4, inbox_read_shards=4)
    events += create(raised, 8)
    assert flat(walk(raised, limit=4)) == events

    lowered = make_api(clock=clock, inbox_write_shards=1, inbox_read_shards=4)
    events += create(lowered, 3)
    assert flat(walk(lowered, limit=4)) == events

    for event_id in events[3:11]:
        assert lowered.post(f"/v1/events/{event_id}/ack").status == 200
    drained = make_api(clock=clock, inbox_write_shards=1, inbox_read_shards=1)
    assert flat(walk(drained, limit=4)) == events[:3] + events[11:]


def test_a_cursor_outlives_a_change_of_the_shards(make_api: MakeApi) -> None:
    clock = Clock()
    four = make_api(clock=clock, inbox_write_shards=4, inbox_read_shards=4)
    events = create(four, 8)
    cursor = four.inbox(limit=4)["next_cursor"]

    eight = make_api(clock=clock, inbox_write_shards=8, inbox_read_shards=8)
    events += create(eight, 4)

    page = eight.inbox(cursor=cursor)
    assert [event["event_id"] for event in page["events"]] == events[4:]
    assert four.inbox(limit=4, cursor=cursor)["events"][0]["event_id"] == events[4]


def test_sharded_statuses_stay_inside(make_api: MakeApi, dynamodb: Any, tables: Tables) -> None:
    api = make_api(inbox_write_shards=8, inbox_read_shards=8)
    events = create(api, 12)
    api.post(f"/v1/events/{events[0]}/ack")

    stored = {item["event_id"]["S"]: item["status"]["S"] for item in dynamodb.scan(TableName=tables.events)["Items"]}

    assert len({status.partition("#")[2] for status in stored.values()}) > 1
    assert stored[events[0]].startswith("acknowledged")
    assert {event["status"] for event in api.inbox()["events"]} == {"pending"}


@pytest.mark.parametrize("limit", ["0", "-1", "101", "1000", "", "ten", "1.5", "1e1", "9" * 5_000])
def test_a_limit_out_of_bounds_is_refused(api: Api, limit: str) -> None:
    response = api.get("/v1/inbox", query={"limit": [limit]})

    assert (response.status, response.error_code) == (422, "invalid_request")
    assert "query.limit" in response.json()["error"]["message"]


def test_the_last_of_several_limits_counts(api: Api) -> None:
    create(api, 3)

    response = api.get("/v1/inbox", query={"limit": ["1", "2"]})

    assert len(response.json()["events"]) == 2


def encoded(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


GOOD_TIME = "2026-01-31T09:15:02.104233Z"


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "?",
        "é",
        "AAAA",
        "a" * 9_000,
        encoded([]),
        encoded({"32": [GOOD_TIME, "id"]}),
        encoded({"-1": [GOOD_TIME, "id"]}),
        encoded({"00": [GOOD_TIME, "id"]}),
        encoded({"0": [GOOD_TIME]}),
        encoded({"0": ["yesterday", "id"]}),
        encoded({"0": [GOOD_TIME, "idempotency#abc"]}),
        encoded({"0": [GOOD_TIME, 5]}),
        encoded({"0": {"created_at": GOOD_TIME}}),
        base64.urlsafe_b64encode(b"[" * 6_000).decode(),
    ],
)
def test_a_cursor_that_we_did_not_make_is_refused(api: Api, cursor: str) -> None:
    response = api.get("/v1/inbox", query={"cursor": [cursor]})

    assert (response.status, response.error_code) == (422, "invalid_request")


def test_a_page_never_outgrows_what_lambda_may_return(make_api: MakeApi, dynamodb: Any) -> None:
    client = Recording(dynamodb)
    api = make_api(client=client)
    quotes = "\\u0022" * 65_000  # 390 KB in the table, and 455 KB as a string inside of JSON
    for _ in range(14):
        body = f'{{"source": "test", "event_type": "large", "payload": {{"q": "{quotes}"}}}}'
        assert api.post("/v1/events", body=body).status == 201

    first = api.get("/v1/inbox", query={"limit": ["100"]})
    rest = api.inbox(limit=100, cursor=first.json()["next_cursor"])

    assert len(json.dumps({"statusCode": 200, "body": first.body})) < 6 * 1024 * 1024
    assert 1 < len(first.json()["events"]) < 14
    assert len(first.json()["events"]) + len(rest["events"]) == 14


def test_a_page_has_one_event_even_when_that_is_too_large(
    api: Api, dynamodb: Any, tables: Tables, logger: Logger
) -> None:
    create(api, 2)
    settings = Settings(events_table=tables.events, keys_table=tables.keys, stage="dev")
    inbox = Inbox(settings=settings, dynamodb=DynamoDB(client=dynamodb, logger=logger), logger=logger, max_page_bytes=1)

    page = json.loads(inbox.page(after={}, limit=10))

    assert len(page["events"]) == 1
    assert page["next_cursor"] is not None


def test_a_shard_is_asked_for_about_its_part_of_a_page(make_api: MakeApi, dynamodb: Any) -> None:
    client = Recording(dynamodb)

    make_api(client=client, inbox_write_shards=10, inbox_read_shards=10).inbox(limit=100)

    assert [request["Limit"] for operation, request in client.requests if operation == "query"] == [21] * 10


def test_events_that_do_not_fit_are_passed_over_a_hundred_at_once(
    make_api: MakeApi, dynamodb: Any, tables: Tables
) -> None:
    unfit = [
        {
            "event_id": {"S": f"unfit-{n}"},
            "created_at": {"S": "2020-01-01T00:00:00.000000Z"},
            "status": {"S": "pending"},
        }
        for n in range(320)
    ]
    for start in range(0, len(unfit), 25):
        part = [{"PutRequest": {"Item": item}} for item in unfit[start : start + 25]]
        dynamodb.batch_write_item(RequestItems={tables.events: part})
    client = Recording(dynamodb)
    api = make_api(client=client)
    mine = api.create({}).json()["event_id"]

    page = api.inbox(limit=1)

    assert [event["event_id"] for event in page["events"]] == [mine]
    limits = [request["Limit"] for operation, request in client.requests if operation == "query"]
    assert limits == [2, 100, 100, 100, 100]
