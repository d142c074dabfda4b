"""What the harness leans on in the local API Gateway."""

from __future__ import annotations

import json
import secrets
from typing import Any

import pytest

from sawhorse.local.emulators import Running
from tests.contracts.support import Account, package, unsigned

ECHO = """
import json

def handler(event, context):
    return {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": json.dumps(event)}
"""


@pytest.fixture(scope="module")
def api(account: Account) -> str:
    """A REST API whose function responds with the event that it was given."""
    return account.rest_api(account.function(ECHO))


def event_of(running: Running, api: str, method: str, path: str, **options: Any) -> dict[str, Any]:
    with unsigned(running) as http:
        response = http.request(method, f"/_aws/execute-api/{api}/dev{path}", **options)
    assert response.status_code == 200, response.text
    event: dict[str, Any] = response.json()
    return event


def test_an_unsigned_call_reaches_a_rest_api_of_any_account(local_aws: Running, any_account: Account) -> None:
    api = any_account.rest_api(any_account.function(ECHO))

    with unsigned(local_aws) as http:
        for path in (f"/_aws/execute-api/{api}/dev/v1/health", f"/restapis/{api}/dev/_user_request_/v1/health"):
            response = http.get(path)
            assert response.status_code == 200, response.text
            assert response.json()["path"] == "/v1/health"


def test_an_unsigned_call_reaches_an_http_api_of_any_account(local_aws: Running, any_account: Account) -> None:
    api = any_account.http_api(any_account.function(ECHO))

    with unsigned(local_aws) as http:
        response = http.get(f"/_aws/execute-api/{api}/$default/v1/health")

    assert response.status_code == 200, response.text
    assert response.json()["rawPath"] == "/v1/health"
    assert response.json()["version"] == "2.0"


def test_an_unknown_api_or_stage_is_no_success(local_aws: Running, api: str) -> None:
    with unsigned(local_aws) as http:
        assert http.get(f"/_aws/execute-api/{secrets.token_hex(5)}/dev/v1/health").status_code in {403, 404}
        assert http.get(f"/_aws/execute-api/{api}/other/v1/health").status_code in {403, 404}


def test_the_event_of_a_rest_api_has_the_shape_that_mangum_reads(local_aws: Running, api: str) -> None:
    event = event_of(
        local_aws, api, "POST", "/v1/events?limit=5&tag=a&tag=b", json={"n": 1}, headers={"X-Request-ID": "client-1"}
    )

    headers = {name.lower(): value for name, value in event["headers"].items()}
    assert headers["x-request-id"] == "client-1"
    assert headers["content-type"] == "application/json"
    assert {name.lower(): values for name, values in event["multiValueHeaders"].items()}["x-request-id"] == ["client-1"]
    assert event["httpMethod"] == "POST"
    assert event["path"] == "/v1/events"
    assert event["resource"] == "/{proxy+}"
    assert event["pathParameters"] == {"proxy": "v1/events"}
    assert event["multiValueQueryStringParameters"] == {"limit": ["5"], "tag": ["a", "b"]}
    assert json.loads(event["body"]) == {"n": 1}
    assert event["isBase64Encoded"] is False
    assert event["requestContext"]["stage"] == "dev"
    assert event["requestContext"]["apiId"] == api
    assert event["requestContext"]["requestId"]
    assert event["requestContext"]["identity"]["sourceIp"]


def test_a_call_without_query_or_body_says_null(local_aws: Running, api: str) -> None:
    event = event_of(local_aws, api, "GET", "/v1/health")

    assert event["queryStringParameters"] is None
    assert event["body"] is None
    assert event["isBase64Encoded"] is False


def test_every_call_has_a_request_id_of_its_own(local_aws: Running, api: str) -> None:
    ids = {event_of(local_aws, api, "GET", "/x")["requestContext"]["requestId"] for _ in range(3)}

    assert len(ids) == 3


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "PUT", "PATCH", "OPTIONS"])
def test_every_method_reaches_the_function(local_aws: Running, api: str, method: str) -> None:
    assert event_of(local_aws, api, method, "/v1/events")["httpMethod"] == method


def test_a_response_comes_as_the_function_gave_it(local_aws: Running, account: Account) -> None:
    responding = {
        "statusCode": 418,
        "headers": {"X-One": "b"},
        "multiValueHeaders": {"X-Many": ["a"]},
        "body": "täglich",
    }
    api = account.rest_api(account.function(f"def handler(event, context):\n    return {responding!r}\n"))

    with unsigned(local_aws) as http:
        response = http.get(f"/_aws/execute-api/{api}/dev/x")

    assert response.status_code == 418
    assert (response.headers["x-many"], response.headers["x-one"]) == ("a", "b")
    assert response.text == "täglich"


def test_an_api_without_binary_types_leaves_an_encoded_body_encoded(local_aws: Running, account: Account) -> None:
    responding = {"statusCode": 200, "isBase64Encoded": True, "body": "/wA="}
    api = account.rest_api(account.function(f"def handler(event, context):\n    return {responding!r}\n"))

    with unsigned(local_aws) as http:
        assert http.get(f"/_aws/execute-api/{api}/dev/x").text == "/wA="


def test_a_function_that_fails_is_a_502(local_aws: Running, account: Account) -> None:
    api = account.rest_api(account.function("def handler(event, context):\n    raise ValueError('no')\n"))

    with unsigned(local_aws) as http:
        response = http.get(f"/_aws/execute-api/{api}/dev/v1/health")

    assert response.status_code == 502


def test_an_api_before_an_alias_follows_it(local_aws: Running, account: Account) -> None:
    def responding(number: int) -> str:
        return f"def handler(event, context):\n    return {{'statusCode': 200, 'body': '{number}'}}\n"

    functions = account.client("lambda")
    function = account.function(responding(1))
    first = functions.publish_version(FunctionName=function)["Version"]
    functions.update_function_code(FunctionName=function, ZipFile=package(responding(2)))
    second = functions.publish_version(FunctionName=function)["Version"]
    functions.create_alias(FunctionName=function, Name="live", FunctionVersion=first)
    api = account.rest_api(function, qualifier="live")

    with unsigned(local_aws) as http:
        before = http.get(f"/_aws/execute-api/{api}/dev/x").text
        functions.update_alias(FunctionName=function, Name="live", FunctionVersion=second)
        after = http.get(f"/_aws/execute-api/{api}/dev/x").text

    assert (before, after) == ("1", "2")
