"""Show people what runs of workflows did: steps of jobs, what stood for actions, summaries, and what was written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.projects import REPOSITORY
from tests.workflows.platform import Platform, Run, Working

# Where people find it after the tests; `make clean` removes it.
PLACE = REPOSITORY / ".sawhorse/workflows"


def show(name: str, platform: Platform, runs: Iterable[Run]) -> Path:
    """Write what runs did into a file of that name, and return it."""
    lines = [line for run in runs for line in of_run(run)]
    comments = [one["body"] for one in platform.repository.comments.values()]
    issues = [f"{one['title']} ({one['state']})\n\n{one['body']}" for one in platform.repository.issues.values()]
    for title, texts in (("A comment", comments), ("An issue", issues)):
        for text in texts:
            lines += ["", f"# {title}", "", text]
    PLACE.mkdir(parents=True, exist_ok=True)
    file = PLACE / f"{name}.md"
    file.write_text("\n".join(lines) + "\n")
    return file


def of_run(run: Run) -> Iterator[str]:
    results = ", ".join(f"{key}: {result or 'waits'}" for key, result in run.results.items())
    yield f"# Run {run.number}: {run.workflow}, for {run.event_name} ({results})"
    for working in run.jobs:
        yield from of_job(working)
    yield ""


def of_job(working: Working) -> Iterator[str]:
    yield from ("", f"## {working.name}: {working.result or 'waits'}", "")
    if working.job is None:
        return
    yield from ("| step | outcome | what stood for it |", "| --- | --- | --- |")
    for step in working.job.results:
        yield f"| {step.name} | {step.outcome} | {step.stood or '-'} |"
    yield from ("", f"Last line: {working.job.last_line}", "", "Summary:", "", working.job.summary)
