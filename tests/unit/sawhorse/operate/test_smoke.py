"""Every check runs, and what broke it is told in a sentence."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from sawhorse.errors import BadConfiguration, LocalAWSError, UnknownName
from sawhorse.operate.result_tables import show_results
from sawhorse.operate.seed import seed_module
from sawhorse.operate.smoke import (
    CLEANING,
    VARIABLES,
    Check,
    CheckFailed,
    Result,
    as_json,
    expect,
    expect_status,
    read_variables,
    reason_to_skip,
    run_check,
    run_checks,
    run_in_order,
)
from sawhorse.project import Project, Root
from sawhorse.response_counter import Calls
from sawhorse.workspace import Deployment

REASON = 'not run, because "made" failed'


def deployment_of(app: str) -> Deployment:
    return cast("Deployment", SimpleNamespace(root=Root(Project(Path("/nowhere")), "dev", app), calls=Calls()))


@dataclass(frozen=True)
class Asking:
    """Checks that get responses, which are counted by `calls`."""

    calls: Calls

    def passes(self) -> None:
        self.calls.responded()

    def fails(self) -> None:
        self.calls.responded()
        raise CheckFailed("no")

    def says_nothing(self) -> None:
        """Look through an empty list."""
        for status in [response.status_code for response in list[httpx.Response]()]:
            expect(status == 200, "another status")

    def uses_what_was_made(self) -> None:
        self.calls.responded()
        raise IndexError("list index out of range")


@pytest.fixture
def asking() -> Asking:
    return Asking(Calls())


def raising(error: Exception) -> Callable[[], None]:
    def run() -> None:
        raise error

    return run


def response(status: int, text: str = "") -> httpx.Response:
    return httpx.Response(status, text=text, request=httpx.Request("GET", "http://local/v1/health?key=secret"))


def test_a_check_that_holds_passes_with_its_time(asking: Asking) -> None:
    result = run_check(Check("holds", asking.passes), asking.calls)

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
    result = run_check(Check("breaks", raising(error)), Calls())

    assert not result.passed
    assert result.finding == finding


def test_an_interrupt_is_no_finding() -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_check(Check("interrupted", interrupted), Calls())


def test_an_expectation_fails_with_what_was_found() -> None:
    expect(["something"], "not shown")
    with pytest.raises(CheckFailed, match=r"^nothing there$"):
        expect([], "nothing there")


def test_another_status_is_shown_with_the_response_but_without_the_query() -> None:
    expect_status(response(200), 200)
    with pytest.raises(CheckFailed) as failure:
        expect_status(response(502, "x" * 1000), 200)

    assert str(failure.value) == "GET /v1/health returned 502, not 200: " + "x" * 300


@pytest.mark.parametrize("nothing", [lambda: None, lambda: expect(all([]), "not all")])
def test_a_check_that_got_no_response_fails(nothing: Callable[[], None], asking: Asking) -> None:
    for run in (nothing, asking.says_nothing):
        result = run_check(Check("empty", run), asking.calls)

        assert not result.passed
        assert result.finding == "It got no response from anybody, so it has shown nothing."


@contextmanager
def checks_of(monkeypatch: pytest.MonkeyPatch, checks: Sequence[Check], leave: Callable[[], None]) -> Iterator[None]:
    """Let these be the checks of the app `tiny`."""

    @contextmanager
    def suite(_deployment: Deployment) -> Iterator[Sequence[Check]]:
        try:
            yield checks
        finally:
            leave()

    module: Any = SimpleNamespace(suite=suite)
    with monkeypatch.context() as patched:
        patched.setattr("sawhorse.operate.smoke.operation", lambda *_names: module)
        yield


def test_checks_after_a_failed_one_run_too_and_the_suite_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    left: list[str] = []
    deployment = deployment_of("tiny")
    asking = Asking(deployment.calls)
    checks = [Check("first", asking.fails), Check("second", asking.passes)]

    with checks_of(monkeypatch, checks, lambda: left.append("suite")):
        results = list(run_checks(deployment))

    assert [(result.name, result.passed) for result in results] == [("first", False), ("second", True)]
    assert left == ["suite"]


def test_what_the_checks_found_is_not_lost_when_nobody_responds_to_the_cleaning(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    deployment = deployment_of("tiny")
    checks = [Check("first", Asking(deployment.calls).passes)]

    with checks_of(monkeypatch, checks, raising(httpx.ConnectError("refused"))):
        first, cleaning = run_checks(deployment)

    assert first.passed
    assert (cleaning.name, cleaning.passed) == (CLEANING, False)
    assert cleaning.finding == "The call did not come through: refused."


def test_a_suite_that_cannot_begin_is_no_result(monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def suite(_deployment: Deployment) -> Iterator[Sequence[Check]]:
        raise LocalAWSError("moto died.")
        yield []

    module: Any = SimpleNamespace(suite=suite)
    monkeypatch.setattr("sawhorse.operate.smoke.operation", lambda *_names: module)
    with pytest.raises(LocalAWSError):
        list(run_checks(deployment_of("tiny")))


names_of_variables = st.from_regex(r"SHOP_[A-Z0-9_]{1,12}", fullmatch=True)
texts_of_variables = st.text(alphabet="klmnopqr", min_size=12, max_size=30)


@given(st.dictionaries(names_of_variables, texts_of_variables, max_size=4))
def test_checks_have_the_variables_that_are_given_for_them_and_show_no_value(variables: dict[str, str]) -> None:
    seen = dict[str, str]()

    def leak() -> None:
        seen.update({name: os.environ[name] for name in variables})
        raise CheckFailed(" ".join(["found", *variables.values()]))

    with pytest.MonkeyPatch.context() as patched:
        patched.setenv(VARIABLES, json.dumps(variables))
        with checks_of(patched, [Check("a", leak)], lambda: None):
            (result,) = run_checks(deployment_of("tiny"))
        assert not variables.keys() & os.environ.keys()
    assert seen == variables
    assert result.finding == " ".join(["found", *("***" for _ in variables)])


@pytest.mark.parametrize(
    "given",
    [
        "hush",
        '["hush"]',
        '{"A": 1}',
        '{"A": ""}',
        '{"AWS_PROFILE": "hush"}',
        '{"PATH": "hush"}',
        '{"a": "hush"}',
        '{"GITHUB_TOKEN": "hush"}',
        '{"SAWHORSE_A": "hush"}',
        '{"PYTHONPATH": "hush"}',
        '{"LD_PRELOAD": "hush"}',
    ],
)
def test_variables_that_are_none_for_a_check_are_refused_without_their_values(
    monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    monkeypatch.setenv(VARIABLES, given)
    with pytest.raises(BadConfiguration, match=VARIABLES) as raised:
        list(run_checks(deployment_of("tiny")))
    assert "hush" not in str(raised.value)


def test_no_variables_are_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLES, "")
    assert read_variables(os.environ) == {}


# Checks that need one another


def test_a_check_that_needs_a_failed_one_is_not_run_and_says_why(asking: Asking) -> None:
    checks = [
        Check("it is made", asking.fails),
        Check("it is used", asking.uses_what_was_made, needs=[asking.fails]),
        Check("what used it is used", asking.says_nothing, needs=[asking.uses_what_was_made]),
        Check("something else", asking.passes),
    ]

    results = list(run_in_order(checks, asking.calls))

    assert [result.passed for result in results] == [False, False, False, True]
    assert [result.not_run for result in results] == [
        None,
        'not run, because "it is made" failed',
        'not run, because "it is made" failed',
        None,
    ]
    assert [result.finding for result in results] == ["no", None, None, None]


@given(st.data())
def test_a_check_runs_exactly_when_all_that_it_needs_passed(data: st.DataObject) -> None:
    """However checks build on one another, whichever of them fail or ask nothing."""
    calls = Calls()
    ran: list[int] = []
    outcomes = data.draw(st.lists(st.sampled_from(["passes", "fails", "asks nothing"]), max_size=8))
    runs = [one_that(outcome, ran, number, calls) for number, outcome in enumerate(outcomes)]
    needs = [
        data.draw(st.lists(st.integers(0, number - 1), max_size=3)) if number else [] for number in range(len(runs))
    ]
    checks = [Check(str(n), run, needs=[runs[need] for need in needs[n]]) for n, run in enumerate(runs)]

    results = list(run_in_order(checks, calls))

    for number, result in enumerate(results):
        met = all(results[need].passed for need in needs[number])
        assert (number in ran) == met
        assert (result.not_run is None) == met
        assert result.passed == (met and outcomes[number] == "passes")
        if result.not_run:
            cause = result.not_run.split('"')[1]
            assert not results[int(cause)].passed
            assert results[int(cause)].not_run is None


def one_that(outcome: str, ran: list[int], number: int, calls: Calls) -> Callable[[], None]:
    def run() -> None:
        ran.append(number)
        if outcome != "asks nothing":
            calls.responded()
        expect(outcome != "fails", "no")

    return run


@pytest.mark.parametrize(
    ("versions", "may_write", "skipped"),
    [
        ({}, True, {}),
        ({"f": "2"}, True, {"stands before": "it shows what stands before the function"}),
        ({}, False, {"writes": "because it writes", "reads what was written": "because it writes"}),
        (
            {"f": "2"},
            False,
            {
                "stands before": "it shows what stands before the function",
                "writes": "because it writes",
                "reads what was written": "because it writes",
            },
        ),
    ],
)
def test_what_is_not_for_a_deployment_is_skipped_with_what_needs_it_and_is_no_failure(
    asking: Asking, versions: Mapping[str, str], *, may_write: bool, skipped: Mapping[str, str]
) -> None:
    deployment = cast("Deployment", SimpleNamespace(versions=versions, may_write=may_write))
    wrote, read, before = (Asking(asking.calls).passes for _ in range(3))
    checks = [
        Check("reads", asking.passes),
        Check("stands before", before, through_live=True),
        Check("writes", wrote, writes=True),
        Check("reads what was written", read, needs=[wrote]),
    ]

    results = list(run_in_order(checks, asking.calls, lambda check: reason_to_skip(check, deployment)))

    assert [result.name for result in results if result.skipped] == list(skipped)
    assert all(skipped[result.name] in str(result.skipped) for result in results if result.skipped)
    assert all(result.passed for result in results)
    assert asking.calls.responses == len(checks) - len(skipped)


def test_a_need_that_comes_later_is_refused(asking: Asking) -> None:
    checks = [Check("used", asking.passes, needs=[asking.fails]), Check("made", asking.fails)]

    with pytest.raises(ValueError, match="used needs fails, which comes after it or is not a check"):
        list(run_in_order(checks, asking.calls))


def test_an_app_without_checks_or_seed_is_told_where_to_write_them() -> None:
    with pytest.raises(UnknownName, match=r"^tiny has no smoke checks; write lambda/tiny/ops/smoke\.py\.$"):
        list(run_checks(deployment_of("tiny")))
    with pytest.raises(
        UnknownName, match=r"^tiny has nothing to seed; write lambda/tiny/ops/seed\.py if it needs to\.$"
    ):
        seed_module(deployment_of("tiny").root)


def test_results_are_told_to_machines() -> None:
    good, bad = Result("good", passed=True, seconds=0.5), Result("bad", passed=False, seconds=1.0, finding="broken")

    late = Result("late", passed=False, seconds=0.0, not_run=REASON)

    assert as_json([good])["passed"] is True
    assert as_json([good, late])["passed"] is False
    assert json.loads(json.dumps(as_json([good, bad, late]))) == {
        "passed": False,
        "checks": [
            {"name": "good", "passed": True, "seconds": 0.5, "finding": None, "not_run": None, "skipped": None},
            {"name": "bad", "passed": False, "seconds": 1.0, "finding": "broken", "not_run": None, "skipped": None},
            {"name": "late", "passed": False, "seconds": 0.0, "finding": None, "not_run": REASON, "skipped": None},
        ],
    }


def test_results_are_told_to_people(capsys: pytest.CaptureFixture[str]) -> None:
    bad = Result("bad", passed=False, seconds=1.0, finding="got [red] and no end " + 60 * "x")
    late = Result("late", passed=False, seconds=0.0, not_run=REASON)
    show_results("Checks", [Result("good", passed=True, seconds=0.5), bad, late])

    shown = capsys.readouterr().out
    assert "good" in shown
    assert "0.50" in shown
    assert "FAILED" in shown
    assert f"bad: got [red] and no end {60 * 'x'}\n" in shown
    assert f"late: {REASON}.\n" in shown
    assert "not run" in shown.splitlines()[4]
