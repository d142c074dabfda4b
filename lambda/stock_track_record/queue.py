"""Send messages to the queue, and give back those that are not worked on."""

from typing import Any, Protocol, cast

from botocore.session import Session

from shared.dynamodb import CLIENT_CONFIG
from stock_track_record.messages import write_message


class Client(Protocol):
    """The operations that the two functions use."""

    def send_message(self, **request: Any) -> dict[str, Any]: ...
    def change_message_visibility(self, **request: Any) -> dict[str, Any]: ...


def make_client(session: Session) -> Client:
    """Make a client with the environment's credentials and region: the queue is where the functions are."""
    return cast("Client", session.create_client("sqs", config=CLIENT_CONFIG))


class Queue:
    """The queue of jobs."""

    def __init__(self, *, client: Client, url: str) -> None:
        self._client = client
        self._url = url

    def send(self, *, channel_id: str, job_id: str, request_id: str) -> None:
        """Send a job's message; the request's id goes with it, so that the worker's log can be found by it."""
        self._client.send_message(
            QueueUrl=self._url,
            MessageBody=write_message(channel_id=channel_id, job_id=job_id),
            MessageAttributes={"request_id": {"DataType": "String", "StringValue": request_id}},
        )

    def give_back(self, receipt_handle: str) -> None:
        """Make a message visible at once: it comes again, or becomes a dead letter, in seconds and not in minutes."""
        self._client.change_message_visibility(QueueUrl=self._url, ReceiptHandle=receipt_handle, VisibilityTimeout=0)
