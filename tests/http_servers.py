"""HTTP servers of tests, each on a thread that ends with its block."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

Server = TypeVar("Server", bound=socketserver.BaseServer)
# How long a server may take until it sees that its block has ended; by itself it looks twice a second.
END_SECONDS = 0.02


@contextmanager
def responding(server: Server) -> Iterator[Server]:
    """Let a server respond until the block ends."""
    thread = threading.Thread(target=server.serve_forever, args=(END_SECONDS,), daemon=True)
    with server:
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
