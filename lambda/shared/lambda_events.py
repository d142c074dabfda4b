"""Tell what invokes a function: a request, in the form that Mangum reads, or another event, and the response to that.

API Gateway, function URLs and load balancers send requests; a function is also invoked by schedules that keep it warm,
by queues that somebody connected by mistake, and by hand. Whatever it is gets a response, and no error.
"""

import base64
import binascii
import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Event = dict[str, Any]

# RFC 9110, 5.6.2 and 9.1: a method is a token.
_TOKEN = frozenset("!#$%&'*+-.^_`|~" + string.digits + string.ascii_letters)
_LONGEST_PORT = 5
# What Mangum makes the server's name and port of.
_NAMING = ("host", "x-forwarded-port")
# What a gateway that hands a body on as text puts in the place of bytes that are no UTF-8.
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}".encode()
_NO_UTF_8 = b"\xff"
# The sources whose batches come again, by the member of a record that names it to them.
_BATCHES = {"aws:sqs": "messageId", "aws:dynamodb": "dynamodb", "aws:kinesis": "kinesis"}


class NotARequestError(ValueError):
    """An event is not a request that can be worked on; the message is a sentence without anything of the event."""


@dataclass(frozen=True, kw_only=True)
class IgnoredEvent:
    """An event that asks for nothing: one that keeps the function warm, or a batch that came by mistake.

    `records` are the names that the source of a batch has for what is in it.
    """

    kind: str
    records: tuple[str, ...] = ()

    def sent_back(self) -> dict[str, Any]:
        """Say that all records failed, so that none is lost where the function should never have got them.

        An empty name stands for the whole batch
        (https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html).
        """
        return {"batchItemFailures": [{"itemIdentifier": name} for name in self.records]}


def read_event(event: object, *, base_path: str = "") -> Event | IgnoredEvent:
    """Return a request with all that Mangum reads in its place, or what the event is instead of one.

    `base_path` is what a custom domain puts before the paths of the API, such as `/shop`: API Gateway leaves it in the
    event's path. An event that is nothing of all this raises NotARequestError.
    """
    if not isinstance(event, Mapping):
        raise NotARequestError("The event is not an object, so it is not a request.")
    context = event.get("requestContext")
    if isinstance(context, Mapping):
        return _request(event, context, base_path)
    records = event.get("Records")
    if isinstance(records, list) and records:
        return _batch(records)
    if "source" in event and "detail-type" in event:
        return IgnoredEvent(kind="EventBridge")
    if event.keys() <= {"source"}:
        return IgnoredEvent(kind="warm-up")
    raise NotARequestError("The event is of no kind that this function knows: it serves requests.")


def path_of(event: Event) -> str:
    """Return the path of a request that was read, as it was written."""
    context = event["requestContext"]
    is_second = event.get("version") == "2.0" and "elb" not in context
    path: str = context["http"]["path"] if is_second else event["path"]
    return path


def _batch(records: list[Any]) -> IgnoredEvent:
    first = records[0]
    source = first.get("eventSource") if isinstance(first, Mapping) else None
    if not isinstance(source, str) or source not in _BATCHES:
        raise NotARequestError("The event has records of a source that this function does not work for.")
    return IgnoredEvent(kind=source, records=tuple(_name(record, _BATCHES[source]) for record in records))


def _name(record: object, member: str) -> str:
    named = record.get(member) if isinstance(record, Mapping) else None
    if isinstance(named, Mapping):
        named = named.get("SequenceNumber", named.get("sequenceNumber"))
    return named if isinstance(named, str) else ""


def _request(event: Mapping[str, Any], context: Mapping[str, Any], base_path: str) -> Event:
    # Mangum asks in this order, too, and reads an event of two kinds as the first.
    if "elb" in context:
        return _of_a_load_balancer(event)
    http = context.get("http")
    if event.get("version") == "2.0" and isinstance(http, Mapping):
        return _second(event, context, http, base_path)
    return _first(event, context, base_path)


def _second(event: Mapping[str, Any], context: Mapping[str, Any], http: Mapping[str, Any], base_path: str) -> Event:
    """Read version 2.0: HTTP APIs and function URLs."""
    method = _method(http.get("method"))
    # Some have seen a slash at the end in the raw path alone (https://github.com/adamchainz/apig-wsgi/issues/376).
    path = _path(event.get("rawPath") or http.get("path"), context, base_path)
    headers = _readable({name.lower(): value for name, value in _texts(event.get("headers"))})
    cookies = event.get("cookies")
    return {
        **event,
        "rawPath": path,
        "rawQueryString": _text(event.get("rawQueryString")),
        "headers": headers,
        "cookies": [_text(cookie) for cookie in cookies] if isinstance(cookies, list) else [],
        "requestContext": {
            **context,
            "http": {**http, "method": method, "path": path, "sourceIp": _text(http.get("sourceIp"))},
        },
        "body": _body(event),
        "isBase64Encoded": False,
    }


def _first(event: Mapping[str, Any], context: Mapping[str, Any], base_path: str) -> Event:
    """Read version 1.0: REST APIs, and HTTP APIs that were asked for it."""
    identity = context.get("identity")
    headers = {name.lower(): [value] for name, value in _texts(event.get("headers"))}
    headers |= {name.lower(): values for name, values in _lists(event.get("multiValueHeaders")) if values}
    query = {name: [value] for name, value in _texts(event.get("queryStringParameters"))}
    query |= dict(_lists(event.get("multiValueQueryStringParameters")))
    return {
        **event,
        "version": "1.0",
        "httpMethod": _method(event.get("httpMethod")),
        "path": _kept_whole(_path(event.get("path"), context, base_path)),
        "headers": _readable({name: ", ".join(values) for name, values in headers.items()}),
        "multiValueHeaders": {},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": query,
        "requestContext": {**context, "identity": identity if isinstance(identity, Mapping) else {}},
        "body": _body(event),
        "isBase64Encoded": False,
    }


def _of_a_load_balancer(event: Mapping[str, Any]) -> Event:
    """Read what a load balancer sends: it wants lists of headers where it sends some, and leaves queries encoded."""
    read = {
        **event,
        "httpMethod": _method(event.get("httpMethod")),
        "path": _path(event.get("path"), {}, ""),
        "queryStringParameters": dict(_texts(event.get("queryStringParameters"))),
        "body": _body(event),
        "isBase64Encoded": False,
    }
    if "multiValueQueryStringParameters" in event:
        read["multiValueQueryStringParameters"] = dict(_lists(event["multiValueQueryStringParameters"]))
    if "multiValueHeaders" in event:
        lists = dict(_lists(event["multiValueHeaders"]))
        joined = _readable({name.lower(): ", ".join(values) for name, values in lists.items()})
        read["multiValueHeaders"] = {
            name: values if name.lower() not in _NAMING else [joined[name.lower()]]
            for name, values in lists.items()
            if name.lower() in joined
        }
    else:
        read["headers"] = _readable({name.lower(): value for name, value in _texts(event.get("headers"))})
    return read


def _method(given: object) -> str:
    if not isinstance(given, str) or not given or not _TOKEN.issuperset(given):
        raise NotARequestError("The event has no HTTP method, so it is not a request.")
    return given


def _path(given: object, context: Mapping[str, Any], base_path: str) -> str:
    path = _text(given)
    if not path.startswith("/"):
        path = f"/{path}"
    if base_path and f"{path}/".startswith(f"{base_path}/") and not _has_own_address(context):
        path = path.removeprefix(base_path) or "/"
    return path


def _kept_whole(path: str) -> str:
    """Let an encoded slash stay one: a REST API takes `/auth%2Fsession` for one part, and so not for `/auth/session`.

    Whoever writes it so would else go around the limits of that route.
    """
    return path.replace("%2F", "%252F").replace("%2f", "%252f")


def _has_own_address(context: Mapping[str, Any]) -> bool:
    """Tell whether a request came to the API's own address, where no custom domain has put anything before a path."""
    return _text(context.get("domainName")).split(".")[1:2] == ["execute-api"]


def _body(event: Mapping[str, Any]) -> bytes:
    """Return a body's bytes as the caller sent them; what a gateway made of bytes that are no UTF-8 is not UTF-8 again.

    So whoever reads the body refuses it. A caller who means U+FFFD itself can write it as an escape.
    """
    body = event.get("body")
    if body is None or body == "":
        return b""
    if not isinstance(body, str):
        raise NotARequestError("The event's body is not text.")
    if event.get("isBase64Encoded") is not True:
        return body.encode("utf-8", errors="surrogatepass").replace(_REPLACEMENT, _NO_UTF_8)
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        raise NotARequestError("The event's body is not the base64 that it is said to be.") from None


def _readable(headers: dict[str, str]) -> dict[str, str]:
    """Leave out the names of the server that Mangum cannot read; no application asks for them."""
    _, colon, port_of_host = headers.get("host", "").partition(":")
    unreadable = {
        name
        for name, port in (
            ("host", port_of_host if colon else "0"),
            ("x-forwarded-port", headers.get("x-forwarded-port", "0")),
        )
        if not (port.isascii() and port.isdigit() and len(port) <= _LONGEST_PORT)
    }
    return {name: value for name, value in headers.items() if name not in unreadable} if unreadable else headers


def _texts(members: object) -> Iterator[tuple[str, str]]:
    if isinstance(members, Mapping):
        for name, value in members.items():
            if isinstance(value, str):
                yield _text(name), _text(value)


def _lists(members: object) -> Iterator[tuple[str, list[str]]]:
    if isinstance(members, Mapping):
        for name, values in members.items():
            if isinstance(values, list):
                yield _text(name), [_text(value) for value in values if isinstance(value, str)]


def _text(value: object) -> str:
    """Return a text that UTF-8 can hold; JSON can also write halves of surrogate pairs."""
    if not isinstance(value, str):
        return ""
    return value if value.isascii() else value.encode("utf-8", errors="replace").decode()
