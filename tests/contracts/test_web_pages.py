"""A page in a real browser, from another origin on loopback or by a rebound name, has no effect on the local AWS."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from sawhorse.local.emulators import Emulator, Running
from tests.browser import program
from tests.children import started
from tests.contracts.support import ACCOUNT, Account, unique
from tests.contracts.wire import Call
from tests.http_servers import responding

SECONDS = 60
# Each attempt is tried against each address; what a page can do it does, and says what it saw.
PAGE = """<!doctype html><meta charset="utf-8"><title>page</title><body><script>
const attempts = ATTEMPTS, seen = {};
const settle = (name, promise) => Promise.race([
  promise, new Promise(done => setTimeout(() => done("nothing"), 4000))
]).then(value => { seen[name] = String(value); }, error => { seen[name] = "refused by the browser"; });
function element(tag, fields) {
  return new Promise(done => {
    const made = Object.assign(document.createElement(tag), fields);
    made.onload = () => done("loaded"); made.onerror = () => done("failed");
    document.body.append(made);
  });
}
function form(url, type, text) {
  const frame = document.createElement("iframe"); frame.name = "f" + Math.random(); document.body.append(frame);
  const made = document.createElement("form");
  Object.assign(made, {action: url, method: "POST", enctype: type, target: frame.name});
  const [name, value] = text.split(/=(.*)/s);
  made.append(Object.assign(document.createElement("input"), {name, value: value || ""}));
  document.body.append(made); made.submit();
  return new Promise(done => { frame.onload = () => done("sent"); });
}
function socket(url) {
  return new Promise(done => {
    const made = new WebSocket(url.replace("http", "ws"));
    made.onopen = () => { made.send("x"); done("open"); }; made.onerror = () => done("closed");
  });
}
async function look(url, options) {
  const response = await fetch(url, options);
  return response.type === "opaque" ? "opaque" : response.status + " " + (await response.text());
}
const kinds = {
  fetch: attempt => look(attempt.url, attempt.options), form: attempt => form(attempt.url, attempt.type, attempt.text),
  img: attempt => element("img", {src: attempt.url}), script: attempt => element("script", {src: attempt.url}),
  frame: attempt => element("iframe", {src: attempt.url}), socket: attempt => socket(attempt.url),
  beacon: attempt => Promise.resolve(navigator.sendBeacon(attempt.url, attempt.text)),
};
Promise.all(attempts.map(attempt => settle(attempt.name, Promise.resolve().then(() => kinds[attempt.kind](attempt)))))
  .then(() => fetch("/seen", {method: "POST", body: JSON.stringify(seen)}));
</script>"""


@pytest.fixture(scope="module")
def browser() -> str:
    """Chromium, as Debian's package brings it."""
    return program()


class Pages(ThreadingHTTPServer):
    """Serves one page, and keeps what it says that it saw."""

    daemon_threads = True

    def __init__(self, page: str) -> None:
        super().__init__(("127.0.0.1", 0), Page)
        self.page = page
        self.seen: dict[str, str] | None = None
        self.reported = threading.Event()


class Page(BaseHTTPRequestHandler):
    server: Pages

    def do_GET(self) -> None:
        content = self.server.page.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_POST(self) -> None:
        self.server.seen = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(204)
        self.end_headers()
        self.server.reported.set()

    def log_message(self, *_: Any) -> None:
        return


@contextmanager
def served(attempts: list[dict[str, Any]]) -> Iterator[Pages]:
    with responding(Pages(PAGE.replace("ATTEMPTS", json.dumps(attempts)))) as pages:
        yield pages


def opening(browser: str, profile: Path) -> list[str]:
    """Return what opens a page in a browser of its own, for which all names under .example are this machine."""
    return [
        browser, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-dev-shm-usage",
        f"--user-data-dir={profile}", "--host-resolver-rules=MAP *.example 127.0.0.1", "--no-proxy-server",
        "--disable-background-networking",
    ]  # fmt: skip


def seen_by(browser: str, profile: Path, attempts: list[dict[str, Any]], *, host: str = "127.0.0.1") -> dict[str, str]:
    """Open a page that makes these attempts, under this host name, and return what it saw of each."""
    with served(attempts) as pages:
        command = [*opening(browser, profile), f"http://{host}:{pages.server_port}/"]
        with started(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL):
            assert pages.reported.wait(SECONDS), "the page did not say what it saw"
    assert pages.seen is not None
    return pages.seen


def attempts_on(running: Running, name: str) -> list[dict[str, Any]]:
    """Name what a page can try, under the emulators' own addresses and under a name that leads to them."""
    found = []
    for host in ("127.0.0.1", "localhost", "rebound.example"):
        for emulator in running.all:
            parameter = json.dumps({"Name": f"/{name}/{host}", "Value": "x", "Type": "String"})
            url = f"http://{host}:{emulator.port}"
            signed = url + presigned(emulator, running.secrets.secret_access_key, name)
            reset = url + ("/moto-api/reset" if emulator.name == "moto" else "/_ministack/reset")
            tried = [*fetches(url, signed, reset, name, parameter), *elements(url, signed, reset, name, parameter)]
            found += [
                {"name": f"{host} {emulator.name} {number} {attempt['kind']}", **attempt}
                for number, attempt in enumerate(tried)
            ]
    return found


def dashboard(name: str) -> str:
    body = "%7B%22widgets%22%3A%5B%5D%7D"
    return f"Action=PutDashboard&Version=2010-08-01&DashboardName={name}&DashboardBody={body}"


def user(name: str) -> str:
    return f"Action=CreateUser&UserName={name}&Version=2010-05-08"


def fetches(url: str, signed: str, reset: str, name: str, parameter: str) -> list[dict[str, Any]]:
    target = {"X-Amz-Target": "AmazonSSM.PutParameter", "Content-Type": "application/x-amz-json-1.1"}
    old = {"Authorization": f"AWS4-HMAC-SHA256 Credential={ACCOUNT}/20260101/us-east-1/ssm/aws4_request"}
    plain = {"method": "POST", "mode": "no-cors", "headers": {"Content-Type": "text/plain"}}
    calls: list[tuple[str, dict[str, Any]]] = [
        (f"{url}/", {}),
        (f"{url}/.well-known/jwks.json", {}),
        (f"{url}/.well-known/jwks.json", {"mode": "no-cors"}),
        (f"{url}/", {"method": "POST", "headers": {**target, **old}, "body": parameter}),
        (f"{url}/", {**plain, "body": dashboard(name)}),
        (signed, {**plain, "body": ""}),
        (signed, {"method": "POST"}),
        (reset, {"method": "POST", "mode": "no-cors"}),
        (reset, {"method": "POST", "headers": {"Sawhorse-Control": "x"}}),
        (f"{url}/{name}", {"method": "PUT"}),
        (f"{url}/{name}", {"method": "DELETE"}),
        (f"{url}/_ministack/health", {"credentials": "include", "mode": "no-cors"}),
    ]
    return [{"kind": "fetch", "url": where, "options": options} for where, options in calls]


def elements(url: str, signed: str, reset: str, name: str, parameter: str) -> list[dict[str, Any]]:
    form, text = "application/x-www-form-urlencoded", "text/plain"
    odd = f'{{"Name":"/{name}/form","Value":"x=y","Type":"String"}}'
    return [
        {"kind": "form", "url": f"{url}/", "type": form, "text": user(name)},
        {"kind": "form", "url": f"{url}/", "type": text, "text": odd},
        {"kind": "form", "url": reset, "type": "multipart/form-data", "text": "a=b"},
        {"kind": "form", "url": signed, "type": text, "text": parameter},
        {"kind": "img", "url": f"{url}/?{dashboard(name)}"},
        {"kind": "img", "url": f"{url}/moto-api/reset"},
        {"kind": "script", "url": f"{url}/moto-api/data.json"},
        {"kind": "script", "url": f"{url}/_ministack/health"},
        {"kind": "frame", "url": f"{url}/?{user(name)}"},
        {"kind": "socket", "url": f"{url}/"},
        {"kind": "socket", "url": f"{url}/_aws/execute-api/none/dev"},
        {"kind": "beacon", "url": reset, "text": "x"},
    ]


def presigned(emulator: Emulator, secret: str, name: str) -> str:
    """Sign in the query with the right secret, which no page has: that it comes from a page alone must do."""
    service, call = ("monitoring", dashboard(f"{name}-signed")) if emulator.name == "moto" else ("iam", user(name))
    made = Call(emulator.port, service, path=f"/?{call}", secret=secret, key=ACCOUNT)
    url: str = made.signed(expires=300).url
    return "/?" + urlsplit(url).query


def effects(account: Account, name: str) -> list[str]:
    """Look into the emulators for what an attempt would have left, or taken away."""

    def every(service: str, operation: str, part: str) -> list[dict[str, Any]]:
        # A page of ten hides what is behind it.
        pages = account.client(service).get_paginator(operation).paginate()
        return [found for page in pages for found in page.get(part, [])]

    there = [
        *(str(parameter["Name"]) for parameter in every("ssm", "describe_parameters", "Parameters")),
        *(str(dashboard["DashboardName"]) for dashboard in every("cloudwatch", "list_dashboards", "DashboardEntries")),
        *(str(user["UserName"]) for user in every("iam", "list_users", "Users")),
        *(str(bucket["Name"]) for bucket in every("s3", "list_buckets", "Buckets")),
    ]
    return sorted(found for found in there if name in found)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "page.example", "rebound.example"])
def test_nothing_that_a_page_tries_has_an_effect(
    browser: str, account: Account, local_aws: Running, tmp_path: Path, host: str
) -> None:
    name = unique("page")
    account.client("ssm").put_parameter(Name=f"/{name}/kept", Value="x", Type="String")
    account.client("cloudwatch").put_dashboard(DashboardName=f"{name}-kept", DashboardBody='{"widgets": []}')
    attempts = attempts_on(local_aws, name)

    seen = seen_by(browser, tmp_path / "profile", attempts, host=host)

    assert seen.keys() == {attempt["name"] for attempt in attempts}
    assert effects(account, name) == sorted([f"/{name}/kept", f"{name}-kept"])
    kinds = {attempt["name"]: attempt["kind"] for attempt in attempts}
    let_in = {
        attempt: saw
        for attempt, saw in seen.items()
        if (kinds[attempt] == "socket" and saw == "open")
        or (kinds[attempt] in {"img", "script"} and saw == "loaded")
        or (kinds[attempt] == "fetch" and saw.startswith("2"))
    }
    assert let_in == {}


def test_a_page_may_call_an_api_that_lets_it_in_and_no_other(
    browser: str, account: Account, local_aws: Running, tmp_path: Path
) -> None:
    source = "def handler(event, context):\n    return {'statusCode': 200, 'body': 'hello'}\n"
    function = account.function(source)
    open_api = account.http_api(function, cors={"AllowOrigins": ["*"]})
    closed_api = account.http_api(function, cors={"AllowOrigins": ["https://app.example.com"]})
    attempts = [
        {"name": name, "kind": "fetch", "url": f"{local_aws.url}/_aws/execute-api/{api}/x", "options": {}}
        for name, api in (("open", open_api), ("closed", closed_api))
    ]

    seen = seen_by(browser, tmp_path / "profile", attempts)

    assert seen == {"open": "200 hello", "closed": "refused by the browser"}


def test_an_emulator_that_is_opened_by_a_rebound_name_shows_nothing(
    browser: str, local_aws: Running, tmp_path: Path
) -> None:
    """Under such a name a page and the emulator are of one origin, so nothing but Host tells them apart."""

    def shown(host: str, emulator: Emulator) -> str:
        url = f"http://{host}:{emulator.port}/.well-known/jwks.json"
        command = [*opening(browser, tmp_path / "profile"), "--dump-dom", url]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=SECONDS).stdout

    assert "keys" in shown("localhost", local_aws.issuer)
    for emulator in local_aws.all:
        dom = shown("rebound.example", emulator)
        assert "by no other name" in dom
        assert "keys" not in dom
