"""What a bucket lacks is named field by field, and nothing counts as wanted that is only nearly so."""

from __future__ import annotations

import json
import secrets
from typing import Any

import pytest

from sawhorse.environment import Environment
from sawhorse.errors import BadConfiguration
from sawhorse.local.clients import local_client
from sawhorse.local.emulators import Running
from sawhorse.operate import state_bucket
from sawhorse.operate.state_bucket import Bucket, buckets_of, differing, tried_over_http
from tests.states import s3_of


@pytest.fixture
def s3(local_aws: Running) -> Any:
    return s3_of(local_aws)


@pytest.fixture
def bucket(s3: Any) -> str:
    """A bucket of this test, which takes policies for the public."""
    name = f"by-hand-{secrets.token_hex(4)}"
    s3.create_bucket(Bucket=name)
    s3.delete_public_access_block(Bucket=name)
    return name


def facts(**given: Any) -> Environment:
    always = {"name": "dev", "account_id": "111111111111", "region": "us-east-1", "production": False}
    return Environment.model_validate({**always, **given})


def statement(bucket: str, **changes: Any) -> dict[str, Any]:
    return {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        **changes,
    }


ALLOWED = {"Effect": "Allow", "Action": "s3:GetObject", "Condition": {}}
CASES: list[tuple[list[dict[str, Any]], str]] = [
    ([{}], "refuses http"),
    ([{"Principal": {"AWS": "*"}, "Action": ["s3:*"]}], "refuses http"),
    ([{"Condition": {"Bool": {"AWS:SecureTransport": ["false"]}}}], "refuses http"),
    ([{}, ALLOWED], "refuses http, and 1 statements of somebody else's"),
    ([ALLOWED], "lets http in"),
    ([{"Effect": "Allow"}], "lets http in"),
    ([{"Principal": {"AWS": "arn:aws:iam::111111111111:root"}}], "lets http in"),
    ([{"Action": "s3:GetObject"}], "lets http in"),
    ([{"Resource": "arn:aws:s3:::other/*"}], "lets http in"),
    ([{"Condition": {"Bool": {"aws:SecureTransport": "true"}}}], "lets http in"),
    ([{"Condition": {"BoolIfExists": {"aws:SecureTransport": "false"}}}], "lets http in"),
    (
        [{"Condition": {"Bool": {"aws:SecureTransport": "false"}, "StringEquals": {"aws:PrincipalType": "User"}}}],
        "lets http in",
    ),
]


@pytest.mark.parametrize(("changes", "found"), CASES)
def test_only_a_policy_that_keeps_everybody_s_http_out_does(
    s3: Any, bucket: str, changes: list[dict[str, Any]], found: str
) -> None:
    statements = [statement(bucket, **one) for one in changes]
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": statements}))

    assert state_bucket.policy(s3, bucket) == found


def rule(**changes: Any) -> dict[str, Any]:
    kept = {"NoncurrentDays": 1, "NewerNoncurrentVersions": 10}
    return {"ID": "a", "Status": "Enabled", "Filter": {}, "NoncurrentVersionExpiration": kept, **changes}


@pytest.mark.parametrize(
    ("rules", "found"),
    [
        ([], "ten of each object stay"),
        ([rule()], "ten of each object stay"),
        ([rule(NoncurrentVersionExpiration={"NoncurrentDays": 1})], "fewer than ten of them stay"),
        ([rule(Status="Disabled", NoncurrentVersionExpiration={"NoncurrentDays": 1})], "ten of each object stay"),
        ([rule(), rule(ID="b", Expiration={"Days": 3})], "current versions go as well"),
    ],
)
def test_a_rule_that_takes_too_much_is_named(s3: Any, bucket: str, rules: list[dict[str, Any]], found: str) -> None:
    if rules:
        s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": rules})

    assert state_bucket.lifecycle(s3, bucket) == found


def test_what_was_never_set_or_was_taken_back_is_named(s3: Any, bucket: str) -> None:
    looks = {field: look for field, (_, look) in state_bucket.LOOKS.items()}
    assert looks["versioning"](s3, bucket) == "never enabled"
    assert looks["public access"](s3, bucket) == f"without {', '.join(state_bucket.BLOCKS)}"
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
    assert looks["versioning"](s3, bucket) == "Suspended"
    s3.put_public_access_block(
        Bucket=bucket,
        PublicAccessBlockConfiguration={
            "BlockPublicAcls": True,
            "BlockPublicPolicy": False,
            "IgnorePublicAcls": True,
            "RestrictPublicBuckets": False,
        },
    )
    assert looks["public access"](s3, bucket) == "without BlockPublicPolicy, RestrictPublicBuckets"
    s3.put_bucket_ownership_controls(
        Bucket=bucket, OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerPreferred"}]}
    )
    assert looks["object ownership"](s3, bucket) == "BucketOwnerPreferred"
    kms = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [kms]})
    assert looks["encryption"](s3, bucket) == "aws:kms"
    assert looks["policy"](s3, bucket) == "lets http in"


def test_a_call_over_http_is_tried(s3: Any, bucket: str, local_aws: Running) -> None:
    """The local AWS takes http, so it is found to; a bucket that is another account's refuses the call."""
    one = Bucket("states", bucket, "us-east-1")

    let_in = tried_over_http(s3, one)
    refused = tried_over_http(local_client("s3", local_aws.environment("222222222222")), one)

    assert (let_in.found, let_in.ok) == ("let in", False)
    assert differing([let_in, refused]) == [f"{bucket}: a call over http is let in, wanted refused"]
    assert (refused.found, refused.ok) == ("refused", True)


def test_what_is_not_http_is_not_tried() -> None:
    variables = {
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": "https://s3.example.com",
    }

    found = tried_over_http(local_client("s3", variables), Bucket("states", "any", "us-east-1"))

    assert (found.ok, found.found) == (None, "not tried: calls go to https://s3.example.com")


def test_the_buckets_are_those_that_environment_yaml_names_each_once() -> None:
    assert buckets_of(facts(state_bucket="one", packages_bucket="one"), local=False) == [
        Bucket("states", "one", "us-east-1")
    ]
    assert buckets_of(facts(packages_bucket={"us-east-2": "two", "us-east-1": "one"}), local=False) == [
        Bucket("packages_us_east_1", "one", "us-east-1"),
        Bucket("packages_us_east_2", "two", "us-east-2"),
    ]
    # A local run has its states somewhere even where environment.yaml says nothing.
    assert buckets_of(facts(), local=True) == [Bucket("states", "sawhorse-states-111111111111-us-east-1", "us-east-1")]


def test_an_environment_that_names_none_or_one_for_two_regions_is_refused() -> None:
    with pytest.raises(
        BadConfiguration, match=r"environments/dev/environment\.yaml names no bucket; write state_bucket"
    ):
        buckets_of(facts(), local=False)
    with pytest.raises(BadConfiguration, match="names one for states, in us-east-1, and for packages of us-east-2"):
        buckets_of(facts(state_bucket="one", packages_bucket={"us-east-2": "one"}), local=False)
