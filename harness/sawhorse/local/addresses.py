"""Turn the addresses that the AWS provider makes up into those of the local AWS, in this one place.

The provider's URLs name amazonaws.com. The emulator reaches an API by path: by host name it serves some paths itself.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from sawhorse.local.listening import HOST

# By host name in AWS, by this path at the emulator: REST and HTTP APIs, and the URLs of functions.
SERVICES = ("execute-api", "lambda-url")
ADDRESS = re.compile(
    rf"https://(?P<id>[a-z0-9]+)\.(?P<service>{'|'.join(SERVICES)})\.[a-z0-9-]+\."
    # Nothing that only begins so: a longer host name is somebody else's.
    r"(?:amazonaws\.com(?:\.cn)?|on\.aws|api\.aws)(?![\w.:@-])(?P<path>/\S*)?"
)


def endpoint_here() -> str | None:
    """Return the address of an emulator of AWS on loopback that this shell names in AWS_ENDPOINT_URL; None for AWS.

    What is applied there has the addresses of AWS in its outputs, and is reached at the emulator alone.
    """
    named = os.environ.get("AWS_ENDPOINT_URL", "")
    return named.rstrip("/") if urlsplit(named).hostname in (HOST, "localhost") else None


def reachable(outputs: Mapping[str, Any], local: str | None) -> dict[str, Any]:
    """Return outputs with addresses that can be called from here: AWS's, or those of the emulator in use.

    `local` is the address of the local AWS, None where a command does not say --local.
    """
    url = local or endpoint_here()
    return {name: localize(value, url) if url else value for name, value in outputs.items()}


def localize(value: Any, url: str) -> Any:
    """Return an output's value with every address in it turned into one of the local AWS at `url`."""
    if isinstance(value, str):
        return ADDRESS.sub(lambda found: f"{url}/_aws/{found['service']}/{found['id']}{found['path'] or ''}", value)
    if isinstance(value, list):
        return [localize(item, url) for item in value]
    if isinstance(value, dict):
        return {key: localize(item, url) for key, item in value.items()}
    return value


def callable_here(outputs: Mapping[str, Any], url: str) -> dict[str, Any]:
    """Return the outputs with an address that only the local AWS at `url` serves, each as it can be called."""
    local = {name: localize(value, url) for name, value in outputs.items()}
    return {name: value for name, value in local.items() if value != outputs[name]}
