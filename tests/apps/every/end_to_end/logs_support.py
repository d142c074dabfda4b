"""Make secrets and payloads in every app, plant a canary in every log, and read the logs to their ends."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx

from sawhorse.environment import read_environment
from sawhorse.operate.seed import bearer
from shared.api_keys import hash_key
from tests.children import started
from tests.end_to_end.support import Sawhorse

SECONDS = 60
# A log group of a function, and those of access logs, which the local AWS keeps empty.
FUNCTIONS, ACCESS = "/aws/lambda/", ("/aws/apigateway/", "/aws/vendedlogs/")


@dataclass
class Made:
    """What a test made that no log may hold, by what it is."""

    values: dict[str, str] = field(default_factory=dict)

    def new(self, kind: str, form: str = "{}") -> str:
        """Make a value that stands nowhere else."""
        return self.keep(kind, form.format(f"{kind.replace(' ', '-')}-{uuid.uuid4().hex}"))

    def keep(self, kind: str, value: str) -> str:
        self.values[f"{kind} {len(self.values)}"] = value
        return value

    def found_in(self, text: str) -> list[str]:
        """Return what stands in a text, as it is, quoted for an address or as the hash under which a key is kept."""
        plain = unquote(text) + text
        return [kind for kind, value in self.values.items() if value in plain or hash_key(value) in plain]


def everything_logged(sawhorse: Sawhorse, root: str, group: str) -> str:
    """Read a log group to its end, stream by stream: the local filter_log_events leaves events out."""
    environment, _, app = root.partition("/")
    region = read_environment(sawhorse.project, environment).of_app(app).region
    logs = sawhorse.client("logs", environment, region)
    lines: list[str] = []
    for page in logs.get_paginator("describe_log_streams").paginate(logGroupName=group):
        for stream in page["logStreams"]:
            token: dict[str, str] = {}
            while True:
                read = logs.get_log_events(
                    logGroupName=group, logStreamName=stream["logStreamName"], startFromHead=True, **token
                )
                lines += [event["message"] for event in read["events"]]
                if not read["events"]:
                    break
                token = {"nextToken": read["nextForwardToken"]}
    return "\n".join(lines)


def logged_with(read: Callable[[], str], canary: str) -> str:
    """Read a log until the canary is in it; a log without it is the wrong one, or not yet written."""
    deadline = time.monotonic() + SECONDS
    while canary not in (text := read()):
        assert time.monotonic() < deadline, f"The log does not have the canary {canary}, but:\n{text[-2000:]}"
        time.sleep(0.5)
    return text


def ask_wrongly(http: httpx.Client, prefix: str, made: Made) -> set[int]:
    """Put all that was made where it does not belong: paths, queries, headers and bodies."""
    statuses: set[int] = set()
    for value in [*made.values.values(), made.new("unknown token")]:
        in_path = re.sub(r"[^A-Za-z0-9._~-]", lambda found: f"%{ord(found[0]):02X}", value)
        requests: list[tuple[str, str, dict[str, Any]]] = [
            ("GET", f"{prefix}{in_path}", {}),
            ("DELETE", f"{prefix}{in_path}/{in_path}", {}),
            ("GET", f"{prefix}health", {"params": {"email": value, value: "1"}}),
            ("PUT", f"{prefix}health", {"json": {value: value}}),
            ("POST", f"{prefix}{in_path}", {"content": f'{{"name": "{value}"'.encode()}),
        ]
        if value.isascii() and "\n" not in value:
            names = ("Authorization", "X-API-Key", "X-Session-Key", "Idempotency-Key", "Cookie", "Referer")
            requests.append(("GET", f"{prefix}nothing", {"headers": dict.fromkeys(names, value)}))
        for method, path, options in requests:
            statuses.add(http.request(method, path, **options).status_code)
    return statuses


def use_triggers_api(http: httpx.Client, made: Made, seeded: Mapping[str, str]) -> None:
    key = {"X-API-Key": made.keep("api key", seeded["api_key"])}
    repeated = {"Idempotency-Key": made.new("idempotency key")}
    # Not one of those that are looked for: dev logs payloads at DEBUG, as its README says.
    payload = {"note": "a payload"}
    event = {"source": "scan", "event_type": "scan.done", "payload": payload}
    event_id = ok(http.post("v1/events", json=event, headers=key | repeated))["event_id"]
    assert http.post("v1/events", json=event | {"source": "other"}, headers=key | repeated).status_code == 409
    for wrong in (event | {"source": 1}, event | {made.new("member"): 1}, [event]):
        assert http.post("v1/events", json=wrong, headers=key).status_code == 422
    ok(http.get("v1/inbox", headers=key))
    ok(http.post(f"v1/events/{event_id}/ack", headers=key))


def use_hybrid_ci_cd(http: httpx.Client, made: Made, _seeded: Mapping[str, str]) -> None:
    login = {
        "user_id": made.new("user", "{}@example.com"),
        "provider": "google",
        "oauth_tokens": {"access_token": made.new("oauth token")},
        "user_info": {"email": made.new("address", "{}@example.com")},
    }
    session = made.keep("session id", ok(http.post("auth/session", json=login))["session_id"])
    ok(http.post("auth/validate", json={"session_id": session}))
    assert http.post("auth/session", json=login | {"provider": made.new("provider") * 9}).status_code == 422
    agent = ok(http.post("agents", json={"name": "scan"}, headers=bearer(session)))
    token = made.keep("agent token", agent["agent_token"])
    made.keep("agent secret", token.split(".")[1])
    job = {"name": "scan", "payload": {"script": made.new("payload")}}
    job_id = ok(http.post("jobs", json=job, headers=bearer(session)))["job_id"]
    claimed = ok(http.post(f"jobs/{job_id}/claim", headers=bearer(token)))
    result = {"attempt": claimed["attempt"], "status": "succeeded", "result": {"output": made.new("result")}}
    ok(http.post(f"jobs/{job_id}/finish", json=result, headers=bearer(token)))
    # Where an id belongs, what opens something.
    for path in (f"jobs/{session}", f"jobs/{token}/claim", f"auth/sessions/{session}", f"agents/{token}"):
        for method in ("GET", "POST", "DELETE"):
            assert http.request(method, path, headers=bearer(session)).status_code in {403, 404, 405, 422, 401}
    ok(http.get("jobs", headers=bearer(session)))


def use_stock_track_record(http: httpx.Client, made: Made, _seeded: Mapping[str, str]) -> None:
    channel = ok(http.post("api/channels", json={"name": made.new("name")}))["channel_id"]
    assert http.post("api/channels", json={"name": 1, made.new("member"): 1}).status_code == 422
    assert http.put(f"api/stocks/{made.new('ticker')}", json={"name": "x", "prices": []}).status_code == 422
    ok(http.post(f"api/channels/{channel}/process"))


def use_turbotech_portal(http: httpx.Client, made: Made, _seeded: Mapping[str, str]) -> None:
    update = {"title": made.new("title"), "message": made.new("message")}
    update_id = ok(http.post("api/updates", json=update))["id"]
    ok(http.post(f"api/updates/{update_id}/read"))
    ok(http.patch("api/users/me", json={"name": made.new("name")}))
    assert http.patch("api/users/me", json={"name": made.new("address", "{}@example.com")}).status_code == 422
    assert http.get("api/updates", params={"cursor": made.new("cursor")}).status_code == 422
    assert http.get(f"api/deliverables/{made.new('deliverable')}").status_code in {404, 422}


def use_fileshare(http: httpx.Client, made: Made, _seeded: Mapping[str, str]) -> None:
    address = made.new("address", "{}@example.com")
    token = made.keep("user token", ok(http.post("api/users", json={"email": address}))["token"])
    assert http.post("api/users", json={"email": address}).status_code == 409
    target = made.new("target", "https://example.com/{}")
    link = {"full_url": target, "file_key": made.new("file key"), "filename": made.new("file name", "{}.pdf")}
    code = ok(http.post("api/links", json=link, headers=bearer(token)))["short_code"]
    assert http.get(code).status_code == 302
    assert http.get(token).status_code == 404
    ok(http.get("api/trial", params={"email": address}, headers=bearer(token)))
    ok(http.post("api/trial", headers=bearer(token)))


USES: dict[str, Callable[[httpx.Client, Made, Mapping[str, str]], None]] = {
    "fileshare": use_fileshare,
    "hybrid_ci_cd": use_hybrid_ci_cd,
    "stock_track_record": use_stock_track_record,
    "triggers_api": use_triggers_api,
    "turbotech_portal": use_turbotech_portal,
}
PREFIXES = {"hybrid_ci_cd": "", "triggers_api": "v1/"}


def ok(response: httpx.Response) -> Any:
    assert response.is_success, f"{response.request.method} {response.request.url.path}: {response.text}"
    return response.json()


def plant(http: httpx.Client, app: str, canary: str) -> None:
    """Send what has to be in the log: a request with an id of its own."""
    path = f"{PREFIXES.get(app, 'api/')}health"
    assert http.get(path, headers={"X-Request-ID": canary}).status_code == 200


@contextmanager
def process_of(sawhorse: Sawhorse, root: str, log: Path, port: int) -> Iterator[httpx.Client]:
    """Run an app as a process, all that it prints in a file, and give a client of it."""
    command = [sys.executable, "-m", "sawhorse.cli.main", "dev", root, "--local", "--port", str(port)]
    with (
        log.open("w") as printed,
        started(command, cwd=sawhorse.project.path, stdout=printed, stderr=subprocess.STDOUT) as process,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30, trust_env=False) as http,
    ):
        deadline = time.monotonic() + SECONDS
        while True:
            try:
                http.get("api/health")
                break
            except httpx.TransportError:
                assert time.monotonic() < deadline, log.read_text()
                assert process.poll() is None, log.read_text()
                time.sleep(0.2)
        try:
            yield http
        finally:
            process.terminate()
            process.wait(timeout=20)


def queue_message(text: str) -> str:
    """Make a message that is none of ours, around a text."""
    return json.dumps({"channel_id": text, text: text})
