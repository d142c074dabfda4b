"""Run an app as a plain process on this machine, against what was deployed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

from sawhorse.errors import PortTaken, UnknownName
from sawhorse.local.listening import kept_in_ipv6, reason_of
from sawhorse.operations import file_of, operation
from sawhorse.project import Project, Root
from sawhorse.workspace import Deployment

HOST = "127.0.0.1"
# What a process gets of this shell; its own environment decides the rest, as in a container.
PASSED_ON = ("HOME", "LANG", "PATH", "TERM", "TMPDIR", "TZ")


@dataclass(frozen=True)
class Process:
    """An ASGI application as `package.module:name`, and all of the environment that it counts on."""

    module: str
    environment: Mapping[str, str] = field(repr=False)

    def command(self, *, port: int, reload: bool = False) -> list[str]:
        """Return the command that serves the application on loopback."""
        served = ["--factory", "sawhorse.operate.loopback_app:application"]
        words = [sys.executable, "-m", "uvicorn", *served, "--host", HOST, "--port", str(port), "--no-access-log"]
        return [*words, "--reload"] if reload else words

    def variables(self, project: Project, port: int) -> dict[str, str]:
        """Return the whole environment of the process."""
        passed_on = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        served = {"SAWHORSE_SERVED": self.module, "SAWHORSE_PORT": str(port)}
        return {**passed_on, "PYTHONPATH": str(project.lambda_path), **served, **self.environment}


def maker_of(root: Root) -> Callable[[Deployment], Process]:
    """Find how a root's app runs as a process, or say that it does not."""
    module = operation(root.project, root.app, "process")
    if module is None:
        raise UnknownName(
            f"{root.app} runs in Lambda alone; write {file_of(root.app, 'process')} if it can run as a process."
        )
    make: Callable[[Deployment], Process] = module.process
    return make


def process_of(deployment: Deployment) -> Process:
    """Return how a deployment's app runs as a process."""
    return maker_of(deployment.root)(deployment)


def serve(deployment: Deployment, *, port: int, reload: bool) -> int:
    """Serve the app until it is interrupted or this program is told to end, and return the exit code."""
    return run(process_of(deployment), deployment.root.project, port=port, reload=reload)


def run(process: Process, project: Project, *, port: int, reload: bool) -> int:
    """Serve a process on loopback, with its port kept from everybody else in IPv6 meanwhile."""
    with (
        for_localhost(port),
        subprocess.Popen(
            process.command(port=port, reload=reload),
            cwd=project.lambda_path,
            env=process.variables(project, port),
        ) as running,
        ended_together([running]),
    ):
        try:
            return running.wait()
        except KeyboardInterrupt:
            # The terminal has sent the interrupt to the process as well: let it end its requests.
            return running.wait()


@contextmanager
def for_localhost(port: int) -> Iterator[None]:
    """Let nobody else listen where clients of `localhost` look first."""
    try:
        kept = kept_in_ipv6(port)
    except OSError as error:
        raise PortTaken(f"Port {port} of [::1] {reason_of(error)}; choose another with --port.") from error
    with kept or nullcontext():
        yield


@contextmanager
def ended_together(processes: Sequence[subprocess.Popen[Any]]) -> Iterator[None]:
    """End the processes when this program is told to end: nothing that it started may outlive it.

    What this program was started to ignore it goes on to ignore: `nohup` lets it outlive its terminal.
    """

    def end(number: int, _frame: FrameType | None) -> None:
        for process in processes:
            process.terminate()
        raise SystemExit(128 + number)

    ending = (signal.SIGTERM, signal.SIGHUP)
    numbers = [number for number in ending if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, end) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
