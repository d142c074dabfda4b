"""Claims count only where an authorizer has checked them."""

import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.asgi import Scope
from shared.claims import CONTEXT_HEADER, checked_claims, runs_in_lambda
from tests.unit.support import runtime_api

CONTEXT = {"authorizer": {"jwt": {"claims": {"sub": "auth0|sample"}, "scopes": None}}}
FUNCTION = {"AWS_LAMBDA_FUNCTION_NAME": "portal"}
# Every variable that Lambda sets for a function, but for where its Runtime API is.
ALL_BUT_THE_RUNTIME_API = {
    **FUNCTION,
    "_HANDLER": "run.sh",
    "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
    "AWS_LAMBDA_EXEC_WRAPPER": "/opt/bootstrap",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
    "AWS_LAMBDA_FUNCTION_VERSION": "7",
    "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
    "LAMBDA_RUNTIME_DIR": "/var/runtime",
    "LAMBDA_TASK_ROOT": "/var/task",
}


@pytest.fixture
def inside_lambda() -> Iterator[dict[str, str]]:
    """The variables of a function whose Runtime API listens."""
    with runtime_api() as address:
        yield {**FUNCTION, "AWS_LAMBDA_RUNTIME_API": address}


def scope(*, event: Any = None, header: str | None = None) -> Scope:
    headers = [] if header is None else [(CONTEXT_HEADER.encode(), header.encode())]
    return {"type": "http", "headers": headers} | ({} if event is None else {"aws.event": event})


def nobody_listens() -> str:
    """Return an address at which somebody listened a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"127.0.0.1:{server.getsockname()[1]}"


def test_claims_of_the_event_count() -> None:
    assert checked_claims(scope(event={"requestContext": CONTEXT}), {}) == {"sub": "auth0|sample"}


def test_claims_in_the_adapters_header_count_inside_lambda(inside_lambda: dict[str, str]) -> None:
    for _ in range(2):
        assert checked_claims(scope(header=json.dumps(CONTEXT)), inside_lambda) == {"sub": "auth0|sample"}


@pytest.mark.parametrize("environment", [{}, FUNCTION, ALL_BUT_THE_RUNTIME_API], ids=["none", "name", "all"])
def test_a_header_that_anybody_can_send_counts_nowhere_else(environment: dict[str, str]) -> None:
    """Not even where a shell or a service holds the variables of a function."""
    assert checked_claims(scope(header=json.dumps(CONTEXT)), environment) is None


def test_a_runtime_api_that_does_not_listen_counts_for_nothing() -> None:
    environment = {**ALL_BUT_THE_RUNTIME_API, "AWS_LAMBDA_RUNTIME_API": nobody_listens()}
    assert checked_claims(scope(header=json.dumps(CONTEXT)), environment) is None


def test_a_runtime_api_without_a_function_counts_for_nothing(inside_lambda: dict[str, str]) -> None:
    del inside_lambda["AWS_LAMBDA_FUNCTION_NAME"]
    assert checked_claims(scope(header=json.dumps(CONTEXT)), inside_lambda) is None


# Somebody listens on some of these, but not within a function.
HOSTS = ["localhost", "example.com", "8.8.8.8", "10.0.0.1", "192.0.2.1"]
PARTS = ["", ":", "127.0.0.1", "127.0.0.1:", ":9001", "127.0.0.1:-1", f"127.0.0.1:{10**20}"]


@given(
    address=st.one_of(
        st.text(max_size=20),
        st.sampled_from([*PARTS, *(f"{host}:53" for host in HOSTS)]),
        st.builds("127.0.0.1:{}".format, st.text(alphabet="x .-", min_size=1, max_size=3)),
    )
)
def test_no_other_text_for_the_runtime_api_counts(address: str) -> None:
    assert not runs_in_lambda({**ALL_BUT_THE_RUNTIME_API, "AWS_LAMBDA_RUNTIME_API": address})


def test_a_header_beside_an_event_never_counts(inside_lambda: dict[str, str]) -> None:
    assert checked_claims(scope(event={"requestContext": {}}, header=json.dumps(CONTEXT)), inside_lambda) is None


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '{"authorizer": []}', '{"authorizer": {"jwt": {"claims": "sub"}}}', "1e400", "[" * 200_000],
    ids=lambda text: text[:20],
)
def test_a_context_without_claims_has_none(text: str, inside_lambda: dict[str, str]) -> None:
    assert checked_claims(scope(header=text), inside_lambda) is None
