"""What the local API Gateway and function URLs do as AWS's: with failures, slashes, bytes and binary types."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

import pytest

from sawhorse.local.emulators import Running
from tests.contracts.support import Account, unsigned

if TYPE_CHECKING:
    import httpx

ECHO = """
import json

def handler(event, context):
    return {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": json.dumps(event)}
"""
FAILING = """
def handler(event, context):
    raise ValueError("the text of the error")
"""
RESPONDED_WITH_502 = """
def handler(event, context):
    return {"statusCode": 502, "body": "of the function"}
"""
LATIN = "caf\xe9".encode("latin-1")


@pytest.fixture(scope="module")
def echo(account: Account) -> str:
    """A function that responds with the event that it was given."""
    return account.function(ECHO)


@pytest.fixture(scope="module")
def failing(account: Account) -> str:
    """A function that raises an error with a text."""
    return account.function(FAILING)


def function_url(account: Account, function: str) -> str:
    lambdas = account.client("lambda")
    lambdas.add_permission(
        FunctionName=function,
        StatementId="url",
        Action="lambda:InvokeFunctionUrl",
        Principal="*",
        FunctionUrlAuthType="NONE",
    )
    url = lambdas.create_function_url_config(FunctionName=function, AuthType="NONE")["FunctionUrl"]
    return str(url).split("://", 1)[1].split(".", 1)[0]


def ask(running: Running, path: str, method: str = "GET", **options: object) -> httpx.Response:
    with unsigned(running) as http:
        return http.request(method, path, **options)  # type: ignore[arg-type] # httpx's own


def test_a_rest_api_keeps_the_text_of_a_functions_error_to_itself(
    local_aws: Running, account: Account, failing: str
) -> None:
    response = ask(local_aws, f"/_aws/execute-api/{account.rest_api(failing)}/dev/x")

    assert (response.status_code, response.json()) == (502, {"message": "Internal server error"})
    assert "text of the error" not in response.text


def test_a_rest_api_shapes_a_functions_error_by_its_gateway_response(
    local_aws: Running, account: Account, failing: str
) -> None:
    api = account.rest_api(failing)
    gateway = account.client("apigateway")
    gateway.put_gateway_response(
        restApiId=api,
        responseType="DEFAULT_5XX",
        responseParameters={"gatewayresponse.header.X-Request-ID": "context.requestId"},
        responseTemplates={"application/json": '{"error":{"code":"internal_error","request_id":"$context.requestId"}}'},
    )
    gateway.create_deployment(restApiId=api, stageName="dev")

    response = ask(local_aws, f"/_aws/execute-api/{api}/dev/x")

    assert response.status_code == 502
    assert response.json()["error"] == {"code": "internal_error", "request_id": response.headers["x-request-id"]}


def test_an_http_api_keeps_the_text_of_a_functions_error_to_itself(
    local_aws: Running, account: Account, failing: str
) -> None:
    response = ask(local_aws, f"/_aws/execute-api/{account.http_api(failing)}/x")

    assert (response.status_code, response.json()) == (500, {"message": "Internal Server Error"})


def test_a_function_url_keeps_the_text_of_a_functions_error_to_itself(
    local_aws: Running, account: Account, failing: str
) -> None:
    response = ask(local_aws, f"/_aws/lambda-url/{function_url(account, failing)}/x")

    assert (response.status_code, response.text) == (502, "Internal Server Error")


def test_a_status_of_the_functions_own_stays(local_aws: Running, account: Account) -> None:
    function = account.function(RESPONDED_WITH_502)
    rest, http, url = account.rest_api(function), account.http_api(function), function_url(account, function)

    for path in (f"/_aws/execute-api/{rest}/dev/x", f"/_aws/execute-api/{http}/x", f"/_aws/lambda-url/{url}/x"):
        response = ask(local_aws, path)
        assert (response.status_code, response.text) == (502, "of the function"), path


@pytest.mark.parametrize("path", ["/CODE", "/CODE/", "/a/b", "/a/b/", "/a%2Fb/", "/"])
def test_a_slash_at_the_end_of_a_path_reaches_the_function(
    local_aws: Running, account: Account, echo: str, path: str
) -> None:
    if path != "/":
        response = ask(local_aws, f"/_aws/execute-api/{account.rest_api(echo)}/dev{path}")
        assert response.json()["path"].replace("%2F", "/") == path.replace("%2F", "/")
    plain = path.replace("%2F", "/")
    http, url = account.http_api(echo), function_url(account, account.function(ECHO))
    assert ask(local_aws, f"/_aws/execute-api/{http}{path}").json()["rawPath"] == plain
    assert ask(local_aws, f"/_aws/execute-api/{http}/$default{path}").json()["rawPath"] == plain
    assert ask(local_aws, f"/_aws/lambda-url/{url}{path}").json()["rawPath"] == plain


@pytest.mark.parametrize("kind", ["application/json", "text/plain; charset=latin-1", None])
def test_a_rest_api_whose_binary_types_are_all_hands_bytes_on(
    local_aws: Running, account: Account, echo: str, kind: str | None
) -> None:
    api = account.rest_api(echo)
    gateway = account.client("apigateway")
    gateway.update_rest_api(restApiId=api, patchOperations=[{"op": "add", "path": "/binaryMediaTypes/*~1*"}])
    headers = {} if kind is None else {"Content-Type": kind}

    response = ask(local_aws, f"/_aws/execute-api/{api}/dev/x", "POST", content=LATIN, headers=headers)

    event = response.json()
    assert (event["isBase64Encoded"], base64.b64decode(event["body"])) == (True, LATIN)
    assert ask(local_aws, f"/_aws/execute-api/{api}/dev/x").json()["body"] is None


def test_binary_types_are_added_and_removed_one_by_one(account: Account, echo: str) -> None:
    api = account.rest_api(echo)
    gateway = account.client("apigateway")

    def types_after(op: str, kind: str) -> list[str]:
        path = f"/binaryMediaTypes/{kind.replace('/', '~1')}"
        gateway.update_rest_api(restApiId=api, patchOperations=[{"op": op, "path": path}])
        return list(gateway.get_rest_api(restApiId=api).get("binaryMediaTypes", []))

    assert types_after("add", "*/*") == ["*/*"]
    assert types_after("add", "image/png") == ["*/*", "image/png"]
    assert types_after("remove", "*/*") == ["image/png"]


def test_text_that_a_function_returns_stays_text_where_all_types_are_binary(
    local_aws: Running, account: Account, echo: str
) -> None:
    api = account.rest_api(account.function("def handler(e, c):\n    return {'statusCode': 200, 'body': 'täglich'}\n"))
    gateway = account.client("apigateway")
    gateway.update_rest_api(restApiId=api, patchOperations=[{"op": "add", "path": "/binaryMediaTypes/*~1*"}])

    for accept in ("*/*", "application/json", "image/png"):
        response = ask(local_aws, f"/_aws/execute-api/{api}/dev/x", headers={"Accept": accept})
        assert response.text == "täglich"
    preflight = ask(local_aws, f"/_aws/execute-api/{api}/dev/x", "OPTIONS", headers={"Origin": "https://a.example"})
    assert (preflight.status_code, preflight.text) == (200, "täglich")


def test_an_http_api_puts_u_fffd_for_bytes_of_a_text(local_aws: Running, account: Account, echo: str) -> None:
    # The applications refuse it: see `shared.lambda_events`.
    api = account.http_api(echo)

    response = ask(
        local_aws, f"/_aws/execute-api/{api}/x", "POST", content=LATIN, headers={"Content-Type": "text/plain"}
    )

    assert json.loads(response.text)["body"] == "caf\N{REPLACEMENT CHARACTER}"
