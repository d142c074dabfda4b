"""Whatever invokes the worker, it ends without an error, and no message is lost by it."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.apps.stock_track_record.support import MakeWorker, WorkerContext
from tests.unit.support import Context

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["", "x", "\ud800", "99999999999999999999"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["stringValue", "a"]), inner),
    max_leaves=4,
)
MEMBERS = ("messageId", "body", "attributes", "messageAttributes", "receiptHandle", "eventSource")


@pytest.mark.parametrize(
    "event",
    [{}, {"source": "warm-up"}, {"Records": []}, {"Records": "x"}, {"Records": [None]}, [], None, "x", 1],
    ids=str,
)
def test_an_event_without_messages_is_let_pass_with_one_line(
    make_worker: MakeWorker, event: object, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()

    assert make_worker().handler(event, Context()) == {"batchItemFailures": []}  # type: ignore[arg-type] # that is the point

    expected = 0 if event == {"Records": []} else 1
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["function_request_id"] for line in lines] == [Context.aws_request_id] * expected


def test_every_record_that_is_no_message_comes_again(make_worker: MakeWorker) -> None:
    worker = make_worker()
    records = st.lists(st.dictionaries(st.sampled_from(MEMBERS), ANYTHING), min_size=1, max_size=3)

    @settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(records)
    def comes_again(given_records: list[dict[str, Any]]) -> None:
        response = worker.handler({"Records": given_records}, WorkerContext([60_000] * 9))
        names = [record.get("messageId") for record in given_records]
        expected = sorted(name if isinstance(name, str) else "" for name in names)
        assert sorted(failure["itemIdentifier"] for failure in response["batchItemFailures"]) == expected

    comes_again()
