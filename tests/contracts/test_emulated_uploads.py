"""What the harness leans on where the local Lambda reads its code from the local S3."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from sawhorse.build.manifest import code_sha256
from tests.contracts.support import Account, package, unique

FIRST = "def handler(event, context):\n    return 'first'\n"
SECOND = "def handler(event, context):\n    return 'second'\n"
DEPENDENT = "import tinydep\n\ndef handler(event, context):\n    return tinydep.VALUE\n"


@pytest.fixture
def bucket(account: Account) -> str:
    """A bucket of this test."""
    name = unique("packages")
    account.client("s3").create_bucket(Bucket=name)
    return name


def put(account: Account, bucket: str, source: Any, key: str = "app.zip") -> dict[str, str]:
    """Put a zip into the bucket and return where Lambda finds it."""
    account.client("s3").put_object(Bucket=bucket, Key=key, Body=package(source))
    return {"S3Bucket": bucket, "S3Key": key}


def make(account: Account, code: dict[str, str]) -> str:
    """Make a function of what lies in a bucket, and return its name."""
    name = unique("function")
    account.client("lambda").create_function(
        FunctionName=name, Role=account.role(), Runtime="python3.13", Handler="app.handler", Code=code
    )
    return name


def test_a_function_runs_what_lies_in_the_bucket(account: Account, bucket: str) -> None:
    function = make(account, put(account, bucket, FIRST))

    assert account.call(function) == "first"
    configuration = account.client("lambda").get_function_configuration(FunctionName=function)
    assert configuration["CodeSha256"] == code_sha256(package(FIRST))


def test_new_code_from_the_bucket_runs_at_the_next_call(account: Account, bucket: str) -> None:
    functions, function = account.client("lambda"), make(account, put(account, bucket, FIRST))
    assert account.call(function) == "first"

    functions.update_function_code(FunctionName=function, **put(account, bucket, SECOND, "second.zip"))

    assert account.call(function) == "second"


def test_what_was_read_runs_on_when_the_object_is_gone(account: Account, bucket: str) -> None:
    functions, function = account.client("lambda"), make(account, put(account, bucket, FIRST))
    version = functions.publish_version(FunctionName=function)["Version"]
    functions.update_function_code(FunctionName=function, ZipFile=package(SECOND))

    account.client("s3").delete_object(Bucket=bucket, Key="app.zip")

    assert account.call(function, Qualifier=version) == "first"
    assert account.call(function) == "second"


def test_a_layer_is_read_from_the_bucket(account: Account, bucket: str) -> None:
    content = put(account, bucket, {"python/tinydep.py": "VALUE = 'of the layer'\n"}, "layer.zip")
    layer = account.client("lambda").publish_layer_version(LayerName=unique("layer"), Content=content)

    assert account.call(account.function(DEPENDENT, Layers=[layer["LayerVersionArn"]])) == "of the layer"


@pytest.mark.parametrize("where", ["no such key", "no such bucket"])
def test_code_that_is_not_there_is_refused(account: Account, bucket: str, where: str) -> None:
    """The harness adds this: the emulator alone would make a function without any code."""
    functions = account.client("lambda")
    code = {"S3Bucket": bucket if where == "no such key" else unique("nowhere"), "S3Key": "nowhere.zip"}
    function = make(account, put(account, bucket, FIRST))

    with pytest.raises(ClientError) as refusal:
        make(account, code)
    assert refusal.value.response["Error"]["Code"] == "InvalidParameterValueException"
    with pytest.raises(ClientError):
        functions.update_function_code(FunctionName=function, **code)
    with pytest.raises(ClientError):
        functions.publish_layer_version(LayerName=unique("layer"), Content=code)
    assert account.call(function) == "first"


def test_a_bucket_of_another_region_is_refused(account: Account) -> None:
    name = unique("packages")
    s3 = account.session.client("s3", region_name="us-east-2", endpoint_url=account.running.url)
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "us-east-2"})
    s3.put_object(Bucket=name, Key="app.zip", Body=package(FIRST))

    with pytest.raises(ClientError, match="PermanentRedirect"):
        make(account, {"S3Bucket": name, "S3Key": "app.zip"})


def test_an_account_cannot_read_the_bucket_of_another(account: Account, bucket: str) -> None:
    put(account, bucket, FIRST)
    other = Account(account.running, "222222222222")

    with pytest.raises(ClientError, match="AccessDenied"):
        other.client("s3").get_object(Bucket=bucket, Key="app.zip")
    with pytest.raises(ClientError):
        make(other, {"S3Bucket": bucket, "S3Key": "app.zip"})
