"""A worker does what a message asks for whatever else stands in it, and leaves alone what it cannot read."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stock_track_record.messages import JobMessage, MalformedMessageError, read_message, write_message
from tests.apps.stock_track_record.support import Api, Hands, WorkerContext, batch

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
KNOWN = {"channel_id", "job_id", "version"}


def asked_for(api: Api, channel_id: str) -> tuple[str, dict[str, Any]]:
    """Ask for a job, and return its id and the members of its message."""
    job_id = api.process(channel_id)["job_id"]
    [body] = api.queue.bodies()
    return job_id, json.loads(body)


@pytest.mark.parametrize(
    "more",
    [
        f'"traceparent": "{TRACE}"',
        '"traceparent": null, "sent_at": 1e400',
        '"precise": 0.1234567890123456789012, "long": ' + "9" * 5_000,
        '"": {"a": [[[{}]]]}, "Version": 2',
        '"version": 1',
    ],
    ids=lambda more: more[:40],
)
def test_members_that_the_worker_does_not_know_change_nothing(
    api: Api, worker: Hands, channel_id: str, more: str
) -> None:
    job_id, members = asked_for(api, channel_id)

    assert worker(f"{json.dumps(members)[:-1]}, {more}}}") == []
    assert api.job(job_id)["state"] == "done"
    assert api.record(channel_id)["job_id"] == job_id


def test_attributes_that_the_worker_does_not_know_change_nothing(api: Api, worker: Hands, channel_id: str) -> None:
    job_id, members = asked_for(api, channel_id)
    event = batch([json.dumps(members)])
    event["Records"][0]["messageAttributes"]["traceparent"] = {"stringValue": TRACE, "dataType": "String"}
    event["Records"][0]["attributes"]["AWSTraceHeader"] = "Root=1-5759e988-bd862e3fe1be46a994272793"

    assert worker.handler(event, WorkerContext([])) == {"batchItemFailures": []}
    assert api.job(job_id)["state"] == "done"


@given(st.dictionaries(st.text().filter(lambda name: name not in KNOWN), JSON, max_size=5))
def test_a_message_says_the_same_whatever_stands_beside_it(more: dict[str, Any]) -> None:
    channel_id, job_id = "7f3d9f0e-5c1b-4c7e-9d53-0a4a1f4c2b11", "7f3d9f0e-5c1b-4c7e-9d53-0a4a1f4c2b12"
    body = json.dumps(more | {"channel_id": channel_id, "job_id": job_id})

    assert read_message(body) == JobMessage(channel_id=channel_id, job_id=job_id)


def test_a_message_of_ours_has_only_what_a_worker_of_before_can_read(api: Api, channel_id: str) -> None:
    _, members = asked_for(api, channel_id)

    assert members.keys() == {"channel_id", "job_id"}


@pytest.mark.parametrize("version", ["2", "0", "-1", "1.0", "1e0", "true", "null", '"1"', "[1]", '{"major": 1}'])
def test_a_version_that_the_worker_cannot_read_is_left_to_the_dead_letters(
    api: Api, worker: Hands, channel_id: str, version: str, capsys: pytest.CaptureFixture[str]
) -> None:
    job_id, members = asked_for(api, channel_id)
    capsys.readouterr()

    assert worker(f'{json.dumps(members)[:-1]}, "version": {version}}}') == ["message-0"]

    [line] = [line for line in map(json.loads, capsys.readouterr().out.splitlines()) if line["level"] != "DEBUG"]
    assert (line["message"], line["message_id"]) == ("A message cannot be processed.", "message-0")
    assert line["reason"].startswith("The message has a version that this worker cannot read: it reads 1, ")
    assert job_id not in json.dumps(line)
    assert channel_id not in json.dumps(line)
    # The job waits for a worker that can read it.
    assert api.job(job_id)["state"] == "queued"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ('\ufeff{"channel_id": "a", "job_id": "b"}', "byte order mark"),
        ('{"channel_id": "a", "job_id": "b", "job_id": "c"}', "two members with the same name"),
        ('{"channel_id": "a", "job_id": "b", "more": {"x": 1, "x": 1}}', "two members with the same name"),
        ('{"channel_id": "a", "job_id": "b", "more": NaN}', "NaN is not a JSON number"),
        ('{"channel_id": "\\ud800", "job_id": "b"}', "surrogate pair"),
        ('{"channel_id": "' + "\ud800" + '", "job_id": "b"}', "not UTF-8"),
        ('{"more": ' + "[" * 100_000, "nested more than 100 levels"),
    ],
    ids=lambda value: ascii(value)[:50],
)
def test_a_message_is_read_as_strictly_as_a_body(body: str, reason: str) -> None:
    with pytest.raises(MalformedMessageError, match=reason):
        read_message(body)


@settings(suppress_health_check=[HealthCheck.filter_too_much])
@given(st.text(max_size=60) | JSON.map(json.dumps) | st.text(alphabet='{}[]":,.01eE+-ntf\\ud8NaI', max_size=40))
def test_no_text_makes_an_error_of_another_kind(body: str) -> None:
    with suppress(MalformedMessageError):
        message = read_message(body)
        assert read_message(write_message(**message.model_dump())) == message
