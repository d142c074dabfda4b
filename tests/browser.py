"""A Chromium without a window, driven by pipes in the protocol of its developer tools."""

import json
import os
import select
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.children import started

NAMES = ("chromium", "chromium-browser", "google-chrome")
SECONDS = 60
# Nothing of its own accord: every request that is seen is the page's.
OPTIONS = (
    "--headless=new",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-gpu",
    "--disable-sync",
    "--no-default-browser-check",
    "--no-first-run",
    "--remote-debugging-pipe",
)
STARTER = """
import fcntl, os, sys
read, write = (fcntl.fcntl(int(number), fcntl.F_DUPFD, 10) for number in sys.argv[1:3])
os.dup2(read, 3)
os.dup2(write, 4)
os.execv(sys.argv[3], sys.argv[3:])
"""


@dataclass
class Page:
    """A tab: what it asked for, what it said on its console, and what it can be told."""

    _to: int
    _from: int
    _buffer: bytes = b""
    _number: int = 0
    session: str = ""
    events: list[dict[str, Any]] = field(default_factory=list)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call a method of the protocol and wait for its result; what happens meanwhile is kept as an event."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        os.write(self._to, json.dumps(message | ({"sessionId": self.session} if self.session else {})).encode() + b"\0")
        deadline = time.monotonic() + SECONDS
        while True:
            response = self._message(deadline)
            if response.get("id") == self._number:
                assert "error" not in response, f"{method}: {response['error']}"
                result: dict[str, Any] = response["result"]
                return result
            self.events.append(response)

    def open(self, url: str) -> None:
        """Go to an address, and wait until its scripts have been loaded."""
        self.events.clear()
        self.call("Page.navigate", url=url)
        self.until('document.readyState === "complete"')

    def value(self, script: str) -> Any:
        """Return what a script says; it stands for a person at the console, whom no policy of the page binds."""
        found = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def until(self, script: str) -> Any:
        """Wait until a script says something that counts as true, and return it."""
        deadline = time.monotonic() + SECONDS
        # What is not a plain value, such as an element, only counts as there.
        plain = f"(found => typeof found === 'object' ? found !== null : found)({script})"
        while not (found := self.value(plain)):
            assert time.monotonic() < deadline, f"It never became true: {script}"
            time.sleep(0.05)
        return found

    @property
    def asked(self) -> list[str]:
        """Return the addresses of all requests."""
        return [
            event["params"]["request"]["url"]
            for event in self.events
            if event.get("method") == "Network.requestWillBeSent"
        ]

    @property
    def complaints(self) -> list[str]:
        """Return what the console shows as a warning or an error, and all exceptions that nobody caught."""
        said = []
        for event in self.events:
            parameters = event.get("params", {})
            match event.get("method"):
                case "Log.entryAdded" if parameters["entry"]["level"] in ("warning", "error"):
                    said.append(parameters["entry"]["text"])
                case "Runtime.consoleAPICalled" if parameters["type"] in ("warning", "error", "assert"):
                    said.append(str(parameters["args"]))
                case "Runtime.exceptionThrown":
                    said.append(str(parameters["exceptionDetails"]))
        return said

    def _message(self, deadline: float) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._from], [], [], max(0, deadline - time.monotonic()))
            assert ready, "The browser says nothing any more."
            read = os.read(self._from, 1 << 16)
            assert read, "The browser has ended."
            self._buffer += read
        text, _, self._buffer = self._buffer.partition(b"\0")
        message: dict[str, Any] = json.loads(text)
        return message


def program() -> str:
    """Find a Chromium, or skip the test with what would install one."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        # A browser is not a package of Python's: whoever has none tests everything else, and CI installs one.
        pytest.skip('No Chromium is on PATH; on Debian "apt-get install chromium" brings one.')
    return found


@contextmanager
def opened(directory: Path) -> Iterator[Page]:
    """Start a browser with a profile of its own, and give one empty tab of it."""
    with ExitStack() as stack:
        theirs_in, to = os.pipe()
        from_, theirs_out = os.pipe()
        for descriptor in (theirs_in, to, from_, theirs_out):
            stack.callback(os.close, descriptor)
        # It reads from 3 and writes to 4, which no shell but bash can make of two other numbers.
        numbers = [str(theirs_in), str(theirs_out)]
        command = [sys.executable, "-c", STARTER, *numbers, program(), *OPTIONS, f"--user-data-dir={directory}"]
        if os.geteuid() == 0:
            # Containers run as root, and for root Chromium has no sandbox.
            command.append("--no-sandbox")
        log = stack.enter_context((directory.parent / f"{directory.name}.log").open("w"))
        stack.enter_context(
            started(command, pass_fds=(theirs_in, theirs_out), stdout=log, stderr=log, env=environment(directory))
        )
        page = Page(to, from_)
        target = page.call("Target.createTarget", url="about:blank")["targetId"]
        page.session = page.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Log", "Runtime"):
            page.call(f"{domain}.enable")
        yield page


def environment(directory: Path) -> dict[str, str]:
    """Give it a home of its own, and no proxy."""
    return {"HOME": str(directory), "PATH": os.environ.get("PATH", os.defpath), "XDG_CONFIG_HOME": str(directory)}
