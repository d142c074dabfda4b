"""One issue a root: it says what drifted, and is closed where nothing does or nothing stands any more."""

from __future__ import annotations

from typing import Any, cast

import pytest

from sawhorse.errors import CouldNotAsk
from sawhorse.operate.drift.drift import Drift
from sawhorse.operate.drift.finding import Finding
from sawhorse.operate.pipelines.drift_issue import close_issue, keep_issue
from sawhorse.operate.pipelines.github import GitHub
from sawhorse.operate.pipelines.this_run import ThisRun

FINDING = Finding("permission", "aws_lambda_alias.live", "a guest may call it", "take that away")


class Issues:
    """What GitHub is asked, with issues of these numbers that are open."""

    def __init__(self, *numbers: int) -> None:
        self.numbers = numbers
        self.asked: list[tuple[str, str, dict[str, Any]]] = []

    def own_issues(self, marker: str) -> list[dict[str, int]]:
        assert marker == "<!-- sawhorse drift: dev/shop -->"
        return [{"number": number} for number in self.numbers]

    def ask(self, method: str, path: str, body: dict[str, Any]) -> dict[str, int]:
        self.asked.append((method, path, body))
        return {"number": 9}

    @property
    def closed(self) -> list[str]:
        return [path for method, path, body in self.asked if method == "PATCH" and body.get("state") == "closed"]


class Run:
    url = "https://github.com/acme/shop/actions/runs/1"
    sha = "0123456789abcdef"


def kept(issues: Issues, drift: Drift, *, dirty: bool = False) -> str:
    return keep_issue(cast("GitHub", issues), cast("ThisRun", Run()), drift, dirty=dirty)


def drift_with(*findings: Finding) -> Drift:
    drift = Drift("dev/shop")
    drift.findings.extend(findings)
    return drift


@pytest.mark.parametrize(("dirty", "told"), [(True, True), (False, False)])
def test_an_issue_says_where_no_commit_has_what_was_applied(dirty: bool, told: bool) -> None:  # noqa: FBT001 # parameters
    issues = Issues()

    assert kept(issues, drift_with(FINDING), dirty=dirty).endswith("in issue #9, which is new.")
    [(method, path, body)] = issues.asked
    assert (method, path) == ("POST", "issues")
    assert ("may be what stood in that tree" in body["body"]) == told
    assert "a guest may call it" in body["body"]


def test_a_root_that_is_gone_has_no_issue_any_more() -> None:
    issues = Issues(3, 4)

    said = close_issue(cast("GitHub", issues), "dev/shop", "dev/shop is not applied.")

    assert said == "dev/shop is not applied; #3, #4 are closed."
    assert issues.closed == ["issues/3", "issues/4"]
    assert close_issue(cast("GitHub", Issues()), "dev/shop", "dev/shop is not applied.") == "dev/shop is not applied."


def test_nothing_that_differs_closes_the_issue_and_doubles_are_closed_for_the_first_one() -> None:
    clean, doubled = Issues(3), Issues(3, 4)

    assert kept(clean, drift_with()) == "dev/shop is as it was applied; #3 is closed."
    assert kept(doubled, drift_with(FINDING)) == "dev/shop still drifts: 1 difference, in issue #3."
    assert clean.closed == ["issues/3"]
    assert doubled.closed == ["issues/4"]


def test_an_error_leaves_the_issue_as_it_is() -> None:
    issues, drift = Issues(3), drift_with()
    drift.not_asked.append("plan: Terraform could not plan.")

    with pytest.raises(CouldNotAsk, match="its issue is left as it is"):
        kept(issues, drift)

    assert issues.asked == []
