"""Whatever callers send: 4xx as JSON with a code, a sentence and the request id, and never a 5xx."""

import json
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared import cursor
from tests.apps.stock_track_record.support import PICK, UNKNOWN, Api, MakeApi
from tests.unit.support import Refusing, client_error

PRICE = {"date": "2026-01-05", "price": 10}
ALL_WRONG = [
    b"",
    b"{",
    b"null",
    b"[]",
    b'"text"',
    b"0",
    b"NaN",
    b"{}",
    b"\xff\xfe",
    b"\x00",
    b"[" * 100_000,
    b'{"name": "\\ud800"}',
    b'{"name": "n", "name2": 1}',
]
CHANNELS = [
    b'{"name": 1}',
    b'{"name": null}',
    b'{"name": ""}',
    b'{"name": "n", "description": 1}',
    json.dumps({"name": "n" * 101}).encode(),
    json.dumps({"name": "n", "description": "d" * 1001}).encode(),
]
WRONG_PRICES = [
    "0",
    "-1",
    "NaN",
    "Infinity",
    "1e400",
    "1e-400",
    "1e15",
    "0.0000001",
    '"10"',
    "true",
    "null",
    "[]",
    "9" * 9000,
]
WRONG_DAYS = [
    '"2026-02-30"',
    '"2026-2-3"',
    '"20260203"',
    '"2026-W05-6"',
    '"2026-01-05T00:00:00Z"',
    '"\\u0662\\u0660\\u0662\\u0666-01-05"',
    '"0000-01-01"',
    '"2026-02-02"',
    '"9999-12-31"',
    "20260105",
    "null",
    '""',
]


def body_with(template: dict[str, Any], name: str, text: str) -> bytes:
    """Put a member into an object as it is written."""
    rest = json.dumps({key: value for key, value in template.items() if key != name})
    return f'{rest[:-1]}, "{name}": {text}}}'.encode()


def picks(pick: bytes) -> bytes:
    return b'{"picks": [' + pick + b"]}"


def prices(price: bytes) -> bytes:
    return b'{"name": "Acme", "prices": [' + price + b"]}"


PICKS = [
    *(picks(body_with(PICK, "price", text)) for text in WRONG_PRICES),
    *(picks(body_with(PICK, "date", text)) for text in WRONG_DAYS),
    *(picks(body_with(PICK, "ticker", text)) for text in ('"acme"', '""', '"TOOLONGTICK"', "1", "null", '"A\\u0000"')),
    *(picks(body_with(PICK, "direction", text)) for text in ('"up"', '"LONG"', "1", "null")),
    picks(json.dumps(PICK | {"more": 1}).encode()),
    picks(json.dumps(PICK).encode() + b"," + json.dumps(PICK | {"direction": "short"}).encode()),
    b'{"picks": []}',
    json.dumps({"picks": [PICK | {"ticker": f"T{number}"} for number in range(51)]}).encode(),
]
STOCKS = [
    *(prices(body_with(PRICE, "price", text)) for text in WRONG_PRICES),
    *(prices(body_with(PRICE, "date", text)) for text in WRONG_DAYS),
    prices(json.dumps(PRICE).encode() + b"," + json.dumps(PRICE).encode()),
    b'{"name": "Acme", "prices": []}',
    b'{"prices": [{"date": "2026-01-05", "price": 1}]}',
    b'{"name": "Acme", "prices": {"2026-01-05": 1}}',
    json.dumps({"name": "n", "prices": [PRICE] * 251}).encode(),
]


def assert_refused(response: Any, status: int, code: str) -> None:
    assert (response.status, response.error_code) == (status, code), response
    error = response.json()["error"]
    assert error["message"].endswith(".")
    assert error["request_id"] == response.headers["x-request-id"]


def shown(value: bytes) -> str:
    return repr(value[:90])


@pytest.mark.parametrize("body", [*ALL_WRONG, *CHANNELS], ids=shown)
def test_a_channel_that_does_not_fit_is_refused(api: Api, body: bytes) -> None:
    assert_refused(api.post("/api/channels", body=body), 422, "invalid_request")


@pytest.mark.parametrize("body", [*ALL_WRONG, *PICKS], ids=shown)
def test_picks_that_do_not_fit_are_refused(api: Api, body: bytes) -> None:
    channel_id = api.create()

    assert_refused(api.post(f"/api/channels/{channel_id}/picks", body=body), 422, "invalid_request")
    assert api.get(f"/api/channels/{channel_id}/picks").json()["picks"] == []


@pytest.mark.parametrize("body", [*ALL_WRONG, *STOCKS], ids=shown)
def test_prices_that_do_not_fit_are_refused(api: Api, body: bytes) -> None:
    assert_refused(api.put("/api/stocks/ACME", body=body), 422, "invalid_request")
    assert api.get("/api/stocks/ACME").status == 404


def test_what_stands_twice_is_named(api: Api) -> None:
    twice = api.add(api.create(), PICK, PICK)

    assert twice.json()["error"]["message"] == "The body does not fit: it: the pick of ACME on 2026-01-05 stands twice."


def test_tomorrow_is_today_somewhere_and_the_day_after_is_refused(api: Api) -> None:
    assert api.price("ACME", _2026_02_01=1).status == 200
    assert "The latest day that is taken is 2026-02-01." in api.price("ACME", _2026_02_02=1).body


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/api/channels"), ("POST", f"/api/channels/{UNKNOWN}/picks"), ("PUT", "/api/stocks/A")],
)
def test_a_body_that_is_too_large_is_refused(api: Api, method: str, path: str) -> None:
    assert_refused(api.send(method, path, body=b" " * (256 * 1024 + 1)), 413, "request_too_large")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "%%%",
        "ä",
        cursor.encode(None),
        cursor.encode([]),
        cursor.encode([["a"], "b"]),
        cursor.encode(["2026-01-05", 1]),
        cursor.encode(["2026-01-05\n", "ACME"]),
        cursor.encode(["x" * 3000, "y"]),
        cursor.encode(["2026-01-31T09:15:02.104233Z", UNKNOWN, "z"]),
        "a" * 9000,
    ],
    ids=lambda text: text[:20],
)
@pytest.mark.parametrize(
    "path", ["/api/channels", "/api/channels/{channel_id}/picks", "/api/channels/{channel_id}/jobs"]
)
def test_a_cursor_that_is_not_ours_is_refused(api: Api, path: str, text: str) -> None:
    path = path.format(channel_id=api.create())

    assert_refused(api.get(path, query={"cursor": [text]}), 422, "invalid_request")


def test_a_cursor_of_another_list_is_refused(api: Api) -> None:
    channel_id = api.create()
    api.create()
    theirs = api.get("/api/channels", query={"limit": ["1"]}).json()["next_cursor"]

    assert_refused(api.get(f"/api/channels/{channel_id}/picks", query={"cursor": [theirs]}), 422, "invalid_request")


@pytest.mark.parametrize(
    "limit", ["0", "101", "-1", "x", "1.5", "", "9" * 400, "1_0", "1.0", " 1 ", "+1", "1\n", "\u0661", "\uff11", "1e1"]
)
def test_a_limit_that_is_none_is_refused(api: Api, limit: str) -> None:
    assert_refused(api.get("/api/channels", query={"limit": [limit]}), 422, "invalid_request")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/", 404, "not_found"),
        ("GET", "/api", 404, "not_found"),
        ("GET", "/api/channels//", 404, "not_found"),
        ("GET", "/v1/channels", 404, "not_found"),
        ("DELETE", "/api/channels", 405, "method_not_allowed"),
        ("PATCH", f"/api/channels/{UNKNOWN}", 405, "method_not_allowed"),
        ("GET", f"/api/channels/{UNKNOWN}/process", 405, "method_not_allowed"),
        ("POST", "/api/stocks/ACME", 405, "method_not_allowed"),
        ("POST", "/api/health", 405, "method_not_allowed"),
    ],
)
def test_an_unknown_path_and_a_wrong_method_are_told(api: Api, method: str, path: str, status: int, code: str) -> None:
    assert_refused(api.send(method, path), status, code)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
MEMBERS = {
    "ticker": st.sampled_from(["ACME", "Z"]) | JSON,
    "direction": st.sampled_from(["long", "short"]) | JSON,
    "date": st.dates().map(str) | JSON,
    "price": st.floats() | st.integers() | JSON,
}


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=JSON,
    members=st.lists(st.fixed_dictionaries(MEMBERS), max_size=3) | JSON,
    other=st.dictionaries(st.text(), JSON),
)
def test_nothing_that_json_can_say_is_an_error_of_ours(api: Api, name: Any, members: Any, other: Any) -> None:
    channel_id = api.create()
    taken = {201, 200, 409}
    for method, path, body in (
        ("POST", "/api/channels", {"name": name}),
        ("POST", f"/api/channels/{channel_id}/picks", {"picks": members}),
        ("PUT", "/api/stocks/ACME", {"name": name, "prices": members}),
        ("POST", "/api/channels", other),
    ):
        response = api.send(method, path, body=json.dumps(body).encode())
        assert response.status in taken or (response.status, response.error_code) == (422, "invalid_request"), (
            body,
            response,
        )


OPERATIONS = [
    ("POST", "/api/channels", "put_item"),
    ("GET", "/api/channels", "query"),
    ("GET", f"/api/channels/{UNKNOWN}", "get_item"),
    ("POST", f"/api/channels/{UNKNOWN}/picks", "transact_write_items"),
    ("PUT", "/api/stocks/ACME", "update_item"),
    ("POST", f"/api/channels/{UNKNOWN}/process", "update_item"),
    ("GET", f"/api/jobs/{UNKNOWN}", "get_item"),
]
BODY = {
    "/api/channels": {"name": "n"},
    "/api/stocks/ACME": {"name": "n", "prices": [PRICE]},
    f"/api/channels/{UNKNOWN}/picks": {"picks": [PICK]},
}


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS)
@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (client_error("ThrottlingException"), 429, "throttled"),
        (client_error("AccessDeniedException"), 500, "internal_error"),
        (ReadTimeoutError(endpoint_url="http://127.0.0.1:1"), 500, "internal_error"),
    ],
    ids=str,
)
def test_what_dynamodb_refuses_keeps_its_stack_to_itself(  # noqa: PLR0913, PLR0917 # rows of two tables
    make_api: MakeApi, dynamodb: Any, method: str, path: str, operation: str, error: Exception, status: int, code: str
) -> None:
    response = make_api(client=Refusing(dynamodb, error, operation)).send(method, path, body=json.dumps(BODY.get(path)))

    assert_refused(response, status, code)
    assert "Traceback" not in response.body
