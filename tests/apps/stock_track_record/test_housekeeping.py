"""What a caller or a message did not ask for: denied, throttled or failing, it changes no response."""

from typing import Any

import pytest

from shared.dynamodb import ConditionFailed
from stock_track_record.messages import write_message
from tests.apps.stock_track_record.support import TIMEOUT, UNKNOWN, HandedQueue, MakeApi, MakeWorker
from tests.unit.support import client_error, counted

Capture = pytest.CaptureFixture[str]
FAILURES = [
    client_error("AccessDeniedException"),
    client_error("ThrottlingException"),
    client_error("InternalServerError"),
    TIMEOUT,
    ConditionFailed(),
    OSError("no socket is left"),
]


class MarksNoJob:
    """A client that cannot change a job."""

    def __init__(self, client: Any, error: Exception) -> None:
        self._client = client
        self._error = error

    def __getattr__(self, operation: str) -> Any:
        def call(**request: Any) -> Any:
            if operation == "update_item" and "JOB#" in str(request["Key"]):
                raise self._error
            return getattr(self._client, operation)(**request)

        return call


@pytest.mark.parametrize("error", FAILURES, ids=str)
def test_a_caller_hears_that_the_queue_is_away_though_the_job_cannot_be_marked(  # noqa: PLR0913, PLR0917 - who takes part
    make_api: MakeApi, queue: HandedQueue, channel_id: str, dynamodb: Any, error: Exception, capsys: Capture
) -> None:
    queue.error = client_error("InternalError")
    client: Any = MarksNoJob(dynamodb, error)
    capsys.readouterr()

    response = make_api(client=client).post(f"/api/channels/{channel_id}/process")

    assert (response.status, response.error_code) == (503, "queue_unavailable")
    # A condition that is not met says that the job has ended, which is not a failure.
    told = [] if isinstance(error, ConditionFailed) else ["mark a job that was not sent"]
    assert counted(capsys) == told


@pytest.mark.parametrize("error", FAILURES, ids=str)
def test_a_message_that_cannot_be_given_back_early_comes_again_all_the_same(
    make_worker: MakeWorker, queue: HandedQueue, error: Exception, capsys: Capture
) -> None:
    message = write_message(channel_id=UNKNOWN, job_id=UNKNOWN)
    queue.error = error

    assert make_worker()(message) == ["message-0"]

    assert counted(capsys) == ["give messages back early"]


@pytest.mark.parametrize("error", FAILURES, ids=str)
def test_a_message_that_failed_comes_again_though_its_job_cannot_be_marked(
    make_worker: MakeWorker, dynamodb: Any, error: Exception, capsys: Capture
) -> None:
    class ReadsNothing(MarksNoJob):
        def __getattr__(self, operation: str) -> Any:
            if operation == "get_item":
                raise client_error("InternalServerError")
            return super().__getattr__(operation)

    message = write_message(channel_id=UNKNOWN, job_id=UNKNOWN)
    client: Any = ReadsNothing(dynamodb, error)

    assert make_worker(client=client)(message, receives=3) == ["message-0"]

    assert counted(capsys) == ([] if isinstance(error, ConditionFailed) else ["mark a job that failed"])
