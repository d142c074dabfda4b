"""Keep one issue for each root that drifted: opened, kept up to date, and closed once nothing differs."""

from __future__ import annotations

from collections.abc import Sequence

from sawhorse.errors import CouldNotAsk
from sawhorse.operate.drift.drift import Drift
from sawhorse.operate.drift.finding import number
from sawhorse.operate.pipelines.comment import code, fitted, plain
from sawhorse.operate.pipelines.github import GitHub
from sawhorse.operate.pipelines.this_run import ThisRun
from sawhorse.workspace import Workspace

LABEL = "drift"
# A body is refused beyond the same length as a comment.
MOST_BODY = 65_536


FROM_NO_COMMIT = (
    "It was applied from a tree that differed from its commit, so what is named may be what stood in that tree. Apply "
    "it from a commit, and only what somebody changed is left."
)


def marker_of(root: str) -> str:
    return f"<!-- sawhorse drift: {root} -->"


def body_of(drift: Drift, run: ThisRun, *, dirty: bool) -> str:
    """Write what differs, and what to do; no value of anything."""
    head = [
        marker_of(drift.root),
        f"{code(drift.root)} is not as it was applied. Found by [this run]({run.url}) of commit {run.sha[:12]}.",
        *([FROM_NO_COMMIT] if dirty else []),
        "",
    ]
    lines = [f"- **{plain(one.kind)}:** {plain(one.sentence)}; {plain(one.fix)}." for one in drift.findings]
    tail = [
        "",
        f'This issue is kept up to date every day, and closed once "sawhorse drift {drift.root}" finds nothing.',
    ]
    return fitted(head, lines, tail, MOST_BODY)


def keep_issue(github: GitHub, run: ThisRun, drift: Drift, *, dirty: bool = False) -> str:
    """Open, write anew or close the issue of a root, and say which; `dirty` says that no commit has what was applied.

    Raises CouldNotAsk where a part of the root could not be asked: that is no drift, and hides none, so its issue
    stays as it is.
    """
    if drift.not_asked:
        found = f", besides {number(len(drift.findings), 'difference')}" if drift.findings else ""
        raise CouldNotAsk(
            f"{drift.root} could not be asked whether it drifted{found}: {' '.join(drift.not_asked)} "
            "That is an error and no drift; its issue is left as it is."
        )
    there = github.own_issues(marker_of(drift.root))
    if not drift.findings:
        said = close_all(github, there, f"[This run]({run.url}) found nothing that differs.")
        return f"{drift.root} is as it was applied{said}."
    body = {"title": f"{drift.root} drifted", "body": body_of(drift, run, dirty=dirty)}
    differences = number(len(drift.findings), "difference")
    if not there:
        made = github.ask("POST", "issues", {**body, "labels": [LABEL]})
        return f"{drift.root} drifted: {differences}, in issue #{made['number']}, which is new."
    for double in there[1:]:
        close(github, double["number"], f"#{there[0]['number']} is about the same root.")
    github.ask("PATCH", f"issues/{there[0]['number']}", body)
    return f"{drift.root} still drifts: {differences}, in issue #{there[0]['number']}."


def close_issue(github: GitHub, root: str, why: str) -> str:
    """Close the issue of a root of which nothing stands, and say so."""
    said = close_all(github, github.own_issues(marker_of(root)), why)
    return f"{why.removesuffix('.')}{said}."


def close_all(github: GitHub, issues: Sequence[dict[str, int]], why: str) -> str:
    for issue in issues:
        close(github, issue["number"], why)
    numbers = ", ".join(f"#{issue['number']}" for issue in issues)
    return f"; {numbers} {'is' if len(issues) == 1 else 'are'} closed" if issues else ""


def close(github: GitHub, number: int, why: str) -> None:
    github.ask("POST", f"issues/{number}/comments", {"body": why})
    github.ask("PATCH", f"issues/{number}", {"state": "closed", "state_reason": "completed"})


def refuse_while_changed(workspace: Workspace) -> None:
    """Raise where somebody holds the lock of the state: without it, an apply that is under way would look as drift."""
    held = workspace.state_store.lock()
    if held:
        raise CouldNotAsk(
            f"{held.told(workspace.root.name, local=workspace.local is not None)} Whether it drifted was not asked."
        )
