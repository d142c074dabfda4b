"""An audit says what a database knows, and never that nothing is known when none was asked."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sawhorse.inspect.audit import (
    KNOWN_BAD,
    Advisory,
    Distribution,
    LookUp,
    audit_advisories,
    locked_distributions,
    pip_audit,
    read_response,
    rounds_of,
)
from sawhorse.inspect.licences import Allowed
from sawhorse.project import Project
from tests.http_servers import responding

LOCKED = {("idna", "3.20"): ["locks/a.txt", "locks/b.txt"], ("idna", "3.0"): ["locks/c.txt"]}
PROOF = Advisory("PYSEC-2014-8", *KNOWN_BAD)
FOUND = Advisory("PYSEC-2024-60", "idna", "3.0", ("CVE-2024-3651",), ("3.7",))

distributions = st.lists(st.tuples(st.sampled_from("abcde"), st.sampled_from("123")), max_size=12)


def database(
    *advisories: Advisory, unknown: Sequence[str] = (), failure: str = "", proof: bool = True
) -> Callable[[str, Sequence[Distribution]], LookUp]:
    """Make a database that knows these advisories, and fails or lacks something but for its proof."""

    def look(_database: str, asked: Sequence[Distribution]) -> LookUp:
        if list(asked) == [KNOWN_BAD]:
            return LookUp([PROOF] if proof else [])
        found = [one for one in advisories if (one.name, one.version) in asked]
        return LookUp(found, [name for name, _ in asked if name in unknown], failure)

    return look


def test_a_database_that_knows_nothing_of_the_locks_is_good_news() -> None:
    report = audit_advisories(LOCKED, Allowed(), database())
    assert (report.exit_code, report.fine) == (0, ["pypi knows no advisory of the 2 locked distributions."])


def test_an_advisory_is_told_with_its_locks_and_its_fix() -> None:
    report = audit_advisories(LOCKED, Allowed(), database(FOUND))
    assert (report.exit_code, report.fine) == (1, [])
    assert report.findings == ["idna 3.0 in locks/c.txt has PYSEC-2024-60 (CVE-2024-3651); fixed in 3.7: make lock."]


@pytest.mark.parametrize("identifier", ["PYSEC-2024-60", "CVE-2024-3651"])
def test_an_advisory_that_stands_with_a_reason_is_no_finding(identifier: str) -> None:
    allowed = Allowed(advisories={identifier: "Nothing here encodes names of others."})
    assert audit_advisories(LOCKED, allowed, database(FOUND)).exit_code == 0
    stale = audit_advisories(LOCKED, allowed, database())
    assert stale.findings == [f"harness/audit.toml: no lock has the advisory {identifier} any more; remove it."]


@pytest.mark.parametrize(
    "look",
    [
        database(proof=False),
        database(FOUND, proof=False),
        lambda *_: LookUp(failure="no route to host"),
        lambda *_: LookUp(),
        lambda *_: LookUp(unknown=[KNOWN_BAD[0]]),
        lambda *_: LookUp([FOUND]),
    ],
)
def test_a_database_that_proves_nothing_is_not_believed(look: Callable[..., LookUp]) -> None:
    report = audit_advisories(LOCKED, Allowed(), look)
    assert (report.exit_code, report.fine, report.findings) == (3, [], [])
    assert report.unknown[0].startswith("No database of advisories could be reached (pypi: ")
    assert "so nobody knows whether the 2 locked distributions have any." in report.unknown[0]


def test_the_second_database_is_asked_where_the_first_proves_nothing() -> None:
    asked = []

    def look(name: str, distributions: Sequence[Distribution]) -> LookUp:
        asked.append(name)
        return LookUp(unknown=["jinja2"]) if name == "pypi" else database()(name, distributions)

    assert audit_advisories(LOCKED, Allowed(), look).exit_code == 0
    assert asked[:2] == ["pypi", "osv"]
    assert set(asked[1:]) == {"osv"}


@pytest.mark.parametrize("look", [database(unknown=["idna"]), database(failure="it went away")])
def test_what_a_database_does_not_know_is_never_good_news(look: Callable[..., LookUp]) -> None:
    report = audit_advisories(LOCKED, Allowed(advisories={"PYSEC-1": "A reason."}), look)
    assert (report.exit_code, report.fine, report.findings) == (3, [], [])


@given(distributions)
def test_every_distribution_is_asked_once_and_no_name_twice_at_a_time(wanted: list[Distribution]) -> None:
    rounds = list(rounds_of(wanted))
    assert sorted(one for asked in rounds for one in asked) == sorted(set(wanted))
    assert all(len({name for name, _ in asked}) == len(asked) for asked in rounds)


@pytest.mark.parametrize("text", ["", "No known vulnerabilities found", "{}", "[]", '{"dependencies": [1]}', "null"])
def test_a_response_that_cannot_be_read_is_a_failure(text: str) -> None:
    assert read_response(text, "it could not ask\n").failure == "it could not ask"
    assert read_response(text, "").failure


def test_the_locks_of_tools_and_apps_are_read_for_every_platform(repository: Path) -> None:
    found = locked_distributions(Project(repository))
    locks = {lock for named in found.values() for lock in named}
    project = Project(repository)
    apps = {f"lambda/{app}/requirements.txt" for app in project.apps}
    assert locks == apps | {project.shown(path) for path in project.locks_of_tools}
    assert found[("colorama", next(version for name, version in found if name == "colorama"))]


class Osv(BaseHTTPRequestHandler):
    """The part of OSV's interface that pip-audit asks (https://google.github.io/osv.dev/post-v1-query/)."""

    known: dict[str, str]
    status = 200

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        name = asked["package"]["name"]
        affected = [{"package": {"name": name, "ecosystem": "PyPI"}}]
        advisories = [{"id": self.known[name], "affected": affected}] if name in self.known else []
        content = json.dumps({"vulns": advisories} if advisories else {}).encode()
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def osv() -> Iterator[Callable[..., str]]:
    """Serve OSV's interface with these advisories by name, and return its address."""
    servers = ExitStack()

    def serve(status: int = 200, **known: str) -> str:
        handler = type("Handler", (Osv,), {"known": known, "status": status})
        server = servers.enter_context(responding(ThreadingHTTPServer(("127.0.0.1", 0), handler)))
        return f"http://127.0.0.1:{server.server_port}/v1/query"

    with servers:
        yield serve


def test_a_database_is_asked_by_pip_audit_itself(repository: Path, osv: Callable[..., str]) -> None:
    look = pip_audit(Project(repository), osv(jinja2="PYSEC-2014-8", idna="PYSEC-2999-1"))
    report = audit_advisories({("idna", "3.20"): ["a"], ("six", "1.17.0"): ["b"]}, Allowed(), look, ["osv"])
    assert (report.exit_code, report.unknown) == (1, [])
    assert report.findings == ["idna 3.20 in a has PYSEC-2999-1; there is no fix yet."]


@pytest.mark.parametrize(
    ("status", "why"), [(200, "it does not know that jinja2 2.4.1 has advisories"), (503, "osv: ")]
)
def test_the_command_ends_with_a_code_of_its_own_where_no_database_proves_itself(
    repository: Path, osv: Callable[..., str], status: int, why: str
) -> None:
    command = [
        sys.executable,
        "-m",
        "sawhorse.inspect.audit",
        "advisories",
        "--osv-url",
        osv(status, idna="PYSEC-2999-1"),
    ]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (3, "")
    assert "No database of advisories could be reached (" in done.stderr
    assert why in done.stderr
    assert "Traceback" not in done.stderr
