"""Call versions of functions by their number: with API events in place of HTTP, and with batches of messages.

So the checks that run over HTTP against `live` run against a version that nobody else gets to see, by the same code.
What the API itself does (preflights, authorizers, throttles) is no part of it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import time
import uuid
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote

import httpx

BAD_GATEWAY = 502
# What API Gateway takes for text; everything else it hands over in base64
# (https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html).
TEXT = ("text/", "application/json", "application/javascript", "application/xml")
FIRST, SECOND = "1.0", "2.0"


class FunctionTransport(httpx.BaseTransport):
    """Responds to requests by invoking a version of a function with the event that its API would make of each.

    `base` is the API's address, whose path no event has; `payload` the version of the events, "1.0" or "2.0".
    """

    def __init__(self, functions: Any, name: str, version: str, *, base: httpx.URL, payload: str) -> None:
        self.functions = functions
        self.name = name
        self.version = version
        self.base = base
        self.payload = payload

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        event = event_of(request, self.base, self.payload)
        response = self.functions.invoke(
            FunctionName=self.name, Qualifier=self.version, Payload=json.dumps(event).encode()
        )
        content = response["Payload"].read()
        if response.get("FunctionError"):
            return httpx.Response(BAD_GATEWAY, content=content, request=request)
        return response_of(json.loads(content), request)


def event_of(request: httpx.Request, base: httpx.URL, payload: str) -> dict[str, Any]:
    """Make the event that https://docs.aws.amazon.com/lambda/latest/dg/services-apigateway.html shows."""
    # The raw path keeps what is escaped; a query stands behind it.
    raw = request.url.raw_path.decode().split("?", 1)[0]
    prefix = base.raw_path.decode().rstrip("/")
    path = "/" + raw.removeprefix(prefix).lstrip("/")
    content = request.read()
    text = is_text(request.headers.get("content-type", ""), content)
    body = None if not content else content.decode() if text else base64.b64encode(content).decode()
    common = {"body": body, "isBase64Encoded": bool(content) and not text}
    make = second_event if payload == SECOND else first_event
    return make(request, path) | common


def is_text(content_type: str, content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return not content_type or content_type.startswith(TEXT) or "charset" in content_type


def context_of(request: httpx.Request) -> dict[str, Any]:
    return {
        "accountId": "anonymous",
        "apiId": "smoke",
        "domainName": request.url.host,
        "requestId": str(uuid.uuid4()),
        "stage": "$default",
        "timeEpoch": int(time.time() * 1000),
        "requestTimeEpoch": int(time.time() * 1000),
    }


def second_event(request: httpx.Request, path: str) -> dict[str, Any]:
    """Make an event of version 2.0, with the claims of a bearer token as an authorizer of the API hands them on."""
    headers: dict[str, str] = {}
    for name, value in request.headers.multi_items():
        headers[name.lower()] = f"{headers[name.lower()]},{value}" if name.lower() in headers else value
    cookies = [cookie.strip() for cookie in headers.pop("cookie", "").split(";") if cookie.strip()]
    http = {
        "method": request.method,
        "path": path,
        "protocol": "HTTP/1.1",
        "sourceIp": "127.0.0.1",
        "userAgent": headers.get("user-agent", ""),
    }
    claims = claims_of(headers.get("authorization", ""))
    query = request.url.params.multi_items()
    return {
        "version": SECOND,
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": request.url.query.decode(),
        "headers": headers,
        "requestContext": {
            **context_of(request),
            "http": http,
            "routeKey": "$default",
            **({"authorizer": {"jwt": {"claims": claims, "scopes": None}}} if claims else {}),
        },
        **({"cookies": cookies} if cookies else {}),
        **({"queryStringParameters": joined(query)} if query else {}),
    }


def first_event(request: httpx.Request, path: str) -> dict[str, Any]:
    """Make an event of version 1.0."""
    items, query = request.headers.multi_items(), request.url.params.multi_items()
    return {
        "resource": "/{proxy+}",
        "path": unquote(path),
        "httpMethod": request.method,
        "headers": dict(items),
        "multiValueHeaders": lists(items),
        "queryStringParameters": dict(query) or None,
        "multiValueQueryStringParameters": lists(query) or None,
        "pathParameters": {"proxy": unquote(path).lstrip("/")},
        "stageVariables": None,
        "requestContext": {
            **context_of(request),
            "httpMethod": request.method,
            "identity": {"sourceIp": "127.0.0.1", "userAgent": request.headers.get("user-agent", "")},
            "path": unquote(path),
            "protocol": "HTTP/1.1",
            "resourcePath": "/{proxy+}",
        },
    }


def joined(items: Sequence[tuple[str, str]]) -> dict[str, str]:
    return {name: ",".join(values) for name, values in lists(items).items()}


def lists(items: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in items:
        found.setdefault(name, []).append(value)
    return found


def claims_of(authorization: str) -> dict[str, str]:
    """Return the claims of a bearer token as texts, as an HTTP API hands them on; none for what is no such token.

    Who signed it is the API's to check, and no check of what a version does with a refused one is run this way.
    """
    kind, _, token = authorization.partition(" ")
    parts = token.strip().split(".")
    if kind.lower() != "bearer" or len(parts) != 3:  # noqa: PLR2004 # header, claims and signature
        return {}
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except ValueError:
        return {}
    return {name: claim_text(value) for name, value in claims.items()} if isinstance(claims, dict) else {}


def claim_text(value: Any) -> str:
    if isinstance(value, list):
        return f"[{' '.join(map(str, value))}]"
    return value if isinstance(value, str) else json.dumps(value)


def response_of(found: Any, request: httpx.Request) -> httpx.Response:
    """Read what a function returned, as its API does; what is no response is a 502 there."""
    if not isinstance(found, Mapping) or "statusCode" not in found:
        return httpx.Response(BAD_GATEWAY, text=f"It returned no response: {json.dumps(found)[:300]}", request=request)
    headers = [(str(name), str(value)) for name, value in (found.get("headers") or {}).items()]
    many = found.get("multiValueHeaders") or {}
    headers = [(name, value) for name, value in headers if name not in many]
    headers += [(str(name), str(value)) for name, values in many.items() for value in values]
    headers += [("set-cookie", str(cookie)) for cookie in found.get("cookies") or []]
    body = str(found.get("body") or "")
    content = base64.b64decode(body) if found.get("isBase64Encoded") else body.encode()
    return httpx.Response(int(found["statusCode"]), headers=headers, content=content, request=request)


def batch_of(queue_arn: str, bodies: Sequence[str]) -> dict[str, Any]:
    """Make the event of a batch of messages, as https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html shows it."""
    region = queue_arn.split(":")[3]
    return {
        "Records": [
            {
                "messageId": str(uuid.uuid4()),
                "receiptHandle": f"smoke-{uuid.uuid4()}",
                "body": body,
                "attributes": {
                    "ApproximateReceiveCount": "1",
                    "SentTimestamp": str(int(time.time() * 1000)),
                    "SenderId": "smoke",
                    "ApproximateFirstReceiveTimestamp": str(int(time.time() * 1000)),
                },
                "messageAttributes": {},
                "md5OfBody": hashlib.md5(body.encode(), usedforsecurity=False).hexdigest(),
                "eventSource": "aws:sqs",
                "eventSourceARN": queue_arn,
                "awsRegion": region,
            }
            for body in bodies
        ]
    }
