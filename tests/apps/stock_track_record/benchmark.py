"""What the benchmarks ask the functions of stock_track_record."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from sawhorse.local.clients import local_client
from stock_track_record.messages import write_message
from tests.apps.stock_track_record import support
from tests.benchmarks.processes import NotMeasured
from tests.benchmarks.scenarios import ENTRIES, Account, Scenario, Scenarios, get, refusal_of

# As many as a channel may have.
PICKS = 1000
PICKS_AT_ONCE = 50


def scenarios(account: Account) -> Scenarios:
    """Ask the API for a channel's picks, and the worker to make a track record of them."""
    client = account.client
    prefix = support.make_tables(client)
    queue = local_client("sqs", account.aws.environment()).create_queue(QueueName=f"{prefix}-jobs")["QueueUrl"]
    common = account.variables | {"IS_LAMBDA": "true", "DYNAMODB_TABLE_PREFIX": prefix, "SQS_QUEUE_URL": queue}
    of_worker = common | {"SQS_MAX_RECEIVES": "3"}
    with account.handler("stock_track_record", common) as handler:
        api = support.Api(handler, queue=support.HandedQueue())
        api.price("ACME", **{"2026-01-02": 10.0, "2026-01-20": 12.5})
        full, full_message = channel_with(api, PICKS)
        channel_id, message = channel_with(api, ENTRIES)
    with account.start("stock_track_record", "worker", of_worker) as worker:
        refusal = refusal_of(worker.invoke(support.batch([full_message]))[0])
        if refusal:
            raise NotMeasured(f"The worker was to make a track record, but {refusal}.")
    queued = by_key(support.items_of(client, prefix))

    def restore() -> None:
        there = by_key(support.items_of(client, prefix))
        for partition, place in there.keys() - queued.keys():
            client.delete_item(TableName=prefix, Key={"pk": {"S": partition}, "sk": {"S": place}})
        for key, item in queued.items():
            if there.get(key) != item:
                client.put_item(TableName=prefix, Item=item)

    return {
        "stock_track_record/api": Scenario(
            variables=common,
            reads="GET /api/channels/{id}/picks",
            read=get(api, f"/api/channels/{channel_id}/picks"),
            health=get(api, "/api/health"),
            others={f"GET the track record of {PICKS} picks": get(api, f"/api/channels/{full}/track-record")},
        ),
        "stock_track_record/worker": Scenario(
            variables=of_worker,
            # Warm requests are the same message again, of a job that is done: one read.
            reads="a message, makes a track record",
            read=support.batch([message]),
            restore=restore,
        ),
    }


def channel_with(api: support.Api, count: int) -> tuple[str, str]:
    """Make a channel with so many picks, and a job; return its id and the message that asks the worker for it."""
    channel_id, first = api.create(), date(2023, 1, 1)
    picks = [
        {**support.PICK, "date": (first + timedelta(days=number)).isoformat(), "price": 10 + number / 4}
        for number in range(count)
    ]
    for start in range(0, count, PICKS_AT_ONCE):
        added = api.add(channel_id, *picks[start : start + PICKS_AT_ONCE])
        assert added.status == 201, added
    return channel_id, write_message(channel_id=channel_id, job_id=api.process(channel_id)["job_id"])


def by_key(items: Sequence[dict[str, Any]]) -> dict[tuple[str, str], dict[str, Any]]:
    return {(item["pk"]["S"], item["sk"]["S"]): item for item in items}
