"""What the harness leans on where states, their locks and the records beside them lie in the local S3."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.contracts.support import Account, unique

WRITERS = 8


@pytest.fixture
def s3(account: Account) -> Any:
    return account.client("s3")


@pytest.fixture
def bucket(s3: Any) -> str:
    """A bucket of this test, as S3 makes one."""
    name = unique("states")
    s3.create_bucket(Bucket=name)
    return name


def refusal(call: Callable[..., Any], **request: Any) -> str:
    """Return the code that a call is refused with."""
    with pytest.raises(ClientError) as refused:
        call(**request)
    return str(refused.value.response["Error"]["Code"])


def test_a_write_on_top_of_another_tag_is_refused(s3: Any, bucket: str) -> None:
    first = s3.put_object(Bucket=bucket, Key="a", Body=b"1")["ETag"]
    second = s3.put_object(Bucket=bucket, Key="a", Body=b"2", IfMatch=first)["ETag"]

    assert refusal(s3.put_object, Bucket=bucket, Key="a", Body=b"3", IfMatch=first) == "PreconditionFailed"
    assert s3.get_object(Bucket=bucket, Key="a")["ETag"] == second


def test_a_write_on_top_of_what_is_not_there_is_refused(s3: Any, bucket: str) -> None:
    tag = s3.put_object(Bucket=bucket, Key="a", Body=b"1")["ETag"]
    s3.delete_object(Bucket=bucket, Key="a")

    for key in ("a", "never-there"):
        assert refusal(s3.put_object, Bucket=bucket, Key=key, Body=b"2", IfMatch=tag) == "NoSuchKey"
        assert refusal(s3.get_object, Bucket=bucket, Key=key) == "NoSuchKey"


def test_a_first_write_is_refused_where_something_is(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="a", Body=b"1", IfNoneMatch="*")

    assert refusal(s3.put_object, Bucket=bucket, Key="a", Body=b"2", IfNoneMatch="*") == "PreconditionFailed"
    assert s3.get_object(Bucket=bucket, Key="a")["Body"].read() == b"1"


def test_what_was_written_meanwhile_is_not_deleted(s3: Any, bucket: str) -> None:
    first = s3.put_object(Bucket=bucket, Key="a", Body=b"1")["ETag"]
    second = s3.put_object(Bucket=bucket, Key="a", Body=b"2")["ETag"]

    assert refusal(s3.delete_object, Bucket=bucket, Key="a", IfMatch=first) == "PreconditionFailed"
    s3.delete_object(Bucket=bucket, Key="a", IfMatch=second)
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


@pytest.mark.parametrize("condition", ["IfNoneMatch", "IfMatch"])
def test_of_writers_at_once_one_is_first_and_the_others_are_told(s3: Any, bucket: str, condition: str) -> None:
    for number in range(5):
        key = f"a-{number}"
        wanted = "*" if condition == "IfNoneMatch" else s3.put_object(Bucket=bucket, Key=key, Body=b"before")["ETag"]

        def write(writer: int, key: str = key, wanted: str = wanted) -> bytes | None:
            # Another content for each: a tag is that of the content.
            content = f"by {writer}".encode()
            try:
                s3.put_object(Bucket=bucket, Key=key, Body=content, **{condition: wanted})
            except ClientError as error:
                if error.response["Error"]["Code"] in ("PreconditionFailed", "ConditionalRequestConflict"):
                    return None
                raise
            return content

        with ThreadPoolExecutor(WRITERS) as pool:
            written = [one for one in pool.map(write, range(WRITERS)) if one]

        assert written == [s3.get_object(Bucket=bucket, Key=key)["Body"].read()]


def test_earlier_versions_stay_when_a_state_is_written_over_and_deleted(s3: Any, bucket: str) -> None:
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    for content in (b"1", b"2"):
        s3.put_object(Bucket=bucket, Key="a", Body=content)
    s3.delete_object(Bucket=bucket, Key="a")

    versions = s3.list_object_versions(Bucket=bucket)

    assert [one["Key"] for one in versions["DeleteMarkers"]] == ["a"]
    bodies = [
        s3.get_object(Bucket=bucket, Key="a", VersionId=one["VersionId"])["Body"].read() for one in versions["Versions"]
    ]
    assert bodies == [b"2", b"1"]


def test_a_new_bucket_is_encrypted_and_closed_as_s3_makes_one(s3: Any, bucket: str) -> None:
    encrypted = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    closed = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    owned = s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"]

    assert [one["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] for one in encrypted] == ["AES256"]
    assert len(closed) == 4
    assert all(closed.values())
    assert owned == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    assert "Status" not in s3.get_bucket_versioning(Bucket=bucket)
    assert refusal(s3.get_bucket_policy, Bucket=bucket) == "NoSuchBucketPolicy"
    assert refusal(s3.get_bucket_lifecycle_configuration, Bucket=bucket) == "NoSuchLifecycleConfiguration"


def test_a_policy_that_refuses_http_is_kept_and_not_carried_out(s3: Any, bucket: str) -> None:
    """The local AWS has http alone; docs/architecture.md says that only AWS refuses it."""
    refusing = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            }
        ],
    }

    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(refusing))

    assert json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"]) == refusing
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_a_policy_for_the_public_is_refused_while_that_is_blocked(s3: Any, bucket: str) -> None:
    public = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"}
        ],
    }

    assert refusal(s3.put_bucket_policy, Bucket=bucket, Policy=json.dumps(public)) == "AccessDenied"


def test_a_bucket_of_another_account_is_told_from_one_that_is_not_there(
    s3: Any, bucket: str, other_account: Account
) -> None:
    assert refusal(other_account.client("s3").head_bucket, Bucket=bucket) == "403"
    assert refusal(s3.head_bucket, Bucket=unique("nowhere")) == "404"
