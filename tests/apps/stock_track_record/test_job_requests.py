"""Jobs as callers ask for them: listed, told of when the queue refuses them, swept."""

import json
from datetime import datetime
from typing import Any

import pytest

from stock_track_record.messages import write_message
from tests.apps.stock_track_record.support import (
    TIMEOUT,
    UNKNOWN,
    Api,
    HandedQueue,
    Hands,
    MakeApi,
)
from tests.unit.support import client_error


def test_jobs_are_listed_newest_first_page_by_page(api: Api, worker: Hands, channel_id: str) -> None:
    jobs = [api.process(channel_id)["job_id"] for _ in range(3)]
    worker()

    page = api.get(f"/api/channels/{channel_id}/jobs", query={"limit": ["2"]}).json()
    rest = api.get(f"/api/channels/{channel_id}/jobs", query={"cursor": [page["next_cursor"]]}).json()

    assert [job["job_id"] for job in page["jobs"] + rest["jobs"]] == jobs[::-1]
    assert page["jobs"][0] == api.job(jobs[-1])
    assert rest["next_cursor"] is None


@pytest.mark.parametrize("error", [client_error("AWS.SimpleQueueService.NonExistentQueue"), TIMEOUT], ids=str)
def test_a_queue_that_takes_no_message_is_told_to_the_caller_and_in_the_job(
    api: Api, queue: HandedQueue, channel_id: str, error: Exception
) -> None:
    queue.error = error

    response = api.post(f"/api/channels/{channel_id}/process")

    assert (response.status, response.error_code) == (503, "queue_unavailable")
    assert int(response.headers["retry-after"]) > 0
    [job] = api.get(f"/api/channels/{channel_id}/jobs").json()["jobs"]
    assert job["state"] == "failed"
    assert job["job_id"] in response.json()["error"]["message"]


def test_the_caller_hears_of_it_even_when_the_job_cannot_be_marked(
    make_api: MakeApi, queue: HandedQueue, channel_id: str, dynamodb: Any
) -> None:
    queue.error = client_error("InternalError")

    class Failing:
        def __getattr__(self, operation: str) -> Any:
            def call(**request: Any) -> Any:
                if operation == "update_item" and "JOB#" in str(request["Key"]):
                    raise client_error("InternalServerError")
                return getattr(dynamodb, operation)(**request)

            return call

    response = make_api(client=Failing()).post(f"/api/channels/{channel_id}/process")

    assert (response.status, response.error_code) == (503, "queue_unavailable")


def test_a_message_that_went_out_after_all_makes_the_job_done(
    api: Api, worker: Hands, queue: HandedQueue, channel_id: str
) -> None:
    queue.error = TIMEOUT
    api.post(f"/api/channels/{channel_id}/process")
    queue.error = None
    [job] = api.get(f"/api/channels/{channel_id}/jobs").json()["jobs"]

    assert worker(write_message(channel_id=channel_id, job_id=job["job_id"])) == []
    assert api.job(job["job_id"])["state"] == "done"


@pytest.mark.parametrize("job_id", [UNKNOWN, "x", "a" * 3000])
def test_a_job_that_is_not_there_is_not_found(api: Api, job_id: str) -> None:
    response = api.get(f"/api/jobs/{job_id}")

    assert (response.status, response.error_code) == (404, "not_found")


def test_a_job_is_swept_after_its_message(api: Api, channel_id: str, dynamodb: Any, prefix: str) -> None:
    job = api.process(channel_id)
    key = {"pk": {"S": f"JOB#{job['job_id']}"}, "sk": {"S": "JOB"}}
    item = dynamodb.get_item(TableName=prefix, Key=key)["Item"]

    created_at = datetime.fromisoformat(job["created_at"]).timestamp()
    assert int(item["expires_at"]["N"]) - created_at == pytest.approx(30 * 86400, abs=2)


def test_the_log_names_the_request_that_a_message_came_from(
    api: Api, worker: Hands, channel_id: str, capsys: pytest.CaptureFixture[str]
) -> None:
    job = api.process(channel_id)
    capsys.readouterr()
    worker()

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    [line] = [line for line in lines if line["message"] == "job"]
    assert (line["job_id"], line["outcome"], line["message_id"]) == (job["job_id"], "done", "message-0")
    assert line["request_id"] == "request-0"
