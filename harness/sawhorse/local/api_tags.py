"""Let IAM's `aws:ResourceTag` see the tags of APIs, and of what lies in a REST API those that it inherits.

Imported by the emulator's own process, so it needs the standard library alone. MiniStack 1.5.33 judges calls of API
Gateway without any tags. A contract in `tests/contracts/test_emulated_api_tags.py` says when an upgrade sees them.
"""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

MANAGED = re.compile(r"arn:aws:apigateway:[^:]*::(/.*)")
OF_TAGS = re.compile(r"/tags/(.+)")
# https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-tagging-supported-resources.html
REST = re.compile(r"/restapis/([^/]+)(/.*)?")
HTTP = re.compile(r"/apis/([^/]+)(?:/stages/([^/]+))?")


def judge_apis_by_their_tags(tagging: Any, rest: Any, http: Any) -> None:
    """Change the emulator's modules; there is no other place between a condition and the tags that it looks for."""
    resource_tags = tagging.resource_tags

    def tags_of(arn: str) -> Any:
        found = MANAGED.fullmatch(arn)
        return tags_at(found[1], rest, http) if found else resource_tags(arn)

    tagging.resource_tags = tags_of


def tags_at(path: str, rest: Any, http: Any) -> Mapping[str, str] | None:
    """Return the tags of what is at a path of API Gateway; None where AWS gives it none."""
    if tagged := OF_TAGS.fullmatch(path):
        inner = MANAGED.fullmatch(unquote(tagged[1]))
        return tags_at(inner[1], rest, http) if inner else None
    if found := REST.fullmatch(path):
        api: Mapping[str, Any] = rest._rest_apis.get(found[1]) or {}
        return dict(api.get("tags") or {})
    if found := HTTP.fullmatch(path):
        kept = http._stages.get(found[1], {}).get(found[2]) if found[2] else http._apis.get(found[1])
        return dict((kept or {}).get("tags") or {})
    return None
