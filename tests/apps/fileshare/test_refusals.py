"""Bad input, wrong tokens and throttling get 4xx responses with a code, a sentence and the request id; never a 5xx."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from aws_lambda_powertools import Logger
from mangum import Mangum

from fileshare.app import create_app, open_database
from fileshare.checks import MAX_BODY_BYTES
from fileshare.database import Database
from fileshare.settings import Settings, Tables
from fileshare.tokens import new_token
from tests.apps.fileshare.conftest import KINDS, settings_of, two_tables
from tests.apps.fileshare.support import Api
from tests.unit.support import Clock, Refusing, Response, client_error

PROTECTED = [
    ("POST", "/api/links"),
    ("GET", "/api/links"),
    ("GET", "/api/links/abcdefghij"),
    ("DELETE", "/api/links/abcdefghij"),
    ("GET", "/api/trial"),
    ("POST", "/api/trial"),
]
LINK = {"full_url": "https://example.com/"}


# A refusal leaves nothing behind, so all tests of this file share their databases.


@pytest.fixture(scope="module")
def tables(dynamodb: Any) -> Iterator[Tables]:
    yield from two_tables(dynamodb)


@pytest.fixture(scope="module", params=KINDS)
def settings(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return settings_of(request, tmp_path_factory.mktemp("refusals"))


def assert_error(response: Response, status: int, code: str) -> None:
    assert (response.status, response.error_code) == (status, code), response
    error = response.json()["error"]
    assert set(error) == {"code", "message", "request_id"}
    assert error["message"].endswith(".")
    assert error["request_id"] == response.headers["x-request-id"] == "mine-1"


def send(api: Api, method: str, path: str, body: object = None, **request: Any) -> Response:
    return api.call(method, path, body, headers={"X-Request-ID": "mine-1"}, **request)


@pytest.mark.parametrize(("method", "path"), PROTECTED)
@pytest.mark.parametrize(
    "token",
    ["", "wrong", new_token("nobody").clear, "fs_" + "x" * 3000 + "_" + "0" * 64, "fs_a#b_" + "0" * 64],
    ids=["none", "no form", "of nobody", "very long", "of a marker"],
)
def test_without_the_right_token_every_protected_route_is_refused(
    stranger: Api, method: str, path: str, token: str
) -> None:
    response = send(stranger, method, path, token=token)
    assert_error(response, 401, "unauthorized")
    assert response.headers["www-authenticate"] == "Bearer"


def test_a_token_of_another_user_or_another_secret_does_not_open(api: Api, make_api: Callable[[], Api]) -> None:
    own = str(api.token)
    user_id = own.split("_")[1]
    other = make_api()
    other.sign_up()
    secret = str(other.token).split("_")[2]
    assert_error(send(api, "GET", "/api/trial", token=f"fs_{user_id}_{secret}"), 401, "unauthorized")
    assert send(api, "GET", "/api/trial", token=own).status == 200


def test_an_item_that_reserves_an_address_is_no_user(stranger: Api) -> None:
    user = stranger.sign_up("ada@example.com")
    secret = user["token"].split("_")[2]
    assert_error(send(stranger, "GET", "/api/trial", token=f"fs_email#ada@example.com_{secret}"), 401, "unauthorized")


def test_another_scheme_is_no_token(api: Api) -> None:
    for value in ("Basic abc", "Bearer", f"Token {api.token}", str(api.token)):
        response = api.send("GET", "/api/trial", headers={"Authorization": value, "X-Request-ID": "mine-1"})
        assert_error(response, 401, "unauthorized")


@pytest.mark.parametrize("path", ["/api/users", "/api/links"])
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b"\xff\xfe",
        b'{"email": "\\ud800@example.com", "full_url": "https://\\ud800.example/"}',
        b'{"email": 1, "full_url": 1}',
        b'{"email": null, "full_url": null}',
        b'{"email": ["ada@example.com"], "full_url": {"a": "https://example.com"}}',
        b'{"email": NaN, "full_url": NaN}',
        b'{"email": "ada@example.com", "full_url": "https://example.com", "admin": true}',
        b"[" * 5000,
        b'{"email":' * 3000,
    ],
    ids=lambda body: body[:24].decode("latin-1"),
)
def test_a_body_that_is_none_of_ours_is_refused(api: Api, path: str, body: bytes) -> None:
    response = api.send(
        "POST", path, body=body, headers={"X-Request-ID": "mine-1", "Authorization": f"Bearer {api.token}"}
    )
    assert_error(response, 422, "invalid_request")


@pytest.mark.parametrize(
    "members",
    [
        {"full_url": ""},
        {"full_url": "example.com"},
        {"full_url": "//example.com/"},
        {"full_url": "ftp://example.com/"},
        {"full_url": "javascript:alert(1)"},
        {"full_url": "data:text/html,hello"},
        {"full_url": "file:///etc/passwd"},
        {"full_url": "http:/example.com"},
        {"full_url": "https:///path"},
        {"full_url": "https://"},
        {"full_url": "https://user@example.com/"},
        {"full_url": "https://bank.example@evil.example/"},
        {"full_url": "https://@example.com/"},
        {"full_url": "https://bank.example\\@evil.example/"},
        {"full_url": "https://exa mple.com/"},
        {"full_url": " https://example.com/"},
        {"full_url": "https://example.com/\r\nSet-Cookie: a=b"},
        {"full_url": "https://example.com/\x00"},
        {"full_url": "https://example.com/\u202egpj.exe"},
        {"full_url": "https://example.com:port/"},
        {"full_url": "https://example.com:99999/"},
        {"full_url": "https://[::1/"},
        {"full_url": "https://bücher.example/"},
        {"full_url": "https://example.com/" + "x" * 2048},
        {"full_url": "https://example.com/" + "x" * 20_000},
        {"full_url": "https://example.com/" + "\u5831" * 2000},
        {"full_url": "https://example.com/?q=" + "\U0001f600" * 700},
        {"expires_at": "tomorrow"},
        {"expires_at": "2026-01-31"},
        {"expires_at": "2027-01-31T09:00:00"},
        {"expires_at": 1893456000},
        {"expires_at": True},
        {"expires_at": "2020-01-31T09:00:00Z"},
        {"expires_at": "9999-12-31T23:59:59-14:00"},
        {"expires_at": "0001-01-01T00:00:00+14:00"},
        {"file_key": ""},
        {"file_key": "x" * 1025},
        {"file_key": 7},
        {"filename": ""},
        {"filename": "x" * 256},
        {"filename": "a\r\nb"},
        {"short_code": "mine"},
        {"click_count": 7},
        {"created_by_user": "another"},
    ],
    ids=str,
)
def test_a_link_that_does_not_fit_is_refused(api: Api, members: dict[str, Any]) -> None:
    assert_error(send(api, "POST", "/api/links", {**LINK, **members}), 422, "invalid_request")
    assert api.call("GET", "/api/links").json()["links"] == []


@pytest.mark.parametrize(
    "email",
    [
        "",
        "ada",
        "@example.com",
        "ada@",
        "ada@example",
        "ada@@example.com",
        "a b@example.com",
        "ada@exa\nmple.com",
        "ada@bücher.example",
        "x" * 65 + "@example.com",
        "a@" + "b." * 200 + "com",
        "a" * 2000 + "@example.com",
        "email#ada@example.com\x00",
        "ada,eve@example.com",
        # Letters whose lower case, or whose compatible form, is an ASCII letter.
        "\N{KELVIN SIGN}@example.com",
        "ada@\N{KELVIN SIGN}.example",
        "\N{FULLWIDTH LATIN SMALL LETTER A}da@example.com",
        "\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}@example.com",
        "\N{LATIN SMALL LETTER LONG S}@example.com",
        "ad\N{ZERO WIDTH SPACE}a@example.com",
        "\N{CYRILLIC SMALL LETTER A}da@example.com",
    ],
)
def test_an_address_that_is_none_is_refused(stranger: Api, email: str) -> None:
    assert_error(send(stranger, "POST", "/api/users", {"email": email}), 422, "invalid_request")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"limit": ["0"]}, "invalid_request"),
        ({"limit": ["101"]}, "invalid_request"),
        ({"limit": ["ten"]}, "invalid_request"),
        ({"cursor": ["nonsense"]}, "invalid_request"),
        ({"cursor": [""]}, "invalid_request"),
        ({"cursor": ["bnVsbA"]}, "invalid_request"),
        ({"cursor": ["x" * 9000]}, "invalid_request"),
        ({"cursor": ["IiI"]}, "invalid_request"),
    ],
    ids=str,
)
def test_a_query_that_does_not_fit_is_refused(api: Api, query: dict[str, list[str]], code: str) -> None:
    assert_error(send(api, "GET", "/api/links", query=query), 422, code)


def test_an_address_in_a_query_that_is_none_is_refused(api: Api) -> None:
    assert_error(send(api, "GET", "/api/trial", query={"email": ["nonsense"]}), 422, "invalid_request")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/", 404, "not_found"),
        ("GET", "/unknown123", 404, "not_found"),
        ("GET", "/favicon.ico", 404, "not_found"),
        ("GET", "/" + "x" * 3000, 404, "not_found"),
        ("GET", "/email#ada@example.com", 404, "not_found"),
        ("GET", "/é", 404, "not_found"),
        ("GET", "/a/b/c", 404, "not_found"),
        ("GET", "/api", 404, "not_found"),
        ("GET", "/api/links/" + "x" * 3000, 404, "not_found"),
        ("DELETE", "/api/links/" + "x" * 3000, 404, "not_found"),
        ("GET", "/api/links/unknown123", 404, "not_found"),
        ("DELETE", "/api/links/unknown123", 404, "not_found"),
        ("GET", "/api/unknown", 404, "not_found"),
        ("POST", "/unknown123", 405, "method_not_allowed"),
        ("PUT", "/api/links", 405, "method_not_allowed"),
        ("GET", "/api/users", 405, "method_not_allowed"),
        ("DELETE", "/api/trial", 405, "method_not_allowed"),
        ("PATCH", "/api/links/unknown123", 405, "method_not_allowed"),
    ],
    ids=lambda value: str(value)[:24],
)
def test_unknown_things_and_methods_are_named(api: Api, method: str, path: str, status: int, code: str) -> None:
    assert_error(send(api, method, path), status, code)


@pytest.mark.parametrize("path", ["/api/users", "/api/links"])
def test_a_body_that_is_too_large_is_refused(api: Api, path: str) -> None:
    body = json.dumps({"email": "x" * MAX_BODY_BYTES})
    headers = {"X-Request-ID": "mine-1", "Authorization": f"Bearer {api.token}"}
    response = api.send("POST", path, body=body, headers=headers)
    assert_error(response, 413, "request_too_large")
    described = api.get("/openapi.json").json()["paths"][path]["post"]["responses"]["413"]["description"]
    assert response.json()["error"]["message"] == described


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/api/users", {"email": "ada@example.com"}),
        ("POST", "/api/links", LINK),
        ("GET", "/api/links", None),
        ("GET", "/api/trial", None),
        ("POST", "/api/trial", None),
        ("GET", "/abcdefghij", None),
    ],
)
def test_throttling_of_dynamodb_reaches_the_caller(  # noqa: PLR0913, PLR0917 - a row of a table, and what it needs
    dynamodb: Any, tables: Tables, logger: Logger, event_loop: Any, method: str, path: str, body: object
) -> None:
    client = Refusing(dynamodb, client_error("ThrottlingException"))
    settings = Settings(database=tables)
    database = open_database(settings, client=client, logger=logger)
    api = Api(Mangum(create_app(settings=settings, database=database, clock=Clock(), logger=logger), lifespan="off"))
    response = send(api, method, path, body, token=new_token("somebody").clear)
    assert_error(response, 429, "throttled")
    assert response.headers["retry-after"]


def test_a_preflight_gets_a_response_and_errors_carry_the_headers_for_browsers(stranger: Api) -> None:
    preflight = stranger.send("OPTIONS", "/api/links", headers={"Origin": "https://app.example.com"})
    assert preflight.status == 204
    assert "Authorization" in preflight.headers["access-control-allow-headers"]
    refused = stranger.get("/api/links", headers={"Origin": "https://app.example.com"})
    assert (refused.status, refused.headers["access-control-allow-origin"]) == (401, "*")


def test_in_lambda_the_origin_is_left_to_the_http_api(
    settings: Settings, database: Database, logger: Logger, event_loop: Any
) -> None:
    app = create_app(settings=replace(settings, in_lambda=True), database=database, clock=Clock(), logger=logger)
    api = Api(Mangum(app, lifespan="off"))
    for method in ("OPTIONS", "GET"):
        response = api.send(method, "/api/links", headers={"Origin": "https://app.example.com"})
        assert response.status in {204, 401}
        assert "access-control-allow-origin" not in response.headers


def test_no_secret_and_no_target_reaches_the_log(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    email = "somebody.private@example.com"
    user = api.sign_up(email)
    link = api.shorten("https://example.com/private/report.pdf?key=secret")
    api.get(f"/{link['short_code']}")
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    requests = [line for line in lines if line["message"] == "request"]
    assert [line["status"] for line in requests] == [201, 201, 302]
    assert requests[1]["user_id"] == user["user_id"]
    assert requests[2]["short_code"] == link["short_code"]
    written = json.dumps(lines)
    for secret in (user["token"], user["token"].split("_")[2], email, "private/report"):
        assert secret not in written


def test_characters_of_a_newer_unicode_are_taken_and_none_that_is_nobodys(api: Api) -> None:
    # No Unicode of today has U+0378; U+FFFE and U+E0FFF are never seen.
    for character, status in (("\u0378", 201), ("\ufffe", 422), ("\U000e0fff", 422), ("\ue000", 422), ("\u200d", 422)):
        for member in ({"full_url": f"https://example.com/{character}"}, {"file_key": f"uploads/{character}.pdf"}):
            response = api.call("POST", "/api/links", {"full_url": "https://example.com/", **member})
            assert response.status == status, (character, member)
            if status == 201:
                assert api.get(f"/{response.json()['short_code']}").status == 302


def test_a_name_of_nothing_but_marks_takes_no_time(api: Api) -> None:
    link = {"full_url": "https://example.com/", "filename": "a" + "\u0301" * 15_000 + "\u0316" * 15_000}
    body = json.dumps(link, ensure_ascii=False).encode()
    started = time.process_time()

    response = api.send("POST", "/api/links", body=body, headers={"Authorization": f"Bearer {api.token}"})

    assert (response.status, response.error_code) == (422, "invalid_request")
    assert time.process_time() - started < 0.4
