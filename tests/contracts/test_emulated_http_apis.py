"""What the apps lean on in the local HTTP APIs: routes, preflights and checked tokens."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from sawhorse.local.emulators import Running
from sawhorse.local.issuer import Issuer
from sawhorse.project import Project
from tests.contracts.support import Account, unsigned

if TYPE_CHECKING:
    import httpx

ECHO = """
import json

def handler(event, context):
    return {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": json.dumps(event)}
"""
ORIGIN = "https://app.example.com"
AUDIENCE = "https://api.example.com"
CORS = {
    "AllowOrigins": [ORIGIN],
    "AllowMethods": ["GET", "POST"],
    "AllowHeaders": ["Authorization", "Content-Type"],
    "ExposeHeaders": ["X-Request-ID"],
    "MaxAge": 600,
    "AllowCredentials": True,
}


@pytest.fixture(scope="module")
def echo(account: Account) -> str:
    """A function that responds with the event that it was given."""
    return account.function(ECHO)


@pytest.fixture(scope="module")
def routed(account: Account, echo: str) -> str:
    """An API of routes that lie in each other's way."""
    keys = ["$default", "ANY /api/{proxy+}", "GET /api/items/{id}", "GET /api/health"]
    return account.http_api(echo, dict.fromkeys(keys, False))


@pytest.fixture(scope="module")
def issuer(local_aws_project: Project, local_aws: Running) -> Issuer:
    """The issuer of the local AWS that runs."""
    assert local_aws.issuer.process
    return Issuer.of(local_aws_project)


@pytest.fixture(scope="module")
def guarded(account: Account, echo: str, issuer: Issuer) -> str:
    """An API that lets anybody ask for its health and asks for a token everywhere else."""
    return account.http_api(
        echo,
        {"GET /api/health": False, "GET /{proxy+}": True, "POST /{proxy+}": True},
        jwt={"Issuer": issuer.url, "Audience": [AUDIENCE]},
        cors=CORS,
    )


def ask(running: Running, api: str, path: str, method: str = "GET", **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    with unsigned(running) as http:
        return http.request(method, f"/_aws/execute-api/{api}{path}", headers=named)


def token_of(issuer: Issuer, **claims: Any) -> str:
    return issuer.token(subject="user-1", audience=AUDIENCE, **claims)


def claims_of(response: httpx.Response) -> Mapping[str, Any]:
    claims: Mapping[str, Any] = response.json()["requestContext"]["authorizer"]["jwt"]["claims"]
    return claims


@pytest.mark.parametrize(
    ("method", "path", "key"),
    [
        ("GET", "/api/health", "GET /api/health"),
        ("POST", "/api/health", "ANY /api/{proxy+}"),
        ("GET", "/api/items/7", "GET /api/items/{id}"),
        ("GET", "/api/items/7/parts", "ANY /api/{proxy+}"),
        ("DELETE", "/elsewhere", "$default"),
        ("GET", "/", "$default"),
    ],
)
def test_the_nearest_route_takes_a_call(local_aws: Running, routed: str, method: str, path: str, key: str) -> None:
    event = ask(local_aws, routed, path, method).json()

    assert event["routeKey"] == key
    assert event["rawPath"] == path
    assert event["requestContext"]["http"]["method"] == method
    assert event["requestContext"]["stage"] == "$default"


def test_a_call_that_no_route_takes_is_not_found(local_aws: Running, account: Account, echo: str) -> None:
    api = account.http_api(echo, {"GET /api/health": False})

    assert [ask(local_aws, api, path).status_code for path in ("/api/health", "/api", "/")] == [200, 404, 404]
    assert ask(local_aws, api, "/api/health", "POST").status_code == 404


def test_the_default_stage_needs_no_name_in_the_address(local_aws: Running, account: Account, echo: str) -> None:
    api = account.http_api(echo)

    assert ask(local_aws, api, "/api/health").json()["rawPath"] == "/api/health"
    assert ask(local_aws, api, "/$default/api/health").json()["rawPath"] == "/api/health"


def test_a_body_comes_as_text_and_anything_else_encoded(local_aws: Running, account: Account, echo: str) -> None:
    api = account.http_api(echo)

    with unsigned(local_aws) as http:
        text = http.post(f"/_aws/execute-api/{api}/x?a=1&a=2", json={"n": 1}).json()
        octets = http.post(f"/_aws/execute-api/{api}/x", content=b"\xff\x00").json()

    assert (json.loads(text["body"]), text["isBase64Encoded"], text["rawQueryString"]) == ({"n": 1}, False, "a=1&a=2")
    assert (octets["body"], octets["isBase64Encoded"]) == ("/wA=", True)


def test_an_http_api_before_an_alias_needs_no_other_name(local_aws: Running, account: Account) -> None:
    functions = account.client("lambda")
    function = account.function("def handler(event, context):\n    return {'statusCode': 200, 'body': 'first'}\n")
    version = functions.publish_version(FunctionName=function)["Version"]
    functions.create_alias(FunctionName=function, Name="live", FunctionVersion=version)

    assert ask(local_aws, account.http_api(function, qualifier="live"), "/x").text == "first"


def test_a_preflight_gets_a_response_without_a_token(local_aws: Running, guarded: str) -> None:
    response = ask(local_aws, guarded, "/api/items", "OPTIONS", Origin=ORIGIN, Access_Control_Request_Method="POST")

    assert response.status_code == 204
    assert response.headers["access-control-allow-origin"] == ORIGIN
    assert response.headers["access-control-allow-methods"] == "GET,POST"
    assert response.headers["access-control-allow-headers"] == "Authorization,Content-Type"
    assert response.headers["access-control-allow-credentials"] == "true"
    assert response.headers["access-control-max-age"] == "600"


def test_a_response_says_who_may_read_it(local_aws: Running, guarded: str) -> None:
    known = ask(local_aws, guarded, "/api/health", Origin=ORIGIN)
    foreign = ask(local_aws, guarded, "/api/health", Origin="https://evil.example.com")

    assert known.headers["access-control-allow-origin"] == ORIGIN
    assert known.headers["access-control-expose-headers"] == "X-Request-ID"
    assert "access-control-allow-origin" not in foreign.headers


def test_a_preflight_of_a_foreign_page_is_told_nothing(local_aws: Running, guarded: str) -> None:
    response = ask(
        local_aws,
        guarded,
        "/api/items",
        "OPTIONS",
        Origin="https://evil.example.com",
        Access_Control_Request_Method="POST",
    )

    assert "access-control-allow-origin" not in response.headers


def test_no_function_gets_a_preflight_even_without_cors(local_aws: Running, account: Account, echo: str) -> None:
    # AWS would hand it to the route's function: an API whose function responds to browsers itself shows it in AWS only.
    response = ask(
        local_aws, account.http_api(echo), "/x", "OPTIONS", Origin=ORIGIN, Access_Control_Request_Method="GET"
    )

    assert (response.status_code, response.json()) == (403, {"message": "CORS not configured"})


def test_a_good_token_passes_and_its_claims_reach_the_function(
    local_aws: Running, guarded: str, issuer: Issuer
) -> None:
    token = token_of(issuer, email="a@example.com")

    response = ask(local_aws, guarded, "/api/items", Authorization=f"Bearer {token}")

    assert response.status_code == 200, response.text
    assert {"sub": "user-1", "email": "a@example.com", "aud": AUDIENCE}.items() <= claims_of(response).items()


def test_every_claim_reaches_the_function_as_text(local_aws: Running, guarded: str, issuer: Issuer) -> None:
    token = token_of(issuer, aud=[AUDIENCE, "other"], admin=True)

    claims = claims_of(ask(local_aws, guarded, "/api/items", Authorization=f"Bearer {token}"))

    assert (claims["aud"], claims["admin"]) == (f"[{AUDIENCE} other]", "true")
    assert claims["exp"].isdigit()


def test_an_open_route_asks_for_no_token_and_tells_no_claims(local_aws: Running, guarded: str, issuer: Issuer) -> None:
    token = token_of(issuer)

    for headers in ({}, {"Authorization": f"Bearer {token}"}):
        response = ask(local_aws, guarded, "/api/health", **headers)
        assert response.status_code == 200
        assert "authorizer" not in response.json()["requestContext"]


@pytest.mark.parametrize(
    "name",
    [
        "none",
        "no token at all",
        "expired",
        "not valid yet",
        "foreign audience",
        "no audience",
        "foreign issuer",
        "issuer without its slash",
        "another key's signature",
        "unknown key",
        "unsigned",
    ],
)
def test_a_call_without_a_good_token_is_unauthorized(
    local_aws: Running, guarded: str, issuer: Issuer, name: str
) -> None:
    stranger = Issuer.new(issuer.url)
    token = {
        "none": None,
        "no token at all": "abc",
        "expired": token_of(issuer, lifetime_seconds=-3600),
        "not valid yet": token_of(issuer, nbf=int(time.time()) + 3600),
        "foreign audience": token_of(issuer, aud="https://other.example.com"),
        "no audience": token_of(issuer, aud=None),
        "foreign issuer": token_of(issuer, iss="https://other.example.com/"),
        "issuer without its slash": token_of(issuer, iss=issuer.url.removesuffix("/")),
        "another key's signature": token_of(replace(issuer, key=stranger.key)),
        "unknown key": token_of(stranger),
        "unsigned": f"{token_of(issuer).rpartition('.')[0]}.",
    }[name]

    response = ask(local_aws, guarded, "/api/items", **({} if token is None else {"Authorization": f"Bearer {token}"}))

    assert (response.status_code, response.json()) == (401, {"message": "Unauthorized"})


def test_a_token_without_a_scope_of_its_route_is_refused(
    local_aws: Running, account: Account, echo: str, issuer: Issuer
) -> None:
    api = account.http_api(echo, {"POST /items": True}, jwt={"Issuer": issuer.url, "Audience": [AUDIENCE]})
    gateway = account.client("apigatewayv2")
    [route] = gateway.get_routes(ApiId=api)["Items"]
    gateway.update_route(ApiId=api, RouteId=route["RouteId"], AuthorizationScopes=["items:write"])

    def status(scope: str) -> int:
        token = token_of(issuer, scope=scope)
        return ask(local_aws, api, "/items", "POST", Authorization=f"Bearer {token}").status_code

    assert [status(scope) for scope in ("items:write", "a items:write b", "items:read", "")] == [200, 200, 403, 403]


def test_the_settings_of_one_route_are_deleted_and_the_stage_stays(account: Account, echo: str) -> None:
    routes = ["POST /items/{id}", "$default"]
    api = account.http_api(echo, dict.fromkeys(routes, False))
    gateway = account.client("apigatewayv2")
    stage = {"ApiId": api, "StageName": "$default"}
    gateway.update_stage(**stage, RouteSettings={key: {"ThrottlingRateLimit": 1.0} for key in routes})

    gateway.delete_route_settings(**stage, RouteKey=routes[0])

    assert gateway.get_stage(**stage)["RouteSettings"] == {"$default": {"ThrottlingRateLimit": 1.0}}
    with pytest.raises(gateway.exceptions.NotFoundException):
        gateway.delete_route_settings(ApiId=api, StageName="nothing", RouteKey=routes[1])
