"""Serve the documents of the local issuer of tokens: its configuration and its public keys, and nothing else.

Run as `issuer_server.py DIRECTORY SECRETS SOCKET`: where the documents are, the file of this start, and the number of
the socket to listen on.
"""

import socket
import sys
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from sawhorse.local.guard import JSON, Guard, GuardResponse, Secrets
from sawhorse.local.signatures import Request

DOCUMENTS = (".well-known/openid-configuration", ".well-known/jwks.json")


class Documents(BaseHTTPRequestHandler):
    """Respond with the documents; what is not one of them is not found."""

    def __init__(self, guard: Guard, documents: dict[str, bytes], *connection: Any) -> None:
        self.guard = guard
        self.documents = documents
        super().__init__(*connection)

    def do_GET(self) -> None:  # as http.server calls it
        self.respond()

    def do_HEAD(self) -> None:
        self.respond()

    def respond(self) -> None:
        headers = tuple((name.lower(), value) for name, value in self.headers.items())
        request = Request(self.command, self.path, headers)
        found = self.guard.check(request, request.path)
        if not isinstance(found, GuardResponse):
            found = GuardResponse(200, JSON, self.documents[request.path])
        self.send_response(found.status)
        self.send_header("Content-Type", found.content_type)
        self.send_header("Content-Length", str(len(found.body)))
        # What else the connection holds is not read.
        self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(found.body)


def main(directory: Path, secrets_file: Path, number: int) -> None:
    """Serve until the process is ended."""
    listener = socket.socket(fileno=number)
    documents = {f"/{name}": (directory / name).read_bytes() for name in DOCUMENTS}
    guard = Guard("issuer", listener.getsockname()[1], Secrets.of(secrets_file), documents=frozenset(documents))
    server = ThreadingHTTPServer(listener.getsockname(), partial(Documents, guard, documents), bind_and_activate=False)
    server.socket.close()
    server.socket = listener
    server.serve_forever()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
