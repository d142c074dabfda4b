"""An event that stands in for an API's says to an app what the API's would say."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sawhorse.operate.invoking import FIRST, SECOND, FunctionTransport, event_of, response_of
from shared.lambda_events import IgnoredEvent, path_of, read_event

BASE = httpx.URL("https://a1b2c3d4e5.execute-api.us-east-1.amazonaws.com/dev/")
ROOT = httpx.URL("https://a1b2c3d4e5.execute-api.us-east-1.amazonaws.com")
LOCAL = httpx.URL("http://127.0.0.1:4566/_aws/execute-api/a1b2c3d4e5/dev")
REAL = {FIRST: "apigateway_rest_proxy.json", SECOND: "apigateway_http_proxy.json"}
# What AWS decides about a name or a time, or what is in real events by chance of the request.
TOLD = st.text(
    st.characters(codec="utf-8", exclude_characters="\N{REPLACEMENT CHARACTER}", exclude_categories=["Cs", "Cc"])
)
TOKENS = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=12).map(lambda name: f"x-{name}z")
VALUES = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=12)


def members(value: Any, place: str = "") -> set[str]:
    """Return the places of all members of an event, but for what a request brings along."""
    if not isinstance(value, Mapping) or place.rpartition(".")[2].lower() in {"headers", "multivalueheaders"}:
        return {place}
    return {found for name, one in value.items() for found in members(one, f"{place}.{name}")}


def client_of(base: httpx.URL) -> httpx.Client:
    """Return a client that only makes requests, and so needs no certificates."""
    return httpx.Client(base_url=base, transport=httpx.MockTransport(lambda _: httpx.Response(204)), trust_env=False)


@pytest.mark.parametrize("payload", [FIRST, SECOND])
def test_an_event_has_every_member_that_a_real_one_has(payload: str, repository: Path) -> None:
    real = json.loads((repository / "tests/events" / REAL[payload]).read_text())

    made = event_of(httpx.Request("GET", ROOT), ROOT, payload)

    assert members(real) - members(made) == set()
    wanted = {name.lower() for name in real["headers"]} - {"content-type", "cloudfront-forwarded-proto"}
    assert wanted - {"accept", "user-agent"} <= set(made["headers"])
    assert type(made["requestContext"].get("timeEpoch", 0)) is int
    assert read_event(real)["requestContext"].keys() <= read_event(made)["requestContext"].keys()  # type: ignore[index]


@given(
    payload=st.sampled_from((FIRST, SECOND)),
    base=st.sampled_from((BASE, ROOT, LOCAL)),
    method=st.sampled_from(("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD")),
    parts=st.lists(TOLD.filter(lambda part: part not in {"", ".", ".."}), max_size=4),
    query=st.lists(st.tuples(TOLD.filter(bool), TOLD), max_size=5),
    headers=st.lists(st.tuples(TOKENS, VALUES), max_size=5),
    body=st.binary(max_size=40) | TOLD.map(str.encode),
    kind=st.sampled_from(
        (None, "application/json", "text/plain; charset=utf-8", "application/octet-stream", "image/png")
    ),
)
def test_an_app_reads_out_of_an_event_what_was_sent(  # noqa: PLR0913, PLR0917 # all of a request
    payload: str,
    base: httpx.URL,
    method: str,
    parts: list[str],
    query: list[tuple[str, Any]],
    headers: list[tuple[str, str]],
    body: bytes,
    kind: str | None,
) -> None:
    path = "/".join(quote(part, safe="") for part in parts)
    named = [*headers, *([("content-type", kind)] if kind else [])]
    with client_of(base) as http:
        request = http.build_request(
            method, path, params=httpx.QueryParams(query) if query else None, headers=named, content=body
        )

    event = json.loads(json.dumps(event_of(request, base, payload)))
    found = read_event(event)

    assert not isinstance(found, IgnoredEvent)
    assert (found.get("httpMethod") or found["requestContext"]["http"]["method"]) == method
    if payload == FIRST:
        # Mangum decodes it once; what was an escaped slash is one still.
        assert event["path"] == f"/{path}"
        assert unquote(path_of(found)) == "/" + "/".join(part.replace("/", "%2F") for part in parts)
        assert found["multiValueQueryStringParameters"] == {
            name: [value for other, value in query if other == name] for name, _ in query
        }
    else:
        assert path_of(found) == "/" + "/".join(parts)
        assert found["rawPath"] == path_of(found)
        assert found["rawQueryString"] == request.url.query.decode()
    assert found["body"] == body
    for name in {name for name, _ in headers}:
        joined = (", " if payload == FIRST else ",").join(value for other, value in headers if other == name)
        assert found["headers"][name] == joined
    assert found["headers"]["x-forwarded-proto"] == base.scheme


@pytest.mark.parametrize("base", [BASE, LOCAL])
def test_a_rest_apis_stage_is_in_its_context_alone(base: httpx.URL) -> None:
    with client_of(base) as http:
        event = event_of(http.build_request("GET", "device/dev/x"), base, FIRST)

    assert (event["path"], event["pathParameters"]) == ("/device/dev/x", {"proxy": "device/dev/x"})
    assert (event["requestContext"]["stage"], event["requestContext"]["path"]) == ("dev", "/dev/device/dev/x")
    # What only begins with the stage's name is no path of the stage.
    assert event_of(httpx.Request("GET", base.join("/device/x")), BASE, FIRST)["path"] == "/device/x"


def test_cookies_come_as_each_version_has_them() -> None:
    request = httpx.Request("GET", ROOT, headers=[("Cookie", "a=1; b=2"), ("Cookie", "c=3")])

    second = event_of(request, ROOT, SECOND)
    assert second["cookies"] == ["a=1", "b=2", "c=3"]
    assert "cookie" not in second["headers"]
    assert event_of(request, ROOT, FIRST)["multiValueHeaders"]["cookie"] == ["a=1; b=2", "c=3"]


@given(body=st.binary(max_size=60))
def test_bytes_come_back_as_a_function_returned_them(body: bytes) -> None:
    found = {"statusCode": 200, "isBase64Encoded": True, "body": base64.b64encode(body).decode()}

    assert response_of(found, httpx.Request("GET", ROOT)).content == body


def test_headers_and_cookies_come_back_as_often_as_they_were_returned() -> None:
    found = {
        "statusCode": 201,
        "headers": {"X-One": "1", "X-Many": "last"},
        "multiValueHeaders": {"x-many": ["a", "b"]},
        "cookies": ["s=1; Secure", "t=2"],
        "body": "täglich",
    }

    response = response_of(found, httpx.Request("GET", ROOT))

    assert (response.status_code, response.text) == (201, "täglich")
    assert response.headers.get_list("x-many") == ["a", "b"]
    assert response.headers["x-one"] == "1"
    assert response.headers.get_list("set-cookie") == ["s=1; Secure", "t=2"]


@pytest.mark.parametrize("returned", [None, [], "text", 1, {}, {"body": "x"}])
def test_what_is_no_response_is_a_502(returned: object) -> None:
    assert response_of(returned, httpx.Request("GET", ROOT)).status_code == 502


class Raising:
    """A function that fails."""

    def invoke(self, **request: Any) -> dict[str, Any]:
        assert (request["FunctionName"], request["Qualifier"]) == ("basket", "3")
        return {"FunctionError": "Unhandled", "Payload": io.BytesIO(b'{"errorMessage": "no"}')}


def test_a_version_that_fails_is_a_502_with_what_it_raised() -> None:
    transport = FunctionTransport(Raising(), "basket", "3", base=ROOT, payload=SECOND)
    with httpx.Client(base_url=ROOT, transport=transport) as http:
        response = http.get("/health")

    assert (response.status_code, response.json()) == (502, {"errorMessage": "no"})
