"""Serve Lambda's Runtime API on loopback to one function's process, and take the time of what it does.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html describes the paths and headers.
"""

from __future__ import annotations

import contextlib
import json
import queue
import sys
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

from tests.benchmarks.processes import NotMeasured

HOST = "127.0.0.1"
VERSION = "/2018-06-01/runtime"
FUNCTION_ARN = "arn:aws:lambda:us-east-1:111111111111:function:benchmark"
TIMEOUT_SECONDS = 29
# How often a wait looks whether the process is still there; a response ends the wait at once.
LOOK_SECONDS = 0.5
# How long it may take to stop serving; a shorter time would wake this process up more often while it measures.
CLOSE_SECONDS = 0.1


@dataclass(frozen=True)
class RuntimeMessage:
    """What the function's process sent: `kind` is ready, response, error or init; `at` is when, in seconds."""

    kind: str
    at: float
    body: bytes = b""


class RuntimeApi(ThreadingHTTPServer):
    """The Runtime API for one process: it is asked for events and told what came of them.

    `is_alive` says whether the process is still there to be waited for.
    """

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__((HOST, 0), RuntimeRequests)
        self.events: queue.Queue[bytes | None] = queue.Queue()
        self.messages: queue.Queue[RuntimeMessage] = queue.Queue()
        # When the event that is being worked on left, in seconds of time.perf_counter().
        self.sent_at = 0.0
        self._thread = threading.Thread(target=self.serve_forever, args=(CLOSE_SECONDS,), daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        """Return what AWS_LAMBDA_RUNTIME_API says."""
        return f"{HOST}:{self.server_port}"

    def wait_until_ready(self, is_alive: Callable[[], bool]) -> float:
        """Wait until the process asks for its first event, and return when that was."""
        return self._wait("ready", is_alive).at

    def invoke(self, event: Any, is_alive: Callable[[], bool]) -> tuple[Any, float]:
        """Hand an event over; return the response, and the seconds from handing it over to having all of it."""
        self.events.put(json.dumps(event).encode())
        told = self._wait("response", is_alive)
        return json.loads(told.body), told.at - self.sent_at

    def close(self) -> None:
        """Stop serving; a process that waits for an event loses its connection."""
        self.events.put(None)
        self.shutdown()
        self.server_close()
        self._thread.join()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a process that was ended while it waited: that is how every measurement ends."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def _wait(self, kind: str, is_alive: Callable[[], bool]) -> RuntimeMessage:
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while time.monotonic() < deadline:
            with contextlib.suppress(queue.Empty):
                told = self.messages.get(timeout=LOOK_SECONDS)
                if told.kind == kind:
                    return told
                raise NotMeasured(f"The function told {told.kind}: {told.body.decode(errors='replace')[:2000]}")
            if not is_alive():
                raise NotMeasured("The function's process ended.")
        raise NotMeasured(f"The function's process sent nothing for {TIMEOUT_SECONDS} seconds.")


class RuntimeRequests(BaseHTTPRequestHandler):
    """Respond to the runtime client; every response is one write, so that nothing waits for its second half."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_GET(self) -> None:  # named by http.server
        api = cast("RuntimeApi", self.server)
        arrived = time.perf_counter()
        if self.path != f"{VERSION}/invocation/next":
            self._respond(HTTPStatus.NOT_FOUND)
            return
        if api.sent_at == 0.0:
            api.sent_at = arrived
            api.messages.put(RuntimeMessage("ready", arrived))
        event = api.events.get()
        if event is None:
            self.close_connection = True
            return
        deadline = int((time.time() + TIMEOUT_SECONDS) * 1000)
        headers = {
            "Lambda-Runtime-Aws-Request-Id": str(uuid.uuid4()),
            "Lambda-Runtime-Deadline-Ms": str(deadline),
            "Lambda-Runtime-Invoked-Function-Arn": FUNCTION_ARN,
            "Lambda-Runtime-Trace-Id": "Root=1-00000000-000000000000000000000000;Sampled=0",
            "Content-Type": "application/json",
        }
        api.sent_at = time.perf_counter()
        self._respond(HTTPStatus.OK, event, headers)

    def do_POST(self) -> None:  # named by http.server
        api = cast("RuntimeApi", self.server)
        body = self._body()
        arrived = time.perf_counter()
        kind = "init error" if self.path.endswith("/init/error") else self.path.rpartition("/")[2]
        # The process goes on before the one that measures does.
        self._respond(HTTPStatus.ACCEPTED)
        api.messages.put(RuntimeMessage(kind, arrived, body))

    def _body(self) -> bytes:
        """Read a body; the runtime client may send one in chunks."""
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _respond(self, status: HTTPStatus, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response_only(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, format: str, *_: Any) -> None:  # noqa: A002 # named by http.server
        """Say nothing: a line for every request would take its time."""
