"""The guard before the emulators has a response to whatever is sent, and fails at none of it."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import replace
from io import BytesIO
from typing import Any
from urllib.parse import quote

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given, settings
from hypothesis import strategies as st

from sawhorse.local import guard as guarding
from sawhorse.local.guard import CHALLENGE, CONTROL, READY, TICKET, Guard, Message, Secrets
from sawhorse.local.signatures import IN_QUERY, Request

PORT = 4566
HOST = f"127.0.0.1:{PORT}"
SECRETS = Secrets("the secret", "the control secret")
API = "/_aws/execute-api/"
GUARDS = (
    Guard("ministack", PORT, SECRETS, apis=lambda path: path.startswith(API)),
    Guard("moto", PORT, SECRETS, controls=("/_", "/moto-api")),
    Guard("issuer", PORT, SECRETS, documents=frozenset({"/.well-known/jwks.json"})),
)
# As servers hand them on: each byte a character.
texts = st.text(st.characters(max_codepoint=255), max_size=40)
# Numbers that no clock, no memory and no conversion takes.
numbers = st.sampled_from(["0", "-1", "9" * 5000, "1e9", "1.5", "\u00b2", "9999999999", "99999999", "00000000"])
days = st.dates().map(lambda day: f"{day.year:04}{day:%m%d}") | st.sampled_from(
    ["00010101", "99991231", "00000101", "20260230", "20261332"]
)
clocks = st.sampled_from(["000000", "235959", "235960", "240000"])


@st.composite
def signatures(draw: st.DrawFn) -> dict[str, str]:
    """Parts of a signature of Version 4 that have its form, most of them, and that nobody made."""
    day = draw(days)
    scope = draw(st.sampled_from(["us-east-1/s3/aws4_request", "us-east-1/ssm/aws4_request", "//", ""]) | texts)
    key = draw(st.sampled_from(["111111111111", "ASIA", ""]) | texts)
    return {
        "Credential": f"{key}/{day}/{scope}",
        "SignedHeaders": draw(st.sampled_from(["host", "host;x-amz-date", ""]) | texts),
        "Signature": draw(st.sampled_from([64 * "0", ""]) | texts),
        "Date": draw(st.just(f"{day}T{draw(clocks)}Z") | texts),
        "Expires": draw(numbers | st.just("60") | texts),
        "Algorithm": "AWS4-HMAC-SHA256",
        "Security-Token": draw(texts),
    }


@st.composite
def requests(draw: st.DrawFn) -> Request:
    """Requests that nobody has signed rightly, many of them in the forms of what is looked at."""
    path = draw(
        st.sampled_from(["/", READY, API, f"{API}x/dev/y", "/_ministack/lambda-code/x", "/moto-api/reset", "/b/k"])
        | texts.map(lambda text: f"/{text}")
    )
    parts = draw(signatures())
    named = [(f"X-Amz-{name}", value) for name, value in parts.items()]
    named += [("Expires", draw(numbers | texts)), (TICKET, draw(texts))]
    named += [("AWSAccessKeyId", "111111111111"), ("Signature", draw(texts)), *((name, "x") for name in IN_QUERY)]
    pairs = draw(st.lists(st.sampled_from(named) | st.tuples(texts, texts), max_size=12))
    pairs += named[:7] if draw(st.booleans()) else []
    query = draw(st.just("&".join(f"{quote(name)}={quote(value)}" for name, value in pairs)) | texts)
    words = ", ".join(f"{name}={parts[name]}" for name in ("Credential", "SignedHeaders", "Signature"))
    headers = [
        ("authorization", f"AWS4-HMAC-SHA256 {words}"),
        ("authorization", draw(texts)),
        ("x-amz-date", parts["Date"]),
        ("content-type", draw(st.sampled_from(["application/x-amz-json-1.1", "application/x-www-form-urlencoded"]))),
        ("content-type", "application/x-amz-json" + draw(texts)),
        ("content-length", draw(numbers)),
        *((name, draw(texts)) for name in (CHALLENGE, CONTROL, "x-amz-content-sha256", "origin", "expect")),
    ]
    host = draw(st.just([("host", HOST)]) | st.lists(st.tuples(st.just("host"), texts), max_size=2))
    found = draw(st.lists(st.sampled_from(headers) | st.tuples(texts.map(str.lower), texts), max_size=8))
    method = draw(st.sampled_from(["GET", "HEAD", "POST", "PUT", "OPTIONS"]) | texts)
    return Request(method, f"{path}?{query}" if query else path, (*host, *found))


def scope_of(request: Request, **changes: Any) -> dict[str, Any]:
    path, marker, query = request.target.partition("?")
    headers = [(name.encode("utf-8"), value.encode("latin-1")) for name, value in request.headers]
    target = {
        "path": path,
        "raw_path": path.encode("latin-1"),
        "query_string": query.encode("latin-1") if marker else b"",
    }
    return {"type": "http", "method": request.method, "headers": headers, **target, **changes}


def over_asgi(guard: Guard, request: Request, *pieces: bytes) -> tuple[int, dict[bytes, bytes], int]:
    """Serve a request as an ASGI server does; return the status, the headers, and how many pieces were read."""
    sent: list[Message] = []
    read = 0

    async def app(_scope: Any, receive: Any, send: Any) -> None:
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def receive() -> Message:
        nonlocal read
        read += 1
        return {"type": "http.request", "body": pieces[read - 1] if pieces else b"", "more_body": read < len(pieces)}

    async def send(message: Message) -> None:
        sent.append(message)

    async def serve() -> None:
        await guarding.guarded(app, guard)(scope_of(request), receive, send)

    asyncio.run(serve())
    return sent[0]["status"], dict(sent[0]["headers"]), read


def over_wsgi(guard: Guard, request: Request, body: Any = None) -> str:
    path, _, query = request.target.partition("?")
    environ = {
        "REQUEST_METHOD": request.method,
        "REQUEST_URI": request.target,
        "PATH_INFO": path,
        "QUERY_STRING": query,
    }
    for name, value in request.headers:
        key = name.upper().replace("-", "_")
        environ[key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"] = value
    statuses: list[str] = []

    def app(_environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return []

    def start(status: str, headers: list[tuple[str, str]]) -> None:
        statuses.append(status)
        assert not [value for _, value in headers if not value.isprintable()]

    guarding.guarded_wsgi(app, guard)({**environ, "wsgi.input": body or BytesIO()}, start)
    return statuses[0]


@settings(max_examples=400, deadline=None)
@given(requests(), st.sampled_from(GUARDS))
def test_every_request_gets_a_response_and_none_makes_the_guard_fail(request: Request, guard: Guard) -> None:
    path = request.target.partition("?")[0]
    open_to_all = guard.apis(path) or path in guard.documents or path == READY

    status, headers, _ = over_asgi(guard, request)
    assert 400 <= status < 500 or (status == 200 and open_to_all), status
    assert all(value.decode("latin-1").isprintable() for value in headers.values())
    over_wsgi(guard, request)


@pytest.mark.parametrize("day", ["00010101", "99991231", "00000101", "20260231"])
@pytest.mark.parametrize("expires", [None, 1, 604_800])
def test_a_day_that_no_clock_shows_is_refused(day: str, expires: int | None) -> None:
    parts = {"Credential": f"111111111111/{day}/us-east-1/ssm/aws4_request", "SignedHeaders": "host;x-amz-date"}
    parts["Signature"] = 64 * "0"
    if expires is None:
        words = ", ".join(f"{name}={value}" for name, value in parts.items())
        headers = (("authorization", f"AWS4-HMAC-SHA256 {words}"), ("x-amz-date", f"{day}T000000Z"))
        request = Request("POST", "/", (("host", HOST), *headers))
    else:
        parts |= {"Date": f"{day}T000000Z", "Expires": str(expires), "Algorithm": "AWS4-HMAC-SHA256"}
        query = "&".join(f"X-Amz-{name}={quote(value, safe='')}" for name, value in parts.items())
        request = Request("GET", f"/?{query}", (("host", HOST),))

    assert over_asgi(GUARDS[0], request)[0] == 403


@pytest.mark.parametrize("expires", ["9" * 5000, "9" * 11, "0" * 5000, "-1", "1e9", "\u00b2", "", "1"])
def test_a_ticket_with_an_odd_expiry_opens_nothing(expires: str) -> None:
    guard, path = GUARDS[0], "/_ministack/lambda-code/x"
    query = f"Expires={quote(expires)}&{TICKET}={guard.ticket(path, expires)}"

    assert over_asgi(guard, Request("GET", f"{path}?{query}", (("host", HOST),)))[0] == 403


def test_a_ticket_opens_its_path() -> None:
    guard, path = GUARDS[0], "/_ministack/lambda-code/x"
    target = guard.with_ticket(path, path)

    assert over_asgi(guard, Request("GET", target, (("host", HOST),)))[0] == 200
    assert over_asgi(guard, Request("GET", target.replace("code/x", "code/y"), (("host", HOST),)))[0] == 403


# Bodies


def signed(body: bytes, *, secret: str, declared: bool = False, path: str = "/") -> Request:
    """Sign a call as SDKs do outside S3, where they declare no hash of the body."""
    request = AWSRequest("POST", f"http://{HOST}{path}", {}, body)
    if declared:
        request.headers["X-Amz-Content-SHA256"] = hashlib.sha256(body).hexdigest()
    SigV4Auth(Credentials("111111111111", secret), "ssm", "us-east-1").add_auth(request)
    headers = [("host", HOST), *((name.lower(), str(value)) for name, value in request.headers.items())]
    return Request("POST", path, tuple(headers))


def with_length(request: Request, length: int) -> Request:
    return replace(request, headers=(*request.headers, ("content-length", str(length))))


def limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guarding, "UNPROVEN_BODY", 100)
    monkeypatch.setattr(guarding, "API_BODY", 50)


@pytest.mark.parametrize("secret", [SECRETS.secret_access_key, "wrong"])
def test_a_body_that_alone_proves_its_signer_is_read_up_to_a_limit(
    monkeypatch: pytest.MonkeyPatch, secret: str
) -> None:
    limit(monkeypatch)
    right = secret == SECRETS.secret_access_key
    for size, expected in ((100, 200 if right else 403), (101, 413), (10_000, 413)):
        request = signed(size * b"a", secret=secret)
        pieces = [size * b"a"] if size < 1000 else 100 * [100 * b"a"]
        status, _, read = over_asgi(GUARDS[0], request, *pieces)
        assert (status, read <= 2) == (expected, True), size
        assert over_asgi(GUARDS[0], with_length(request, size), *pieces)[::2] == (
            expected, 0 if expected == 413 else read
        )  # fmt: skip
        body = BytesIO(size * b"a")
        assert over_wsgi(GUARDS[1], with_length(request, size), body).startswith(f"{expected} ")
        assert body.tell() == (0 if expected == 413 else size)


def test_whoever_has_proven_to_be_the_signer_sends_as_much_as_he_likes(monkeypatch: pytest.MonkeyPatch) -> None:
    limit(monkeypatch)
    body = 10_000 * b"a"
    right = signed(body, secret=SECRETS.secret_access_key, declared=True)
    wrong = signed(body, secret="wrong", declared=True)

    assert over_asgi(GUARDS[0], right, body)[0] == 200
    assert over_wsgi(GUARDS[1], with_length(right, len(body)), BytesIO(body)) == "200 OK"
    # Refused before anything of it is read.
    assert over_asgi(GUARDS[0], wrong, body)[::2] == (403, 0)


def test_an_api_takes_as_much_as_api_gateway_does(monkeypatch: pytest.MonkeyPatch) -> None:
    limit(monkeypatch)
    call = Request("POST", f"{API}x/dev/y", (("host", HOST),))

    assert over_asgi(GUARDS[0], call, 25 * b"a", 25 * b"a")[0] == 200
    assert over_asgi(GUARDS[0], call, *(100 * [25 * b"a"]))[::2] == (413, 3)
    assert over_asgi(GUARDS[0], with_length(call, 51), *(100 * [25 * b"a"]))[::2] == (413, 0)


def test_the_limits_are_those_of_aws() -> None:
    assert (guarding.UNPROVEN_BODY, guarding.API_BODY) == (70_167_211, 10 * 1024 * 1024)
