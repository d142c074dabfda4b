"""Make boto3 clients of the local AWS that nothing in the shell leads astray: no profile, no proxy, no config file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.configprovider import BOTOCORE_DEFAUT_SESSION_VARIABLES

from sawhorse.aws_sessions import aws_session

# Where botocore would look for each of its settings: in no variable, and in no file.
UNCONFIGURED: dict[str, tuple[Any, list[str], Any, Any]] = {
    **{
        name: (in_file, [], default, conversion)
        for name, (in_file, _, default, conversion) in BOTOCORE_DEFAUT_SESSION_VARIABLES.items()
    },
    "config_file": (None, [], os.devnull, None),
    "credentials_file": (None, [], os.devnull, None),
}
# What variables call a service that boto3 calls otherwise.
IN_VARIABLES = {"application-autoscaling": "APPLICATION_AUTO_SCALING"}


def local_client(service: str, variables: Mapping[str, str]) -> Any:
    """Return a client of a service from the AWS_* variables of the local AWS."""
    unconfigured = botocore.session.Session(session_vars=UNCONFIGURED)
    # S3's own settings are not session variables, and read from the shell as well.
    unconfigured.get_component("config_store").set_config_variable("s3", {})
    session = aws_session(
        unconfigured,
        aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=variables.get("AWS_SESSION_TOKEN"),
        region_name=variables["AWS_REGION"],
    )
    name = IN_VARIABLES.get(service, service.upper())
    endpoint = variables.get(f"AWS_ENDPOINT_URL_{name}", variables["AWS_ENDPOINT_URL"])
    config = Config(connect_timeout=5, read_timeout=30, retries={"max_attempts": 3}, proxies={})
    return session.client(service, endpoint_url=endpoint, config=config)
