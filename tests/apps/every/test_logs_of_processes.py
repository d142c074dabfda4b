"""A process that uvicorn serves logs no value either, however it is started: by its command, or by a program."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from tests.children import started
from tests.projects import REPOSITORY

SECRET = "fs_7f3d9f0e-5c1b-4c7e-9d53-0a4a1f4c2b11_0123456789abcdef"
SECONDS = 60
# Nothing listens there, so every call of DynamoDB fails with an error that names an address.
NOWHERE = "http://127.0.0.1:9"
AWS = {
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_ENDPOINT_URL": NOWHERE,
    "AWS_REGION": "eu-west-1",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_SECRET_ACCESS_KEY": "none",
}
PORTAL = {
    **AWS,
    "AUTH_MODE": "local",
    "PRODUCTION": "false",
    "STAGE": "dev",
    **{f"DYNAMODB_TABLE_{kind}": kind.lower() for kind in ("DELIVERABLES", "METRICS", "UPDATES", "USERS")},
}
# Started by its command line, with its access log and its own handlers.
COMMAND = ["-m", "uvicorn", "{module}:app", "--port", "0"]
# Started by a program that makes the application first and has uvicorn set up its own logging after that.
PROGRAM = ["-c", "import uvicorn; from {module} import app; uvicorn.run(app, port=0)"]
WITHOUT_A_CONFIGURATION = ["-c", "import uvicorn; from {module} import app; uvicorn.run(app, port=0, log_config=None)"]


@contextmanager
def process(words: list[str], module: str, environment: dict[str, str], log: Path) -> Iterator[httpx.Client]:
    command = [sys.executable, *(word.format(module=module) for word in words)]
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "DYNAMODB_"))}
    variables = {**clean, "PYTHONPATH": str(REPOSITORY / "lambda"), "LOG_LEVEL": "DEBUG", **environment}
    with (
        log.open("w") as printed,
        started(command, env=variables, cwd=log.parent, stdout=printed, stderr=subprocess.STDOUT) as running,
    ):
        deadline = time.monotonic() + SECONDS
        while not (address := re.search(r"running on (http://[0-9.:]+)", log.read_text())):
            assert running.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        with httpx.Client(base_url=address[1], trust_env=False, timeout=60) as http:
            yield http
        running.terminate()
        running.wait(timeout=30)


def ask_everything(http: httpx.Client) -> set[int]:
    """Put the secret into every place of requests, and return the statuses that came."""
    headers = {"Authorization": f"Bearer {SECRET}", "User-Agent": SECRET, "Referer": f"https://x/{SECRET}"}
    paths = [
        "api/health",
        "api/users",
        "api/users/me",
        "api/updates",
        "api/links",
        f"api/{SECRET}",
        f"{SECRET}/{SECRET}",
        SECRET,
    ]
    statuses = {
        http.request(method, path, headers=headers, params={"email": SECRET}, content=body).status_code
        for method in ("GET", "POST", "OPTIONS", "BREW")
        for path in paths
        for body in (b"", f'{{"email": "{SECRET}"}}'.encode(), SECRET.encode())
    }
    # No HTTP at all, which uvicorn refuses by itself.
    broken = httpx.Request("GET", f"{http.base_url}", headers=[(b"Bad Header", SECRET.encode())])
    with suppress(httpx.HTTPError):
        statuses.add(http.send(broken).status_code)
    return statuses


@pytest.mark.parametrize(
    ("module", "environment", "expected"),
    [
        ("fileshare.main", {"USE_DYNAMODB": "false", "SQLITE_PATH": "fileshare.sqlite3"}, {200, 401, 404, 405, 422}),
        ("turbotech_portal.main", PORTAL, {200, 404, 405, 422, 500}),
    ],
)
@pytest.mark.parametrize("words", [COMMAND, PROGRAM, WITHOUT_A_CONFIGURATION], ids=["command", "program", "bare"])
def test_a_process_logs_each_request_once_and_nothing_of_it(
    words: list[str], module: str, environment: dict[str, str], expected: set[int], tmp_path: Path
) -> None:
    log = tmp_path / "printed"
    with process(words, module, environment, log) as http:
        statuses = ask_everything(http)
        http.get("api/health", headers={"X-Request-ID": "canary-at-the-end"})

    assert expected <= statuses
    written = log.read_text()
    assert SECRET not in written
    assert SECRET.split("_")[2] not in written
    lines = [json.loads(line) for line in written.splitlines() if line.startswith("{")]
    assert [line["path"] for line in lines if line.get("request_id") == "canary-at-the-end"] == ["/api/health"]
    # uvicorn has an access log of its own, which would have had each once more.
    assert "HTTP/1.1" not in written
    if 500 in expected:
        assert any("botocore.exceptions.EndpointConnectionError" in line.get("exception", "") for line in lines)
        assert NOWHERE not in written
