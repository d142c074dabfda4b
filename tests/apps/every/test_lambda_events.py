"""Whatever invokes a function gets a response on purpose: never an error of ours, and no 5xx for somebody's mistake."""

import base64
import json
import re
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from starlette.routing import Route

from shared.lambda_handler import make_handler
from shared.security_headers import HEADERS
from tests.apps.every.every_app import App
from tests.unit.support import Context

EXAMPLES = 150
DOMAIN = "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com"
ODD_TEXTS = (
    "", "/", "//", "///", "/a%2Fb", "/%", "/%zz", "/%00", "/é", "/\ud800", "/a b", "no slash", "/docs/", "/a?b=c#d",
    "\r\nx: y", "443, 443", "a:b:c", "[::1]:80", "host:99999999", "x" * 9000, "\N{REPLACEMENT CHARACTER}",
)  # fmt: skip
# A member that AWS never sends so, or only sometimes.
ODD: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-1, 10**30),
    st.sampled_from(ODD_TEXTS),
    st.text(st.characters(), max_size=20),
    st.just([]),
    st.just({}),
    st.lists(st.none() | st.sampled_from(ODD_TEXTS), max_size=3),
    st.dictionaries(st.sampled_from(["host", "Cookie", "limit", ""]), st.none() | st.sampled_from(ODD_TEXTS)),
)
HEADERS_SENT = st.dictionaries(
    st.sampled_from(["Host", "host", "X-Forwarded-Port", "Content-Length", "Authorization", "X-API-Key", "Origin",
                     "X-Request-ID", "Idempotency-Key", "X-Forwarded-Proto", "Cookie", "é"]),
    st.sampled_from(ODD_TEXTS) | st.text(max_size=8),
    max_size=4,
)  # fmt: skip
BODIES = st.one_of(
    st.none(),
    st.sampled_from(["", "{}", "[]", "null", '{"a": 1}', '{"', "\N{REPLACEMENT CHARACTER}", "\ud800", "1e400"]),
    st.binary(max_size=12).map(lambda body: base64.b64encode(body).decode()),
    st.text(st.characters(), max_size=12),
)
METHODS = st.sampled_from(["GET", "POST", "DELETE", "PATCH", "PUT", "HEAD", "OPTIONS", "get", "BREW", "GE T"])


def paths_of(one: App) -> list[str]:
    return [re.sub(r"{\w+}", "1", route.path) for route in one.app.routes if isinstance(route, Route)]


def requests_of(one: App) -> st.SearchStrategy[dict[str, Any]]:
    """Events of every kind of front, with members that are missing, null, or of another type."""
    paths = st.sampled_from([*paths_of(one), *(f"{path}/" for path in paths_of(one))]) | st.sampled_from(ODD_TEXTS)
    headers = HEADERS_SENT.map(lambda sent: one.credentials | sent)
    lists = headers.map(lambda sent: {name: [value, value][: 1 + len(value) % 2] for name, value in sent.items()})
    query = st.dictionaries(st.sampled_from(["limit", "cursor", "email", "é", "\ud800"]), st.sampled_from(ODD_TEXTS))
    shared = {"body": BODIES, "isBase64Encoded": st.booleans(), "headers": headers}
    first = st.fixed_dictionaries(
        {
            **shared,
            "resource": st.just("/{proxy+}"),
            "httpMethod": METHODS,
            "path": paths,
            "multiValueHeaders": lists,
            "queryStringParameters": st.none() | query,
            "multiValueQueryStringParameters": query.map(lambda sent: {name: [value] for name, value in sent.items()}),
            "requestContext": st.just({"stage": "dev", "identity": {"sourceIp": "203.0.113.7"}, "domainName": DOMAIN}),
        },
        optional={"version": st.just("1.0")},
    )
    second = st.fixed_dictionaries(
        {
            **shared,
            "version": st.just("2.0"),
            "rawPath": paths,
            "rawQueryString": st.sampled_from(["", "limit=5", "limit=%ff&cursor=é", "\ud800", "a=\r\nb"]),
            "requestContext": st.builds(
                lambda method, path: {
                    "stage": "$default",
                    "domainName": DOMAIN,
                    "http": {"method": method, "path": path, "sourceIp": "203.0.113.7"},
                },
                METHODS,
                paths,
            ),
        }
    )
    balanced = st.fixed_dictionaries(
        {
            **shared,
            "httpMethod": METHODS,
            "path": paths,
            "queryStringParameters": query,
            "requestContext": st.just({"elb": {"targetGroupArn": "arn"}}),
        },
        optional={"multiValueHeaders": lists},
    )
    return st.one_of(first, second, balanced).flatmap(_spoiled)


def _spoiled(event: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Take some members away, or give them a value of another kind, one level down as well."""
    names = st.lists(st.sampled_from(sorted(event)), max_size=3, unique=True)

    def spoil(members: list[str], values: list[Any], inner: Any) -> dict[str, Any]:
        spoiled = dict(event)
        for name, value in zip(members, values, strict=False):
            if value == "gone":
                del spoiled[name]
            elif name == "requestContext":
                spoiled[name] = {**event[name], **dict.fromkeys(list(event[name])[:1], inner), "identity": inner}
            else:
                spoiled[name] = value
        return spoiled

    return st.builds(spoil, names, st.lists(st.just("gone") | ODD, min_size=3, max_size=3), ODD)


def expect_a_response(response: Mapping[str, Any]) -> None:
    """Fail unless API Gateway could send this on, and it blames nobody on our side."""
    json.dumps(response)
    headers = dict(response.get("headers") or {})
    headers |= {name: values[0] for name, values in (response.get("multiValueHeaders") or {}).items()}
    assert response["statusCode"] < 500
    assert isinstance(response["body"], str)
    assert {name.lower() for name in HEADERS} <= {name.lower() for name in headers}
    assert headers["cache-control"] == "no-store" or response["statusCode"] == 200
    assert all(isinstance(value, str) and "\n" not in value for value in headers.values())


@pytest.mark.usefixtures("event_loop")
def test_no_shape_of_an_event_is_an_error_of_ours(one: App) -> None:
    handler = make_handler(one.app)

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(requests_of(one))
    def responds(event: dict[str, Any]) -> None:
        expect_a_response(handler(event, Context()))

    responds()


# Any JSON, of which a list or an object is not a key of a dict.
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(), max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
RECORD = st.fixed_dictionaries(
    {},
    optional={
        "eventSource": st.sampled_from(["aws:sqs", "aws:dynamodb", "aws:kinesis", "aws:s3"]) | JSON,
        "messageId": JSON,
        "dynamodb": JSON | st.builds(lambda number: {"SequenceNumber": number}, JSON),
        "kinesis": JSON | st.builds(lambda number: {"sequenceNumber": number}, JSON),
        "cf": JSON,
    },
)
KINDS = st.fixed_dictionaries(
    {},
    optional={
        "Records": st.lists(RECORD | JSON, min_size=1, max_size=2) | JSON,
        "source": JSON,
        "detail-type": JSON,
        "version": st.sampled_from(["1.0", "2.0"]) | JSON,
        "resource": JSON,
        "httpMethod": st.just("GET") | JSON,
        "path": st.just("/docs") | JSON,
        "rawPath": JSON,
        "requestContext": JSON
        | st.fixed_dictionaries(
            {},
            optional={
                "elb": JSON,
                "identity": JSON,
                "domainName": JSON,
                "http": JSON | st.builds(lambda path: {"method": "GET", "path": path}, JSON),
            },
        ),
    },
)


@pytest.mark.usefixtures("event_loop")
def test_any_json_in_any_place_of_an_event_gets_a_response(one: App) -> None:
    handler = make_handler(one.app)

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(KINDS)
    @example({"Records": [{"eventSource": ["x"]}]})
    @example({"Records": [{"eventSource": {}}]})
    @example({"version": "2.0", "requestContext": {"elb": {}, "http": {"method": "GET"}}, "httpMethod": "GET"})
    def responds(event: dict[str, Any]) -> None:
        response = handler(event, Context())
        if "batchItemFailures" in response:
            json.dumps(response)
        else:
            expect_a_response(response)

    responds()


@pytest.mark.usefixtures("event_loop")
def test_no_json_at_all_is_an_error_of_ours(one: App) -> None:
    handler = make_handler(one.app)
    leaves = st.none() | st.booleans() | st.integers() | st.text(st.characters(), max_size=5)
    names = st.sampled_from(
        [
            "Records",
            "requestContext",
            "source",
            "detail-type",
            "eventSource",
            "httpMethod",
            "version",
            "http",
            "elb",
            "x",
        ]
    )
    anything = st.recursive(leaves, lambda inner: st.lists(inner) | st.dictionaries(names, inner), max_leaves=12)

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(anything)
    def responds(event: object) -> None:
        response = handler(event, None)
        if "batchItemFailures" not in response:
            expect_a_response(response)

    responds()
