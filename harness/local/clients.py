"""Make boto3 clients of the local AWS that nothing in the shell leads astray: no profile, no proxy, no config file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import boto3
import botocore.session
from botocore.config import Config

# Where botocore would look for each of these: nowhere.
UNCONFIGURED: dict[str, tuple[None, list[str], str | None, None]] = {
    "profile": (None, [], None, None),
    "config_file": (None, [], os.devnull, None),
    "credentials_file": (None, [], os.devnull, None),
}


def local_client(service: str, variables: Mapping[str, str]) -> Any:
    """Return a client of a service from the AWS_* variables of the local AWS."""
    session = boto3.session.Session(
        botocore_session=botocore.session.Session(session_vars=UNCONFIGURED),
        aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=variables.get("AWS_SESSION_TOKEN"),
        region_name=variables["AWS_REGION"],
    )
    endpoint = variables.get(f"AWS_ENDPOINT_URL_{service.upper()}", variables["AWS_ENDPOINT_URL"])
    config = Config(connect_timeout=5, read_timeout=30, retries={"max_attempts": 3}, proxies={})
    return session.client(service, endpoint_url=endpoint, config=config)
