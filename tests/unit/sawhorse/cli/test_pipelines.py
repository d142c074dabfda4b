"""What `sawhorse pipeline` gives the steps of a workflow, and how commands end in one."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sawhorse.cli import job_summary, main
from sawhorse.cli.pipelines import pipeline_app
from sawhorse.errors import BadConfiguration, CommandFailed, WrongAccount
from sawhorse.project import Project


class Step:
    """A step of a job: the files that GitHub gives it."""

    def __init__(self, place: Path) -> None:
        self.output, self.summary, self.event = place / "output", place / "summary", place / "event.json"

    @property
    def outputs(self) -> dict[str, str]:
        return dict(line.split("=", 1) for line in self.output.read_text().splitlines())


@pytest.fixture
def step(tmp_path: Path, project: Project, monkeypatch: pytest.MonkeyPatch) -> Step:
    found = Step(tmp_path)
    for name, value in {
        "SAWHORSE_PROJECT": str(project.path),
        "GITHUB_REPOSITORY": "octo-org/shop",
        "GITHUB_OUTPUT": str(found.output),
        "GITHUB_STEP_SUMMARY": str(found.summary),
        "GITHUB_EVENT_PATH": str(found.event),
    }.items():
        monkeypatch.setenv(name, value)
    found.event.write_text("{}")
    return found


def ran(*words: str) -> str:
    ended = CliRunner().invoke(pipeline_app, list(words), catch_exceptions=False)
    assert ended.exit_code == 0, ended.output
    return ended.stdout


def test_roots_are_given_as_a_matrix_and_by_environment(step: Step) -> None:
    matrix = [{"root": "dev/sample", "environment": "dev", "app": "sample", "name": "dev-sample"}]
    assert json.loads(ran("roots", "--json")) == {"roots": matrix, "removed": [], "fork": False}
    outputs = {name: json.loads(value) for name, value in step.outputs.items()}
    assert outputs == {
        "roots": matrix,
        "removed": [],
        "fork": False,
        "roots_dev": matrix,
        "roots_production": [],
        "roots_staging": [],
    }


def test_a_fork_has_no_roots_and_is_told_why(step: Step) -> None:
    step.event.write_text(json.dumps({"pull_request": {"head": {"repo": {"full_name": "somebody/shop"}}}}))
    told = ran("roots")
    assert "comes from a fork" in told
    assert "dev/sample" not in told
    assert step.outputs["roots"] == "[]"
    assert step.outputs["fork"] == "true"
    assert "nothing is planned" in step.summary.read_text()


def test_roles_are_those_of_the_environment_that_the_job_names(step: Step) -> None:
    ran("roles", "dev/sample", "--for", "drift")
    assert step.outputs == {
        "region": "us-east-1",
        "role": "arn:aws:iam::111111111111:role/github-drift",
        "deployer": "arn:aws:iam::111111111111:role/deployers/sample-deployer-dev",
        "reader": "arn:aws:iam::111111111111:role/deployers/sample-reader-dev",
    }


def test_a_run_of_another_repository_is_refused_before_aws_is_asked(step: Step, project: Project) -> None:
    facts = project.path / "environments/dev/environment.yaml"
    facts.write_text(f"{facts.read_text()}github: {{repository: octo-org/shop, name_prefix: shop-}}\n")
    ran("roles", "dev/sample")
    assert step.outputs["role"] == "arn:aws:iam::111111111111:role/shop-dev"
    facts.write_text(facts.read_text().replace("octo-org/shop", "Octo-Org/shop"))
    with pytest.raises(WrongAccount, match=r"says that Octo-Org/shop deploys there\. These differ in case"):
        ran("roles", "dev/sample")
    facts.write_text(facts.read_text().replace("Octo-Org/shop", "somebody/shop"))
    with pytest.raises(WrongAccount, match=r"This run is of octo-org/shop, .* somebody/shop deploys there"):
        ran("roles", "dev/sample")


@pytest.mark.parametrize("roots", ["{", "7", '{"a": 1}'])
def test_roots_that_are_no_list_are_refused(step: Step, roots: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GITHUB_SHA", "GITHUB_REF", "GITHUB_RUN_ID"):
        monkeypatch.setenv(name, "1")
    step.event.write_text(json.dumps({"pull_request": {"number": 1, "head": {"sha": "1"}}}))
    with pytest.raises(BadConfiguration, match="is not a list in JSON"):
        ran("comment", ".", "--roots", roots)


def test_how_a_command_failed_stands_in_the_summary_without_its_options(
    step: Step, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["sawhorse", "apply", "dev/sample", "--var", "password=hunter2"])
    assert job_summary.reported(CommandFailed("terraform apply failed.")) == 1
    summary = step.summary.read_text()
    assert "`sawhorse apply dev/sample` ended with exit code 1: terraform apply failed." in summary
    assert "hunter2" not in summary


def test_a_command_that_ends_with_a_code_of_its_own_is_in_the_summary(
    step: Step, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["sawhorse", "outputs"])
    with pytest.raises(SystemExit):
        main.main()
    assert "`sawhorse outputs` ended with exit code 2; its output is in the log." in step.summary.read_text()


def test_nothing_is_told_outside_of_a_workflow(step: Step, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_STEP_SUMMARY")
    job_summary.tell(1, "It failed.")
    assert not step.summary.exists()
