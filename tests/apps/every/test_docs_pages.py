"""The docs page brings all that it runs along, and every app can do without it."""

import asyncio
import base64
import hashlib
import importlib.metadata
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import httpx
import pytest
from aws_lambda_powertools import Logger
from fastapi import FastAPI

from shared.application import make_application
from shared.docs_pages import FILES, POLICY
from shared.lambda_handler import make_handler
from tests.apps.every.every_app import APPS, served, under
from tests.apps.every.test_starts import ENVIRONMENTS, SOURCES
from tests.unit.support import HttpCaller, RestCaller

ADDRESSES = re.compile(r'(?:src|href)="([^"]*)"')
# What Lambda sends at once (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html).
LAMBDA_BYTES = 6_291_556
PROGRAM = """
import sys
app = __import__(sys.argv[1] + ".main", fromlist=["app"]).app
print(*sorted(path for route in app.routes if (path := getattr(route, "path", "")).startswith(("/docs", "/openapi"))))
"""


@pytest.fixture
def app(logger_of: Callable[[str], Logger]) -> FastAPI:
    title = '</title><script>alert("t")</script>'
    return make_application(title=title, version="1", description="", routers=[], logger=logger_of("sample"))


def start(name: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Start an app's API as Lambda does, and say which pages it has."""
    credentials = {"AWS_ACCESS_KEY_ID": "sample", "AWS_DEFAULT_REGION": "us-east-1", "AWS_SECRET_ACCESS_KEY": "sample"}
    return subprocess.run(
        [sys.executable, "-B", "-c", PROGRAM, name],
        cwd=SOURCES,
        env={**credentials, **ENVIRONMENTS[name], "PATH": os.environ.get("PATH", os.defpath), **variables},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("name", APPS)
def test_a_setting_switches_the_pages_of_every_app_off(name: str) -> None:
    shown, hidden, wrong = start(name), start(name, PUBLIC_DOCS="false"), start(name, PUBLIC_DOCS="no")

    assert shown.stdout == "/docs /docs/{name} /openapi.json\n", shown.stderr
    assert hidden.stdout == "\n", hidden.stderr
    assert "PUBLIC_DOCS is 'no'. Set it to one of true, false." in wrong.stderr


def test_all_that_the_page_runs_is_of_a_locked_wheel_or_our_own() -> None:
    powertools = importlib.metadata.files("aws-lambda-powertools") or []
    recorded = {Path(str(file.locate())).resolve(): file.hash.value for file in powertools if file.hash}

    for path, _, _ in FILES.values():
        if path.resolve() in recorded:
            found = hashlib.sha256(path.read_bytes()).digest()
            assert recorded[path.resolve()] == base64.urlsafe_b64encode(found).decode().rstrip("=")
        else:
            assert path.is_relative_to(SOURCES / "shared")
    assert sum(path.resolve() in recorded for path, _, _ in FILES.values()) == 2


@pytest.mark.parametrize("prefix", ["", "/dev", "/_aws/execute-api/a1b2c3d4e5/dev"])
def test_all_that_the_page_names_lies_beside_it_under_any_prefix(app: FastAPI, prefix: str) -> None:
    with served(under(prefix, app)) as url, httpx.Client(trust_env=False) as http:
        page = http.get(f"{url}{prefix}/docs")
        named = [urljoin(f"{url}{prefix}/docs", address) for address in ADDRESSES.findall(page.text)]
        loaded = {address: http.get(address) for address in named if not address.startswith("data:")}

    assert page.headers["content-security-policy"] == POLICY
    assert len(loaded) == len(FILES) + 1
    for address, response in loaded.items():
        assert address.startswith(f"{url}{prefix}/")
        assert response.status_code == 200, address
        file = FILES.get(Path(urlsplit(address).path).name)
        assert response.headers["content-type"].partition(";")[0] == (file[1] if file else "application/json")


def test_nothing_that_runs_is_written_into_the_page(app: FastAPI) -> None:
    with served(app) as url:
        page = httpx.get(f"{url}/docs", trust_env=False).text

    assert re.findall(r"<script[^>]*>[^<]", page) == []
    assert re.findall(r"<style|style=|\son\w+=|javascript:", page) == []
    assert "&lt;/title&gt;&lt;script&gt;" in page


@pytest.mark.parametrize("caller", [HttpCaller, RestCaller])
def test_lambda_can_send_every_file_of_the_page(
    app: FastAPI, caller: type[HttpCaller | RestCaller], event_loop: asyncio.AbstractEventLoop
) -> None:
    api = caller(make_handler(app))
    for name, (path, _, _) in FILES.items():
        response = api.get(f"/docs/{name}")
        assert (response.status, response.body) == (200, path.read_text())
        assert len(json.dumps(vars(response))) < LAMBDA_BYTES / 2


@pytest.mark.parametrize(
    "name",
    ["nothing.js", "swagger-ui-bundle.min.js", "html.py", "..", "..%2Fdocs_pages.py", "%2Fetc%2Fpasswd", "start.js%00"],
)
def test_no_other_file_can_be_asked_for(app: FastAPI, name: str) -> None:
    with served(app) as url, httpx.Client(trust_env=False) as http:
        address = httpx.URL(url).copy_with(raw_path=f"/docs/{name}".encode())
        response = http.get(address)

    assert (response.status_code, response.json()["error"]["code"]) == (404, "not_found")
