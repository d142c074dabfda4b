"""A request is taken when it was signed by whoever has the secret, as botocore signs it, and in no other form."""

from __future__ import annotations

import string
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlsplit

import botocore.session
import pytest
from botocore.auth import HmacV1Auth, HmacV1QueryAuth, S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sawhorse.local.signatures import Refusal, Request, Signed, check, without_dots

KEY, SECRET, TOKEN = "111111111111", "the secret", "the token"
HOST = "127.0.0.1:4566"
words = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=8)
segments = words.map(lambda word: quote(word, safe="~"))
paths = st.lists(segments | st.sampled_from(["..", ".", "", "a%2Fb", "%25", "~"]), max_size=4).map(
    lambda parts: "/" + "/".join(parts)
)
queries = st.lists(st.tuples(words, words), max_size=4).map(
    lambda pairs: "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in pairs)
)
values = st.text(string.ascii_letters + string.digits + " ,;=/-_", min_size=1, max_size=12)
names = st.text(string.ascii_lowercase + "-", min_size=1, max_size=8).map(lambda name: f"x-amz-meta-{name}")
headers = st.dictionaries(names, values, max_size=3)
methods = st.sampled_from(["GET", "POST", "PUT", "DELETE", "HEAD", "PATCH"])
SERVICES = ("s3", "dynamodb", "lambda", "execute-api", "monitoring")
calls = st.tuples(methods, paths, queries, headers, st.binary(max_size=40), st.sampled_from(SERVICES))


def secret_of(key: str, token: str) -> str | None:
    return {(KEY, ""): SECRET, ("ASIA", TOKEN): "of the session"}.get((key, token))


def sent(request: AWSRequest) -> Request:
    """Return what a server gets of a request that botocore has signed."""
    split = urlsplit(request.url)
    target = (split.path or "/") + (f"?{split.query}" if split.query else "")
    found = [(name.lower(), v.decode() if isinstance(v, bytes) else v) for name, v in request.headers.items()]
    return Request(request.method, target, (("host", HOST), *found))


def signed(call: Any, *, expires: int | None = None, session: bool = False, secret: str = SECRET) -> Request:
    method, path, query, extra, body, service = call
    request = AWSRequest(method, f"http://{HOST}{path}{query and '?'}{query}", dict(extra), body)
    credentials = Credentials("ASIA", "of the session", TOKEN) if session else Credentials(KEY, secret)
    s3 = service == "s3"
    if expires is None:
        (S3SigV4Auth if s3 else SigV4Auth)(credentials, service, "us-east-1").add_auth(request)
    else:
        kind = S3SigV4QueryAuth if s3 else SigV4QueryAuth
        kind(credentials, service, "us-east-1", expires=expires).add_auth(request)
    return sent(request)


def taken(request: Request, body: bytes, now: datetime | None = None) -> bool:
    found = check(request, secret_of, now)
    return isinstance(found, Signed) and found.refuse_body(body) is None


@settings(max_examples=150, deadline=None)
@given(calls, st.booleans())
def test_what_botocore_signs_in_a_header_is_taken(call: Any, session: bool) -> None:  # noqa: FBT001 # a drawn value
    assume(not call[1].startswith("//"))
    assert taken(signed(call, session=session), call[4])


@settings(max_examples=150, deadline=None)
@given(calls, st.booleans(), st.integers(1, 604_800))
def test_what_botocore_presigns_is_taken(call: Any, session: bool, expires: int) -> None:  # noqa: FBT001
    assume(not call[1].startswith("//"))
    assert taken(signed(for_query(call), session=session, expires=expires), b"")


def for_query(call: Any) -> Any:
    """Leave out what botocore would move from the body, or keep once, when it signs in the query."""
    return (*call[:2], "", call[3], b"", call[5])


@settings(max_examples=150, deadline=None)
@given(calls, calls, st.booleans())
def test_a_signature_is_good_for_one_request_alone(call: Any, other: Any, presigned: bool) -> None:  # noqa: FBT001
    assume(not call[1].startswith("//") and not other[1].startswith("//"))
    call, other = (for_query(call), for_query(other)) if presigned else (call, other)
    expires = 60 if presigned else None
    right, changed = signed(call, expires=expires), signed(other, expires=expires)
    # The other request with the first one's signature.
    if presigned:
        before, marker, _ = changed.target.rpartition("X-Amz-Signature=")
        forged = replace(changed, target=before + marker + right.target.rpartition("X-Amz-Signature=")[2])
    else:
        kept = tuple(pair for pair in changed.headers if pair[0] != "authorization")
        forged = replace(changed, headers=(*kept, ("authorization", right.header("authorization"))))
    if taken(forged, other[4]):
        # Nothing passes but the same request; outside S3 its path may be spelled with other dots and slashes.
        assert (forged.method, forged.query, other[4]) == (right.method, right.query, call[4])
        assert without_dots(forged.path) == without_dots(right.path)
        assert call[5] != "s3" or forged.path == right.path


@settings(max_examples=100, deadline=None)
@given(calls, st.text(min_size=1).filter(lambda secret: secret != SECRET), st.booleans())
def test_no_other_secret_will_do(call: Any, secret: str, presigned: bool) -> None:  # noqa: FBT001
    call = for_query(call) if presigned else call
    assert not taken(signed(call, secret=secret, expires=60 if presigned else None), call[4])


@settings(max_examples=100, deadline=None)
@given(calls, st.binary(max_size=40))
def test_another_body_is_refused(call: Any, body: bytes) -> None:
    assume(body != call[4] and not call[1].startswith("//"))
    assert not taken(signed(call), body)


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=200), st.text(max_size=60), st.text(max_size=200))
def test_no_nonsense_makes_it_fail(authorization: str, date: str, query: str) -> None:
    odd = (("host", HOST), ("authorization", authorization), ("x-amz-date", date))
    for request in (
        Request("GET", "/", odd),
        Request("GET", f"/?{query}", (("host", HOST),)),
        Request("GET", f"/?X-Amz-Algorithm=AWS4-HMAC-SHA256&{query}", (("host", HOST),)),
        Request("GET", f"/?AWSAccessKeyId={KEY}&Expires=9999999999&{query}", (("host", HOST),)),
        Request("GET", "/", (*odd[::2], ("authorization", f"AWS4-HMAC-SHA256 {authorization}"))),
    ):
        assert isinstance(check(request, secret_of), Refusal)


@pytest.mark.parametrize(
    ("age", "expires", "passes"),
    [
        (-360, None, False), (-240, None, True), (0, None, True), (240, None, True), (360, None, False),
        (-360, 60, False), (0, 60, True), (59, 60, True), (61, 60, False), (86_400, 604_800, True),
    ],
)  # fmt: skip
def test_a_signature_is_good_for_its_time(age: int, expires: int | None, passes: bool) -> None:  # noqa: FBT001
    call: Any = ("GET", "/", "", {}, b"", "s3")
    now = datetime.now(UTC) + timedelta(seconds=age)
    assert taken(signed(call, expires=expires), b"", now) == passes


@settings(max_examples=100, deadline=None)
@given(paths, st.integers(1, 3600), words, st.sampled_from(["", "versionId=1", "response-content-type=text%2Fplain"]))
def test_a_presigned_url_of_version_2_opens_one_path_for_its_time(
    path: str, expires: int, other: str, query: str
) -> None:
    assume(not path.startswith("//"))
    request = AWSRequest("GET", f"http://{HOST}{path}{query and '?'}{query}")
    HmacV1QueryAuth(Credentials(KEY, SECRET), expires=expires).add_auth(request)
    right = sent(request)
    assert taken(right, b"")
    assert not taken(right, b"", datetime.now(UTC) + timedelta(seconds=expires + 5))
    for wrong in (
        replace(right, method="PUT"),
        replace(right, target=right.target + f"&Action={quote(other, safe='')}"),
        replace(right, target=right.target.replace("?", f"{quote(other, safe='')}x?", 1)),
        replace(right, target=right.target.replace("Expires=", "Expires=1")),
        replace(right, headers=(*right.headers, ("x-amz-target", "AmazonSSM.PutParameter"))),
    ):
        assert not taken(wrong, b"")


def version_2(method: str, path: str, query: str) -> Request:
    """Presign as a client of S3 does: it signs the path of a bucket with a slash, and sends it without."""
    signed_path = f"{path}/" if path == "/bucket" else path
    request = AWSRequest(method, f"http://{HOST}{path}{query and '?'}{query}", auth_path=signed_path)
    HmacV1QueryAuth(Credentials(KEY, SECRET), expires=60).add_auth(request)
    return sent(request)


def operations_of_s3() -> list[Any]:
    """Each call of S3 as botocore knows it: its name, method and path, its subresource, and its parameters."""
    model = botocore.session.get_session().get_service_model("s3")
    operations = []
    for name in model.operation_names:
        operation = model.operation_model(name)
        path, _, fixed = operation.http["requestUri"].partition("?")
        members = operation.input_shape.members.values() if operation.input_shape else ()
        places = [member.serialization for member in members]
        variable = [place["name"] for place in places if place.get("location") == "querystring"]
        path = path.replace("{Bucket}", "bucket").replace("{Key+}", "key")
        operations.append(pytest.param(name, operation.http["method"], path, fixed, variable, id=name))
    return operations


@pytest.mark.parametrize(("name", "method", "path", "fixed", "variable"), operations_of_s3())
def test_version_2_presigns_every_call_whose_meaning_it_signs(
    name: str, method: str, path: str, fixed: str, variable: list[str]
) -> None:
    """What it leaves unsigned may narrow a listing and do nothing else; the refusal of the others names Version 4."""
    query = "&".join([*([fixed] if fixed else []), *(f"{word}=1" for word in variable)])
    request = version_2(method, path, query)
    subresource = {word.partition("=")[0] for word in fixed.split("&") if word} - {"list-type"}
    unsigned = {*subresource, *variable} - set(HmacV1Auth.QSAOfInterest)

    if not unsigned or (name.startswith("List") and subresource <= set(HmacV1Auth.QSAOfInterest)):
        assert taken(request, b""), check(request, secret_of)
        return
    refusal = check(request, secret_of)
    assert isinstance(refusal, Refusal)
    assert "Config(signature_version='s3v4')" in refusal.message


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE", "HEAD"])
def test_only_what_lists_takes_parameters_that_version_2_does_not_sign(method: str) -> None:
    assert not taken(version_2(method, "/bucket", "prefix=a"), b"")
    assert taken(version_2("GET", "/bucket", "list-type=2&prefix=a"), b"")
    assert not taken(version_2("GET", "/bucket", "list-type=2&prefix=a&prefix=b"), b"")
    assert not taken(version_2("GET", "/bucket", "list-type=2&Action=ListRoles"), b"")
