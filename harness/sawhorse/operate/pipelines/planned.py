"""Plan a root for people who review it: a file of what would be done, for the comment, and the whole plan as text."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from botocore.exceptions import BotoCoreError, ClientError
from pydantic import BaseModel, ConfigDict, ValidationError

from sawhorse.errors import BadConfiguration, SawhorseError, file_error_sentence
from sawhorse.files import write_atomically
from sawhorse.git import commit_of
from sawhorse.operate.pipelines.changes import PlannedChange, planned_changes
from sawhorse.operate.saved_plan import save_plan
from sawhorse.project import Root
from sawhorse.workspace import Workspace

ENDING = ".plan.json"


class RootPlan(BaseModel):
    """What a plan of a root came to: `sentence` says why there is none, and is empty for one that there is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    root: str
    commit: str | None
    changes: tuple[PlannedChange, ...] = ()
    sentence: str = ""

    @property
    def failed(self) -> bool:
        return bool(self.sentence)


def plan_for_review(root: Root, opened: Callable[[], Workspace], *, into: Path | None, out: Path | None) -> RootPlan:
    """Plan a root, and write into `into` what the plan came to, also where it failed; what failed it is raised again.

    With `out` the plan is saved for `apply --plan`.
    """
    commit = commit_of(root.project.path).revision
    try:
        with TemporaryDirectory(prefix="sawhorse-plan-") as directory:
            saved = out or Path(directory) / "review.tfplan"
            workspace = opened()
            save_plan(workspace, saved, [])
            changes = tuple(planned_changes(workspace.terraform.changes_of(saved.absolute())))
            if into:
                keep_whole_plan(workspace, saved.absolute(), into)
        plan = RootPlan(root=root.name, commit=commit, changes=changes)
    except (SawhorseError, BotoCoreError, ClientError, OSError) as error:
        keep(RootPlan(root=root.name, commit=commit, sentence=sentence_of(error)), into)
        raise
    keep(plan, into)
    return plan


def sentence_of(error: Exception) -> str:
    """Say what went wrong as a command does."""
    return file_error_sentence(error) if isinstance(error, OSError) else str(error)


def file_of(root: str, directory: Path, ending: str = ENDING) -> Path:
    return directory / f"{root.replace('/', '-')}{ending}"


def keep(plan: RootPlan, into: Path | None) -> None:
    if into:
        into.mkdir(parents=True, exist_ok=True)
        write_atomically(file_of(plan.root, into), plan.model_dump_json(indent=2) + "\n")


def keep_whole_plan(workspace: Workspace, saved: Path, into: Path) -> None:
    """Write a plan as Terraform shows it, which leaves the values out that are sensitive."""
    into.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(
        file_of(workspace.root.name, into, ".plan.txt"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode=0o600
    )
    with os.fdopen(descriptor, "w") as file:
        if workspace.terraform.run("show", str(saved), stream=file) != 0:
            raise workspace.terraform.failed(f"terraform show failed in {workspace.terraform.shown}.")


def read_plans(directory: Path) -> list[RootPlan]:
    """Read what plans came to. Raises BadConfiguration for a file that none of these commands wrote."""
    found = []
    for path in sorted(directory.rglob(f"*{ENDING}")):
        try:
            content: Any = json.loads(path.read_bytes())
            found.append(RootPlan.model_validate(content))
        except (ValidationError, ValueError) as error:
            raise BadConfiguration(f'{path} is not what "sawhorse pipeline plan --into" writes ({error}).') from error
    return found
