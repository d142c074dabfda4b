"""The local AWS is reached by whoever has its secrets, by its own names, and from no web page."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sawhorse.local.emulators import Running
from tests.contracts.support import ACCOUNT, Account, unique
from tests.contracts.wire import Call, over_http_2, send, written

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
    "a key that is not an account": claimed(key="11111111111"),
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
    response = send(target.port, attempt(target), seconds=5)

    assert response.status in REFUSED or response.text.startswith("HTTP/1.1 101") or "HTTP/2" in response.text, response
    assert "access-control-allow" not in response.text.lower()
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
    response = send(target.port, target.call.of(path=path).unsigned())

    assert response.status in {400, 403, 404}, response
    assert target.left() == []


def test_the_right_secrets_open_all_of_it(target: Target) -> None:
    for host in (f"127.0.0.1:{target.port}", f"localhost:{target.port}", f"LOCALHOST:{target.port}"):
        response = send(target.port, target.raw(host=host))
        assert response.status == 200, response
        assert "access-control" not in response.text.lower()
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
    response = send(target.port, head, seconds=5)
    assert response.status == 413
    assert "The body is larger than AWS takes it here" in response.text
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
