"""What is true of every workflow, besides what zizmor, checkov and the schema say."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from sawhorse.project import Project
from tests.projects import REPOSITORY
from tests.workflows.documents import listed, read_action, read_workflow
from tests.workflows.expressions import Expressions

FILES = sorted((REPOSITORY / ".github/workflows").glob("*.yml"))
APPS = Project(REPOSITORY).apps
# What deploys one app's own service has its name.
OF_ALL = [path for path in FILES if not any(app in path.name for app in APPS)]
PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}")
# A line of a script is a command of ours, or of what checks out and sets up.
OURS = re.compile(r"(exec )?\.venv/bin/(sawhorse|python -m sawhorse\.)|make |\.ci/run$|git switch ")


def steps_of(path: Path) -> Iterator[Mapping[str, Any]]:
    for job in read_workflow(path)["jobs"].values():
        yield from job.get("steps", [])


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_nothing_is_permitted_but_what_a_job_asks_for(path: Path) -> None:
    found = read_workflow(path)
    assert found["permissions"] == {}
    for name, job in found["jobs"].items():
        assert job["permissions"], name
        assert "write-all" not in str(job["permissions"])


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_actions_are_pinned_with_their_version_as_a_comment(path: Path) -> None:
    text = path.read_text() + (REPOSITORY / ".github/actions/setup/action.yml").read_text()
    used = re.findall(r"uses: (\S+)(.*)", text)
    assert used
    for action, comment in used:
        assert action.startswith("./") or (PINNED.fullmatch(action) and re.fullmatch(r" # v\d+\.\d+\.\d+", comment)), (
            action
        )


def test_one_action_has_one_version_everywhere() -> None:
    texts = [path.read_text() for path in [*FILES, REPOSITORY / ".github/actions/setup/action.yml"]]
    used = {found for text in texts for found in re.findall(r"uses: ([\w./-]+)@(\w+)", text)}
    assert len({name for name, _ in used}) == len(used)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_scripts_are_one_command_each_that_runs_on_a_laptop(path: Path) -> None:
    for step in [*steps_of(path), *read_action(REPOSITORY / ".github/actions/setup/action.yml")]:
        if "run" in step:
            script = step["run"].replace("\\\n", " ").strip()
            assert "\n" not in script, script
            assert OURS.match(script), script
            assert "${{" not in script, f"An expression in a script is code of whoever says its value: {script}"


@pytest.mark.parametrize("path", OF_ALL, ids=lambda path: path.name)
def test_they_name_no_app(path: Path) -> None:
    assert [app for app in APPS if app in path.read_text()] == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_what_changes_an_account_is_never_cancelled_for_another_run(path: Path) -> None:
    found = read_workflow(path)
    for job in [found, *found["jobs"].values()]:
        if "environment" in job or "deploy" in path.name:
            assert job.get("concurrency", {}).get("cancel-in-progress", "false") == "false"


def test_a_token_of_github_is_given_to_the_steps_that_ask_github_alone() -> None:
    asking = ("pipeline admit", "pipeline settings", "pipeline comment", "pipeline drift")
    for path in FILES:
        for step in steps_of(path):
            given = "GITHUB_TOKEN" in step.get("env", {})
            assert given == any(command in step.get("run", "") for command in asking), step


def test_what_can_be_stopped_gets_the_signal_itself() -> None:
    """A shell that waits for a program keeps the signal of a cancelled run from it, and Terraform from ending well."""
    long = ("pipeline plan", "sawhorse apply", "sawhorse release", "sawhorse rollback")
    scripts = [step["run"] for path in FILES for step in steps_of(path) if "run" in step]
    found = [script for script in scripts if any(command in script for command in long)]
    assert len(found) >= len(long)
    assert all(script.startswith("exec ") for script in found)


def test_each_environment_of_the_deployment_is_one_of_the_project() -> None:
    jobs = read_workflow(REPOSITORY / ".github/workflows/deploy.yml")["jobs"]
    named = [job["with"]["environment"] for job in jobs.values() if "with" in job]
    assert sorted(named) == Project(REPOSITORY).environments
    assert listed(jobs["production"]["needs"]) == ["build", "dev", "staging"]
    assert jobs["production"]["with"]["promoted_from"] == "staging"


def test_the_variables_of_smoke_checks_are_given_to_the_steps_that_run_them_alone() -> None:
    checking = ("sawhorse release", "sawhorse smoke", "sawhorse rollback")
    given = {"SAWHORSE_SMOKE_VARIABLES": "${{ secrets.SMOKE_VARIABLES }}"}
    found = 0
    for path in FILES:
        for step in steps_of(path):
            runs_checks = any(command in step.get("run", "") for command in checking)
            assert (given.items() <= step.get("env", {}).items()) == runs_checks, step
            assert ("secrets." in str(step)) == runs_checks, step
            found += runs_checks
    assert found == len(checking)


def test_a_called_job_gets_the_secrets_of_its_environment() -> None:
    jobs = [
        job for path in FILES for job in read_workflow(path)["jobs"].values() if "environment" in job.get("with", {})
    ]
    assert jobs
    assert all(job["secrets"] == "inherit" for job in jobs)


@pytest.mark.parametrize("there", [(), ("dev",), ("staging",), ("dev", "production")])
def test_an_environment_that_a_project_does_not_have_is_one_without_roots(there: tuple[str, ...]) -> None:
    jobs = read_workflow(REPOSITORY / ".github/workflows/deploy.yml")["jobs"]
    outputs = {f"roots_{name}": '[{"app": "shop"}]' for name in there}
    known = Expressions({"steps": {"roots": {"outputs": outputs}}}, {})
    found = {name: known.filled(value) for name, value in jobs["build"]["outputs"].items()}
    assert {name: value == "[]" for name, value in found.items()} == {name: name not in there for name in found}
    asked = Expressions({"needs": {"build": {"outputs": found}}}, {})
    for name in found:
        condition = f"needs.build.outputs.{name} != '[]'"
        assert condition in jobs[name]["if"]
        assert asked.value(condition) == (name in there)
