"""Make on the local AWS what an account is expected to have before a root is applied: another team's role, for one.

What an app expects stands in `lambda/<app>/ops/prerequisites.py`; most expect nothing and have no such file. The bucket
of packages, which environment.yaml may name, is made for every app.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sawhorse.environment import Environment
from sawhorse.errors import LocalAWSError
from sawhorse.operations import operation
from sawhorse.project import Root

ClientOf = Callable[[str], Any]


def make_prerequisites(root: Root, client_of: ClientOf, environment: Environment) -> None:
    """Make what a root's app expects, unless it is there; `client_of` makes clients of the local AWS."""
    if environment.bucket_of_packages:
        make_bucket(client_of("s3"), environment.bucket_of_packages, environment)
    module = operation(root.project, root.app, "prerequisites")
    if module is not None:
        module.make(client_of, environment, root)


def make_bucket(s3: Any, bucket: str, environment: Environment) -> None:
    """Make a bucket in the environment's region unless the account has it."""
    # S3 takes us-east-1 for granted and refuses it as a constraint.
    region = environment.region
    place = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    try:
        s3.create_bucket(Bucket=bucket, **place)
    except s3.exceptions.BucketAlreadyOwnedByYou:
        return
    except s3.exceptions.BucketAlreadyExists as error:
        raise LocalAWSError(
            f"The bucket {bucket} belongs to another account of the local AWS: another environment names it as well. "
            f"Name one of its own under packages_bucket in environments/{environment.name}/environment.yaml."
        ) from error
