"""Run an app's smoke checks in order, time them, and say which failed."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any

import httpx

from sawhorse.errors import BadConfiguration, UnknownName
from sawhorse.operations import file_of, operation
from sawhorse.response_counter import Calls
from sawhorse.workspace import Deployment


class CheckFailed(Exception):
    """What a check found, in a sentence."""


Promise = Callable[[], None]


@dataclass(frozen=True)
class Check:
    """A named promise, and the function that raises CheckFailed when it is broken.

    `needs` are the functions of earlier checks that make what this one uses: unless they passed, it says nothing.
    `writes` says that it makes or changes something: a production that does not allow that skips it. `through_live`
    says that it shows what stands before a function, such as its API's own responses, so that it tells nothing of a
    version that is called by its number.
    """

    name: str
    run: Promise
    needs: Sequence[Promise] = ()
    writes: bool = False
    through_live: bool = False


# What an app's smoke module offers: a context manager that yields its checks and cleans up after them.
Suite = AbstractContextManager[Sequence[Check]]
CLEANING = "what the checks made is taken away"
# Variables for an app's checks, such as a token that only another service gives: a JSON object of names and values.
VARIABLES = "SAWHORSE_SMOKE_VARIABLES"
# What would change what the command does, and not only what a check is given.
OF_A_CHECK = re.compile(r"(?!AWS_|GITHUB_|ACTIONS_|RUNNER_|SAWHORSE_|TF_|PYTHON|LD_)[A-Z][A-Z0-9_]*")
HIDDEN = "***"


@dataclass(frozen=True)
class Result:
    """How a check went; `seconds` is wall time. One that was not run has the reason, and did not pass.

    One that was `skipped`, for the reason there, is no failure, and has shown nothing.
    """

    name: str
    passed: bool
    seconds: float
    finding: str | None = None
    not_run: str | None = None
    skipped: str | None = None


def run_checks(deployment: Deployment) -> Generator[Result]:
    """Run every check of the deployment's app, also after one failed, but for those that need what it makes.

    They have the variables that SAWHORSE_SMOKE_VARIABLES gives, whose values no finding shows. Raises BadConfiguration
    where it is not what it has to be.
    """
    variables = read_variables(os.environ)
    with variables_set(variables):
        for result in run_suite(deployment):
            yield replace(result, finding=hidden(result.finding, variables)) if result.finding else result


def read_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """Read the variables for checks; none where there are none, and no value of them in an error."""
    text = environment.get(VARIABLES, "").strip()
    try:
        found = json.loads(text or "{}")
    except ValueError:
        found = None
    if not isinstance(found, dict) or not all(isinstance(value, str) and value for value in found.values()):
        raise BadConfiguration(
            f'{VARIABLES} is no JSON object of names and texts, such as {{"SHOP_TOKEN": "..."}}. In a workflow it is '
            "the secret SMOKE_VARIABLES of the repository's environment; correct it there."
        )
    taken = sorted(name for name in found if not OF_A_CHECK.fullmatch(name) or name in environment)
    if taken:
        raise BadConfiguration(
            f"{VARIABLES} may not give {', '.join(map(repr, taken))}: such a variable is set already, or it is none of "
            "capital letters, digits and underscores, or it is one that commands themselves read."
        )
    return found


@contextmanager
def variables_set(variables: Mapping[str, str]) -> Iterator[None]:
    """Set variables of this process, and take them away again."""
    os.environ.update(variables)
    try:
        yield
    finally:
        for name in variables:
            os.environ.pop(name, None)


def hidden(text: str, variables: Mapping[str, str]) -> str:
    """Return a text without the values of variables: GitHub hides a secret as a whole, and no part of it."""
    for value in sorted(variables.values(), key=len, reverse=True):
        text = text.replace(value, HIDDEN)
    return text


def run_suite(deployment: Deployment) -> Generator[Result]:
    """Run the checks, and clean up after them."""
    entered = False
    start = time.perf_counter()
    try:
        with suite_of(deployment) as checks:
            entered = True
            yield from run_in_order(checks, deployment.calls, lambda check: reason_to_skip(check, deployment))
            start = time.perf_counter()
    except Exception as error:
        # What the checks found shall not be lost when nobody responds to the cleaning either.
        if not entered:
            raise
        yield Result(CLEANING, passed=False, seconds=time.perf_counter() - start, finding=finding_of(error))


def reason_to_skip(check: Check, deployment: Deployment) -> str | None:
    """Say why a check is not for this deployment; None where it is."""
    if check.through_live and deployment.versions:
        return "skipped, because it shows what stands before the function, and this calls versions by their number"
    if check.writes and not deployment.may_write:
        return "skipped, because it writes, and production is only read unless environment.yaml says smoke_writes: true"
    return None


def run_in_order(
    checks: Sequence[Check], calls: Calls, reason: Callable[[Check], str | None] = lambda _: None
) -> Iterator[Result]:
    """Run checks that build on one another, but for those that there is a reason to skip."""
    # The name of the check at the bottom of it, by the function of each that did not pass.
    failed: dict[Promise, str] = {}
    skipped: dict[Promise, str] = {}
    done: list[Promise] = []
    for check in checks:
        late = [need for need in check.needs if need not in done]
        if late:
            raise ValueError(f"{check.name} needs {late[0].__name__}, which comes after it or is not a check.")
        done.append(check.run)
        why = reason(check) or next((skipped[need] for need in check.needs if need in skipped), None)
        if why:
            skipped[check.run] = why
            yield Result(check.name, passed=True, seconds=0.0, skipped=why)
            continue
        cause = next((failed[need] for need in check.needs if need in failed), None)
        if cause:
            failed[check.run] = cause
            yield Result(check.name, passed=False, seconds=0.0, not_run=f'not run, because "{cause}" failed')
            continue
        result = run_check(check, calls)
        if not result.passed:
            failed[check.run] = check.name
        yield result


def suite_of(deployment: Deployment) -> Suite:
    root = deployment.root
    module = operation(root.project, root.app, "smoke")
    if module is None:
        raise UnknownName(f"{root.app} has no smoke checks; write {file_of(root.app, 'smoke')}.")
    suite: Suite = module.suite(deployment)
    return suite


def run_check(check: Check, calls: Calls) -> Result:
    """Run a check; one that got no response while it ran has shown nothing, and fails."""
    start, before = time.perf_counter(), calls.responses
    finding = None
    try:
        check.run()
        expect(calls.responses > before, "It got no response from anybody, so it has shown nothing.")
    except Exception as error:  # noqa: BLE001 # a response of another shape can break a check in any way
        finding = finding_of(error)
    return Result(check.name, finding is None, time.perf_counter() - start, finding)


def finding_of(error: Exception) -> str:
    """Say what broke a check."""
    if isinstance(error, CheckFailed):
        return str(error)
    if isinstance(error, httpx.HTTPError):
        return f"The call did not come through: {error}."
    return f"{type(error).__name__}: {error}"


def expect(condition: object, finding: str) -> None:
    """Fail the check with what was found unless the condition holds."""
    if not condition:
        raise CheckFailed(finding)


def expect_status(response: httpx.Response, status: int) -> None:
    """Fail the check unless the response has this status, showing what came instead."""
    request = response.request
    expect(
        response.status_code == status,
        f"{request.method} {request.url.path} returned {response.status_code}, not {status}: {response.text[:300]}",
    )


def as_json(results: Sequence[Result]) -> dict[str, Any]:
    return {"passed": all(result.passed for result in results), "checks": [asdict(result) for result in results]}
