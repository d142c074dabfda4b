"""A client that calls an address all the while, so that a test sees what callers saw."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx

# Between two calls: the rate is about one over this and the time of a call.
PAUSE = 0.01


@dataclass
class Calls:
    """What a client was returned: statuses, 0 where nobody responded, and the versions that the responses named."""

    statuses: Counter[int] = field(default_factory=Counter)
    versions: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def total(self) -> int:
        return sum(self.statuses.values())

    @property
    def failed(self) -> int:
        return self.total - self.statuses[httpx.codes.OK]

    @property
    def rate(self) -> float:
        """Calls per second."""
        return self.total / self.seconds if self.seconds else 0.0


@contextmanager
def calling(url: str) -> Iterator[Calls]:
    """Call an address, whose response has a version, again and again until the block ends."""
    calls, over = Calls(), threading.Event()

    def call() -> None:
        with httpx.Client(trust_env=False, timeout=30) as http:
            while not over.is_set():
                try:
                    response = http.get(url)
                except httpx.HTTPError:
                    calls.statuses[0] += 1
                else:
                    calls.statuses[response.status_code] += 1
                    if response.status_code == httpx.codes.OK:
                        calls.versions.append(response.json()["version"])
                time.sleep(PAUSE)

    thread = threading.Thread(target=call, daemon=True)
    start = time.monotonic()
    thread.start()
    try:
        yield calls
    finally:
        over.set()
        thread.join()
        calls.seconds = time.monotonic() - start
