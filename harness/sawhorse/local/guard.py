"""Stand before an emulator and let nobody in but this machine's own user: by Host, Origin, secret and signature.

What comes from a web page, from a rebound name or from another user of this machine is refused before any of it is
run. Imported by the emulators as well, so it needs the standard library alone.
"""

from __future__ import annotations

import contextvars
import hashlib
import hmac
import json
import re
import secrets
import time
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from dataclasses import asdict, dataclass, field
from html import escape
from http import HTTPStatus
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode

from sawhorse.files import write_atomically
from sawhorse.local.signatures import Refusal, Request, SecretOf, Signed, check, claims_a_signer
from sawhorse.trusted_files import read_own

HOST = "127.0.0.1"
# Proves that the process that listens has this start's secrets, and tells them to nobody.
READY = "/_sawhorse/ready"
CHALLENGE = "sawhorse-challenge"
CONTROL = "sawhorse-control"
# In the addresses that the emulator gives out for downloads.
TICKET = "Sawhorse-Ticket"
TICKET_SECONDS = 600
# Until a body is read that no header hashes, nobody knows who sent it. Of such calls Lambda's are AWS's largest.
UNPROVEN_BODY = 70_167_211
# Anybody may call an API: what API Gateway takes.
API_BODY = 10 * 1024 * 1024
# As many digits as a time has; Python refuses to convert thousands of them.
ACCOUNT = re.compile("[0-9]{12}")
SECONDS = re.compile("[0-9]{1,10}")
LENGTH = re.compile("[0-9]{1,15}")
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
WEB_IDENTITY = "AssumeRoleWithWebIdentity"
# Nothing else of a request is repeated in a response.
JSON_OF_SDKS = re.compile(r"application/x-amz-json-1\.[01]")

# As ASGI calls them.
Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

# Who signed the call that is being served, for the emulator behind the guard; nobody, when a call may be unsigned.
SERVED: contextvars.ContextVar[Signed | None] = contextvars.ContextVar("served", default=None)
UNSIGNED_CALL: contextvars.ContextVar[bool] = contextvars.ContextVar("unsigned_call", default=False)


@dataclass(frozen=True)
class Secrets:
    """What one start of the local AWS shares with its user alone."""

    secret_access_key: str = field(repr=False)
    control: str = field(repr=False)

    @classmethod
    def new(cls) -> Secrets:
        """Make secrets that nobody knows yet; a secret access key has 40 characters in AWS as well."""
        return cls(secrets.token_urlsafe(30), secrets.token_urlsafe(30))

    @classmethod
    def of(cls, path: Path) -> Secrets:
        """Read the secrets that were kept; raises what reading, JSON and their form raise."""
        held = cls(**json.loads(read_own(path)))
        for secret in (held.secret_access_key, held.control):
            if not (isinstance(secret, str) and secret.isascii() and secret.isprintable() and secret):
                raise TypeError
        return held

    def keep(self, path: Path) -> None:
        write_atomically(path, json.dumps(asdict(self)) + "\n", mode=0o600)

    def derived(self, *words: str) -> str:
        """Return a secret for one purpose, which shows nothing of the secrets that it is made of."""
        return hmac.new(self.control.encode(), "\n".join(words).encode(), hashlib.sha256).hexdigest()

    def session_secret(self, access_key: str) -> str:
        """Return the secret of a role's session by its key; one of STS has 40 characters in AWS as well."""
        return self.derived("secret of a session", access_key)[:40]

    def session_token(self, access_key: str) -> str:
        return self.derived("token of a session", access_key)

    def secret_of_session(self, access_key: str, token: str) -> str | None:
        """Return the secret of a role's session where the token is its own."""
        own = hmac.compare_digest(token.encode(), self.session_token(access_key).encode())
        return self.session_secret(access_key) if own else None

    def proof(self, name: str, challenge: str) -> str:
        return self.derived("ready", name, challenge)


@dataclass(frozen=True)
class GuardResponse:
    """A response of the guard's own, with the emulator untouched."""

    status: int
    content_type: str
    body: bytes


ABSENT = Refusal("There is nothing at this address.", "NotFoundException", "NotFound", 404)
FOREIGN = Refusal("A web page may call an API or a function URL by its own address, and nothing else.")
UNCONTROLLED = Refusal("This address controls the local AWS and wants the secret of its start.")
TOO_LARGE = Refusal(
    "The body is larger than AWS takes it here; send less, or put it into S3.",
    "RequestEntityTooLargeException",
    "EntityTooLarge",
    413,
)
UNSIGNED = Refusal(
    "Request is missing Authentication Token", "MissingAuthenticationTokenException", "MissingAuthenticationToken"
)
LENGTHLESS = Refusal("A body must come whole, with its Content-Length.", status=411)


class WebIdentityCall:
    """A call of STS that nobody signs: the token in its body is what proves who it is, and STS looks at it."""

    proven = False

    def refuse_body(self, body: bytes) -> Refusal | None:
        """Refuse whatever else is unsigned; a form that says two things says neither."""
        found = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True).get("Action")
        return None if found == [WEB_IDENTITY] else UNSIGNED


@dataclass(frozen=True)
class Guard:
    """Who may reach the emulator of this name at this port, and what of it.

    `apis` says of a path whether it is an API's or a function URL's own: unsigned calls and web pages may come there.
    `documents` are read by anybody on this machine, but by no web page; where there are any, there is nothing else.
    """

    name: str
    port: int
    secrets: Secrets = field(repr=False)
    # By default the accounts' own keys alone have a secret.
    secret_of: SecretOf | None = None
    apis: Callable[[str], bool] = lambda _path: False
    documents: frozenset[str] = frozenset()
    controls: tuple[str, ...] = ("/_",)
    # Whether there is an STS, which takes tokens of other issuers in the place of a signature.
    web_identities: bool = False

    @property
    def hosts(self) -> set[str]:
        # In IPv6 nobody listens, so what names that was meant for somebody else.
        return {f"{name}:{self.port}" for name in (HOST, "localhost")}

    def refuse_other_host(self, request: Request) -> Refusal | None:
        """Refuse what was not sent to this machine by one of its own names: a rebound name, or an unclear one."""
        hosts = request.all("host")
        if len(hosts) == 1 and hosts[0].lower() in self.hosts and request.target.startswith("/"):
            return None
        return Refusal(
            f"The {self.name} is reached as {HOST}:{self.port} or localhost:{self.port} and by no other name; "
            "send one such Host, and a path after the method.",
            status=421,
        )

    def check(self, request: Request, path: str) -> GuardResponse | Signed | WebIdentityCall | None:
        """Return a reply of the guard's own, or the signed call whose body is to be checked; None lets it in.

        `path` is the decoded one that the emulator goes by.
        """
        refusal = self.refuse_other_host(request) or self.refuse_other_origin(request, path)
        if refusal:
            return reply(request, refusal)
        if path == READY and request.method == "GET":
            proof = self.secrets.proof(self.name, request.header(CHALLENGE))
            return GuardResponse(200, "text/plain", proof.encode())
        if self.documents:
            return None if path in self.documents else reply(request, ABSENT)
        if path.startswith(self.controls) and not self.apis(path):
            return None if self.may_control(request, path) else reply(request, UNCONTROLLED)
        if not claims_a_signer(request) and (self.apis(path) or self.may_carry_a_token(request)):
            return None if self.apis(path) else WebIdentityCall()
        found = check(request, self.secret_of or self.secret_of_account)
        return reply(request, found) if isinstance(found, Refusal) else found

    def refuse_other_origin(self, request: Request, path: str) -> Refusal | None:
        """Refuse what a web page sends, outside the APIs: there the API's own CORS decides."""
        return FOREIGN if request.all("origin") and not self.apis(path) else None

    def may_carry_a_token(self, request: Request) -> bool:
        form = request.header("content-type").partition(";")[0].strip()
        return self.web_identities and (request.method, request.target, form) == ("POST", "/", FORM)

    def may_control(self, request: Request, path: str) -> bool:
        given = request.header(CONTROL).encode("latin-1", "replace")
        return hmac.compare_digest(given, self.secrets.control.encode()) or self.has_ticket(request, path)

    def with_ticket(self, url: str, path: str) -> str:
        """Let whoever gets this URL read what is at its path for a while, as with AWS's presigned ones."""
        expires = str(int(time.time()) + TICKET_SECONDS)
        return f"{url.partition('?')[0]}?{urlencode({'Expires': expires, TICKET: self.ticket(path, expires)})}"

    def ticket(self, path: str, expires: str) -> str:
        return self.secrets.derived("ticket", self.name, path, expires)

    def has_ticket(self, request: Request, path: str) -> bool:
        query = dict(request.query)
        expires, given = query.get("Expires", ""), query.get(TICKET, "")
        if request.method != "GET" or not SECONDS.fullmatch(expires) or int(expires) < time.time():
            return False
        return hmac.compare_digest(given.encode("latin-1", "replace"), self.ticket(path, expires).encode())

    def secret_of_account(self, access_key: str, token: str) -> str | None:
        """Return the secret of an account's own key, its number; such a key has no session token."""
        return self.secrets.secret_access_key if ACCOUNT.fullmatch(access_key) and not token else None


def reply(request: Request, refusal: Refusal) -> GuardResponse:
    """Put a refusal into the form that the caller's SDK reads."""
    form = request.header("content-type")
    authorization = request.header("authorization")
    query = f"&{request.target.partition('?')[2]}"
    s3 = "/s3/aws4_request" in authorization or "%2Fs3%2Faws4_request" in query or "&AWSAccessKeyId=" in query
    message = escape(refusal.message)
    if s3:
        text = f"<Error><Code>{refusal.code_in_xml}</Code><Message>{message}</Message></Error>"
    elif form.startswith(FORM):
        error = f"<Error><Type>Sender</Type><Code>{refusal.code_in_xml}</Code><Message>{message}</Message></Error>"
        text = f"<ErrorResponse>{error}</ErrorResponse>"
    else:
        body = json.dumps({"__type": refusal.code, "code": refusal.code, "message": refusal.message})
        found = JSON_OF_SDKS.match(form)
        return GuardResponse(refusal.status, found[0] if found else JSON, body.encode())
    return GuardResponse(refusal.status, "text/xml", text.encode())


# --- ASGI ---------------------------------------------------------------------------------------------------------


def guarded(app: Application, guard: Guard) -> Application:
    """Put a guard before an ASGI application."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await app(scope, receive, send)
            return
        request = request_of_scope(scope)
        found = guard.check(request, scope["path"])
        if scope["type"] == "websocket":
            await serve_websocket(app, found, (scope, receive, send), is_api=guard.apis(scope["path"]))
            return
        is_api = guard.apis(scope["path"])
        if isinstance(found, GuardResponse):
            await send_reply(found, send)
            return
        sending = send if is_api else closed_to_pages(send)
        if found is None and not is_api:
            UNSIGNED_CALL.set(False)
            await app(scope, receive, sending)
            return
        messages = await whole_body(request, receive, most_of(found))
        if messages is None:
            return
        refusal = messages if isinstance(messages, Refusal) else refuse_messages(found, messages)
        if isinstance(messages, Refusal) or refusal:
            await send_reply(reply(request, refusal or TOO_LARGE), send)
            return
        signed = found if isinstance(found, Signed) else None
        UNSIGNED_CALL.set(signed is None)
        SERVED.set(signed)
        await app(scope, replay(messages, receive), sending)

    return serve


async def serve_websocket(
    app: Application,
    found: GuardResponse | Signed | WebIdentityCall | None,
    call: tuple[Scope, Receive, Send],
    *,
    is_api: bool,
) -> None:
    """Let a WebSocket go to an API alone; a signature covers its handshake, which has no body."""
    scope, receive, send = call
    if isinstance(found, GuardResponse) or not is_api:
        await receive()
        await send({"type": "websocket.close", "code": 1008})
        return
    await app(scope, receive, send)


def request_of_scope(scope: Scope) -> Request:
    query = scope.get("query_string", b"")
    target = scope["raw_path"] + (b"?" + query if query else b"")
    headers = tuple((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in scope["headers"])
    return Request(scope.get("method", "GET"), target.decode("latin-1"), headers)


def most_of(found: Signed | WebIdentityCall | None) -> int | None:
    """Say how much is read of a call that an API takes unsigned, or that somebody signed; None for all that comes."""
    if found is None or isinstance(found, WebIdentityCall):
        return API_BODY
    return None if found.proven else UNPROVEN_BODY


def length_of(request: Request) -> int:
    """Return the length that a request declares, 0 when it declares none."""
    lengths = request.all("content-length")
    return int(lengths[0]) if len(lengths) == 1 and LENGTH.fullmatch(lengths[0]) else 0


async def whole_body(request: Request, receive: Receive, most: int | None) -> list[Message] | Refusal | None:
    """Read a body to its end, unless it is too large; None when the caller left before."""
    messages: list[Message] = []
    read, size = 0, length_of(request)
    while most is None or size <= most:
        message = await receive()
        if message["type"] != "http.request":
            return None
        messages.append(message)
        read += len(message.get("body", b""))
        size = read
        if not message.get("more_body") and (most is None or size <= most):
            return messages
    return TOO_LARGE


def refuse_messages(found: Signed | WebIdentityCall | None, messages: list[Message]) -> Refusal | None:
    return found.refuse_body(b"".join(message.get("body", b"") for message in messages)) if found else None


def replay(messages: list[Message], receive: Receive) -> Receive:
    """Give what was read once more, and then what comes."""
    left = iter(messages)

    async def receive_again() -> Message:
        message = next(left, None)
        return await receive() if message is None else message

    return receive_again


async def send_reply(found: GuardResponse, send: Send) -> None:
    headers = [
        (b"content-type", found.content_type.encode()),
        (b"content-length", str(len(found.body)).encode()),
        (b"x-content-type-options", b"nosniff"),
    ]
    await send({"type": "http.response.start", "status": found.status, "headers": headers})
    await send({"type": "http.response.body", "body": found.body})


def closed_to_pages(send: Send) -> Send:
    """Drop what would let a page of another origin read a response."""

    async def send_closed(message: Message) -> None:
        if message["type"] == "http.response.start":
            kept = [pair for pair in message.get("headers", []) if not pair[0].lower().startswith(b"access-control-")]
            message = {**message, "headers": kept}
        await send(message)

    return send_closed


# --- WSGI ---------------------------------------------------------------------------------------------------------


def guarded_wsgi(app: Any, guard: Guard) -> Any:
    """Put a guard before a WSGI application of werkzeug's server."""

    def serve(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        request = request_of_environ(environ)
        found = guard.check(request, environ["PATH_INFO"])
        if isinstance(found, Signed):
            body = body_of_environ(environ, most_of(found))
            refusal = body if isinstance(body, Refusal) else found.refuse_body(body)
            found = reply(request, refusal) if refusal else found
            environ["wsgi.input"] = BytesIO(b"" if isinstance(body, Refusal) else body)
        if isinstance(found, GuardResponse):
            headers = [("Content-Type", found.content_type), ("Content-Length", str(len(found.body)))]
            start_response(f"{found.status} {HTTPStatus(found.status).phrase}", headers)
            return [] if request.method == "HEAD" else [found.body]

        def start_closed(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            kept = [pair for pair in headers if not pair[0].lower().startswith("access-control-")]
            return start_response(status, kept, *more)

        response: Iterable[bytes] = app(environ, start_closed)
        return response

    return serve


def request_of_environ(environ: dict[str, Any]) -> Request:
    headers = [
        (name.removeprefix("HTTP_").replace("_", "-").lower(), str(value))
        for name, value in environ.items()
        if name.startswith("HTTP_") or (name in {"CONTENT_TYPE", "CONTENT_LENGTH"} and value)
    ]
    return Request(environ["REQUEST_METHOD"], environ["REQUEST_URI"], tuple(headers))


def body_of_environ(environ: dict[str, Any], most: int | None) -> bytes | Refusal:
    """Read a body whose length is known, unless it is too large."""
    length = environ.get("CONTENT_LENGTH") or "0"
    if environ.get("HTTP_TRANSFER_ENCODING") or not LENGTH.fullmatch(length):
        return LENGTHLESS
    if most is not None and int(length) > most:
        return TOO_LARGE
    body: bytes = environ["wsgi.input"].read(int(length))
    return body
