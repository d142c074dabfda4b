"""Turn the addresses that the AWS provider makes up into those of the local AWS, in this one place.

The provider's URLs name amazonaws.com. The emulator reaches an API by path: by host name it answers some paths itself.
"""

from __future__ import annotations

import re
from typing import Any

EXECUTE_API = re.compile(r"https://(?P<api>[a-z0-9]+)\.execute-api\.[a-z0-9-]+\.amazonaws\.com(?P<path>/\S*)?")


def localize(value: Any, url: str) -> Any:
    """Return an output's value with every address in it turned into one of the local AWS at `url`."""
    if isinstance(value, str):
        return EXECUTE_API.sub(lambda found: f"{url}/_aws/execute-api/{found['api']}{found['path'] or ''}", value)
    if isinstance(value, list):
        return [localize(item, url) for item in value]
    if isinstance(value, dict):
        return {key: localize(item, url) for key, item in value.items()}
    return value
