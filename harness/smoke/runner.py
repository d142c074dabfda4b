"""Run an app's smoke checks in order, time them, and say which failed."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from typing import Any

import httpx

from harness.errors import UnknownName
from harness.workspace import Deployment


class CheckFailed(Exception):
    """What a check found, in a sentence."""


@dataclass(frozen=True)
class Check:
    """A named promise, and the function that raises CheckFailed when it is broken."""

    name: str
    run: Callable[[], None]


# What an app's smoke module offers: a context manager that yields its checks and leaves nothing behind.
Suite = AbstractContextManager[Sequence[Check]]


@dataclass(frozen=True)
class Result:
    """How a check went; `seconds` is wall time."""

    name: str
    passed: bool
    seconds: float
    finding: str | None = None


def run_checks(deployment: Deployment) -> Iterator[Result]:
    """Run every check of the deployment's app, also after one failed."""
    with suite_of(deployment) as checks:
        for check in checks:
            yield run_check(check)


def suite_of(deployment: Deployment) -> Suite:
    name = f"harness.smoke.{deployment.root.app}"
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        raise UnknownName(
            f"{deployment.root.app} has no smoke checks; write harness/smoke/{deployment.root.app}.py."
        ) from None
    suite: Suite = module.suite(deployment)
    return suite


def run_check(check: Check) -> Result:
    start = time.perf_counter()
    finding = None
    try:
        check.run()
    except CheckFailed as error:
        finding = str(error)
    except httpx.HTTPError as error:
        finding = f"The call did not come through: {error}."
    except Exception as error:  # noqa: BLE001 # an answer of another shape can break a check in any way
        finding = f"{type(error).__name__}: {error}"
    return Result(check.name, finding is None, time.perf_counter() - start, finding)


def expect(condition: object, finding: str) -> None:
    """Fail the check with what was found unless the condition holds."""
    if not condition:
        raise CheckFailed(finding)


def expect_status(response: httpx.Response, status: int) -> None:
    """Fail the check unless the answer has this status, showing what came instead."""
    request = response.request
    expect(
        response.status_code == status,
        f"{request.method} {request.url.path} answered {response.status_code}, not {status}: {response.text[:300]}",
    )


def as_json(results: Sequence[Result]) -> dict[str, Any]:
    return {"passed": all(result.passed for result in results), "checks": [asdict(result) for result in results]}
