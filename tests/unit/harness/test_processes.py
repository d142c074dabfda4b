"""An app as a plain process gets its own environment and little of this shell's, and listens on loopback alone."""

from __future__ import annotations

import socket
import subprocess
import time
from pathlib import Path

import httpx
import pytest

from harness.environment import Environment
from harness.errors import UnknownName
from harness.layout import Project, Root
from harness.local.emulators import free_port
from harness.processes import Process, process_of
from harness.workspace import Deployment

APPLICATION = """
import json, os

async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": json.dumps(dict(os.environ)).encode()})
"""


def test_a_process_sees_what_it_counts_on_and_nothing_that_would_lead_it_astray(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "somebody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of-the-shell")
    (tmp_path / "lambda").mkdir()
    (tmp_path / "lambda/sample.py").write_text(APPLICATION)
    process, port = Process("sample:app", {"TABLE": "samples"}), free_port()

    with subprocess.Popen(process.command(port=port), env=process.variables(Project(tmp_path))) as running:
        try:
            seen = answer_of(port)
            addresses = {address for address in ("127.0.0.1", other_address()) if address and is_open(address, port)}
        finally:
            running.terminate()

    assert seen["TABLE"] == "samples"
    assert [name for name in seen if name.startswith("AWS_")] == []
    assert addresses == {"127.0.0.1"}


def answer_of(port: int) -> dict[str, str]:
    deadline = time.monotonic() + 20
    with httpx.Client(trust_env=False) as http:
        while True:
            try:
                answer: dict[str, str] = http.get(f"http://127.0.0.1:{port}/").json()
            except httpx.TransportError:
                assert time.monotonic() < deadline, "the process does not answer"
                time.sleep(0.05)
            else:
                return answer


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
    environment = Environment(name="dev", account_id="111111111111", region="us-east-1")
    deployment = Deployment(Root(tiny, "dev", "tiny"), environment, {}, None)

    with pytest.raises(UnknownName, match=r"^tiny runs in Lambda alone; write harness/processes/tiny\.py if"):
        process_of(deployment)
