"""An index of packages on loopback (https://packaging.python.org/en/latest/specifications/simple-repository-api/)."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

from packaging.utils import canonicalize_name

from tests.http_servers import responding
from tests.unit.sawhorse.support import sha256


@dataclass
class Index:
    """The archives of a directory as an index; with `user`, only for who sends that name and password."""

    directory: Path
    port: int
    user: tuple[str, str] | None = None
    # Paths that were asked for, and the name and password that came along.
    asked: list[tuple[str, str]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/simple"

    def sent_for_files(self) -> set[str]:
        """The names and passwords that archives were asked for with."""
        return {sent for path, sent in self.asked if path.startswith("/files/")}


class Handler(SimpleHTTPRequestHandler):
    def __init__(self, index: Index, *arguments: object) -> None:
        self.index = index
        super().__init__(*arguments, directory=str(index.directory))  # type: ignore[arg-type] # what a server gives

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        sent = base64.b64decode(self.headers.get("Authorization", "").removeprefix("Basic ")).decode()
        self.index.asked.append((path, sent))
        if self.index.user and sent != ":".join(self.index.user):
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="index"')
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif path.startswith("/simple/"):
            self.send_page(path.strip("/").removeprefix("simple/"))
        elif path.startswith("/files/"):
            self.path = path.removeprefix("/files")
            super().do_GET()
        else:
            self.send_error(404)

    def send_page(self, name: str) -> None:
        """List the files of a distribution, with their hashes."""
        paths = [path for path in sorted(self.index.directory.iterdir()) if name_of(path) == canonicalize_name(name)]
        if not paths:
            self.send_error(404)
            return
        links = "".join(f'<a href="/files/{path.name}#sha256={sha256(path)}">{path.name}</a><br>' for path in paths)
        content = f"<!DOCTYPE html><html><body>{links}</body></html>".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 # as it is named there
        """Say nothing of requests."""


def name_of(path: Path) -> str:
    stem = path.name.removesuffix(".tar.gz")
    return canonicalize_name(stem.split("-")[0] if path.suffix == ".whl" else stem.rpartition("-")[0])


@contextmanager
def serving(directory: Path, *, user: tuple[str, str] | None = None) -> Iterator[Index]:
    """Serve the archives of a directory until the block ends."""
    directory.mkdir(parents=True, exist_ok=True)
    index = Index(directory, 0, user)
    with responding(ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, index))) as server:
        index.port = server.server_port
        yield index
