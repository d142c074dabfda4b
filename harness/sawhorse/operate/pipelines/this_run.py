"""What GitHub says of the run that a command is in, and the files that it gives a step to write to.

The variables and files are those of https://docs.github.com/en/actions/reference/workflows-and-actions/variables.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sawhorse.errors import BadConfiguration

SUMMARY, OUTPUT = "GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT"
# In the job's own directory, for its last step: why a command of it failed.
REASON = "sawhorse-failed.txt"
# What a job's summary takes at most, in bytes
# (https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#step-isolation-and-limits).
MOST_SUMMARY = 1024 * 1024


@dataclass(frozen=True)
class ThisRun:
    """A run of a workflow: `repository` is OWNER/NAME, `event` the webhook's payload."""

    repository: str
    sha: str
    ref: str
    run_id: str
    server: str
    event: Mapping[str, Any] = field(repr=False)

    @classmethod
    def of_environment(cls) -> ThisRun:
        """Read the variables of a run. Raises BadConfiguration outside of one, naming what is missing."""
        names = ("GITHUB_REPOSITORY", "GITHUB_SHA", "GITHUB_REF", "GITHUB_RUN_ID")
        missing = [name for name in names if not os.environ.get(name)]
        if missing:
            raise BadConfiguration(
                f"This is no run of a workflow: {', '.join(missing)} is not set. Set what GitHub would, or run it "
                "there."
            )
        repository, sha, ref, run_id = (os.environ[name] for name in names)
        server = os.environ.get("GITHUB_SERVER_URL", "https://github.com")
        return cls(repository, sha, ref, run_id, server, read_event())

    @property
    def url(self) -> str:
        """Where people see this run."""
        return f"{self.server}/{self.repository}/actions/runs/{self.run_id}"

    @property
    def pull_request(self) -> Mapping[str, Any]:
        """The pull request of the event. Raises BadConfiguration where the event has none."""
        found = self.event.get("pull_request")
        if not isinstance(found, dict):
            raise BadConfiguration("The event of this run has no pull request; this is for runs on pull_request.")
        return found


def read_event() -> Mapping[str, Any]:
    """Return the event's payload, empty where there is none."""
    place = os.environ.get("GITHUB_EVENT_PATH")
    if not place:
        return {}
    try:
        found = json.loads(Path(place).read_text())
    except (OSError, ValueError) as error:
        raise BadConfiguration(f"GITHUB_EVENT_PATH names {place}, which is no event ({error}).") from error
    return found if isinstance(found, dict) else {}


def is_fork(event: Mapping[str, Any], repository: str) -> bool:
    """Say whether a pull request comes from another repository, or from one that is gone."""
    head = (event.get("pull_request") or {}).get("head") if "pull_request" in event else None
    if head is None:
        return False
    return ((head.get("repo") or {}).get("full_name") or "") != repository


def summarize(markdown: str) -> None:
    """Add to the summary of this job; nothing where GitHub gave no file, or where it would be too long to be shown."""
    place = os.environ.get(SUMMARY)
    if not place:
        return
    path = Path(place)
    there = path.stat().st_size if path.exists() else 0
    content = markdown.rstrip("\n") + "\n\n"
    if there + len(content.encode()) <= MOST_SUMMARY:
        with path.open("a") as file:
            file.write(content)


def keep_reason(sentence: str) -> None:
    """Keep why a command failed until the end of its job; nothing outside of one."""
    place = os.environ.get("RUNNER_TEMP")
    if place:
        Path(place, REASON).write_text(sentence)


def kept_reason() -> str:
    """Return why the last command of this job failed; empty where none did, or where it did not say."""
    place = os.environ.get("RUNNER_TEMP")
    path = Path(place or ".", REASON)
    return path.read_text() if place and path.is_file() else ""


def give_output(**values: str) -> None:
    """Set outputs of this step, each one line; nothing where GitHub gave no file."""
    place = os.environ.get(OUTPUT)
    if not place:
        return
    broken = [name for name, value in values.items() if "\n" in value or "\r" in value]
    if broken:
        raise BadConfiguration(f"The output {broken[0]} has several lines, and a step's output is one.")
    with Path(place).open("a") as file:
        file.writelines(f"{name}={value}\n" for name, value in values.items())
