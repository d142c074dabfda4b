"""Run the steps of one job as GitHub's runner does: with bash, in a workspace of its own, one after the other."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any

from tests.children import descendants, end
from tests.workflows.actions import ACTIONS, ActionFailedError
from tests.workflows.documents import read_action
from tests.workflows.expressions import Expressions, as_text

if TYPE_CHECKING:
    from tests.workflows.platform import Run

# https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#exit-codes-and-error-action-preference
SHELLS = {None: ["bash", "-e"], "bash": ["bash", "--noprofile", "--norc", "-eo", "pipefail"]}
# How long a cancelled step has after SIGINT, and after SIGTERM; both come to the shell alone, and then all is killed
# (https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-cancellation).
SECONDS_AFTER = ((signal.SIGINT, 7.5), (signal.SIGTERM, 2.5))
SELF = "./"
# What a step may write to; each step has its own.
FILES = ("GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_STEP_SUMMARY")


@dataclass
class StepResult:
    """How a step ended, and what it printed; of an action, what stood for it."""

    name: str
    outcome: str
    output: str = ""
    stood: str = ""


@dataclass
class Job:
    """One job of a run, with the values of its matrix."""

    run: Run
    key: str
    definition: Mapping[str, Any]
    matrix: Mapping[str, Any]
    inputs: Mapping[str, Any]
    needs: Mapping[str, Any]
    environment_name: str | None
    permissions: Mapping[str, str]
    steps: dict[str, Any] = field(default_factory=dict)
    results: list[StepResult] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    failed: bool = False
    current: str = ""
    outputs: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.temp = self.run.place / f"{len(list(self.run.place.iterdir())):02}-{self.key}"
        self.temp.mkdir(parents=True)
        self.workspace = self.run.platform.take_workspace()
        self.token = f"ghs_{token_hex(16)}"
        self.run.platform.repository.tokens[self.token] = self.permissions

    @property
    def summary(self) -> str:
        return "".join(file.read_text() for file in sorted(self.temp.glob("github_step_summary-*"), key=number_of))

    @property
    def log(self) -> str:
        return "\n".join(one.output.rstrip("\n") for one in self.results if one.output)

    @property
    def last_line(self) -> str:
        return self.log.rstrip("\n").rpartition("\n")[2]

    @property
    def result(self) -> str:
        return "failure" if self.failed else "cancelled" if self.run.cancelled else "success"

    @property
    def subject(self) -> str:
        """The subject of the job's token: an environment takes the place of all else.

        https://docs.github.com/en/actions/reference/security/oidc#example-subject-claims
        """
        name = self.run.platform.repository.name
        if self.environment_name:
            return f"repo:{name}:environment:{self.environment_name}"
        return (
            f"repo:{name}:pull_request" if self.run.event_name == "pull_request" else f"repo:{name}:ref:{self.run.ref}"
        )

    def may(self, scope: str, least: str) -> None:
        if self.permissions.get(scope) not in {least, "write"}:
            raise ActionFailedError(f"The job's permissions lack {scope}: {least}.")

    def go(self) -> Iterator[None]:
        """Run the steps, and stop between two of them for others to go on."""
        for name, value in self.definition.get("env", {}).items():
            self.environment[name] = as_text(self.expressions().filled(value))
        for step in self.definition["steps"]:
            self.step(step)
            yield
        expressions = self.expressions()
        self.outputs = {
            name: as_text(expressions.filled(value)) for name, value in self.definition.get("outputs", {}).items()
        }
        self.run.platform.repository.tokens.pop(self.token)
        self.run.platform.workspaces.append(self.workspace)

    def expressions(self, step_environment: Mapping[str, str] | None = None) -> Expressions:
        contexts = {
            **self.run.contexts(),
            "env": {**self.environment, **(step_environment or {})},
            "inputs": self.inputs,
            "matrix": self.matrix,
            "needs": self.needs,
            "runner": {"os": "Linux", "arch": "X64", "temp": str(self.temp)},
            "secrets": self.secrets,
            "steps": self.steps,
        }
        contexts["github"] = {**contexts["github"], "token": self.token}
        status = {
            "success": not self.failed and not self.run.cancelled,
            "failure": self.failed,
            "cancelled": self.run.cancelled,
        }
        return Expressions(contexts, status, self.workspace)

    def step(self, step: Mapping[str, Any]) -> None:
        """Run one step, unless its condition leaves it out."""
        name = step.get("id") or step.get("name") or step.get("uses") or step["run"].split("\n")[0]
        own = {key: as_text(self.expressions().filled(value)) for key, value in step.get("env", {}).items()}
        result = StepResult(name, "skipped")
        outputs: dict[str, str] = {}
        if self.expressions(own).condition(step.get("if", "success()")):
            self.current = name
            self.run.platform.before_step(self, name)
            if "uses" in step:
                self.used(step, result, own)
            else:
                outputs = self.ran(step, result, own)
        self.results.append(result)
        if result.outcome == "failure":
            self.failed = True
        if "id" in step:
            self.steps[step["id"]] = {"outcome": result.outcome, "conclusion": result.outcome, "outputs": outputs}

    def used(self, step: Mapping[str, Any], result: StepResult, own: Mapping[str, str]) -> None:
        """Do what stands for an action; of this repository's own, run the steps."""
        name, _, revision = step["uses"].partition("@")
        if name.startswith(SELF):
            result.outcome, result.stood = "success", "its own steps, below"
            for inner in read_action(self.run.platform.checkout / name.removeprefix(SELF) / "action.yml"):
                if not self.failed:
                    self.step({"name": f"{name}: {inner.get('uses') or inner['run']}", **inner})
            return
        assert len(revision) == 40, f"{step['uses']} is not pinned by the SHA of a commit."
        given = {key: as_text(self.expressions(own).filled(value)) for key, value in step.get("with", {}).items()}
        try:
            result.stood = ACTIONS[name](self, given)
            result.outcome = "success"
        except ActionFailedError as error:
            result.outcome, result.output = "failure", f"Error: {error}"

    def ran(self, step: Mapping[str, Any], result: StepResult, own: Mapping[str, str]) -> dict[str, str]:
        """Run a script, and return the outputs that it set."""
        script = self.temp / f"step-{len(self.results)}.sh"
        script.write_text(as_text(self.expressions(own).filled(step["run"])))
        files = {name: self.temp / f"{name.lower()}-{len(self.results)}" for name in FILES}
        for file in files.values():
            file.touch()
        variables = {
            **self.run.platform.machine,
            **self.run.variables(),
            **self.environment,
            **own,
            **{name: str(file) for name, file in files.items()},
            "GITHUB_WORKSPACE": str(self.workspace),
            "RUNNER_TEMP": str(self.temp),
            "RUNNER_OS": "Linux",
            "RUNNER_ARCH": "X64",
        }
        code, result.output, cancelled = self.watched([*SHELLS[step.get("shell")], str(script)], variables)
        result.outcome = "cancelled" if cancelled else "success" if code == 0 else "failure"
        self.environment |= read_pairs(files["GITHUB_ENV"])
        return read_pairs(files["GITHUB_OUTPUT"])

    def watched(self, command: list[str], variables: Mapping[str, str]) -> tuple[int, str, bool]:
        """Run a program until it ends, or as long as a cancelled one has."""
        log = self.temp / f"log-{len(self.results)}"
        cancelled_before = self.run.cancelled
        with log.open("w") as file:
            process = subprocess.Popen(
                command, cwd=self.workspace, env=dict(variables), stdout=file, stderr=file, stdin=subprocess.DEVNULL,
                start_new_session=True,
            )  # fmt: skip
            try:
                while process.poll() is None and (cancelled_before or not self.run.cancelled):
                    self.run.platform.meanwhile(self, log)
                    time.sleep(0.05)
                cancelled = process.poll() is None
                for number, seconds in SECONDS_AFTER if cancelled else ():
                    if process.poll() is None:
                        os.kill(process.pid, number)
                        wait_for(process, seconds)
            finally:
                end(descendants({process.pid}) if process.poll() is None else [])
                process.wait()
        return process.returncode, log.read_text(errors="replace"), cancelled


def number_of(file: Path) -> int:
    return int(file.name.rpartition("-")[2])


def wait_for(process: subprocess.Popen[bytes], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)


def read_pairs(file: Path) -> dict[str, str]:
    """Read `name=value` lines; the form with a delimiter, which ours do not use, is an error."""
    found = {}
    for line in file.read_text().splitlines():
        name, equals, value = line.partition("=")
        assert equals, f"{line!r} is not NAME=VALUE."
        assert "<<" not in name, f"{line!r} has the form with a delimiter."
        found[name] = value
    return found
