"""Make boto3 sessions that parse each of botocore's models once in a process, and not once in every session."""

from __future__ import annotations

from functools import cache
from typing import Any

import boto3
import botocore.loaders
import botocore.session


def aws_session(core: Any = None, **settings: str | None) -> Any:
    """Return a `boto3.session.Session` with these settings, on a botocore session of its own or on the one given.

    Raises what boto3 raises, such as botocore's ProfileNotFound.
    """
    core = core or botocore.session.get_session()
    loader = loader_of(core.get_config_variable("data_path"))
    core.register_component("data_loader", loader)
    session = boto3.session.Session(botocore_session=core, **settings)
    # Each session adds boto3's own models to where its loader looks.
    loader.search_paths[:] = dict.fromkeys(loader.search_paths)
    return session


@cache
def loader_of(data_path: str | None) -> Any:
    """Return what reads models below AWS_DATA_PATH, in ~/.aws/models and in botocore, and keeps what it read."""
    return botocore.loaders.create_loader(data_path)
