"""What is asked of GitHub's API, of a stand-in over HTTP with tokens that may what a job's may."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sawhorse.errors import BadConfiguration, CouldNotAsk, SawhorseError
from sawhorse.operate.drift.drift import Drift
from sawhorse.operate.drift.finding import Finding
from sawhorse.operate.pipelines.comment import MARKER, Reviewing, keep_comment
from sawhorse.operate.pipelines.drift_issue import keep_issue, marker_of
from sawhorse.operate.pipelines.failure import sentence_of
from sawhorse.operate.pipelines.github import GitHub
from sawhorse.operate.pipelines.promotion import refuse_not_on
from sawhorse.operate.pipelines.settings import lacking
from sawhorse.operate.pipelines.this_run import ThisRun, give_output, is_fork, keep_reason, kept_reason, summarize
from sawhorse.project import Project
from tests.workflows.github_api import Repository, api_of

NAME, TOKEN = "octo-org/shop", "ghs_sample"
SHA = "0123456789abcdef0123456789abcdef01234567"
RUN = ThisRun(NAME, SHA, "refs/heads/main", "7", "https://github.com", {})
SELECTED = {"protected_branches": False, "custom_branch_policies": True}
PROTECTED = {"deployment_branch_policy": {"protected_branches": True, "custom_branch_policies": False}}


def patterns(*names: str, kind: str = "branch") -> dict[str, Any]:
    found = [{"id": number, "name": name, "type": kind} for number, name in enumerate(names)]
    return {"deployment_branch_policy": SELECTED, "branch_policies": found}


def reviewed(*, others: bool) -> dict[str, Any]:
    rule = {"type": "required_reviewers", "prevent_self_review": others, "reviewers": [{"type": "User"}]}
    return {"protection_rules": [rule]}


BRANCHES = patterns("main")
REVIEWED = reviewed(others=True)
FOUND = Finding("plan", "aws_a.b", "an apply would update aws_a.b", "see the plan")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    everything = {"contents": "read", "issues": "write", "pull-requests": "write", "actions": "read"}
    return Repository(NAME, tmp_path, tokens={TOKEN: everything})


@pytest.fixture
def github(repository: Repository) -> Iterator[GitHub]:
    with api_of(repository) as url:
        asked = GitHub(url, NAME, TOKEN)
        yield asked
        asked.http.close()


def about(commit: str = SHA, *roots: str) -> Reviewing:
    return Reviewing(commit, RUN.url, roots, {})


def test_a_comment_is_written_once_and_then_written_anew(repository: Repository, github: GitHub) -> None:
    repository.pulls[3] = {"head": {"sha": SHA}}
    # Ours is behind more comments than one page has.
    for number in range(1, 131):
        repository.comments[number] = {"id": number, "issue": 3, "user": {"login": "octocat"}, "body": MARKER}
    assert keep_comment(github, 3, about(SHA, "dev/a")) == "The plan is a comment of #3 now."
    assert keep_comment(github, 3, about(SHA, "dev/b")) == f"The comment of #3 is that of {SHA[:12]} now."
    own = [one for one in repository.comments_of(3) if one["user"]["login"] != "octocat"]
    assert len(own) == 1
    assert "`dev/b`" in own[0]["body"]
    assert "`dev/a`" not in own[0]["body"]


def test_a_commit_that_is_not_the_last_one_writes_nothing(repository: Repository, github: GitHub) -> None:
    repository.pulls[3] = {"head": {"sha": "f" * 40}}
    assert "is not the last one of #3 any more" in keep_comment(github, 3, about(SHA, "dev/a"))
    assert repository.comments == {}


def test_a_pull_request_that_touches_no_root_gets_no_comment_and_clears_an_old_one(
    repository: Repository, github: GitHub
) -> None:
    repository.pulls[3] = {"head": {"sha": SHA}}
    assert keep_comment(github, 3, about()) == "#3 touches no root, so nothing is planned."
    assert repository.comments == {}
    keep_comment(github, 3, about(SHA, "dev/a"))
    keep_comment(github, 3, about())
    (comment,) = repository.comments_of(3)
    assert "touches no root" in comment["body"]


def test_an_issue_is_opened_renewed_and_closed(repository: Repository, github: GitHub) -> None:
    theirs = {"number": 1, "user": {"login": "octocat"}, "state": "open", "labels": ["drift"]}
    repository.issues[1] = {**theirs, "title": "a", "body": marker_of("dev/a")}
    assert "which is new" in keep_issue(github, RUN, Drift("dev/a", [FOUND]))
    assert "still drifts: 2 differences" in keep_issue(github, RUN, Drift("dev/a", [FOUND, FOUND]))
    # Another root's has an issue of its own.
    keep_issue(github, RUN, Drift("dev/ab", [FOUND]))
    assert len(repository.issues) == 3
    assert "is closed" in keep_issue(github, RUN, Drift("dev/a"))
    assert [one["state"] for one in repository.issues.values()] == ["open", "closed", "open"]
    assert keep_issue(github, RUN, Drift("dev/a")) == "dev/a is as it was applied."


def test_what_could_not_be_asked_is_no_drift_and_changes_no_issue(repository: Repository, github: GitHub) -> None:
    keep_issue(github, RUN, Drift("dev/a", [FOUND]))
    before = {number: dict(one) for number, one in repository.issues.items()}
    with pytest.raises(CouldNotAsk, match="an error and no drift"):
        keep_issue(github, RUN, Drift("dev/a", [], ["a plan: no credentials"]))
    assert repository.issues == before


@pytest.mark.parametrize(
    ("tokens", "status", "advice"),
    [
        ({}, "401", "See that the job's permissions"),
        ({TOKEN: {"issues": "read"}}, "403", "See that the job's permissions"),
    ],
)
def test_a_token_that_may_not_is_told(
    repository: Repository, github: GitHub, tokens: dict[str, dict[str, str]], status: str, advice: str
) -> None:
    repository.tokens = dict(tokens)
    with pytest.raises(CouldNotAsk, match=status) as raised:
        github.ask("POST", "issues", {"title": "a", "body": "b"})
    assert advice in str(raised.value)


def test_nobody_who_responds_is_an_error_and_no_silence() -> None:
    with pytest.raises(CouldNotAsk, match="did not respond"):
        GitHub("http://127.0.0.1:9", NAME, TOKEN).compare("main", SHA)


def test_a_token_goes_over_https_alone() -> None:
    with pytest.raises(BadConfiguration, match="over https alone"):
        GitHub("http://github.example.com", NAME, TOKEN)


def test_a_commit_is_on_main_when_main_has_it(repository: Repository, github: GitHub, tmp_path: Path) -> None:
    def git(*words: str) -> str:
        command = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@example.com", *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def commit(message: str) -> str:
        git("commit", "--quiet", "--allow-empty", "--message", message)
        return git("rev-parse", "HEAD")

    git("init", "--quiet", "--initial-branch=main")
    first, second = commit("one"), commit("two")
    git("switch", "--quiet", "--create", "feature", first)
    beside = commit("three")
    for sha in (first, second):
        refuse_not_on(github, "main", sha)
    for sha, why in ((beside, "it is diverged of it"), ("f" * 40, "GitHub does not know one of the two")):
        with pytest.raises(SawhorseError, match=why):
            refuse_not_on(github, "main", sha)


def test_only_a_pull_request_of_another_repository_is_a_fork() -> None:
    def event(name: str | None) -> dict[str, object]:
        return {"pull_request": {"head": {"repo": {"full_name": name} if name else None}}}

    assert not is_fork({}, NAME)
    assert not is_fork(event(NAME), NAME)
    assert is_fork(event("somebody/shop"), NAME)
    # A fork that was deleted meanwhile.
    assert is_fork(event(None), NAME)


def test_summaries_and_outputs_are_added_where_github_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    summary, output = tmp_path / "summary", tmp_path / "output"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    monkeypatch.setenv("GITHUB_OUTPUT", str(output))
    summarize("one")
    summarize("two\n")
    give_output(a="1", b="[]")
    assert summary.read_text() == "one\n\ntwo\n\n"
    assert output.read_text() == "a=1\nb=[]\n"
    with pytest.raises(BadConfiguration, match="several lines"):
        give_output(a="1\nforged=2")


@pytest.mark.parametrize(
    ("outcomes", "sentence"),
    [
        ({"plan": "failure"}, "The step plan of dev/a failed; its last line says why. The steps after it did not run."),
        ({"credentials-root": "failure", "plan": "skipped"}, "The step credentials-root of dev/a got no credentials"),
        ({"credentials-root": "success", "plan": "failure"}, "The step plan of dev/a failed"),
        ({"plan": "cancelled"}, "The step plan of dev/a was cancelled"),
        ({}, "A step without an id of dev/a failed"),
    ],
)
def test_the_last_line_names_the_step_that_failed(outcomes: dict[str, str], sentence: str) -> None:
    steps = {name: {"outcome": outcome} for name, outcome in outcomes.items()}
    assert sentence_of(steps, root="dev/a", repository=NAME, reason="").startswith(sentence)


def test_the_last_line_says_why_a_command_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNNER_TEMP", str(tmp_path))
    assert kept_reason() == ""
    keep_reason("no credentials.")
    steps = {"plan": {"outcome": "failure"}}
    assert sentence_of(steps, root="dev/a", repository=NAME, reason=kept_reason()) == (
        "The step plan of dev/a failed: no credentials. The steps after it did not run."
    )


@pytest.mark.parametrize(
    ("environments", "sentences"),
    [
        ({}, ["no environment dev", "no environment drift"]),
        ({"dev": BRANCHES, "drift": BRANCHES}, []),
        ({"dev": {}, "drift": BRANCHES}, ["Every branch, or every protected one, may deploy to dev"]),
        ({"dev": PROTECTED, "drift": BRANCHES}, ["Every branch, or every protected one, may deploy to dev"]),
        ({"dev": patterns("*"), "drift": BRANCHES}, ["* may deploy to dev"]),
        ({"dev": patterns("main", "release/*"), "drift": BRANCHES}, ["main, release/* may deploy to dev"]),
        ({"dev": BRANCHES, "drift": patterns("main", kind="tag")}, ["tag main may deploy to drift"]),
        ({"dev": patterns(), "drift": BRANCHES}, ["No branch may deploy to dev"]),
        ({"dev": BRANCHES, "drift": {**BRANCHES, **REVIEWED}}, ["Somebody has to approve drift every day"]),
    ],
)
def test_what_environments_lack_is_told(
    repository: Repository, github: GitHub, project: Project, environments: dict[str, object], sentences: list[str]
) -> None:
    repository.environments = dict(environments)  # type: ignore[arg-type] # rows
    found = list(lacking(github, project))
    assert len(found) == len(sentences)
    assert all(sentence in one for sentence, one in zip(sentences, found, strict=True))


def test_a_production_that_nobody_approves_is_told(repository: Repository, github: GitHub, project: Project) -> None:
    facts = project.path / "environments/dev/environment.yaml"
    facts.write_text(facts.read_text().replace("production: false", "production: true"))
    repository.environments = {"dev": BRANCHES, "drift": BRANCHES}
    (told,) = lacking(github, project)
    assert told.startswith("Nobody has to approve a deployment to dev, which is production")
    repository.environments["dev"] = {**BRANCHES, **reviewed(others=False)}
    (told,) = lacking(github, project)
    assert told.startswith("Whoever starts a deployment to dev, which is production, may approve it")
    repository.environments["dev"] = {**BRANCHES, **REVIEWED}
    assert list(lacking(github, project)) == []


def test_a_run_says_which_of_its_variables_are_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_SHA", raising=False)
    with pytest.raises(BadConfiguration, match="GITHUB_SHA"):
        ThisRun.of_environment()
