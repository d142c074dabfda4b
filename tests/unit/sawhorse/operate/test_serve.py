"""An app as a plain process gets its own environment and little of this shell's, and listens on loopback alone."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from sawhorse.environment import Environment
from sawhorse.errors import PortTaken, UnknownName
from sawhorse.operate.serve import Process, for_localhost, process_of
from sawhorse.project import Project, Root
from sawhorse.workspace import Deployment
from tests.children import ignoring, signal_taken, started
from tests.ports import free_port

APPLICATION = """
import json, os

async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": json.dumps(dict(os.environ)).encode()})
"""

OWN_PAGES = ("http://localhost:5173", "http://127.0.0.1:1", "https://localhost", "http://[::1]:5173")
OTHER_PAGES = (
    "http://evil.example", "null", "", "http://localhost.evil.example", "http://127.0.0.1@evil.example",
    "http://evil.example@127.0.0.1", "http://127.0.0.2", "http://[::1", "http://[", "http://localhost:", "localhost",
    "file://localhost", "chrome-extension://localhost", "http://localhost/", "http://localhost:5173 http://evil.example",
    "http://localhost:5173, http://evil.example", "http://2130706433", "http://localhost.", "http://localhost:99999999",
)  # fmt: skip


def test_a_process_sees_what_it_counts_on_and_nothing_that_would_lead_it_astray(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "somebody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of-the-shell")
    (tmp_path / "lambda").mkdir()
    (tmp_path / "lambda/sample.py").write_text(APPLICATION)
    process, port = Process("sample:app", {"TABLE": "samples"}), free_port()

    with started(process.command(port=port), env=process.variables(Project(tmp_path), port)):
        seen = response_of(port)
        addresses = {address for address in ("127.0.0.1", other_address()) if address and is_open(address, port)}

    assert seen["TABLE"] == "samples"
    assert [name for name in seen if name.startswith("AWS_")] == []
    assert addresses == {"127.0.0.1"}


def test_a_process_is_reached_by_this_machines_own_names_and_pages(tmp_path: Path) -> None:
    """No login stands before it, so a rebound name or a stranger's page would read and write as its developer."""
    (tmp_path / "lambda").mkdir()
    (tmp_path / "lambda/sample.py").write_text(APPLICATION)
    process, port = Process("sample:app", {}), free_port()
    hosts = {
        f"127.0.0.1:{port}": 200,
        f"localhost:{port}": 200,
        f"evil.example:{port}": 421,
        f"127.0.0.1.nip.io:{port}": 421,
        f"[::1]:{port}": 421,
        "127.0.0.1": 421,
    }
    methods = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "PROPFIND")
    calls: list[tuple[str, str, str | None, int]] = [("GET", host, None, status) for host, status in hosts.items()]
    calls += [(method, f"127.0.0.1:{port}", None, 200) for method in methods]
    calls += [(method, f"127.0.0.1:{port}", origin, 200) for method in methods for origin in OWN_PAGES]
    calls += [(method, f"127.0.0.1:{port}", origin, 403) for method in methods for origin in OTHER_PAGES]

    with (
        started(process.command(port=port), env=process.variables(Project(tmp_path), port)),
        httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http,
    ):
        response_of(port)
        seen = [
            (
                method,
                host,
                origin,
                http.request(
                    method, "/", headers={"Host": host, **({} if origin is None else {"Origin": origin})}
                ).status_code,
            )
            for method, host, origin, _ in calls
        ]

    assert seen == calls


# Serves the application in a process of its own, as `sawhorse dev` does.
SERVING = """
import sys
from pathlib import Path
from sawhorse.project import Project
from sawhorse.operate.serve import Process, run
run(Process("sample:app", {}), Project(Path(sys.argv[1])), port=int(sys.argv[2]), reload=False)
"""


@pytest.fixture
def serving(tmp_path: Path) -> list[str]:
    """The command that serves the application above, on the port that it ends with."""
    (tmp_path / "lambda").mkdir()
    (tmp_path / "lambda/sample.py").write_text(APPLICATION)
    return [sys.executable, "-c", SERVING, str(tmp_path), str(free_port())]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=["SIGTERM", "SIGHUP"])
def test_a_process_ends_when_this_program_is_told_to_end(serving: list[str], number: signal.Signals) -> None:
    """What serves stands in a process of its own: told to end, nothing of it may be left that listens."""
    port = int(serving[-1])
    with signal_taken(number), started(serving) as program:
        response_of(port)
        program.send_signal(number)
        assert program.wait(timeout=20) == 128 + number

        assert not is_open("127.0.0.1", port)


def test_nobody_else_can_listen_where_clients_of_localhost_look_first(serving: list[str]) -> None:
    port = int(serving[-1])
    with started(serving) as program:
        response_of(port)
        with socket.socket(socket.AF_INET6) as stranger:
            stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with pytest.raises(OSError):  # noqa: PT011 # a machine without IPv6 has another
                stranger.bind(("::1", port))
        program.terminate()
        program.wait(timeout=20)


def test_a_port_that_somebody_has_in_ipv6_is_refused() -> None:
    with socket.socket(socket.AF_INET6) as stranger:
        try:
            stranger.bind(("::1", 0))
        except OSError:
            pytest.skip("this machine has no IPv6")
        port = stranger.getsockname()[1]
        with pytest.raises(PortTaken, match=rf"^Port {port} of \[::1\] is in use by another program; choose another"):
            for_localhost(port).__enter__()


def test_with_nohup_a_process_outlives_its_terminal_and_ends_when_it_is_told_to(serving: list[str]) -> None:
    port = int(serving[-1])
    with started([*ignoring("HUP"), *serving]) as program:
        response_of(port)
        os.killpg(program.pid, signal.SIGHUP)
        with pytest.raises(subprocess.TimeoutExpired):
            program.wait(timeout=1)
        response_of(port)

        program.terminate()

        assert program.wait(timeout=20) == 128 + signal.SIGTERM
        assert not is_open("127.0.0.1", port)


def response_of(port: int) -> dict[str, str]:
    deadline = time.monotonic() + 20
    with httpx.Client(trust_env=False) as http:
        while True:
            try:
                response: dict[str, str] = http.get(f"http://127.0.0.1:{port}/").json()
            except httpx.TransportError:
                assert time.monotonic() < deadline, "the process does not respond"
                time.sleep(0.05)
            else:
                return response


def other_address() -> str | None:
    """An address of this machine that is not loopback, if it has one."""
    try:
        found = {str(info[4][0]) for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}
    except OSError:
        return None
    return next((address for address in found if not address.startswith("127.")), None)


def is_open(address: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((address, port)) == 0


def test_an_app_that_runs_in_lambda_alone_says_so(tiny: Project) -> None:
    environment = Environment(name="dev", account_id="111111111111", region="us-east-1", production=False)
    deployment = Deployment(Root(tiny, "dev", "tiny"), environment, {}, None)

    with pytest.raises(UnknownName, match=r"^tiny runs in Lambda alone; write lambda/tiny/ops/process\.py if"):
        process_of(deployment)
