"""Call versions of functions by their number: with API events in place of HTTP, and with batches of messages.

So the checks that run over HTTP against `live` run against a version that nobody else gets to see, by the same code.
What the API itself does (preflights, authorizers, throttles) is no part of it.
"""

from __future__ import annotations

import base64
import datetime as dt
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
CALLER = "127.0.0.1"
# What the event of a REST API has null where IAM and Cognito let nobody in by name.
NOBODY = (
    *("accessKey", "accountId", "caller", "cognitoAuthenticationProvider", "cognitoAuthenticationType"),
    *("cognitoIdentityId", "cognitoIdentityPoolId", "principalOrgId", "user", "userArn"),
)


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
    prefix = base.raw_path.decode().split("?", 1)[0].rstrip("/")
    if f"{raw}/".startswith(f"{prefix}/"):
        raw = raw.removeprefix(prefix)
    path = "/" + raw.removeprefix("/")
    content = request.read()
    text = is_text(request.headers.get("content-type", ""), content)
    body = None if not content else content.decode() if text else base64.b64encode(content).decode()
    coded = {"isBase64Encoded": bool(content) and not text}
    if payload == SECOND:
        # Such an API decodes a path, and leaves a body out where there is none.
        return second_event(request, unquote(path)) | ({} if body is None else {"body": body}) | coded
    return first_event(request, path, stage=prefix.rpartition("/")[2] or "$default") | {"body": body} | coded


def is_text(content_type: str, content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return not content_type or content_type.startswith(TEXT) or "charset" in content_type


def context_of(request: httpx.Request, stage: str) -> dict[str, Any]:
    return {
        "accountId": "anonymous",
        "apiId": "smoke",
        "domainName": request.url.host,
        "domainPrefix": request.url.host.partition(".")[0],
        "requestId": str(uuid.uuid4()),
        "stage": stage,
    }


def headers_of(request: httpx.Request) -> list[tuple[str, str]]:
    """Return the headers of a request with those that an API puts in, by which the app knows how it was called."""
    url = request.url
    port = url.port or {"http": 80}.get(url.scheme, 443)
    trace = f"Root=1-{int(time.time()):08x}-{uuid.uuid4().hex[:24]}"
    put_in = {
        "x-amzn-trace-id": trace,
        "x-forwarded-for": CALLER,
        "x-forwarded-port": str(port),
        "x-forwarded-proto": url.scheme,
    }
    return [*request.headers.multi_items(), *((k, v) for k, v in put_in.items() if k not in request.headers)]


def timed(moment: str, now: float) -> dict[str, Any]:
    """Return when a request came, in both forms that an event has under names of its version."""
    written = dt.datetime.fromtimestamp(now, dt.UTC).strftime("%d/%b/%Y:%H:%M:%S +0000")
    return {moment: written, f"{moment}Epoch": int(now * 1000)}


def second_event(request: httpx.Request, path: str) -> dict[str, Any]:
    """Make an event of version 2.0, with the claims of a bearer token as an authorizer of the API hands them on."""
    headers: dict[str, str] = {}
    cookies: list[str] = []
    for name, value in headers_of(request):
        if name.lower() == "cookie":
            cookies += [cookie.strip() for cookie in value.split(";") if cookie.strip()]
        else:
            headers[name.lower()] = f"{headers[name.lower()]},{value}" if name.lower() in headers else value
    http = {
        "method": request.method,
        "path": path,
        "protocol": "HTTP/1.1",
        "sourceIp": CALLER,
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
            **context_of(request, "$default"),
            **timed("time", time.time()),
            "http": http,
            "routeKey": "$default",
            **({"authorizer": {"jwt": {"claims": claims, "scopes": None}}} if claims else {}),
        },
        **({"cookies": cookies} if cookies else {}),
        **({"queryStringParameters": joined(query)} if query else {}),
    }


def first_event(request: httpx.Request, path: str, *, stage: str) -> dict[str, Any]:
    """Make an event of version 1.0, whose path is as it was sent and without the stage, which its context has."""
    items, query = headers_of(request), request.url.params.multi_items()
    return {
        "resource": "/{proxy+}",
        "path": path,
        "httpMethod": request.method,
        "headers": dict(items),
        "multiValueHeaders": lists(items),
        "queryStringParameters": dict(query) or None,
        "multiValueQueryStringParameters": lists(query) or None,
        "pathParameters": {"proxy": unquote(path).lstrip("/")},
        "stageVariables": None,
        "requestContext": {
            **context_of(request, stage),
            **timed("requestTime", time.time()),
            "extendedRequestId": str(uuid.uuid4()),
            "httpMethod": request.method,
            "identity": {
                **dict.fromkeys(NOBODY),
                "sourceIp": CALLER,
                "userAgent": request.headers.get("user-agent", ""),
            },
            "path": path if stage == "$default" else f"/{stage}{path}",
            "protocol": "HTTP/1.1",
            "resourceId": "smoke",
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
    named = {str(name).lower() for name in many}
    headers = [(name, value) for name, value in headers if name.lower() not in named]
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
