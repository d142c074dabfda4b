"""The local AWS is reached by whoever has its secrets, by its own names, and from no web page."""

from __future__ import annotations

import hashlib
import json
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from harness.local.credentials import role_credentials
from harness.local.emulators import Running
from tests.contracts.support import ACCOUNT, Account, unique
from tests.contracts.wire import Call, chunked, over_http_2, send, written

REFUSED = {0, 400, 403, 404, 405, 411, 421, 501, 505}
PAGE = (("Origin", "http://evil.example"),)
Attempt = Callable[["Target"], bytes]


@dataclass(frozen=True)
class Target:
    """An emulator with a call that would leave something behind, and what looks for it."""

    name: str
    port: int
    call: Call
    other_body: bytes
    left: Callable[[], list[str]]
    secret: str
    control: str

    def raw(self, *, host: str = "", **sent: Any) -> bytes:
        return self.call.of(host=host).raw(**sent)


@pytest.fixture(params=["ministack", "moto"])
def target(request: pytest.FixtureRequest, account: Account, local_aws: Running) -> Target:
    """Each emulator: MiniStack with a parameter to put, moto with a dashboard."""
    secret, name = local_aws.secrets.secret_access_key, unique("attempt")
    if request.param == "ministack":
        ssm = account.client("ssm")
        headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "AmazonSSM.PutParameter"}
        call = Call(
            local_aws.ministack.port, "ssm", put_parameter(f"/{name}/a"), headers=headers, secret=secret, key=ACCOUNT
        )

        def left() -> list[str]:
            found = ssm.get_parameters_by_path(Path=f"/{name}", Recursive=True)["Parameters"]
            return [str(parameter["Name"]) for parameter in found]

        return Target(
            "ministack", call.port, call, put_parameter(f"/{name}/b"), left, secret, local_aws.secrets.control
        )
    cloudwatch = account.client("cloudwatch")
    headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    call = Call(local_aws.moto.port, "monitoring", dashboard(f"{name}-a"), headers=headers, secret=secret, key=ACCOUNT)

    def dashboards() -> list[str]:
        found = cloudwatch.list_dashboards(DashboardNamePrefix=name)["DashboardEntries"]
        return [str(entry["DashboardName"]) for entry in found]

    return Target("moto", call.port, call, dashboard(f"{name}-b"), dashboards, secret, local_aws.secrets.control)


def put_parameter(name: str) -> bytes:
    return json.dumps({"Name": name, "Value": "x", "Type": "String", "Overwrite": True}).encode()


def dashboard(name: str) -> bytes:
    body = "%7B%22widgets%22%3A%5B%5D%7D"
    return f"Action=PutDashboard&Version=2010-08-01&DashboardName={name}&DashboardBody={body}".encode()


# What each attempt is, on both emulators. Those of the first two groups are signed with the right secret.

HOSTS = (
    "evil.example", "evil.example:{port}", "127.0.0.1.nip.io:{port}", "127.0.0.1", "127.0.0.1:1", "localhost",
    "localhost.evil.example:{port}", "evil.localhost:{port}", "0.0.0.0:{port}", "127.0.0.2:{port}", "[::]:{port}",
    "[::1]:{port}", "[0:0:0:0:0:0:0:1]:{port}", "2130706433:{port}", "[::ffff:127.0.0.1]:{port}", "127.1:{port}",
    "evil@127.0.0.1:{port}", "127.0.0.1:{port}:80",
    "127.0.0.1:{port},evil.example", "127.0.0.1:0{port}", "localhost.:{port}", "abc.execute-api.localhost:{port}",
    "bucket.s3.localhost:{port}", "s3.amazonaws.com",
)  # fmt: skip
ORIGINS = (
    "http://evil.example", "https://evil.example", "null", "http://127.0.0.1:1", "http://localhost:3000",
    "http://127.0.0.1:{port}", "http://localhost:{port}", "file://", "chrome-extension://abc", "",
)  # fmt: skip


def with_host(host: str) -> Attempt:
    return lambda target: target.raw(host=host.format(port=target.port))


def with_origin(origin: str) -> Attempt:
    return lambda target: target.raw(more=(("Origin", origin.format(port=target.port)),))


def preflight(target: Target) -> bytes:
    asks = (("Access-Control-Request-Method", "POST"), ("Access-Control-Request-Headers", "x-amz-target"))
    return target.call.of(body=b"", method="OPTIONS", headers={}).unsigned(more=(*PAGE, *asks))


def claimed(**changes: Any) -> Attempt:
    return lambda target: target.call.of(**changes).raw()


def guessed_function(target: Target) -> bytes:
    """Sign with what MiniStack makes of the names of a function and its role when nobody hinders it."""
    names = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:f:arn:aws:iam::{ACCOUNT}:role/r"
    digest = hashlib.sha256(names.encode()).hexdigest()
    secret = hashlib.sha256(f"secret:{digest}".encode()).hexdigest()
    token = hashlib.sha256(f"token:{digest}".encode()).hexdigest()
    return target.call.of(key=f"ASIA{digest[:16].upper()}", secret=secret, token=token).raw()


def tampered(target: Target) -> bytes:
    return written(target.call.signed(), f"127.0.0.1:{target.port}", target.other_body)


def declared(payload: str) -> Attempt:
    """Say of the body what this header says, sign that, and send another body."""

    def attempt(target: Target) -> bytes:
        headers = {**target.call.headers, "X-Amz-Content-SHA256": payload}
        return written(target.call.of(headers=headers).signed(), f"127.0.0.1:{target.port}", target.other_body)

    return attempt


def bodies_hash(target: Target) -> bytes:
    return declared(hashlib.sha256(target.call.body).hexdigest())(target)


def authorized(of: Callable[[str], str]) -> Attempt:
    """Send the right signature in another form."""

    def attempt(target: Target) -> bytes:
        request = target.call.signed()
        right = request.headers["Authorization"]
        del request.headers["Authorization"]
        request.headers["Authorization"] = of(right)
        return written(request, f"127.0.0.1:{target.port}", target.call.body)

    return attempt


def on_day(day: str) -> Attempt:
    """Claim a day that only a program names."""
    words = f"AWS4-HMAC-SHA256 Credential={ACCOUNT}/{day}/us-east-1/ssm/aws4_request, SignedHeaders=host;x-amz-date"
    claim = (("Authorization", f"{words}, Signature={64 * '0'}"), ("X-Amz-Date", f"{day}T000000Z"))
    return lambda target: target.call.unsigned(more=claim)


def in_query(target: Target) -> bytes:
    """Do what the finding did: sign in the query, say text/plain, and come from a page."""
    content = {**target.call.headers, "Content-Type": "text/plain"}
    return target.call.of(headers=content).raw(expires=300, more=PAGE)


ATTEMPTS: dict[str, Attempt] = {
    **{f"host {host}": with_host(host) for host in HOSTS},
    "no host": lambda target: target.raw(without=("host",)),
    "no host in HTTP 1.0": lambda target: target.raw(without=("host",), version="1.0"),
    "a second host": lambda target: target.raw(more=(("Host", "evil.example"),)),
    "its host twice": lambda target: target.raw(more=(("Host", f"127.0.0.1:{target.port}"),)),
    "a host before its own": lambda target: target.raw(
        without=("host",), more=(("Host", "evil.example"), ("Host", f"127.0.0.1:{target.port}"))
    ),
    "an absolute target": lambda target: target.raw(target="http://evil.example/"),
    "an absolute target of its own": lambda target: target.raw(target=f"http://127.0.0.1:{target.port}/"),
    "a target without a path": lambda target: target.raw(target="evil.example/"),
    **{f"origin {origin}": with_origin(origin) for origin in ORIGINS},
    "a page's preflight": preflight,
    "a page's call signed in the query": in_query,
    "unsigned": lambda target: target.call.unsigned(),
    "unsigned from a page": lambda target: target.call.unsigned(more=PAGE),
    "unsigned text": lambda target: target.call.of(headers={"Content-Type": "text/plain"}).unsigned(),
    "unsigned in chunks": lambda target: (
        target.call.of(body=b"").unsigned(without=("content-length",), more=(("Transfer-Encoding", "chunked"),))
        + f"{len(target.call.body):x}\r\n".encode()
        + target.call.body
        + b"\r\n0\r\n\r\n"
    ),
    "the old secret": claimed(secret="local"),
    "the emulators' own secret": claimed(key="test", secret="test"),
    "the emulators' own key": claimed(key="test"),
    "the configured key": claimed(key="local"),
    "a key that is no account": claimed(key="11111111111"),
    "digits that are not ASCII": claimed(key="\u0661" * 12),
    "another account's key with a wrong secret": claimed(key="222222222222", secret="wrong"),
    "an unknown session": claimed(key="ASIA" + 16 * "X", token="x"),
    "an account's key with a session token": claimed(token="x"),
    "a guessed function": guessed_function,
    "an old call": claimed(age=timedelta(minutes=6)),
    "a call of yesterday": claimed(age=timedelta(days=1)),
    "a call to come": claimed(age=timedelta(minutes=-6)),
    "a call of the first day": on_day("00010101"),
    "a call of the last day": on_day("99991231"),
    "another body": tampered,
    "another body under the first one's hash": bodies_hash,
    "a body that is not signed": declared("UNSIGNED-PAYLOAD"),
    "pieces that are not signed": declared("STREAMING-UNSIGNED-PAYLOAD-TRAILER"),
    "signed pieces outside S3": declared("STREAMING-AWS4-HMAC-SHA256-PAYLOAD"),
    "no hash at all": declared("x"),
    "another path": lambda target: target.raw(target="/other"),
    "another query": lambda target: target.raw(target="/?Action=PutDashboard"),
    "another method": lambda target: target.raw(method="PUT"),
    "a header of AWS that is not signed": lambda target: target.raw(more=(("X-Amz-Other", "x"),)),
    "a target that is not signed": lambda target: target.call.of(headers={}).raw(
        more=(*target.call.headers.items(), ("X-Amz-Target", "AmazonSSM.PutParameter"))[-2:]
    ),
    "no signed host": authorized(lambda right: right.replace("host;", "")),
    "signed twice": lambda target: target.raw(expires=300, more=(("Authorization", "AWS4-HMAC-SHA256 x"),)),
    "two signatures": lambda target: target.raw(more=(("Authorization", "AWS4-HMAC-SHA256 x"),)),
    "a signature in upper case": authorized(lambda right: right[:-64] + right[-64:].upper()),
    "half a signature": authorized(lambda right: right[:-32]),
    "no signature": authorized(lambda right: right.rpartition(", ")[0]),
    "a signature of nothing": authorized(lambda right: right[:-64] + 64 * "0"),
    "another region": authorized(lambda right: right.replace("us-east-1", "us-east-2")),
    "another service": authorized(lambda right: right.replace("/ssm/", "/sqs/").replace("/monitoring/", "/sqs/")),
    "another algorithm": authorized(lambda right: right.replace("HMAC-SHA256", "ECDSA-P256-SHA256")),
    "the algorithm in lower case": authorized(lambda right: right.replace("AWS4-HMAC-SHA256", "aws4-hmac-sha256")),
    "Version 2": authorized(lambda _right: f"AWS {ACCOUNT}:c2lnbmF0dXJl"),
    "a bearer token": authorized(lambda _right: "Bearer x"),
    "basic": authorized(lambda _right: "Basic bG9jYWw6bG9jYWw="),
    "a query that lasts for ever": lambda target: target.raw(expires=700_000),
    "a query that lasts no time": lambda target: target.raw(expires=0),
    "a query that has expired": lambda target: target.call.of(age=timedelta(minutes=2)).raw(expires=60),
    "Version 2 in the query": lambda target: target.call.unsigned(
        target=f"/?AWSAccessKeyId={ACCOUNT}&Signature=c2ln&Expires=9999999999"
    ),
    "Version 2 that lasts": lambda target: target.call.unsigned(
        target=f"/b/k?AWSAccessKeyId={ACCOUNT}&Signature=c2ln&Expires=99999999"
    ),
    "another method by a header": lambda target: target.call.of(method="GET").unsigned(
        more=(("X-HTTP-Method-Override", "POST"), ("X-Method-Override", "POST"))
    ),
    "an upgrade to HTTP 2": lambda target: target.call.unsigned(
        more=(("Connection", "Upgrade, HTTP2-Settings"), ("Upgrade", "h2c"), ("HTTP2-Settings", ""))
    ),
    "HTTP 2": lambda target: over_http_2(
        f"127.0.0.1:{target.port}",
        {name.lower(): value for name, value in target.call.headers.items()},
        target.call.body,
    ),
    "HTTP 2 by a rebound name": lambda target: over_http_2("evil.example", {}, target.call.body),
    "a WebSocket": lambda target: target.call.of(method="GET", body=b"").unsigned(
        more=(
            ("Connection", "Upgrade"),
            ("Upgrade", "websocket"),
            ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA=="),
        )
    ),
}
CONTROLS = (
    "/_ministack/reset", "/_ministack/config", "/_ministack/health", "/_ministack/ready", "/_localstack/health",
    "/%5fministack/reset", "/_ministack/../_ministack/reset", "/_ministack/sqs/messages", "/_alb/x", "/health",
    "//_ministack/reset", "/./_ministack/reset", "/_aws/../_ministack/reset", "/_ministack/cfn-response/x",
    "/_ministack/lambda-code/111111111111/us-east-1/f", "/_aws/", "/_aws/lambda-url/", "/_aws/execute-api/x",
    "/moto-api/reset", "/moto-api/data.json", "/moto-api/", "/%6doto-api/reset", "//moto-api/reset",
    "/moto-api/state-manager/set-transition", "/latest/meta-data/iam/security-credentials/", "/oauth2/token",
)  # fmt: skip
# Paths of APIs and functions that there are not: MiniStack takes what comes there for a call of a service.
NOWHERE = (
    "/_aws/execute-api/none/dev/x", "/_aws/execute-api/none/x/", "/_aws/lambda-url/none/", "/_aws/lambda-url/none",
    "/restapis/none/dev/_user_request_/x", "/restapis/none/dev/_user_request_", "/_aws/execute-api/../..//",
    "/_aws/lambda-url/x/../../_ministack/reset", "/_aws/execute-api/x/dev/@connections/y",
)  # fmt: skip


@pytest.mark.parametrize("attempt", ATTEMPTS.values(), ids=ATTEMPTS.keys())
def test_what_has_not_the_secrets_or_comes_by_another_way_is_refused(target: Target, attempt: Attempt) -> None:
    answer = send(target.port, attempt(target), seconds=5)

    assert answer.status in REFUSED or answer.text.startswith("HTTP/1.1 101") or "HTTP/2" in answer.text, answer
    assert "access-control-allow" not in answer.text.lower()
    assert target.left() == []


@pytest.mark.parametrize("path", CONTROLS)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
def test_what_controls_the_emulators_is_for_the_harness_alone(target: Target, path: str, method: str) -> None:
    assert send(target.port, target.raw()).status == 200
    control = Call(target.port, "ssm", b"{}", method=method, path=path, secret=target.secret)

    attempts = [
        control.unsigned(more=more) for more in ((), PAGE, (("Sawhorse-Control", "x"),), (("Sawhorse-Control", ""),))
    ]
    statuses = {send(target.port, attempt).status for attempt in attempts}

    assert statuses == {403}
    # Nor does the account's own signature reset anything.
    send(target.port, control.raw())
    assert len(target.left()) == 1


@pytest.mark.parametrize("path", NOWHERE)
def test_an_address_of_no_api_reaches_no_service(target: Target, path: str) -> None:
    answer = send(target.port, target.call.of(path=path).unsigned())

    assert answer.status in {400, 403, 404}, answer
    assert target.left() == []


def test_the_right_secrets_open_all_of_it(target: Target) -> None:
    for host in (f"127.0.0.1:{target.port}", f"localhost:{target.port}", f"LOCALHOST:{target.port}"):
        answer = send(target.port, target.raw(host=host))
        assert answer.status == 200, answer
        assert "access-control" not in answer.text.lower()
    assert len(target.left()) == 1
    in_query = send(target.port, target.call.of(body=target.other_body).raw(expires=300))
    if target.name == "ministack":
        # moto takes a call that is signed in its query for one of S3.
        assert (in_query.status, len(target.left())) == (200, 2)

    path = "/_ministack/health" if target.name == "ministack" else "/moto-api/data.json"
    control = Call(target.port, "x", method="GET", path=path)
    assert send(target.port, control.unsigned(more=(("Sawhorse-Control", target.control),))).status == 200
    assert send(target.port, control.unsigned(more=(("Sawhorse-Control", target.control), *PAGE))).status == 403


def test_a_large_body_is_refused_before_it_is_read(target: Target) -> None:
    """Nothing but its head is sent: whoever waited for the body would not respond."""
    large = (("Content-Length", "157286400"),)
    head = target.call.of(secret="wrong").raw(without=("content-length",), more=large).removesuffix(target.call.body)
    answer = send(target.port, head, seconds=5)
    assert answer.status == 413
    assert "The body is larger than AWS takes it here" in answer.text
    declared_hash = {**target.call.headers, "X-Amz-Content-SHA256": 64 * "0"}
    wrong = target.call.of(secret="wrong", headers=declared_hash)
    head = wrong.raw(without=("content-length",), more=large).removesuffix(target.call.body)
    assert send(target.port, head, seconds=5).status == 403


def test_a_refusal_is_a_sentence_in_the_form_of_the_callers_sdk(account: Account) -> None:
    wrong = {"AWS_ACCESS_KEY_ID": ACCOUNT, "AWS_SECRET_ACCESS_KEY": "wrong", "AWS_SESSION_TOKEN": ""}
    calls: dict[str, Callable[[Any], Any]] = {
        "ssm": lambda client: client.describe_parameters(),
        "iam": lambda client: client.list_roles(),
        "s3": lambda client: client.list_buckets(),
        "lambda": lambda client: client.list_functions(),
        "application-autoscaling": lambda client: client.describe_scalable_targets(ServiceNamespace="dynamodb"),
    }
    for service, call in calls.items():
        with pytest.raises(ClientError) as refusal:
            call(account.client(service, wrong))
        error = refusal.value.response["Error"]
        assert error["Code"] in {"InvalidSignatureException", "SignatureDoesNotMatch"}, service
        assert 'run eval "$(sawhorse local env)" again' in error["Message"], service


# S3's ways to sign


@pytest.fixture
def bucket(account: Account) -> str:
    """An empty bucket."""
    name = unique("bucket")
    account.client("s3").create_bucket(Bucket=name)
    return name


def object_call(running: Running, bucket: str, **changes: Any) -> Call:
    return Call(
        running.ministack.port, "s3", method="PUT", path=f"/{bucket}/key", secret=running.secrets.secret_access_key
    ).of(**changes)


def content_of(account: Account, bucket: str) -> bytes:
    found: bytes = account.client("s3").get_object(Bucket=bucket, Key="key")["Body"].read()
    return found


@pytest.mark.parametrize("trailer", [b"", b"x-amz-checksum-crc32:AAAAAA=="])
def test_a_body_that_is_signed_in_pieces_is_checked_piece_by_piece(
    account: Account, local_aws: Running, bucket: str, trailer: bytes
) -> None:
    call = object_call(local_aws, bucket)
    pieces = [b"a" * 8192 + b"b", b"cd"]

    tampered_with = send(call.port, chunked(call, pieces, trailer=trailer, tamper=True))
    assert tampered_with.status == 403
    assert "Contents" not in account.client("s3").list_objects_v2(Bucket=bucket)
    assert send(call.port, chunked(call, pieces)).status == 200
    assert content_of(account, bucket) == b"".join(pieces)


def test_a_presigned_url_opens_what_it_names_and_nothing_else(
    account: Account, local_aws: Running, bucket: str
) -> None:
    s3 = account.client("s3")
    s3.put_object(Bucket=bucket, Key="key", Body=b"content")
    for version in ("s3v4", "s3"):
        presigner = account.session.client("s3", endpoint_url=local_aws.url, config=Config(signature_version=version))
        url = presigner.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "key"}, ExpiresIn=60)
        with httpx.Client(trust_env=False) as http:
            assert http.get(url).content == b"content", version
            refused = [
                http.get(url.replace("/key?", "/other?")),
                http.put(url, content=b"other"),
                http.get(url, headers={"Origin": "http://evil.example"}),
                http.get(url, headers={"X-Amz-Target": "AmazonSSM.DescribeParameters"}),
                http.get(f"{url}&Action=ListRoles&Version=2010-05-08"),
                http.get(url.replace("127.0.0.1", "localhost"), headers={"Host": "evil.example"}),
                http.get(url[:-4] + "AAAA"),
            ]
        assert [answer.status_code for answer in refused] == [403] * 5 + [421, 403], version
    put = s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "key"}, ExpiresIn=60)
    form = b"Action=CreateUser&UserName=" + unique("user").encode()
    with httpx.Client(trust_env=False) as http:
        assert http.put(put, content=b"new").status_code == 200
        assert content_of(account, bucket) == b"new"
        http.put(put, content=form, headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert form.rpartition(b"=")[2].decode() not in str(account.client("iam").list_users())


@pytest.mark.parametrize("version", ["s3v4", "s3"])
def test_presigned_listings_list_what_they_name(
    account: Account, local_aws: Running, bucket: str, version: str
) -> None:
    s3 = account.client("s3")
    for key in ("a/1", "a/2", "b"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"content")
    presigner = account.session.client("s3", endpoint_url=local_aws.url, config=Config(signature_version=version))
    calls: list[tuple[str, dict[str, Any]]] = [
        ("list_objects", {"Prefix": "a/", "MaxKeys": 5}),
        ("list_objects_v2", {"Prefix": "a/", "MaxKeys": 5}),
        ("list_object_versions", {"Prefix": "a/"}),
    ]
    with httpx.Client(trust_env=False) as http:
        for name, parameters in calls:
            url = presigner.generate_presigned_url(name, Params={"Bucket": bucket, **parameters}, ExpiresIn=60)
            answer = http.get(url)
            assert (answer.status_code, "<Key>a/2</Key>" in answer.text, "<Key>b</Key>" in answer.text) == (
                200, True, False
            ), (name, answer.text)  # fmt: skip
            assert http.post(url).status_code == 403
            assert http.get(f"{url}&policy").status_code == 403


# Temporary credentials


def test_a_functions_credentials_are_those_that_it_was_given(account: Account, local_aws: Running) -> None:
    table = account.table()
    arn = f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/{table}"
    role = account.role({"Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": arn})
    credentials = role_credentials(account.client, role)
    again = role_credentials(account.client, role)
    assert credentials["AWS_SECRET_ACCESS_KEY"] != again["AWS_SECRET_ACCESS_KEY"]
    right = {"TableName": table, "Key": {"id": {"S": "x"}}}
    assert "Item" not in account.client("dynamodb", credentials).get_item(**right)
    for wrong in (
        {"AWS_SECRET_ACCESS_KEY": "x"},
        {"AWS_SECRET_ACCESS_KEY": local_aws.secrets.secret_access_key},
        {"AWS_SESSION_TOKEN": "x"},
        {"AWS_SESSION_TOKEN": again["AWS_SESSION_TOKEN"]},
        {"AWS_ACCESS_KEY_ID": again["AWS_ACCESS_KEY_ID"]},
    ):
        with pytest.raises(ClientError, match=r"UnrecognizedClient|InvalidSignature"):
            account.client("dynamodb", {**credentials, **wrong}).get_item(**right)


ENVIRONMENT = """
import os

def handler(event, context):
    return {"cwd": os.getcwd(), **os.environ}
"""


def test_a_function_gets_nothing_of_the_users_and_no_secret_of_the_start(
    account: Account, local_aws: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    function = account.function(ENVIRONMENT, Environment={"Variables": {"AUTH": "true", "MINE": "1"}})
    seen = account.call(function)

    assert local_aws.secrets.secret_access_key not in json.dumps(seen)
    assert local_aws.secrets.control not in json.dumps(seen)
    kept = {"AUTH", "MINE", "HOME", "LANG", "PATH", "TMPDIR", "cwd", "LC_CTYPE", "MINISTACK_HOST_PREFIX"}
    others = {name for name in seen if name not in kept and not name.startswith(("AWS_", "LAMBDA_", "_LAMBDA_"))}
    assert others <= {"_X_AMZN_TRACE_ID"} | {name for name in others if name.startswith("_")}, others
    assert seen["HOME"] == seen["TMPDIR"]
    assert seen["HOME"].endswith("/.sawhorse/local/functions")
    assert seen["cwd"] not in {seen["HOME"], str(seen["HOME"]).removesuffix("/functions")}
    assert seen["PATH"] == "/bin:/usr/bin"


def test_a_functions_code_is_downloaded_by_the_address_that_its_owner_got(account: Account) -> None:
    function = account.function(ENVIRONMENT)
    location = account.client("lambda").get_function(FunctionName=function)["Code"]["Location"]
    with httpx.Client(trust_env=False) as http:
        assert http.get(location).content.startswith(b"PK")
        assert http.get(location.partition("?")[0]).status_code == 403
        assert http.get(location.replace("Expires=1", "Expires=2")).status_code == 403
        assert http.get(location.replace(function, "another")).status_code == 403
        assert http.get(location, headers={"Origin": "http://evil.example"}).status_code == 403


# The APIs' own addresses


def test_an_api_is_open_to_pages_and_decides_by_itself(account: Account, local_aws: Running) -> None:
    source = "def handler(event, context):\n    return {'statusCode': 200, 'body': 'hello'}\n"
    api = account.http_api(account.function(source), cors={"AllowOrigins": ["https://app.example.com"]})
    url = f"{local_aws.url}/_aws/execute-api/{api}/x"
    with httpx.Client(trust_env=False) as http:
        mine = http.get(url, headers={"Origin": "https://app.example.com"})
        assert (mine.text, mine.headers["access-control-allow-origin"]) == ("hello", "https://app.example.com")
        strange = http.get(url, headers={"Origin": "http://evil.example"})
        assert (strange.text, strange.headers.get("access-control-allow-origin")) == ("hello", None)
        assert http.get(url, headers={"Host": "evil.example"}).status_code == 421
        forged = (
            f"AWS4-HMAC-SHA256 Credential={ACCOUNT}/20260101/us-east-1/execute-api/aws4_request, SignedHeaders=host, "
        )
        assert http.get(url, headers={"Authorization": f"{forged}Signature={64 * '0'}"}).status_code == 403
        assert http.get(url, headers={"Authorization": "Bearer x"}).text == "hello"


def test_a_function_url_that_wants_a_signature_gets_a_right_one(account: Account, local_aws: Running) -> None:
    function = account.function("def handler(event, context):\n    return 'hello'\n")
    client = account.client("lambda")
    made = client.create_function_url_config(FunctionName=function, AuthType="AWS_IAM")["FunctionUrl"]
    path = f"/_aws/lambda-url/{made.split('//')[1].split('.')[0]}/"
    call = Call(local_aws.ministack.port, "lambda", method="GET", path=path, secret=local_aws.secrets.secret_access_key)

    assert "hello" in send(call.port, call.raw()).text
    for attempt in (call.unsigned(), call.of(secret="wrong").raw(), call.of(key="test").raw()):
        answer = send(call.port, attempt)
        assert answer.status == 403, answer
        assert "hello" not in answer.text


# The issuer


ISSUER_ATTEMPTS: dict[str, tuple[int, bytes]] = {
    "a rebound name": (421, b"GET {path} HTTP/1.1\r\nHost: evil.example\r\n\r\n"),
    "a rebound name with the port": (421, b"GET {path} HTTP/1.1\r\nHost: evil.example:{port}\r\n\r\n"),
    "no port": (421, b"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"),
    "no host": (421, b"GET {path} HTTP/1.0\r\n\r\n"),
    "two hosts": (421, b"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nHost: evil.example\r\n\r\n"),
    "an absolute target": (421, b"GET http://evil.example{path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n"),
    "a page": (403, b"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: http://evil.example\r\n\r\n"),
    "a page without an origin": (403, b"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: null\r\n\r\n"),
    "a preflight": (501, b"OPTIONS {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: http://a\r\n\r\n"),
    "another method": (501, b"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: 0\r\n\r\n"),
    "deletion": (501, b"DELETE {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n"),
    "a way out": (404, b"GET /../key.json HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n"),
    "the key": (404, b"GET /key.json HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n"),
    "a directory": (404, b"GET /.well-known/ HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n"),
}


@pytest.mark.parametrize(("status", "request_text"), ISSUER_ATTEMPTS.values(), ids=ISSUER_ATTEMPTS.keys())
def test_the_issuer_shows_its_documents_to_this_machine_alone(
    local_aws: Running, status: int, request_text: bytes
) -> None:
    port = local_aws.issuer.port
    text = request_text.replace(b"{path}", b"/.well-known/jwks.json").replace(b"{port}", str(port).encode())

    answer = send(port, text)

    assert answer.status == status, answer
    assert "keys" not in answer.text
    assert "access-control" not in answer.text.lower()


# Another user of this machine

STRANGER = """
import sys, urllib.request, urllib.error
for port, path in [pair.split("/", 1) for pair in sys.argv[2:]]:
    try:
        print(urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", data=b"").status)
    except urllib.error.HTTPError as error:
        print(error.code)
try:
    print(open(sys.argv[1]).read())
except PermissionError:
    print("no permission")
"""


def test_another_user_of_this_machine_is_refused(local_aws: Running, local_aws_project: Any) -> None:
    setpriv = shutil.which("setpriv")
    as_nobody = [setpriv or "", "--reuid=65534", "--regid=65534", "--clear-groups"]
    if not setpriv or subprocess.run([*as_nobody, "true"], check=False, capture_output=True).returncode:
        pytest.skip("only the administrator of Linux can act as another user")
    python = shutil.which("python3", path="/usr/bin:/bin") or sys.executable
    addresses = [
        f"{local_aws.ministack.port}/", f"{local_aws.ministack.port}/_ministack/reset",
        f"{local_aws.moto.port}/", f"{local_aws.moto.port}/moto-api/reset", f"{local_aws.issuer.port}/",
    ]  # fmt: skip
    secrets_file = local_aws_project.local / "secrets.json"

    ended = subprocess.run(
        [*as_nobody, python, "-c", STRANGER, secrets_file, *addresses], capture_output=True, text=True, check=True
    )

    assert ended.stdout.split("\n")[:-1] == ["403", "403", "403", "403", "501", "no permission"], ended
    assert secrets_file.stat().st_mode & 0o777 == 0o600
    assert local_aws_project.local.stat().st_mode & 0o777 == 0o700


def test_nothing_listens_on_other_addresses_than_loopback(local_aws: Running) -> None:
    for emulator in local_aws.all:
        with socket.socket() as probe:
            # Another address of loopback is another address.
            assert probe.connect_ex(("127.0.0.2", emulator.port)) != 0
