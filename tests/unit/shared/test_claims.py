"""Claims count only where an authorizer has checked them."""

import json
from typing import Any

import pytest

from shared.asgi import Scope
from shared.claims import CONTEXT_HEADER, checked_claims

CONTEXT = {"authorizer": {"jwt": {"claims": {"sub": "auth0|sample"}, "scopes": None}}}
LAMBDA = {"AWS_LAMBDA_FUNCTION_NAME": "portal"}


def scope(*, event: Any = None, header: str | None = None) -> Scope:
    headers = [] if header is None else [(CONTEXT_HEADER.encode(), header.encode())]
    return {"type": "http", "headers": headers} | ({} if event is None else {"aws.event": event})


def test_claims_of_the_event_count() -> None:
    assert checked_claims(scope(event={"requestContext": CONTEXT}), {}) == {"sub": "auth0|sample"}


def test_claims_in_the_adapters_header_count_inside_lambda() -> None:
    assert checked_claims(scope(header=json.dumps(CONTEXT)), LAMBDA) == {"sub": "auth0|sample"}


def test_a_header_that_anybody_can_send_counts_nowhere_else() -> None:
    assert checked_claims(scope(header=json.dumps(CONTEXT)), {}) is None


def test_a_header_beside_an_event_never_counts() -> None:
    assert checked_claims(scope(event={"requestContext": {}}, header=json.dumps(CONTEXT)), LAMBDA) is None


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"authorizer": []}', '{"authorizer": {"jwt": {"claims": "sub"}}}', "1e400"]
)
def test_a_context_without_claims_has_none(text: str) -> None:
    assert checked_claims(scope(header=text), LAMBDA) is None
