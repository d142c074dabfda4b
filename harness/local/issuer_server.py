"""Serve the documents of the local issuer of tokens: its configuration and its public keys, and nothing else.

Run as `issuer_server.py DIRECTORY PORT`, on loopback.
"""

import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

HOST = "127.0.0.1"


class Documents(SimpleHTTPRequestHandler):
    """Answer with the files of one directory; what is not JSON or not there is not found."""

    protocol_version = "HTTP/1.1"

    def guess_type(self, path: object) -> str:
        """Name the one type that there is."""
        del path
        return "application/json"

    def list_directory(self, path: object) -> None:
        """Show nobody what there is."""
        del path
        self.send_error(404, "There is nothing at this address.")


def main(directory: Path, port: int) -> None:
    """Serve until the process is ended."""
    ThreadingHTTPServer((HOST, port), partial(Documents, directory=str(directory))).serve_forever()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
