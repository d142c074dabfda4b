"""Limit the time of every test, and end what a test started and left running: a plugin of pytest.

pytest-timeout sets an alarm for a test with its fixtures. Four things are added. A test that is stopped may be in a
`with` that waits for a program, so everything that it started is killed first. The alarm is gone once something
failed, so that the teardown gets another one. What takes no alarm, such as a loop in C, is ended with its process.
And where pytest itself is told to end, fixtures end what they started, as after Ctrl-C.
"""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
from collections.abc import Iterator
from types import FrameType
from typing import Any

import hypothesis
import pytest
from pytest_timeout import is_debugging

from sawhorse.signals import interrupt
from tests.children import children, descendants, end, signal_taken

# Seconds by marker; `timeout` in pyproject.toml is for tests without one of them.
LIMITS = {
    # The first test of a file also applies its app, and on a fresh machine installs the emulators before. That took 93
    # seconds on two processors with six times as much to do. One test that hangs this long leaves .ci/run within 45
    # minutes, since all others take 25.
    "end_to_end": 600,
    # The first test of a file waits for plans of all apps, roots, examples or changes: 75 seconds on that machine, and
    # on a fresh one Terraform and its provider are fetched before.
    "whole_plans": 600,
}
# How long after the alarm another one follows, in what then cleans up. Stopping emulators takes up to 20 seconds:
# STOP_SECONDS in harness/sawhorse/local/emulators.py, before and after they are killed.
AGAIN_SECONDS = 30
# How much longer than its limit a test may take before its process is ended: twice what cleaning up may take.
LAST_RESORT_SECONDS = 60
# The fixture of a whole file that plans ahead, in tests/planning.py.
PLANNING = "planning"
KNOWN = pytest.StashKey[set[int]]()
SETTINGS = pytest.StashKey[Any]()
ERRORS = pytest.StashKey[int]()


def pytest_configure(config: pytest.Config) -> None:
    # `timeout` and whoever cancels a run of CI end pytest by it, and emulators would stay.
    signal.signal(signal.SIGTERM, interrupt)
    # How long an example takes says how busy the machine is; the limits above are for what hangs.
    slow = [hypothesis.HealthCheck.too_slow]
    hypothesis.settings.register_profile("suite", deadline=None, suppress_health_check=slow)
    hypothesis.settings.load_profile("suite")
    # While a test runs, standard error is a file that is lost with the process.
    config.stash[ERRORS] = os.dup(sys.__stderr__.fileno() if sys.__stderr__ else 2)


def pytest_unconfigure(config: pytest.Config) -> None:
    os.close(config.stash[ERRORS])


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        seconds = [limit for name, limit in LIMITS.items() if item.get_closest_marker(name)]
        if seconds and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(max(seconds)))


@pytest.fixture(scope="session", autouse=True)
def _ctrl_c_is_taken() -> Iterator[None]:
    """A test that sends Ctrl-C finds it taken, also where pytest was started to ignore it."""
    with signal_taken(signal.SIGINT):
        yield


@pytest.fixture(autouse=True)
def _nothing_is_left_running(request: pytest.FixtureRequest) -> Iterator[None]:
    """A test ends what it starts; what fixtures of a wider scope started before it stays."""
    known = request.node.stash[KNOWN] = children()
    yield
    if PLANNING in request.fixturenames:
        # The plans of later tests of its file are on their way meanwhile, and that fixture waits for all of them.
        return
    left = end(descendants(children() - known))
    assert not left, f"left running, and ended now: {left}"


@pytest.hookimpl(wrapper=True)
def pytest_timeout_set_timer(item: pytest.Item, settings: Any) -> Iterator[Any]:
    """Let the alarm that pytest-timeout has set free the test of what it may wait for, and come again."""
    result = yield
    item.stash[SETTINGS] = settings
    item.stash.setdefault(KNOWN, children())
    interrupt: Any = signal.getsignal(signal.SIGALRM)

    def stop(number: int, frame: FrameType | None) -> None:
        if is_debugging():
            return
        signal.setitimer(signal.ITIMER_REAL, AGAIN_SECONDS)
        known: set[int] = item.stash[KNOWN]
        end(descendants(children() - known))
        interrupt(number, frame)

    signal.signal(signal.SIGALRM, stop)
    faulthandler.dump_traceback_later(settings.timeout + LAST_RESORT_SECONDS, file=item.config.stash[ERRORS], exit=True)
    return result


@pytest.hookimpl(wrapper=True)
def pytest_timeout_cancel_timer() -> Iterator[Any]:
    faulthandler.cancel_dump_traceback_later()
    return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[Any]:
    """Set the alarm again where a failure has taken it away: a debugger might have been at work."""
    if SETTINGS in item.stash and signal.getitimer(signal.ITIMER_REAL)[0] == 0:
        item.config.hook.pytest_timeout_set_timer(item=item, settings=item.stash[SETTINGS])
    return (yield)
