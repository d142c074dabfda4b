"""Requests as bytes on a socket, signed or not, so that nothing between a test and an emulator tidies them up."""

from __future__ import annotations

import hashlib
import hmac
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials


@dataclass(frozen=True)
class Response:
    """What came back: the status (0 when the connection was just closed) and all of the text."""

    status: int
    text: str


def send(port: int, raw: bytes, *, seconds: float = 10) -> Response:
    """Send bytes and read until the other side has no more to say."""
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as connection:
        connection.sendall(raw)
        received = b""
        try:
            while chunk := connection.recv(65536):
                received += chunk
                if whole(received):
                    break
        except (TimeoutError, ConnectionResetError):
            pass
    text = received.decode("latin-1")
    found = re.match(r"HTTP/1\.[01] (\d{3})", text)
    return Response(int(found[1]) if found else 0, text)


def whole(received: bytes) -> bool:
    """Say whether an HTTP/1.1 response has come to its end."""
    head, marker, body = received.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    return bool(marker and length and len(body) >= int(length[1]))


def sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


@dataclass(frozen=True)
class Call:
    """A call of a service before it is signed; `sent` overrides what goes over the wire afterwards."""

    port: int
    service: str
    body: bytes = b""
    method: str = "POST"
    path: str = "/"
    headers: Mapping[str, str] = field(default_factory=dict)
    host: str = ""
    key: str = "111111111111"
    secret: str = ""
    token: str = ""
    age: timedelta = timedelta()

    def of(self, **changes: Any) -> Call:
        return replace(self, **changes)

    @property
    def credentials(self) -> Credentials:
        return Credentials(self.key, self.secret, self.token or None)

    def signed(self, *, expires: int | None = None) -> AWSRequest:
        """Sign as botocore does, at another time when the call is to be old."""
        # Signed as it is, whatever botocore would make of it as part of a URL.
        host = {"Host": self.host} if self.host else {}
        url = f"http://127.0.0.1:{self.port}{self.path}"
        request = AWSRequest(self.method, url, {**self.headers, **host})
        s3 = self.service == "s3"
        if expires is None:
            signer = (S3SigV4Auth if s3 else SigV4Auth)(self.credentials, self.service, "us-east-1")
        else:
            kind = S3SigV4QueryAuth if s3 else SigV4QueryAuth
            signer = kind(self.credentials, self.service, "us-east-1", expires=expires)
        request.context["timestamp"] = (datetime.now(UTC) - self.age).strftime("%Y%m%dT%H%M%SZ")
        request.context["payload_signing_enabled"] = True
        signer._modify_request_before_signing(request)
        # Only now, since botocore moves the body of a query's call into the query.
        request.data = self.body
        declared = self.headers.get("X-Amz-Content-SHA256") or (s3 and expires is None and sha256(self.body))
        if declared:
            del request.headers["X-Amz-Content-SHA256"]
            request.headers["X-Amz-Content-SHA256"] = declared
        canonical = signer.canonical_request(request)
        signature = signer.signature(signer.string_to_sign(request, canonical), request)
        signer._inject_signature_to_request(request, signature)
        return request

    def raw(self, *, expires: int | None = None, **sent: Any) -> bytes:
        return written(self.signed(expires=expires), self.host or f"127.0.0.1:{self.port}", self.body, **sent)

    def unsigned(self, **sent: Any) -> bytes:
        request = AWSRequest(self.method, f"http://x{self.path}", dict(self.headers))
        return written(request, self.host or f"127.0.0.1:{self.port}", self.body, **sent)


def written(  # noqa: PLR0913 # each is another thing that may be changed on the wire
    request: AWSRequest,
    host: str | None,
    body: bytes,
    *,
    method: str = "",
    target: str = "",
    more: tuple[tuple[str, str], ...] = (),
    without: tuple[str, ...] = (),
    version: str = "1.1",
) -> bytes:
    """Write a request out, with headers added or left out after it was signed."""
    after = request.url.split("://", 1)[1]
    path = target or "/" + after.partition("/")[2]
    lines = [f"{method or request.method} {path} HTTP/{version}"]
    lines += [f"Host: {host}"] if host is not None and "host" not in without else []
    headers = [(name, value.decode() if isinstance(value, bytes) else value) for name, value in request.headers.items()]
    lines += [f"{name}: {value}" for name, value in headers if name.lower() not in {"host", "content-length", *without}]
    lines += [f"{name}: {value}" for name, value in more]
    lines += [] if "content-length" in without else [f"Content-Length: {len(body)}"]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def chunked(call: Call, pieces: list[bytes], *, trailer: bytes = b"", tamper: bool = False) -> bytes:
    """Put an object as SDKs do that sign each piece of a body."""
    kind = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" + ("-TRAILER" if trailer else "")
    headers = {"X-Amz-Content-SHA256": kind, "Content-Encoding": "aws-chunked"}
    headers["X-Amz-Decoded-Content-Length"] = str(sum(map(len, pieces)))
    if trailer:
        headers["X-Amz-Trailer"] = "x-amz-checksum-crc32"
    request = call.of(headers=headers, body=b"").signed()
    authorization = request.headers["Authorization"]
    stamp = request.context["timestamp"]
    scope = f"{stamp[:8]}/us-east-1/s3/aws4_request"
    key = f"AWS4{call.secret}".encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    previous = authorization.rpartition("Signature=")[2]
    empty = sha256(b"")
    body = b""
    for piece in [*pieces, b""]:
        lines = ["AWS4-HMAC-SHA256-PAYLOAD", stamp, scope, previous, empty, sha256(piece)]
        previous = hmac.new(key, "\n".join(lines).encode(), hashlib.sha256).hexdigest()
        sent = piece[::-1] if tamper else piece
        body += f"{len(piece):x};chunk-signature={previous}\r\n".encode() + sent + (b"\r\n" if piece else b"")
    if trailer:
        lines = ["AWS4-HMAC-SHA256-TRAILER", stamp, scope, previous, sha256(trailer + b"\n")]
        signature = hmac.new(key, "\n".join(lines).encode(), hashlib.sha256).hexdigest()
        body += trailer + f"\r\nx-amz-trailer-signature:{signature}\r\n\r\n".encode()
    else:
        body += b"\r\n"
    return written(request, f"127.0.0.1:{call.port}", body)


def over_http_2(host: str, headers: Mapping[str, str], body: bytes) -> bytes:
    """Write a POST in HTTP/2 without TLS, as a client that knows that it is spoken."""

    def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
        return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload

    def literal(name: str, value: str) -> bytes:
        # Not indexed and not compressed; lengths under 127.
        return b"\x00" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()

    named = {":method": "POST", ":path": "/", ":scheme": "http", ":authority": host, **headers}
    block = b"".join(literal(name, value) for name, value in named.items())
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    return preface + frame(4, 0, 0) + frame(1, 4, 1, block) + frame(0, 1, 1, body)
