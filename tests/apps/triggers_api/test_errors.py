"""What callers see when something goes wrong."""

import asyncio
import json
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError

from shared.errors import ErrorBoundary, ResponseBroken
from tests.apps.triggers_api.support import Api, MakeApi
from tests.unit.support import Refusing, client_error

THROTTLING = [
    client_error("ProvisionedThroughputExceededException"),
    client_error("ThrottlingException"),
    client_error("RequestLimitExceeded"),
    client_error("TransactionInProgressException"),
    client_error("TransactionConflictException"),
    client_error("TransactionCanceledException", reasons=["None", "ThrottlingError"]),
    client_error("TransactionCanceledException", reasons=["ProvisionedThroughputExceeded", "None"]),
]
FAILURES = [
    client_error("InternalServerError"),
    client_error("AccessDeniedException"),
    client_error("ResourceNotFoundException"),
    client_error("ValidationException"),
    EndpointConnectionError(endpoint_url="http://127.0.0.1:1"),
    ReadTimeoutError(endpoint_url="http://127.0.0.1:1"),
    KeyError("anything"),
    RecursionError("anything"),
]
# A method, a path, and the DynamoDB operation that fails.
REQUESTS = [
    ("GET", "/v1/inbox", "query"),
    ("POST", "/v1/events", "put_item"),
    ("POST", "/v1/events/some-event/ack", "query"),
    ("DELETE", "/v1/events/some-event", "query"),
    ("GET", "/v1/inbox", "get_item"),
]
EVENT = '{"source": "test", "event_type": "test.created", "payload": {}}'


@pytest.mark.parametrize("error", THROTTLING, ids=str)
@pytest.mark.parametrize("request_to_make", REQUESTS, ids=" ".join)
def test_throttling_asks_the_caller_to_wait(
    make_api: MakeApi, dynamodb: Any, error: Exception, request_to_make: tuple[str, str, str]
) -> None:
    method, path, operation = request_to_make

    response = make_api(client=Refusing(dynamodb, error, operation)).send(method, path, body=EVENT)

    assert (response.status, response.error_code) == (429, "throttled")
    assert int(response.headers["retry-after"]) > 0


@pytest.mark.parametrize("error", FAILURES, ids=str)
@pytest.mark.parametrize("request_to_make", REQUESTS, ids=" ".join)
def test_an_unexpected_error_keeps_its_stack_to_itself(
    make_api: MakeApi, dynamodb: Any, error: Exception, request_to_make: tuple[str, str, str]
) -> None:
    method, path, operation = request_to_make
    api = make_api(client=Refusing(dynamodb, error, operation))

    response = api.send(method, path, body=EVENT, headers={"X-Request-ID": "mine", "Origin": "https://app.example.com"})

    assert response.status == 500
    assert response.json() == {
        "error": {
            "code": "internal_error",
            "message": (
                "Something went wrong on our side. Send the request again; if it fails again, quote the request id."
            ),
            "request_id": "mine",
        }
    }
    assert response.headers["x-request-id"] == "mine"
    assert response.headers["access-control-allow-origin"] == "*"
    assert response.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    "path", ["/", "/v1", "/v2/events", "/v1/events/a/b/c", "/v1/inbox//", "/docs//", "//", "/%00", ""]
)
def test_a_path_that_leads_nowhere_is_not_found(api: Api, path: str) -> None:
    response = api.get(path, key="")

    assert (response.status, response.error_code) == (404, "not_found")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/v1/health", "GET, HEAD, OPTIONS"),
        ("GET", "/v1/events", "OPTIONS, POST"),
        ("HEAD", "/v1/events", "OPTIONS, POST"),
        ("PUT", "/v1/inbox", "GET, HEAD, OPTIONS"),
        ("PATCH", "/v1/events/some-event", "DELETE, OPTIONS"),
        ("GET", "/v1/events/some-event/ack", "OPTIONS, POST"),
        ("POST", "/docs", "GET, HEAD, OPTIONS"),
        ("TRACE", "/openapi.json", "GET, HEAD, OPTIONS"),
    ],
)
def test_a_method_that_a_path_does_not_know_gets_the_list(api: Api, method: str, path: str, allowed: str) -> None:
    response = api.send(method, path)

    assert (response.status, response.headers["allow"]) == (405, allowed)
    assert response.body == "" if method == "HEAD" else response.error_code == "method_not_allowed"


@pytest.mark.parametrize("path", ["/v1/health", "/v1/inbox", "/docs", "/openapi.json"])
def test_head_is_get_without_the_body(api: Api, path: str) -> None:
    get, head = api.get(path), api.send("HEAD", path)

    assert (head.status, head.body) == (200, "")
    assert head.headers["content-type"] == get.headers["content-type"]


def test_many_unknown_members_get_a_short_response(api: Api) -> None:
    members = {f"unknown-{number}": 0 for number in range(10_000)}

    response = api.post("/v1/events", body=json.dumps({**json.loads(EVENT), **members}))

    assert (response.status, response.error_code) == (422, "invalid_request")
    assert response.json()["error"]["message"] == (
        "The event does not fit: "
        + "".join(f"unknown-{number}: extra inputs are not permitted; " for number in range(5))
        + "and 9995 more."
    )


def test_as_many_faults_as_are_shown_leave_no_more(api: Api) -> None:
    members = {f"unknown-{number}": 0 for number in range(5)}

    response = api.post("/v1/events", body=json.dumps({**json.loads(EVENT), **members}))

    assert response.json()["error"]["message"].endswith("unknown-4: extra inputs are not permitted.")


@pytest.mark.parametrize(("length", "shown"), [(64, "n" * 64), (65, "n" * 63 + "…"), (1_000_000, "n" * 63 + "…")])
def test_a_long_name_is_cut_in_the_response(api: Api, length: int, shown: str) -> None:
    response = api.post("/v1/events", body=json.dumps({**json.loads(EVENT), "n" * length: "secret"}))

    assert response.status == 422
    assert response.json()["error"]["message"] == f"The event does not fit: {shown}: extra inputs are not permitted."


@pytest.mark.usefixtures("event_loop")
def test_a_response_that_has_begun_is_not_begun_again(logger: Any) -> None:
    sent: list[str] = []

    async def fails_halfway(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise ZeroDivisionError

    async def send(message: Any) -> None:
        sent.append(message["type"])

    async def receive() -> Any:
        return {"type": "http.request"}

    with pytest.raises(ResponseBroken):
        asyncio.run(ErrorBoundary(fails_halfway, logger=logger)({"type": "http"}, receive, send))
    assert sent == ["http.response.start"]
