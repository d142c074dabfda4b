"""Every check runs, and what broke it is told in a sentence."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
from botocore.exceptions import ClientError

from harness.errors import LocalAWSError, UnknownName
from harness.report import show_results
from harness.seed import seed_module
from harness.smoke.runner import Check, CheckFailed, Result, as_json, expect, expect_status, run_check, run_checks
from harness.workspace import Deployment


@dataclass(frozen=True)
class FakeRoot:
    """A root of some app."""

    app: str


def deployment_of(app: str) -> Deployment:
    return cast("Deployment", SimpleNamespace(root=FakeRoot(app)))


def raising(error: Exception) -> Callable[[], None]:
    def run() -> None:
        raise error

    return run


def answer(status: int, text: str = "") -> httpx.Response:
    return httpx.Response(status, text=text, request=httpx.Request("GET", "http://local/v1/health?key=secret"))


def test_a_check_that_holds_passes_with_its_time() -> None:
    result = run_check(Check("holds", lambda: None))

    assert (result.name, result.passed, result.finding) == ("holds", True, None)
    assert 0 <= result.seconds < 1


@pytest.mark.parametrize(
    ("error", "finding"),
    [
        (CheckFailed("The page is empty."), "The page is empty."),
        (httpx.ConnectError("refused"), "The call did not come through: refused."),
        (httpx.ReadTimeout("too late"), "The call did not come through: too late."),
        (
            ClientError({"Error": {"Code": "Odd", "Message": "It broke."}}, "Scan"),
            "ClientError: An error occurred (Odd) when calling the Scan operation: It broke.",
        ),
        (LocalAWSError("moto died."), "LocalAWSError: moto died."),
        (KeyError("event_id"), "KeyError: 'event_id'"),
        (json.JSONDecodeError("no JSON", "<html>", 0), "JSONDecodeError: no JSON: line 1 column 1 (char 0)"),
    ],
)
def test_whatever_breaks_a_check_is_its_finding(error: Exception, finding: str) -> None:
    result = run_check(Check("breaks", raising(error)))

    assert not result.passed
    assert result.finding == finding


def test_an_interrupt_is_no_finding() -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_check(Check("interrupted", interrupted))


def test_an_expectation_fails_with_what_was_found() -> None:
    expect(["something"], "not shown")
    with pytest.raises(CheckFailed, match=r"^nothing there$"):
        expect([], "nothing there")


def test_another_status_is_shown_with_the_answer_but_without_the_query() -> None:
    expect_status(answer(200), 200)
    with pytest.raises(CheckFailed) as failure:
        expect_status(answer(502, "x" * 1000), 200)

    assert str(failure.value) == "GET /v1/health answered 502, not 200: " + "x" * 300


def test_checks_after_a_failed_one_run_too_and_the_suite_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    left: list[str] = []

    @contextmanager
    def suite(_deployment: Deployment) -> Iterator[Sequence[Check]]:
        try:
            yield [Check("first", raising(CheckFailed("no"))), Check("second", lambda: None)]
        finally:
            left.append("suite")

    module: Any = SimpleNamespace(suite=suite)
    monkeypatch.setattr("importlib.import_module", lambda name: {"harness.smoke.tiny": module}[name])

    results = list(run_checks(deployment_of("tiny")))

    assert [(result.name, result.passed) for result in results] == [("first", False), ("second", True)]
    assert left == ["suite"]


def test_an_app_without_checks_or_seed_is_told_where_to_write_them() -> None:
    with pytest.raises(UnknownName, match=r"^tiny has no smoke checks; write harness/smoke/tiny\.py\.$"):
        list(run_checks(deployment_of("tiny")))
    with pytest.raises(UnknownName, match=r"^tiny has nothing to seed; write harness/seed/tiny\.py if it needs to\.$"):
        seed_module("tiny")


def test_results_are_told_to_machines() -> None:
    good, bad = Result("good", passed=True, seconds=0.5), Result("bad", passed=False, seconds=1.0, finding="broken")

    assert as_json([good])["passed"] is True
    assert json.loads(json.dumps(as_json([good, bad]))) == {
        "passed": False,
        "checks": [
            {"name": "good", "passed": True, "seconds": 0.5, "finding": None},
            {"name": "bad", "passed": False, "seconds": 1.0, "finding": "broken"},
        ],
    }


def test_results_are_told_to_people(capsys: pytest.CaptureFixture[str]) -> None:
    show_results("Checks", [Result("good", True, 0.5), Result("bad", False, 1.0, "got [red] and no end " + 60 * "x")])  # noqa: FBT003

    shown = capsys.readouterr().out
    assert "good" in shown
    assert "0.50" in shown
    assert "FAILED" in shown
    assert f"bad: got [red] and no end {60 * 'x'}\n" in shown
