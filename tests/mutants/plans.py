"""Plan many changed copies of modules in one run of Terraform, and say which case of which copy came out otherwise.

One plan holds hundreds of copies. What Terraform or a module refuses ends that copy alone: a plan with errors still has
everything else. Only what is wrong before anything is planned ends the whole run, which is then made again without it.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import tftest

from sawhorse.plans.cases import Case, Change, Refusal, case_in, diagnostics, write_calls, write_outputs
from sawhorse.plans.plan import Plan, Tool, initialized
from sawhorse.plans.promises import Promise, planned_of
from sawhorse.plans.scratch import scratch_root
from tests.mutants.cases import Trial

COPY = re.compile(r"(?:\.\./|module\.)(m\d+_\w+)|^(m\d+_\w+)\.tf\.json")

# An output of each root: what is planned has it, though all copies are refused.
PLANNED = "planned"


class Plans:
    """The roots in which changed copies are planned."""

    def __init__(self, tool: Tool, repository: Path, scratch: Path, state: Mapping[str, Any]) -> None:
        self.tool = tool
        self.repository = repository
        self.scratch = scratch
        self.state = state
        self.roots = 0

    def caught(self, trials: Sequence[Trial]) -> Iterator[tuple[Trial, str]]:
        """Walk the trials that came out otherwise, each with what was found."""
        while trials:
            directory = self.write(trials)
            errors, plan = self.plan(directory)
            if plan is not None:
                yield from found_in(plan, errors, trials)
                return
            # Nothing was planned. These are refused whatever they are given.
            wrong = {trial.mutant for trial in trials if trial.name in errors}
            if not wrong:
                raise AssertionError(f"Terraform refused everything, and it is not known why: {errors}")
            for mutant in wrong:
                trial = next(one for one in trials if one.mutant == mutant and one.name in errors)
                yield trial, f"Terraform refuses it ({errors[trial.name][0]})"
            trials = [trial for trial in trials if trial.mutant not in wrong]

    def write(self, trials: Sequence[Trial]) -> Path:
        """Write a root with a call of a changed copy for each trial."""
        self.roots += 1
        directory = scratch_root(self.repository, self.scratch, f"mutants{self.roots}/all")
        calls = [case_of(trial) for trial in trials]
        write_calls(directory, [(call, call.given) for call in calls])
        write_outputs(directory, [call for call in calls if isinstance(call, Promise)])
        (directory / "planned.tf.json").write_text(json.dumps({"output": {PLANNED: {"value": True}}}))
        for trial in trials:
            file = directory.parent / trial.name / trial.mutant.module / trial.mutant.file
            # It is a link to the file that all copies have.
            file.unlink()
            file.write_text(trial.mutant.text(self.scratch / "modules"))
        resources = [
            {**resource, "module": resource["module"].replace(trial.case.name, trial.name, 1)}
            for trial in trials
            if trial.case.before is not None
            for resource in self.state["resources"]
            if case_in(resource) == trial.case.name
        ]
        (directory / "terraform.tfstate").write_text(json.dumps({**self.state, "resources": resources}))
        return directory

    def plan(self, directory: Path) -> tuple[dict[str, list[str]], Plan | None]:
        """Plan a root; return the errors by copy, and the plan unless nothing was planned."""
        try:
            runner = initialized(self.tool, directory)
        except tftest.TerraformTestError as error:
            # Behind what it did before, which names every copy.
            said = [f"Error:{part}" for part in str(error.args[-1]).split("Error:")[1:]]
            return by_copy((part, {"summary": part}) for part in said), None
        environment = dict(runner.env)
        command = [str(self.tool.binary), "plan", "-json", "-input=false", "-refresh=false", "-out=plan"]
        done = subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True, check=False)
        errors = by_copy(
            (" ".join([json.dumps(one.get("range", {})), one.get("address", ""), one.get("detail", "")]), one)
            for one in diagnostics(done.stdout)
        )
        if not (directory / "plan").exists():
            return errors, None
        command = [str(self.tool.binary), "show", "-json", "plan"]
        shown = subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True, check=True)
        plan = Plan(json.loads(shown.stdout))
        return errors, plan if PLANNED in plan.outputs else None


def case_of(trial: Trial) -> Case:
    """Return a trial's case under the name of the trial, also where what is given refers to the case's own variable."""
    given = re.sub(rf"\bvar\.{trial.case.name}\b", f"var.{trial.name}", json.dumps(trial.case.given))
    return replace(trial.case, name=trial.name, given=json.loads(given))


def by_copy(found: Iterable[tuple[str, Mapping[str, Any]]]) -> dict[str, list[str]]:
    """Return the sentences of errors by the copy that they name."""
    errors: dict[str, list[str]] = {}
    for place, diagnostic in found:
        copies = [one or other for one, other in COPY.findall(place)] or re.findall(r"\b(m\d+_\w+)", place)
        for copy in sorted(set(copies)):
            errors.setdefault(copy, []).append(diagnostic.get("detail") or diagnostic["summary"])
    return errors


def found_in(plan: Plan, errors: Mapping[str, list[str]], trials: Sequence[Trial]) -> Iterator[tuple[Trial, str]]:
    """Walk the trials that came out otherwise than their cases say."""
    told = planned_of(plan, [trial.name for trial in trials if isinstance(trial.case, Promise)])
    parts = parts_of(plan)
    for trial in trials:
        case = replace(trial.case, name=trial.name)
        sentences = errors.get(trial.name, [])
        if isinstance(case, Refusal):
            if case.differences(sentences):
                yield trial, f"refusal: {trial.case.place}: {trial.case.name}"
        elif sentences:
            yield trial, f"{trial.case.place}: {trial.case.name}: {' '.join(sentences[0].split())[:120]}"
        elif isinstance(case, Promise):
            differences = case.differences(told[trial.name])
            if differences:
                first = differences[0].partition("\n")[0].replace(trial.name, trial.case.name)
                yield trial, f"promise: {first}"
        elif isinstance(case, Change) and case.differences(parts.get(trial.name, Plan({}))):
            yield trial, f"change: {trial.case.place}: {trial.case.name}"


def parts_of(plan: Plan) -> dict[str, Plan]:
    """Return what is planned of each call, so that nobody goes through all of it for each."""
    found: dict[str, list[Any]] = {}
    for change in plan.raw.get("resource_changes", []):
        found.setdefault(change["address"].split(".")[1], []).append(change)
    return {name: Plan({"resource_changes": changes}) for name, changes in found.items()}
