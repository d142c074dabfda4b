"""Whom objects, functions, APIs and the issuer of the local AWS are open to, each by its own address."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
from typing import Any

import httpx
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from sawhorse.local.credentials import role_credentials
from sawhorse.local.emulators import Running
from tests.contracts.support import ACCOUNT, Account, unique
from tests.contracts.wire import Call, chunked, send


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
        assert [response.status_code for response in refused] == [403] * 5 + [421, 403], version
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
            response = http.get(url)
            assert (response.status_code, "<Key>a/2</Key>" in response.text, "<Key>b</Key>" in response.text) == (
                200, True, False
            ), (name, response.text)  # fmt: skip
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
        response = send(call.port, attempt)
        assert response.status == 403, response
        assert "hello" not in response.text


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

    response = send(port, text)

    assert response.status == status, response
    assert "keys" not in response.text
    assert "access-control" not in response.text.lower()


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
        # The kernel lets nobody else change users; CI runs as the one who may.
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
