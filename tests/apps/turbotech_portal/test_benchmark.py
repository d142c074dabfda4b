"""The benchmarks of functions run as a whole, in little: the portal's are started and asked."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from sawhorse.local.emulators import Running
from sawhorse.project import Project
from sawhorse.toolchain import interpreters
from tests.benchmarks import starts, tables
from tests.benchmarks.builders import BEFORE
from tests.benchmarks.extracted import OURS, PIP, Earlier, Extracted
from tests.benchmarks.packages import Packaged
from tests.benchmarks.peers import Peers
from tests.benchmarks.scenarios import Account, makers

API, WEB = "turbotech_portal/api", "turbotech_portal/web"
# Stands for awslambdaric, which is no part of the harness: asks for events, and tells what the handler makes of them.
RUNTIME_CLIENT = """
import http.client, importlib, json, os, sys
from types import SimpleNamespace
module, _, name = sys.argv[1].rpartition(".")
handler = getattr(importlib.import_module(module), name)
api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
while True:
    api.request("GET", "/2018-06-01/runtime/invocation/next")
    asked = api.getresponse()
    event, request_id = json.loads(asked.read()), asked.headers["Lambda-Runtime-Aws-Request-Id"]
    told = json.dumps(handler(event, SimpleNamespace(aws_request_id=request_id))).encode()
    api.request("POST", f"/2018-06-01/runtime/invocation/{request_id}/response", told)
    api.getresponse().read()
"""


@pytest.fixture
def peers(tmp_path: Path, repository: Path) -> Peers:
    """Nobody to measure against, and a runtime whose Python is the harness's own, with what the apps import."""
    runtime = tmp_path / "runtime"
    for name in ("python", "python3"):
        script = runtime / "bin" / name
        script.parent.mkdir(parents=True, exist_ok=True)
        own = repository / ".venv/bin/python"
        script.write_text(f'#!/bin/sh\nPYTHONPATH="$PYTHONPATH:{runtime}" exec {own} "$@"\n')
        script.chmod(0o755)
    (runtime / "awslambdaric").mkdir()
    (runtime / "awslambdaric/__main__.py").write_text(RUNTIME_CLIENT)
    return Peers(*[runtime] * 7)


@pytest.fixture
def found(tmp_path: Path, repository: Path, peers: Peers) -> Extracted:
    """The portal's sources where its packages would be."""
    place = tmp_path / "portal"
    for name in ("turbotech_portal", "shared"):
        shutil.copytree(repository / "lambda" / name, place / name)
    shutil.copy2(repository / "lambda/turbotech_portal/run.sh", place)
    packages = [packaged("api", "turbotech_portal.main.handler"), packaged("web", "run.sh")]
    places = {("turbotech_portal", variant): [place] for variant in (OURS, BEFORE, PIP)}
    return Extracted(repository, peers, Project(repository), packages, places, {}, {})


def packaged(name: str, handler: str) -> Packaged:
    return Packaged("turbotech_portal", name, handler, f"python{interpreters.FUNCTIONS_PYTHON}", "x86_64", ())


def measured(found: Extracted, earlier: Earlier, aws: Running) -> starts.StartTimes:
    """Measure the portal once, beside an earlier one."""
    by_title = {one.title: one for one in found.packages}
    scenarios = makers()["turbotech_portal"](Account(aws, starts.starter(found, by_title, OURS)))
    times = starts.StartTimes(asked={title: scenarios[title].reads for title in by_title}, before=earlier.revision)
    before = starts.subjects_before(found, earlier, aws, times)
    subjects = {
        title: {variant: starts.subject_of(found, one, variant, scenarios[title]) for variant in (OURS, PIP)}
        | ({BEFORE: before[title]} if title in before else {})
        for title, one in by_title.items()
    }
    starts.measure_all(subjects, found.peers.functions, times, runs=1, warm=2)
    return times


def test_functions_are_started_and_asked_beside_those_of_another_commit(found: Extracted, local_aws: Running) -> None:
    earlier = Earlier("v1", {API: found.packages[0]})

    times = measured(found, earlier, local_aws)

    for title, variants in ((API, {OURS, BEFORE, PIP}), (WEB, {OURS, PIP}), (starts.EMPTY, {OURS})):
        assert set(times.starts[title]) == variants
        for one in times.starts[title].values():
            assert (len(one.imports), len(one.firsts), len(one.reads), len(one.rss)) == (1, 1, 2, 1)
            assert min(*one.imports, *one.firsts, *one.reads) > 0
    assert len(times.starts[WEB][OURS].healths) == 2
    text = tables.start_tables(times)
    assert f"| {API} | GET /api/dashboard | sawhorse |" in text
    assert f"| {API} | import and first request |" in text
    assert "|  | warm: GET /api/dashboard |" in text
    assert f"| {WEB} | It has no such function. | - | - | - | - |" in text


def test_what_another_commit_cannot_do_is_said_in_a_sentence(
    found: Extracted, tmp_path: Path, local_aws: Running
) -> None:
    (tmp_path / "older").mkdir()
    refuses = "def handler(event, context):\n    return {'statusCode': 500, 'body': ''}\n"
    (tmp_path / "older/other.py").write_text(refuses)
    older = replace(found, places={**found.places, ("turbotech_portal", BEFORE): [tmp_path / "older"]})
    earlier = Earlier("v1", {API: packaged("api", "other.handler"), WEB: packaged("web", "absent.handler")})
    times = starts.StartTimes(asked={API: "GET /api/dashboard", WEB: "GET /api/dashboard"})

    assert starts.subjects_before(older, earlier, local_aws, times) == {}
    assert set(times.not_before) == {API, WEB}
    assert times.not_before[API].startswith("Its tables could not be filled: ")
