"""Start a function from its extracted package in a fresh process, send it events, and take the time."""

from __future__ import annotations

import contextlib
import http.client
import json
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import psutil

from tests.benchmarks.processes import NotMeasured, plain_environment
from tests.benchmarks.runtime_api import HOST, RuntimeApi
from tests.ports import free_port

START_SECONDS = 30
STOP_SECONDS = 5
# How often a port is tried that nothing listens on yet.
TRY_SECONDS = 0.001
CONTEXT_HEADER = "x-amzn-request-context"

Event = dict[str, Any]


class Started(Protocol):
    """A function's process that waits for its first event; `import_seconds` passed from its start until then."""

    import_seconds: float

    def invoke(self, event: Event) -> tuple[Any, float]:
        """Send an event; return the response and the seconds that it took."""

    def rss(self) -> int:
        """Return the bytes of memory that the process holds."""

    def words(self) -> str:
        """Return the last lines that it printed."""


@dataclass(frozen=True)
class Function:
    """What runs: a handler in an extracted package, under an environment that has what Lambda's runtime has.

    `layer` is the extracted layer, which Lambda has in /opt.

    """

    directory: Path
    handler: str
    runtime: Path
    variables: Mapping[str, str]
    layer: Path | None = None

    @property
    def is_script(self) -> bool:
        """Whether the handler is a file that the Web Adapter's layer starts."""
        return (self.directory / self.handler).is_file()

    @property
    def environment(self) -> dict[str, str]:
        """Return the variables that Lambda sets, as far as anything here reads them.

        https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
        """
        return {
            "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
            "AWS_LAMBDA_FUNCTION_NAME": "benchmark",
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/benchmark",
            "AWS_LAMBDA_LOG_STREAM_NAME": "benchmark",
            "HOME": str(Path(tempfile.gettempdir())),
            "LAMBDA_TASK_ROOT": str(self.directory),
            "LANG": "en_US.UTF-8",
            "PATH": f"{self.runtime / 'bin'}:{plain_environment().get('PATH', '')}",
            # Nothing can write beside the code in Lambda. Root can anywhere, so Python is told not to.
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": ":".join(
                str(place) for place in (self.directory, self.layer and self.layer / "python") if place
            ),
            "TZ": ":UTC",
            "_HANDLER": self.handler,
            **self.variables,
        }


@contextmanager
def started(function: Function) -> Iterator[Started]:
    """Start a function's process, and end it afterwards."""
    with ended(start(function)) as process:
        yield process


@contextmanager
def ended(process: RuntimeClient | WebProcess) -> Iterator[Started]:
    try:
        with last_words_of(process):
            process.wait()
        yield process
    finally:
        process.stop()


@contextmanager
def last_words_of(process: Started) -> Iterator[None]:
    """Let what cannot be measured say what the process printed."""
    try:
        yield
    except NotMeasured as error:
        raise NotMeasured(f"{error} Its last words:\n  {process.words()}") from error


class Process:
    """A process with its output in a file."""

    def __init__(self, command: list[str | Path], function: Function, variables: Mapping[str, str]) -> None:
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 # closed by stop
        self.import_seconds = 0.0
        words = [str(part) for part in command]
        environment = {**function.environment, **variables}
        self._started_at = time.perf_counter()
        self._process = subprocess.Popen(
            words,
            cwd=function.directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=self._output,
        )

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def rss(self) -> int:
        return int(psutil.Process(self._process.pid).memory_info().rss)

    def words(self) -> str:
        self._output.seek(0)
        lines = self._output.read().decode(errors="replace").strip().splitlines()
        return "\n  ".join(lines[-8:]) or "it printed nothing."

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._output.close()


class RuntimeClient(Process):
    """Lambda's own runtime client, which imports the handler and then asks for events."""

    def __init__(self, function: Function, api: RuntimeApi) -> None:
        self._api = api
        command: list[str | Path] = [function.runtime / "bin/python", "-m", "awslambdaric", function.handler]
        super().__init__(command, function, {"AWS_LAMBDA_RUNTIME_API": api.address})

    def wait(self) -> None:
        self.import_seconds = self._api.wait_until_ready(self.is_alive) - self._started_at

    def invoke(self, event: Event) -> tuple[Any, float]:
        return self._api.invoke(event, self.is_alive)

    def stop(self) -> None:
        super().stop()
        self._api.close()


class WebProcess(Process):
    """A script that serves HTTP, to which events go as the Web Adapter would send them; the adapter takes no part.

    The Runtime API listens as in Lambda, since only there the application believes what the adapter says of a caller.
    """

    def __init__(self, function: Function, api: RuntimeApi, port: int) -> None:
        self._api = api
        self._port = port
        self._connection = http.client.HTTPConnection(HOST, port, timeout=START_SECONDS)
        variables = {"PORT": str(port), "AWS_LAMBDA_RUNTIME_API": api.address}
        super().__init__([function.directory / function.handler], function, variables)

    def wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.is_alive():
            with contextlib.suppress(ConnectionRefusedError):
                self._connection.connect()
                self.import_seconds = time.perf_counter() - self._started_at
                self._connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return
            time.sleep(TRY_SECONDS)
        raise NotMeasured("The script listens on no port.")

    def invoke(self, event: Event) -> tuple[Any, float]:
        method, path, headers = event["requestContext"]["http"]["method"], event["rawPath"], event["headers"]
        context = {CONTEXT_HEADER: json.dumps(event["requestContext"])}
        sent_at = time.perf_counter()
        self._connection.request(method, path, body=event.get("body"), headers={**headers, **context})
        response = self._connection.getresponse()
        body = response.read().decode()
        return {"statusCode": response.status, "headers": dict(response.headers), "body": body}, (
            time.perf_counter() - sent_at
        )

    def stop(self) -> None:
        self._connection.close()
        super().stop()
        self._api.close()


def start(function: Function) -> RuntimeClient | WebProcess:
    """Start what Lambda would start, beside a Runtime API of its own."""
    api = RuntimeApi()
    try:
        return WebProcess(function, api, free_port()) if function.is_script else RuntimeClient(function, api)
    except BaseException:
        api.close()
        raise


@contextmanager
def empty_handler(runtime: Path) -> Iterator[Function]:
    """Give a function that does nothing: what Python and the runtime client cost on their own."""
    directory = Path(tempfile.mkdtemp(prefix="empty-handler-"))
    try:
        (directory / "empty.py").write_text("def handler(event, context):\n    return {}\n")
        yield Function(directory=directory, handler="empty.handler", runtime=runtime, variables={})
    finally:
        shutil.rmtree(directory)
