"""Whatever a message holds, and whatever fails about it, the worker logs nothing of it."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stock_track_record.messages import write_message
from tests.apps.stock_track_record.support import UNKNOWN, HandedQueue, MakeWorker, WorkerContext, batch
from tests.unit.support import Refusing, client_error

MARKER = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
VALUES = st.sampled_from([MARKER, f"eyJ.{MARKER}.sig", f"{MARKER}@example.com", UNKNOWN, 7, None, [MARKER]])
MEMBERS = st.dictionaries(st.sampled_from(["channel_id", "job_id", MARKER, "traceparent"]), VALUES)
BODIES = st.one_of(
    MEMBERS.map(json.dumps),
    st.just(MARKER),
    st.just(f'{{"job_id": "{MARKER}"'),
    st.just(f'"{MARKER}\ud800"'),
    st.just(write_message(channel_id=UNKNOWN, job_id=UNKNOWN)),
)
# An id of a request that no caller of the API can have had.
ATTRIBUTES = st.sampled_from([f"{MARKER} ", f"{MARKER}\n", f"<{MARKER}>", "", None])


def service_error() -> Exception:
    error = client_error("ValidationException")
    error.response["Error"]["Message"] = f"The value {MARKER} is not valid."
    made: Exception = error
    return made


@pytest.mark.parametrize("failure", [None, service_error(), KeyError(MARKER), ValueError(MARKER)])
def test_no_message_leaves_a_value_in_the_log(
    failure: Exception | None,
    make_worker: MakeWorker,
    queue: HandedQueue,
    dynamodb: Any,
    capsys: pytest.CaptureFixture[str],
) -> None:
    worker = make_worker(client=None if failure is None else Refusing(dynamodb, failure))
    queue.error = failure if isinstance(failure, type(client_error("x"))) else None

    @settings(max_examples=100, suppress_health_check=list(HealthCheck))
    @given(BODIES, ATTRIBUTES, st.sampled_from([1, 3]))
    def every_message(body: str, attribute: str | None, receives: int) -> None:
        capsys.readouterr()
        event = batch([body], receives=receives)
        event["Records"][0]["messageAttributes"] = {"request_id": {"stringValue": attribute}, MARKER: {}}
        assert worker.handler(event, WorkerContext([])) == {"batchItemFailures": [{"itemIdentifier": "message-0"}]}
        out, err = capsys.readouterr()
        # The canary: the message is named.
        assert [line for line in map(json.loads, out.splitlines()) if line.get("message_id") == "message-0"]
        assert MARKER not in out + err

    every_message()
