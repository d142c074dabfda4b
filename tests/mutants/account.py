"""Stand in for an account with nothing in it, that plans ask thousands of times whose it is and which tables it has."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.http_servers import responding

ACCOUNT = "111111111111"
IDENTITY = (
    '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>'
    f"<Arn>arn:aws:iam::{ACCOUNT}:root</Arn><UserId>{ACCOUNT}</UserId><Account>{ACCOUNT}</Account>"
    "</GetCallerIdentityResult><ResponseMetadata><RequestId>mutants</RequestId></ResponseMetadata>"
    "</GetCallerIdentityResponse>"
).encode()
NO_TABLES = b'{"TableNames": []}'


class Responder(BaseHTTPRequestHandler):
    """Responds to GetCallerIdentity and DynamoDB's ListTables, and to nothing else."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if b"Action=GetCallerIdentity" in body:
            self.respond(200, "text/xml", IDENTITY)
        elif self.headers.get("X-Amz-Target") == "DynamoDB_20120810.ListTables":
            self.respond(200, "application/x-amz-json-1.0", NO_TABLES)
        else:
            self.respond(501, "text/plain", b"")

    def respond(self, status: int, kind: str, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 # as it is called
        """Say nothing."""


@contextmanager
def empty_account() -> Iterator[dict[str, str]]:
    """Serve on loopback, and yield the variables with which Terraform asks here and nowhere else."""
    with responding(ThreadingHTTPServer(("127.0.0.1", 0), Responder)) as server:
        yield {
            "AWS_ACCESS_KEY_ID": ACCOUNT,
            "AWS_SECRET_ACCESS_KEY": "placeholder",
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1",
        }
